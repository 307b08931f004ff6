"""Training programs are well formed, shared, and full of events."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import get
from properties.cases import Training
from properties.claims import Space
from properties.drawing import draw_cases, shrink
from properties.optimizers.lifecycle import any_order
from properties.strategies.programs import programs

DTYPES = ("float64", "float32", "bfloat16", "float16")


def drawn(dtype: str, count: int = 40) -> list[Training]:
    return draw_cases(programs(Space(get("adamw"), dtype, "quick")), count, 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_who_is_frozen_or_not_yet_there_has_no_gradient(dtype):
    for training in drawn(dtype):
        present = len(training.params) - sum(len(group.tensors) for group in training.late_groups)
        for step in training.steps:
            present += step.events.count("add_group")
            waiting = range(present, len(training.params))
            assert all(step.grads[tensor] is None for tensor in (*step.frozen, *waiting))
            assert not {*step.frozen} & {*waiting}


@pytest.mark.parametrize("dtype", DTYPES)
def test_late_groups_come_last_and_only_groups_that_are_there_change(dtype):
    for training in drawn(dtype):
        early = len(training.groups) - len(training.late_groups)
        assert sorted(tensor for group in training.groups for tensor in group.tensors) == list(
            range(len(training.params))
        )
        assert [group.tensors for group in training.late_groups] == [
            (tensor,) for tensor in range(len(training.params) - len(training.late_groups), len(training.params))
        ]
        for step in training.steps:
            early += step.events.count("add_group")
            assert all(group < early for group in step.changes)


@pytest.mark.parametrize("dtype", DTYPES)
def test_doubled_gradients_are_exact_so_that_sums_and_clips_are(dtype):
    grads = [grad for training in drawn(dtype) for step in training.steps for grad in step.grads if grad is not None]

    assert grads
    assert all(np.array_equal(FORMATS[dtype].round(2 * grad), 2 * grad) for grad in grads)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_cases_of_the_quick_profile_go_through_everything(dtype):
    ((count, _),) = any_order.inputs(Space(get("adamw"), dtype, "quick")).values()

    assert {name for training in drawn(dtype, count) for name in training.demands} == {*any_order.uses}


def test_a_program_shrinks_to_the_one_event_that_matters():
    smallest = shrink(
        programs(Space(get("adamw"), "float64", "quick")),
        lambda training: any("pickled" in step.events for step in training.steps),
        40,
        0,
        2000,
    )

    assert smallest is not None
    (step,) = smallest.steps
    assert "pickled" in step.events
    assert (dict(step.changes), step.way, step.frozen) == ({}, "step", ())
    assert not any(group.maximize for group in smallest.groups)
