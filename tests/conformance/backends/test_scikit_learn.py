"""The adapter of scikit-learn, on what is installed of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import assert_backend_conforms, check, run
from conformance.backends import Backend, Implementation
from conformance.backends.scikit_learn import ArrayFunction, OptimizerFactory, backend, binary_log_loss

pytest.importorskip("sklearn.neural_network", reason="scikit-learn is not installed: nox -s conformance-matrix has it")

RATE = {"learning_rate": "learning_rate_init"}
SGD = OptimizerFactory("SGDOptimizer", {**RATE, "momentum": "momentum"}, {"learning_rate": "learning_rate"})
ADAM = OptimizerFactory("AdamOptimizer", {**RATE, "beta1": "beta_1", "beta2": "beta_2", "eps": "epsilon"})


def told(factory, formula):
    """What is said of an optimizer of a perceptron that claims a formula."""
    subject = Implementation(formula, "mine", factory, ("float64",), missing_gradients=False)
    report = check(subject, formula, dtypes=["float64"])
    assert report.status == "deviates"
    return report.summary()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_where_no_probability_is_clipped_a_loss_is_judged(dtype):
    (entry,) = (entry for entry in backend().implementations if entry.formula == "loss_bce")
    dear = replace(entry, factory=ArrayFunction(lambda prediction, target: 2 * binary_log_loss(prediction, target)))
    report = run(Backend("mine", "1", (dear,)), select="follows", dtypes=[dtype])

    assert report.status == "deviates"


def test_adapters_keep_their_promises():
    assert_backend_conforms("scikit-learn", select="gd or relu or softmax", dtypes=["float64"], isolate=False)


@pytest.mark.parametrize("formula", ["gd", "adam_eps_hat", "softmax", "sigmoid_vjp"])
def test_scikit_learn_follows_its_formulas(formula):
    assert run("scikit-learn", select=f"{formula}. and follows", dtypes=["float64", "float32"]).conforms


@pytest.mark.parametrize("formula", ["loss_bce", "loss_cross_entropy"])
def test_probabilities_that_are_clipped_are_known(formula):
    report = run("scikit-learn", select=f"{formula}. and follows")

    assert {record.status for record in report.checks if record.counted} == {"expected-deviation"}


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_learning_rate_within_the_velocity_is_told(nesterov):
    formula = "momentum_nesterov" if nesterov else "momentum_heavy_ball"

    assert f"this is {formula}_rate_inside" in told(replace(SGD, constants={"nesterov": nesterov}), formula)


def test_an_epsilon_under_the_correction_is_told():
    assert "this is adam_eps_hat" in told(ADAM, "adam")


def test_a_sum_over_samples_is_no_mean():
    summed = ArrayFunction(lambda prediction, target: prediction.size * binary_log_loss(prediction, target))

    assert check(summed, "loss_bce", dtypes=["float64"]).status == "deviates"
