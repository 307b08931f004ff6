"""Training programs are well formed, shared, and full of events."""

from __future__ import annotations

import itertools
from typing import get_args

import numpy as np
import pytest

from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import get
from properties.cases import INTERRUPTIONS, Training, Way
from properties.claims import Space
from properties.drawing import draw_cases
from properties.optimizers.lifecycle import any_order
from properties.strategies.programs import DESIGNS, programs

DTYPES = ("float64", "float32", "bfloat16", "float16")


def drawn(dtype: str, count: int = 5) -> list[Training]:
    """Return some programs of each design."""
    space = Space(get("adamw"), dtype, "quick")
    return [training for design in range(DESIGNS) for training in draw_cases(programs(space, design), count, design)]


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
    counts = [count for count, _ in any_order.inputs(Space(get("adamw"), dtype, "quick")).values()]

    assert counts == [1] * DESIGNS
    assert {name for training in drawn(dtype, 1) for name in training.demands} == {*any_order.uses}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_interruption_comes_after_each_other_and_after_each_way_and_before_each(dtype):
    after, before, pairs = set(), set(), set()
    for training in drawn(dtype, 1):
        events = [event for step in training.steps for event in step.events]
        pairs |= {pair for pair in itertools.pairwise(events) if "add_group" not in pair}
        for step, following in itertools.pairwise(training.steps):
            after |= {(step.way, event) for event in following.events}
            before |= {(event, following.way) for event in following.events}
    ways = get_args(Way)

    assert pairs >= set(itertools.permutations(INTERRUPTIONS, 2))
    assert len(after & set(itertools.product(ways, INTERRUPTIONS))) >= 12
    assert len(before & set(itertools.product(INTERRUPTIONS, ways))) >= 12


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gradients_are_missing_and_zero_after_each_interruption(dtype):
    found = {
        (event, "missing" if grad is None else "zero")
        for training in drawn(dtype, 1)
        for step in training.steps[1:]
        for event in step.events
        for tensor, grad in enumerate(step.grads[: len(training.params) - len(training.late_groups)])
        if tensor not in step.frozen and (grad is None or not np.any(grad))
    }

    assert found >= set(itertools.product(INTERRUPTIONS, ("missing", "zero")))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_in_most_programs_a_parameter_is_frozen_when_the_optimizer_is_loaded_and_thaws(dtype):
    programs_of_all = drawn(dtype)
    loaded = [
        training
        for training in programs_of_all
        if any({*one.frozen} and "resumed" in other.events for one, other in itertools.pairwise(training.steps))
    ]

    assert len(loaded) > len(programs_of_all) / 2
    assert not any(training.steps[-1].frozen for training in programs_of_all)


@pytest.mark.parametrize("dtype", DTYPES)
def test_in_every_other_program_a_second_closure_comes_before_what_is_kept_of_the_first_could_be_lost_by_a_load(dtype):
    space = Space(get("gd"), dtype, "quick")
    for design in range(DESIGNS):
        for training in draw_cases(programs(space, design), 5, design):
            closures = [number for number, step in enumerate(training.steps) if step.way == "step_closure"]
            if design % 2 == 0:
                assert len(closures) <= 1
            else:
                first, second = closures
                between = training.steps[first + 1 : second + 1]
                assert not any("resumed" in step.events for step in between)
