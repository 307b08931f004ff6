"""The adapter of compiled and differentiable steps."""

from __future__ import annotations

import numpy as np
import pytest

from conformance import run
from conformance.backends.torch_compiled import backend, compiled_kernel
from properties.subject import Group

torch = pytest.importorskip("torch")

CPU = {"dtype": "float64", "device": "cpu"}


def made(label, formula, params, values):
    (each,) = [each for each in backend().implementations if each.formula == formula and each.label == label]
    return each.factory(params, [Group(tuple(range(len(params))), {**each.fixed, **values})], **CPU)


def test_a_compiled_step_is_no_step_of_the_interpreter(monkeypatch):
    """The kernel is what `torch.compile` returns; a stand-in for it is called with vectors, and fills in the state."""
    shapes = []

    def watched(kernel, **settings):
        def compiled(params, *others, **keywords):
            shapes.append(tuple(params[0].shape))
            return kernel(params, *others, **keywords)

        assert settings == {"dynamic": True, "fullgraph": True}
        return compiled

    monkeypatch.setattr(torch, "compile", watched)
    compiled_kernel.cache_clear()
    subject = made(
        "torch.optim.SGD:compiled", "momentum_heavy_ball", [np.zeros((2, 3)), np.zeros(())], {"learning_rate": 1.0}
    )
    for _ in range(2):
        subject.step([np.ones((2, 3)), np.ones(())])
    compiled_kernel.cache_clear()

    assert shapes == [(6,), (1,)] * 2
    assert np.array_equal(subject.params()[0], np.full((2, 3), -2.7))
    assert subject.params()[1] == -2.7


def test_a_differentiable_step_has_a_derivative():
    subject = made("torch.optim.SGD:differentiable", "gd", [np.zeros(2)], {"learning_rate": 0.5})
    subject.step([np.ones(2)])

    assert subject.parameters[0].grad_fn is not None
    assert np.array_equal(subject.grads()[0], [1.0, 1.0])


@pytest.mark.parametrize("select", ["rmsprop.follows", "adagrad.follows"])
def test_differentiable_steps_follow_their_formulas(select):
    report = run("torch-compiled", select=f"{select} and differentiable", dtypes=["float64"])

    assert [record.status for record in report.checks] == ["conforms"]


def test_corrections_in_single_precision_are_known():
    report = run("torch-compiled", select="adam.bias_correction and differentiable")

    found = {record.dtype: record.status for record in report.checks if record.counted}
    assert found == {"float64": "expected-deviation", "float32": "conforms"}


def test_a_learning_rate_of_zero_is_known():
    report = run("torch-compiled", select="adamw.zero_gradient_rests and differentiable")

    assert [record.status for record in report.checks if record.counted] == ["expected-deviation"] * 2
