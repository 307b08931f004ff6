"""A counterexample's input is written so that a person can follow it with pencil and paper."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.evidence import encoded
from conformance.outline import outline
from properties.cases import Call, Step, Training
from properties.subject import Group
from tests.helpers.judging import a_training

SETTINGS = {"learning_rate": 0.5, "eps": 1e-8}


def lines(formula="adam", **inputs):
    return outline(encoded(inputs), formula)


def test_a_training_is_told_step_by_step():
    training = a_training(SETTINGS, params=[0.1, -0.0], grads=[[1.0, 2.0], [3.0, 4.0]])

    assert lines(training=training) == [
        "learning_rate = 0.5, eps = 1e-08",
        "param   [0.1, -0.0]",
        "step 1  grad [1.0, 2.0]",
        "step 2  grad [3.0, 4.0]",
    ]


def test_steps_that_are_alike_are_told_once():
    training = a_training(SETTINGS, params=[0.0], grads=[*[[1.0]] * 255, [0.0]])

    assert lines(training=training)[1:] == [
        "param           [0.0]",
        "steps 1 to 255  grad [1.0]",
        "step 256        grad [0.0]",
    ]


def test_groups_changes_events_and_missing_gradients_are_named():
    one, two = np.ones(1), np.zeros((2, 1))
    groups = (Group((0,), SETTINGS), Group((1,), {"learning_rate": 1.0}, maximize=True))
    steps = (
        Step((one, None)),
        Step((one, two), {1: {"eps": 0.1}}, ("resumed", "add_group"), "step_sparse"),
        Step((one, None), {}, ("pickled",), frozen=(1,)),
    )

    assert lines(training=Training((one, two), groups, steps)) == [
        "group 0, tensor 0: learning_rate = 0.5, eps = 1e-08",
        "group 1, tensor 1: learning_rate = 1.0, maximize",
        "params  [1.0], [[0.0], [0.0]]",
        "step 1  grads [1.0], missing",
        "step 2  saved and loaded; next group added; group 1: eps = 0.1; sparse gradients; grads [1.0], [[0.0], [0.0]]",
        "step 3  pickled and unpickled; tensor 1 frozen; grads [1.0], missing",
    ]


def test_the_arrays_of_a_call_have_their_names():
    call = Call((np.ones((1, 2)), np.zeros(2), np.array(-2.0)), {"eps": 0.5})

    assert lines("layer_norm", call=call) == ["x = [[1.0, 1.0]]", "weight = [0.0, 0.0]", "bias = -2.0", "eps = 0.5"]


def test_a_mask_that_programs_draw_for_themselves_is_not_shown_but_their_seed_is():
    call = Call((np.ones(2), np.ones(2)), {"keep": 0.5})

    assert lines("dropout_inverted", call=call, seed=7) == ["x = [1.0, 1.0]", "keep = 0.5", "seed = 7"]


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros(0), "[]"),
        (np.ones(1025), "[1.0, …], 1,025 numbers, all equal"),
        (np.eye(17)[:1], "[0.0, …], shape (1, 17), all equal but 1.0 at 0, 0"),
        (np.array([[1.0, 2.0], [3.0, 4.0]], order="F"), "[[1.0, 2.0], [3.0, 4.0]], with strides (1, 2)"),
        (np.arange(13.0), "[0.0, 1.0, 2.0, 3.0, …, 12.0], 13 numbers"),
    ],
)
def test_a_long_array_is_told_in_short(array, text):
    assert lines("relu", call=Call((array,), {})) == [f"x = {text}"]


def test_numbers_that_are_not_finite_are_shown():
    assert lines("relu", call=Call((np.array([np.nan, -np.inf]),), {})) == ["x = [nan, -inf]"]
