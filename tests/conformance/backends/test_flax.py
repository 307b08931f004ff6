"""The adapter of Flax, on what is installed of it."""

from __future__ import annotations

import numpy as np
import pytest

from conformance import assert_backend_conforms, check, run
from conformance.backends import Backend, Implementation
from conformance.backends.flax import DropoutFactory, NnxCell, NnxNorm, OptimizerFactory, backend
from conformance.backends.jax import ArrayFunction
from conformance.backends.optax import TransformationFactory
from tests.helpers.hoarding import HEAVY, hoarding

pytest.importorskip("flax", reason="flax is not installed: nox -s conformance-matrix has it")

DROPOUTS = {each.label: each for each in backend().implementations if each.formula == "dropout_inverted"}


def swapped(x, hidden, cell, w, u, b):
    """A cell whose forget and input gates are taken for each other."""
    order = np.array([1, 0, 2, 3])
    return NnxCell("LSTMCell", 0)(x, hidden, cell, w[order], u[order], b[order])


def ascent(learning_rate):
    """Descent with the sign of the other direction."""
    import optax

    return optax.scale(learning_rate)


def test_adapters_keep_their_promises():
    assert_backend_conforms("flax", select="(dropout or rms_norm or gd) and not jit", dtypes=["float32"], isolate=False)


def test_a_variance_in_one_pass_is_what_flax_claims():
    report = run("flax", select="layer_norm and follows and not jit and not slow", dtypes=["float64"])

    assert [(record.status, record.evaluation) for record in report.checks] == [("conforms", "one_pass")] * 2


def test_a_variance_in_one_pass_is_not_the_printed_one():
    (claiming,) = (each for each in backend().implementations if each.label == "flax.nnx.LayerNorm")

    assert check(claiming.factory, "layer_norm", dtypes=["float32"]).status == "deviates"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_norms_of_half_types_follow_their_formulas_whatever_their_statistics_are_taken_in(dtype):
    report = run("flax", select="linen.LayerNorm and follows and not jit", dtypes=[dtype])

    assert [record.precision.partition(",")[0] for record in report.checks] == [
        "compute float32",
        "compute float32",
        f"compute {dtype}",
    ]
    assert report.conforms


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_norm_of_half_types_over_the_wrong_axis_deviates(dtype):
    wrong = ArrayFunction(NnxNorm("LayerNorm", {"reduction_axes": 0}), compiled=False)

    assert check(wrong, "layer_norm", dtypes=[dtype]).status == "deviates"


def test_every_cell_is_given_the_weights_of_its_gates():
    report = run("flax", select="lstm and follows", dtypes=["float64"])

    assert [record.status for record in report.checks] == ["conforms"] * 8


def test_swapped_gates_deviate():
    report = check(ArrayFunction(swapped, compiled=False), "lstm_cell", dtypes=["float64"])

    assert report.status == "deviates"


@pytest.mark.parametrize("label", DROPOUTS)
def test_a_seed_gives_the_same_mask_again_and_every_pass_another(label):
    function = DROPOUTS[label].factory(dtype="float32", device="cpu")
    x = np.ones((2, 4, 40))
    first, again, other = (function(x, np.array(seed), keep=0.75) for seed in (3.0, 3.0, 4.0))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])
    assert np.array_equal(function(x, keep=0.75), x)


def test_the_proportion_kept_taken_for_the_one_dropped_deviates():
    right = DROPOUTS["flax.nnx.Dropout"].factory.make
    mistaken = DropoutFactory(lambda drop, seed: right(1 - drop, seed))

    assert check(mistaken, "dropout_inverted", dtypes=["float32"]).status == "deviates"


def test_an_optimizer_follows_its_formula_with_groups_saved_states_and_copies():
    report = run("flax", select="gd", dtypes=["float64"])

    assert report.conforms
    assert {"resuming_changes_nothing", "rewinding_changes_nothing", "follows_the_formula"} <= {
        record.property for record in report.checks if record.status == "conforms"
    }


def test_an_optimizer_that_climbs_deviates():
    climbing = OptimizerFactory(TransformationFactory(ascent, {"learning_rate": "learning_rate"}))

    assert check(climbing, "gd", dtypes=["float64"]).status == "deviates"


def test_what_is_kept_outside_of_the_state_is_told_when_the_state_is_put_back():
    factory = OptimizerFactory(TransformationFactory(hoarding, HEAVY))
    sibling = Implementation("momentum_heavy_ball", "hoarding", factory, ("float64",), missing_gradients=False)
    report = run(Backend("siblings", "1", (sibling,)), select="saving or rewinding", dtypes=["float64"])

    assert {record.property: record.status for record in report.checks} == {
        "saving_changes_nothing": "conforms",
        "rewinding_changes_nothing": "deviates",
    }


def test_what_a_check_changes_in_jax_is_as_before():
    import jax

    before = jax.config.jax_enable_x64
    run("flax", select="rms_norm and nnx and zero", dtypes=["float64"])

    assert jax.config.jax_enable_x64 == before
