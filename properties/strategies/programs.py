"""Training programs: everything that may happen to an optimizer, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from oracle.formula import Formula
from properties.cases import Event, Interruption, Step, Training, Way
from properties.claims import Space
from properties.strategies.hyperparameters import adjusted, scheduled
from properties.strategies.numbers import choice, few_digits, whole
from properties.strategies.trainings import Plan, planned_trainings
from properties.subject import Floats, Group

__all__ = ["programs"]

#: One or two groups from the start, and one or two that are added.
_PLANS = tuple(
    Plan(
        0,
        shapes=((2,), (3,)),
        tensors=(3, 3),
        groups=(groups, groups),
        late=late,
        steps=(6, 6),
        narrow_steps=(4, 4),
        still=True,
    )
    for groups, late in ((3, 1), (2, 1), (3, 2))
)
#: Between two updates; the simplest first. Two in a row, because each may lose what the other leaves alone.
_BETWEEN: tuple[tuple[Interruption, ...], ...] = (
    *((), ("resumed",), ("copied",), ("pickled",), (), ("resumed",), ("pickled",)),
    *(("copied", "resumed"), ("resumed", "copied"), ("copied", "pickled")),
)
_WAYS: tuple[Way, ...] = ("step", "step_accumulated", "step_closure", "step_clipped", "step_sparse")
#: One step of so many is left out: seldom, and a failing program shrinks to the steps that it takes to fail.
_SELDOM = 16
#: What becomes of a gradient.
_FATES = ("kept", "zero", "kept", "missing", "kept", "zero", "kept")


@st.composite
def programs(draw: DrawFn, space: Space) -> Training:
    """Draw a program in which much happens between updates, and to their gradients.

    Groups are added on the way, and some climb; parameters are frozen for a while; gradients are missing, zero, added
    up, clipped, sparse, or come out of a closure; the optimizer is saved and loaded, copied and pickled; and
    hyperparameters change. Numbers are small, so that doubling a gradient, as sums and clips of it do, is exact.

    Parameters
    ----------
    space : Space
        Formula and dtype.
    """
    plan = draw(choice(_PLANS))
    training = draw(planned_trainings(space.formula, space.dtype, plan))
    drawn = [step for step in training.steps if draw(whole(0, _SELDOM - 1))] or training.steps[:1]
    length = len(drawn)
    late = training.groups[-plan.late :]
    joined = sorted(min(draw(whole(1, 3)), max(length - 2, 0)) for _ in late)
    absent = {tensor: joined[number] for number, group in enumerate(late) for tensor in group.tensors}
    rests = [_rest(draw, length) for _ in training.params]
    groups = tuple(replace(group, maximize=draw(st.booleans())) for group in training.groups)
    early = len(groups) - len(late)
    steps = []
    for number, step in enumerate(drawn):
        way = draw(choice(_WAYS))
        waiting = {tensor for tensor, start in absent.items() if number < start}
        frozen = tuple(tensor for tensor, rest in enumerate(rests) if number in rest and tensor not in waiting)
        fated = [_fated(grad, draw(choice(_FATES)), sparse=way == "step_sparse") for grad in step.grads]
        grads = tuple(None if tensor in frozen or tensor in waiting else grad for tensor, grad in enumerate(fated))
        present = groups[: early + sum(start <= number for start in joined)]
        changes = _changes(draw, space.formula, present)
        events = _between(draw, joined.count(number))
        steps.append(Step(grads, changes, events, way, frozen))
    return Training(training.params, groups, tuple(steps))


def _changes(draw: DrawFn, formula: Formula, groups: Sequence[Group]) -> dict[int, dict[str, float]]:
    """Draw a new value of one hyperparameter of one group, for most steps."""
    if draw(whole(0, 3)) == 0:
        return {}
    number = draw(whole(0, len(groups) - 1))
    name = draw(choice((*scheduled(formula), *adjusted(formula))))
    return {number: {name: few_digits(draw(choice((0.5, 0.25))) * groups[number].hyperparameters[name])}}


def _rest(draw: DrawFn, length: int) -> range:
    """Draw the steps in which a parameter is frozen, perhaps none; it thaws before the last."""
    if not draw(st.booleans()):
        return range(0)
    first = min(draw(choice((1, 2, 0))), length - 1)
    return range(first, draw(whole(first, length - 1)))


def _fated(grad: Floats | None, fate: str, *, sparse: bool) -> Floats | None:
    if grad is None or fate == "missing":
        return None
    if fate == "zero":
        return np.zeros_like(grad)
    return np.where(np.arange(grad.size) % 2 == 0, 0.0, grad) if sparse else grad


def _between(draw: DrawFn, joining: int) -> tuple[Event, ...]:
    """Draw interruptions, and where among them groups join."""
    events: list[Event] = list(draw(choice(_BETWEEN)))
    for _ in range(joining):
        events.insert(draw(whole(0, len(events))), "add_group")
    return tuple(events)
