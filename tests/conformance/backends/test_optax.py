"""The adapter of optax, on what is installed of it."""

from __future__ import annotations

import functools

import pytest

from conformance import UsageError, assert_backend_conforms, check, identify, laws, run
from conformance.backends import Backend, Implementation
from conformance.backends.optax import TransformationFactory
from tests.helpers.hoarding import HEAVY, hoarding

optax = pytest.importorskip("optax", reason="optax is not installed: nox -s conformance-matrix has it")


def half_step(learning_rate, b1=0.9, b2=0.999, eps=1e-8):
    """Adam that goes half as far."""
    return optax.chain(optax.scale_by_adam(b1, b2, eps), optax.scale(-learning_rate / 2))


def ascent(learning_rate):
    """Descent with the sign of the other direction."""
    return optax.scale(learning_rate)


def test_adapters_keep_their_promises():
    assert_backend_conforms("optax", select="adamw or clip or constant", dtypes=["float64"], isolate=False)


@pytest.mark.parametrize("formula", ["gd", "momentum_nesterov", "clip_by_norm", "schedule_cosine_to_10pct"])
def test_optax_follows_its_formulas(formula):
    assert run("optax", select=formula, dtypes=["float64", "float32"]).conforms


def test_a_schedule_in_single_precision_is_known():
    report = run("optax", select="linear and follows", dtypes=["float64"])

    assert [record.status for record in report.checks] == ["expected-deviation"]


def test_a_function_that_makes_a_transformation_is_its_own_adapter():
    report = check(optax.adamw, "adamw", dtypes=["float64"])

    assert report.conforms
    assert {record.message for record in report.checks if record.status == "unsupported"} >= {
        "optax.adamw does not offer missing_gradients"
    }


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (optax.lion, "lion"),
        (functools.partial(optax.sgd, nesterov=True), "momentum_nesterov"),
        (optax.clip, "clip_by_value"),
        (optax.clip_by_global_norm, "clip_by_norm"),
        (optax.constant_schedule, "schedule_constant"),
        (optax.cosine_decay_schedule, "schedule_cosine_to_10pct_down_to_zero"),
        (half_step, ""),
        (optax.scale_by_adam, ""),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_optax_makes_is_identified(target, named):
    found = identify(target, dtypes=["float64"])

    assert found.formula == named
    assert found.outcome == ("identified" if named else "none of the known")


def test_what_claims_no_formula_has_laws():
    judged = {record.name: record.outcome for record in laws(ascent).records}

    assert judged["resumes"] == judged["zero_learning_rate_rests"] == "holds"
    assert judged["constant_gradient_descends"] == "broken"


@pytest.mark.parametrize(("target", "formula"), [(half_step, "adam"), (ascent, "gd"), (optax.adam, "adam_eps_hat")])
def test_wrong_transformations_deviate(target, formula):
    assert check(target, formula, dtypes=["float64"]).status == "deviates"


def test_what_is_kept_outside_of_the_state_is_told_when_the_state_is_put_back():
    factory = TransformationFactory(hoarding, HEAVY)
    sibling = Implementation("momentum_heavy_ball", "hoarding", factory, ("float64",), missing_gradients=False)
    report = run(Backend("siblings", "1", (sibling,)), select="follows or changes_nothing", dtypes=["float64"])

    assert {record.property.removesuffix("_changes_nothing"): record.status for record in report.checks} == {
        "follows_the_formula": "conforms",
        "resuming": "deviates",
        "copying": "deviates",
        "saving": "conforms",
        "rewinding": "deviates",
    }


def test_states_of_optax_are_saved_and_put_back():
    report = run("optax", select="saving or rewinding", dtypes=["bfloat16"])

    assert len(report.checks) == 26
    assert {record.status for record in report.checks} == {"conforms"}


def test_a_transformation_must_offer_what_its_formula_has():
    with pytest.raises(UsageError, match=r"optax\.adam offers no weight_decay"):
        check(optax.adam, "adamw")
