"""The adapter of autograd, on what is installed of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import assert_backend_conforms, check, run
from conformance.backends import Backend, Implementation
from conformance.backends.autograd import Gradient, LoopFactory, PulledBack, backend, relu, squared_error

optimizers = pytest.importorskip(
    "autograd.misc.optimizers", reason="autograd is not installed: nox -s conformance-matrix has it"
)

SGD = {"learning_rate": "step_size", "momentum": "mass"}


def loop(function, formula, spellings, **constants):
    """Declare a loop as the backend does."""
    factory = LoopFactory(function, spellings, constants)
    return Implementation(formula, "mine", factory, ("float64",), missing_gradients=False, changes=False)


def test_adapters_keep_their_promises():
    assert_backend_conforms("autograd", select="gd or relu_vjp", dtypes=["float64"], isolate=False)


@pytest.mark.parametrize("formula", ["gd", "adam", "loss_cross_entropy_gradient"])
def test_autograd_follows_its_formulas(formula):
    assert run("autograd", select=f"{formula}. and follows", dtypes=["float64"]).conforms


def test_the_slope_at_a_tie_is_known():
    report = run("autograd", select="relu_vjp and follows", dtypes=["float64"])

    assert report.status == "expected-deviation"
    assert "0.5" in report.checks[0].message


def test_beside_a_tie_the_slope_is_judged():
    entries = {entry.label: entry for entry in backend().implementations}
    steep = replace(entries["autograd.make_vjp:maximum"], factory=PulledBack(lambda x: 2.0 * relu(x)))
    report = run(Backend("mine", "1", (steep,)), select="follows", dtypes=["float64"])

    assert report.status == "deviates"


def test_where_no_rate_changes_a_velocity_is_not_trusted_to_be_outside_of_it():
    report = check(loop(optimizers.sgd, "momentum_ema", SGD), "momentum_ema", dtypes=["float64"])

    assert {record.status for record in report.checks} == {"mistrusted", "conforms", "unsupported"}
    assert "momentum_ema_rate_inside" in report.summary()


def test_an_average_that_begins_with_ones_is_told():
    spellings = {"learning_rate": "step_size", "alpha": "gamma", "eps": "eps"}

    assert check(loop(optimizers.rmsprop, "rmsprop", spellings), "rmsprop", dtypes=["float64"]).status == "deviates"


def test_a_velocity_that_is_claimed_to_be_none_is_told():
    subject = loop(optimizers.sgd, "gd", {"learning_rate": "step_size"}, mass=0.5)

    assert check(subject, "gd", dtypes=["float64"]).status == "deviates"


def test_a_gradient_of_half_the_loss_deviates():
    half = Gradient(lambda prediction, target: 0.5 * squared_error(prediction, target))

    assert check(half, "loss_squared_error_gradient", dtypes=["float64"]).status == "deviates"
