"""The adapter of ONNX, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import assert_backend_conforms, check, run
from conformance.backends import Implementation
from conformance.backends.onnx import OperatorFactory, OptimizerFactory, Renamed

pytest.importorskip("onnx.reference", reason="onnx is not installed: nox -s conformance-matrix has it")

ADAM = Renamed({"beta1": "alpha", "beta2": "beta", "eps": "epsilon"})
DAMPED = Renamed({"momentum": "alpha"}, {"beta": 0.5, "norm_coefficient": 0.0, "mode": "standard"})


def told(factory, formula):
    """What is said of an operator of training that claims a formula."""
    subject = Implementation(formula, "mine", factory, ("float32",), missing_gradients=False)
    report = check(subject, formula, dtypes=["float32"])
    assert report.status == "deviates"
    return report.summary()


def test_adapters_keep_their_promises():
    assert_backend_conforms("onnx", select="gd or softmax or clip", dtypes=["float64"], isolate=False)


@pytest.mark.parametrize("formula", ["momentum_nesterov", "softmax", "layer_norm", "batch_norm_running_mean"])
def test_onnx_follows_its_formulas(formula):
    assert run("onnx", select=f"{formula}. and follows", dtypes=["float64", "float32"]).conforms


@pytest.mark.parametrize(
    ("select", "dtype"),
    [("gelu and follows", "float64"), ("Adam: and follows", "float64"), ("Adam and keep", "float32")],
)
def test_results_of_another_precision_are_known(select, dtype):
    report = run("onnx", select=select, dtypes=[dtype])

    found = {record.status for record in report.checks if record.counted}
    assert "expected-deviation" in found <= {"conforms", "expected-deviation"}


def test_an_adam_that_counts_from_zero_is_told():
    told(OptimizerFactory("Adam", ADAM, memories=2), "adam_eps_hat")


def test_an_epsilon_under_the_correction_is_told():
    assert "this is adam_eps_hat" in told(OptimizerFactory("Adam", ADAM, memories=2, first=1), "adam")


def test_a_weight_of_new_gradients_is_told():
    told(OptimizerFactory("Momentum", DAMPED), "momentum_heavy_ball")


def test_an_approximation_deviates():
    approximate = OperatorFactory("Gelu", Renamed({}, {"approximate": "tanh"}))

    assert check(approximate, "gelu", dtypes=["float32"]).status == "deviates"


def test_a_cross_entropy_of_rounded_probabilities_has_to_say_so():
    report = run("onnx", select="loss_cross_entropy and follows")

    assert {record.evaluation for record in report.checks if record.counted} == {"through_probability"}
