"""Calls of activations, losses and gated units reach shapes and magnitudes that few programs are tried on."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import get
from properties.cases import Call
from properties.claims import Space
from properties.drawing import draw_cases
from properties.strategies.calls import calls, kinds

LOSSES = ("loss_bce", "bce_with_logits", "bce_with_logits_gradient", "loss_mse", "loss_squared_error_gradient")
GATED = ("glu", "swiglu", "ffn_swiglu", "lstm_cell", "lstm_hidden")


def drawn(formula: str, kind: str, dtype: str = "float64", count: int = 8) -> list[Call]:
    return draw_cases(calls(Space(get(formula), dtype, "quick"), kind), count, 5)


@pytest.mark.parametrize("formula", LOSSES)
def test_samples_come_in_more_than_one_axis(formula):
    assert {call.arrays[0].ndim for call in drawn(formula, "lines", count=20)} == {2, 3}


@pytest.mark.parametrize("formula", ["sigmoid_vjp", "relu", "loss_mse"])
def test_the_long_array_is_a_stack_of_more_than_1024_elements(formula):
    for call in drawn(formula, "bulk", count=2):
        assert call.arrays[0].ndim == 3
        assert call.arrays[0].size > 1024


def test_activations_are_called_with_a_single_number():
    assert all(call.arrays[0].shape == () for call in drawn("sigmoid", "scalar"))


@pytest.mark.parametrize("formula", ["loss_cross_entropy", "loss_cross_entropy_gradient", "loss_combined"])
def test_some_samples_are_alone_and_the_last_of_many_classes_is_there(formula):
    assert {call.arrays[0].shape for call in drawn(formula, "single", count=20)} == {(1, 3), (1, 33)}
    assert all(call.arrays[1][0] == 16 for call in drawn(formula, "rows"))


def test_scores_are_stacked_for_softmax_alone():
    assert all(call.arrays[0].ndim == 3 for call in drawn("softmax", "stacked"))
    assert "stacked" not in kinds(get("loss_cross_entropy"))


def test_huge_scores_have_both_signs_and_the_wrong_labels():
    for call in drawn("bce_with_logits_gradient", "huge"):
        score, target = (array[[0, -1]] for array in map(np.ravel, call.arrays))

        assert score[0] > 100
        assert score[1] < -100
        assert target.tolist() == [0, 1]


def test_certain_scores_lie_where_programs_take_the_logistic_function_for_one():
    for call in drawn("bce_with_logits", "certain"):
        assert 20 < call.arrays[0].item() <= 30
        assert call.arrays[1].item() == 1


@pytest.mark.parametrize("formula", ["linear_vjp_input", "linear_vjp_weight", "linear_vjp_bias"])
def test_layers_have_a_lone_sample_and_more_samples_and_outputs_than_a_block(formula):
    upstream = {kind: drawn(formula, kind)[0].arrays[-1].shape for kind in kinds(get(formula))}

    assert upstream["single"] == (1, 3)
    assert upstream["rows"][0] > 16
    assert upstream["bulk"] == (67, 33)
    assert all(call.arrays[-1].shape[0] > 1 for call in drawn(formula, "short"))


def test_scores_and_cotangents_of_softmax_have_one_shape_also_when_they_are_stacked():
    shapes = [[array.shape for array in call.arrays] for call in drawn("softmax_vjp", "stacked")]

    assert all(len(scores) == 3 and scores == upstream for scores, upstream in shapes)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("formula", GATED)
def test_far_units_lie_where_exponentials_overflow(formula, dtype):
    for call in drawn(formula, "far", dtype):
        arrays = dict(zip(get(formula).arrays, call.arrays, strict=True))

        assert all(np.array_equal(FORMATS[dtype].round(array), array) for array in call.arrays)
        away = arrays["w"][0] if formula == "ffn_swiglu" else arrays["b"][3] if "cell" in arrays else arrays["b"]
        assert {-1000.0, 1000.0} <= set(away.tolist())
        assert "cell" not in arrays or np.abs(arrays["cell"]).min() >= 100
