"""Training programs: everything that may happen to an optimizer, in any order."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Container, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from oracle.formula import Formula
from properties.cases import INTERRUPTIONS, Event, Interruption, Step, Training, Way
from properties.claims import Space
from properties.strategies.hyperparameters import adjusted, scheduled
from properties.strategies.numbers import choice, few_digits, whole
from properties.strategies.trainings import Plan, Shapes, planned_trainings
from properties.subject import Floats, Group

__all__ = ["DESIGNS", "programs"]

#: Programs that together lead through every event, and every pair of an event and what becomes of gradients then.
DESIGNS = 8

_ALIKE: Shapes = ((2,),)
_MIXED: Shapes = ((2,), (3,))
#: One or two groups from the start, and one or two that are added; what is stored in the wrong place shows in tensors of
#: one shape.
_PLANS = tuple(
    Plan(
        0,
        shapes=shapes,
        tensors=(3, 3),
        groups=(groups, groups),
        late=late,
        steps=(6, 6),
        narrow_steps=(4, 4),
        still=True,
    )
    for groups, late, shapes in ((3, 1, _ALIKE), (2, 1, _MIXED), (3, 1, _MIXED), (3, 2, _MIXED))
)
#: Between two updates, in each program; two in a row, because each may lose what the other leaves alone.
_BETWEEN: tuple[tuple[Interruption, ...], ...] = ((), *((each,) for each in INTERRUPTIONS))
_TWICE: tuple[tuple[Interruption, ...], ...] = tuple(itertools.permutations(INTERRUPTIONS, 2))
_SPARSE: Way = "step_sparse"
_CLOSURE: Way = "step_closure"
_WAYS: tuple[Way, ...] = ("step", "step_accumulated", _CLOSURE, "step_clipped", _SPARSE)
_BESIDE_CLOSURES = tuple(way for way in _WAYS if way != _CLOSURE)
#: What becomes of a gradient.
_FATES = (*["kept"] * 10, "zero", "missing")

Value = TypeVar("Value")

_shuffled = functools.cache(st.permutations)


@st.composite
def programs(draw: DrawFn, space: Space, design: int) -> Training:
    """Draw a program in which much happens between updates, and to their gradients.

    Groups are added on the way, and some climb; parameters are frozen for a while; gradients are missing, zero, added
    up, clipped, sparse, or come out of a closure; the optimizer is saved and loaded, copied and pickled; and
    hyperparameters change. Numbers are small, so that doubling a gradient, as sums and clips of it do, is exact.

    Each program goes through all interruptions and ways in an order that is drawn. One of its parameters is frozen for
    a while, when the optimizer is loaded if that can be, and has gradients before and afterwards; a second one mostly
    has none, or zeros, after an interruption: each after each of them in the programs of all designs together.

    Parameters
    ----------
    space : Space
        Formula and dtype.
    design : int
        Below `DESIGNS`: which groups there are, which climb, and what happens together.
    """
    plan = _PLANS[design % len(_PLANS)]
    training = draw(planned_trainings(space.formula, space.dtype, plan))
    length, count = len(training.steps), len(training.params)
    groups = tuple(replace(group, maximize=bool(design >> number & 1)) for number, group in enumerate(training.groups))
    between = (*_BETWEEN, _TWICE[design % len(_TWICE)])
    first = 3 - design % 3
    order = [first, *draw(_shuffled(range(len(between))))][:length]
    joined = _joining(draw, _where(order, {first}), plan.late, length)
    absent = {count - plan.late + number: start for number, start in enumerate(joined)}
    sleeper = draw(whole(0, count - plan.late - 1))
    loads = _where(order, {kind for kind, events in enumerate(between) if "resumed" in events})
    rest = _rest(draw, loads, length)
    ways = _closures(draw, loads, length) if design % 2 else _sparse(draw, rest, length)
    steps = []
    for number, (step, kind) in enumerate(zip(training.steps, order, strict=True)):
        fates = [draw(choice(_FATES)) for _ in range(count)]
        fates[sleeper] = "missing" if number in rest else "kept"
        lacking = number > 0 and bool(between[kind]) and draw(whole(0, 7)) > 0
        fates[1 - sleeper] = ("zero", "missing")[(kind + design // 2) % 2] if lacking else "kept"
        waiting = {tensor for tensor, start in absent.items() if number < start}
        grads = tuple(
            None if tensor in waiting else _fated(grad, fates[tensor], sparse=ways[number] == _SPARSE)
            for tensor, grad in enumerate(step.grads)
        )
        present = groups[: len(groups) - sum(number < start for start in joined)]
        changes = _changes(draw, space.formula, present)
        events = _events(draw, between[kind], joined.count(number))
        steps.append(Step(grads, changes, events, ways[number], (sleeper,) if number in rest else ()))
    return Training(training.params, groups, tuple(steps))


def _one(draw: DrawFn, among: Sequence[Value]) -> Value:
    return among[draw(whole(0, len(among) - 1))]


def _where(order: Sequence[int], kinds: Container[int]) -> list[int]:
    """Return the steps, but for the first, before which there is something of some kinds."""
    return [number for number, kind in enumerate(order) if number and kind in kinds]


def _sparse(draw: DrawFn, rest: range, length: int) -> list[Way]:
    """Draw an order of all ways, and a step for one more sparse gradient, with others before and afterwards."""
    ways: list[Way] = draw(_shuffled(_WAYS))
    awake = [number for number in range(1, length - 1) if number not in rest]
    ways.insert(_one(draw, awake or [1]), _SPARSE)
    return ways


def _closures(draw: DrawFn, loads: Sequence[int], length: int) -> list[Way]:
    """Draw an order of all ways with two closures, and no load between these: what is kept of the first is still there."""
    ways: list[Way] = draw(_shuffled(_BESIDE_CLOSURES))
    pairs = itertools.combinations(range(length), 2)
    for step in _one(draw, [pair for pair in pairs if not any(pair[0] < load <= pair[1] for load in loads)]):
        ways.insert(step, _CLOSURE)
    return ways


def _changes(draw: DrawFn, formula: Formula, groups: Sequence[Group]) -> dict[int, dict[str, float]]:
    """Draw a new value of one hyperparameter of one group, for most steps."""
    if draw(whole(0, 3)) == 0:
        return {}
    number = draw(whole(0, len(groups) - 1))
    name = draw(choice((*scheduled(formula), *adjusted(formula))))
    return {number: {name: few_digits(draw(choice((0.5, 0.25))) * groups[number].hyperparameters[name])}}


def _joining(draw: DrawFn, moments: Sequence[int], late: int, length: int) -> list[int]:
    """Draw before which steps groups join: one of them at one of some moments, and none at the very end."""
    starts = [_one(draw, moments or [1]), *(draw(whole(1, 3)) for _ in range(late - 1))]
    return sorted(min(start, length - 2) for start in starts)


def _rest(draw: DrawFn, loads: Sequence[int], length: int) -> range:
    """Draw the steps in which a parameter is frozen: neither the first nor the last, and over a load if it can be."""
    load = _one(draw, [load for load in loads if load > 1] or [2])
    return range(max(load - draw(whole(1, 2)), 1), min(load + draw(whole(0, 1)), length - 1))


def _fated(grad: Floats | None, fate: str, *, sparse: bool) -> Floats | None:
    if grad is None or fate == "missing":
        return None
    if fate == "zero":
        return np.zeros_like(grad)
    return np.where(np.arange(grad.size) % 2 == 0, 0.0, grad) if sparse else grad


def _events(draw: DrawFn, interruptions: Sequence[Interruption], joining: int) -> tuple[Event, ...]:
    """Draw where among interruptions groups join."""
    events: list[Event] = list(interruptions)
    for _ in range(joining):
        events.insert(0 if draw(whole(0, 7)) else len(events), "add_group")
    return tuple(events)
