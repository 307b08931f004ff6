"""Trainings simpler than a given one: fewer steps, tensors, groups, elements and changes, and simpler numbers.

Every function yields trainings of its own kind of simplicity, the most daring ones first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from oracle.arithmetic.formats import FORMATS
from properties.cases import Step, Training
from properties.claims import Space, Violation
from properties.reduction.numbers import pieces, simpler_arrays, simpler_values
from properties.subject import Floats

__all__ = ["simpler_trainings"]

#: Pieces that steps are cut into: what needs hundreds of steps takes long to judge again.
_STEPS = 8


def simpler_trainings(training: Training, violation: Violation, space: Space) -> tuple[Iterator[Training], ...]:
    """Return simpler trainings by kind of simplicity, in the order in which these help a reader most.

    Parameters
    ----------
    training : Training
        Fails a claim.
    violation : Violation
        Where.
    space : Space
        What it was drawn for.
    """
    return (
        _contiguous(training),
        _fewer_steps(training, violation),
        _fewer_tensors(training, violation),
        _one_group(training),
        _fewer_elements(training, violation),
        _fewer_changes(training),
        _simpler_numbers(training, space),
        _simpler_hyperparameters(training, space),
    )


def _contiguous(training: Training) -> Iterator[Training]:
    """Lay all arrays out in one piece; first of all, since nobody sees from its numbers how an array lies in memory."""
    arrays = [*training.params, *(grad for step in training.steps for grad in step.grads if grad is not None)]
    if not all(array.flags.c_contiguous for array in arrays):
        for tensor, _ in enumerate(training.params):
            training = _edited(training, tensor, partial(np.array, order="C"))
        yield training


def _fewer_steps(training: Training, violation: Violation) -> Iterator[Training]:
    """Leave out what comes after the failure, all before it, and then parts."""
    count = len(training.steps)
    if violation.step is not None:
        yield from _without_steps(training, range(violation.step, count))
        yield from _without_steps(training, (*range(violation.step - 1), *range(violation.step, count)))
    for piece in pieces(count, _STEPS):
        yield from _without_steps(training, piece)


def _without_steps(training: Training, left_out: Sequence[int]) -> Iterator[Training]:
    steps = tuple(step for number, step in enumerate(training.steps) if number not in set(left_out))
    if 0 < len(steps) < len(training.steps):
        yield replace(training, steps=steps)


def _fewer_tensors(training: Training, violation: Violation) -> Iterator[Training]:
    """Keep the one that fails, or leave out some."""
    count = len(training.params)
    kept = [violation.tensor] if violation.tensor is not None else range(count)
    parts = [[other for other in range(count) if other not in piece] for piece in pieces(count)]
    for tensors in [*([tensor] for tensor in kept), *parts]:
        if 0 < len(tensors) < count:
            yield _of_tensors(training, tensors)


def _of_tensors(training: Training, tensors: Sequence[int]) -> Training:
    """Return the training of some tensors; groups that lose all of theirs are gone."""
    position = {tensor: number for number, tensor in enumerate(tensors)}
    members = [tuple(position[tensor] for tensor in group.tensors if tensor in position) for group in training.groups]
    kept = [number for number, mine in enumerate(members) if mine]
    late = iter(range(len(training.groups) - len(training.late_groups), len(training.groups)))
    steps = []
    for step in training.steps:
        grads = tuple(step.grads[tensor] for tensor in tensors)
        changes = {kept.index(group): values for group, values in step.changes.items() if group in kept}
        events = tuple(event for event in step.events if event != "add_group" or next(late) in kept)
        frozen = tuple(position[tensor] for tensor in step.frozen if tensor in position)
        steps.append(Step(grads, changes, events, step.way, frozen))
    groups = tuple(replace(training.groups[number], tensors=members[number]) for number in kept)
    return Training(tuple(training.params[tensor] for tensor in tensors), groups, tuple(steps))


def _one_group(training: Training) -> Iterator[Training]:
    """Let the first group have all tensors, or all groups its hyperparameters."""
    first, *others = training.groups
    if not others:
        return
    if not training.late_groups:
        everything = tuple(range(len(training.params)))
        steps = tuple(
            replace(step, changes={group: values for group, values in step.changes.items() if group == 0})
            for step in training.steps
        )
        yield Training(training.params, (replace(first, tensors=everything),), steps)
    if any(other.hyperparameters != first.hyperparameters for other in others):
        yield replace(
            training, groups=tuple(replace(group, hyperparameters=first.hyperparameters) for group in training.groups)
        )


def _fewer_elements(training: Training, violation: Violation) -> Iterator[Training]:
    """Keep the element that fails, flatten, or leave out parts along an axis."""
    for tensor, param in enumerate(training.params):
        if param.size > 1 and violation.index is not None and violation.tensor in (tensor, None):
            index = violation.index % param.size
            yield _edited(training, tensor, partial(_element, index=index))
        if param.ndim != 1:
            yield _edited(training, tensor, np.ravel)
        for axis, length in enumerate(param.shape):
            for piece in pieces(length):
                yield _edited(training, tensor, partial(np.delete, obj=list(piece), axis=axis))


def _element(array: Floats, index: int) -> Floats:
    return array.reshape(-1)[index : index + 1]


def _edited(training: Training, tensor: int, edit: Callable[[Floats], Floats]) -> Training:
    """Edit a parameter and its gradients alike."""
    params = list(training.params)
    params[tensor] = edit(params[tensor])
    steps = []
    for step in training.steps:
        grads, grad = list(step.grads), step.grads[tensor]
        grads[tensor] = None if grad is None else edit(grad)
        steps.append(replace(step, grads=tuple(grads)))
    return replace(training, params=tuple(params), steps=tuple(steps))


def _fewer_changes(training: Training) -> Iterator[Training]:
    """Leave hyperparameters as they are, and the optimizer alone between updates; give every step a gradient."""
    if any(step.changes for step in training.steps):
        yield replace(training, steps=tuple(replace(step, changes={}) for step in training.steps))
    if any(group.maximize for group in training.groups):
        yield replace(training, groups=tuple(replace(group, maximize=False) for group in training.groups))
    arrivals = _arrivals(training)
    for number, step in enumerate(training.steps):
        for place in range(len(step.events)):
            yield _with_step(training, number, replace(step, events=step.events[:place] + step.events[place + 1 :]))
        if step.way != "step":
            yield _with_step(training, number, replace(step, way="step"))
        if step.frozen:
            yield _with_step(training, number, replace(step, frozen=()))
        for group, values in step.changes.items():
            for name in values:
                fewer = {other: value for other, value in values.items() if other != name}
                changes = {**step.changes, group: fewer}
                changes = {mine: kept for mine, kept in changes.items() if kept}
                yield _with_step(training, number, replace(step, changes=changes))
        for tensor, grad in enumerate(step.grads):
            if grad is None and tensor not in step.frozen and number >= arrivals[tensor]:
                grads = list(step.grads)
                grads[tensor] = np.ones(training.params[tensor].shape)
                yield _with_step(training, number, replace(step, grads=tuple(grads)))


def _arrivals(training: Training) -> dict[int, int]:
    """Return the number of the step from which on each tensor is there."""
    arrivals = dict.fromkeys(range(len(training.params)), 0)
    late = iter(training.late_groups)
    for number, step in enumerate(training.steps):
        for _ in range(step.events.count("add_group")):
            arrivals.update(dict.fromkeys(next(late).tensors, number))
    return arrivals


def _with_step(training: Training, number: int, step: Step) -> Training:
    return replace(training, steps=(*training.steps[:number], step, *training.steps[number + 1 :]))


def _simpler_hyperparameters(training: Training, space: Space) -> Iterator[Training]:
    """Replace values, the same everywhere."""
    for name in space.formula.hyperparameters:
        tables = [group.hyperparameters for group in training.groups]
        tables += [values for step in training.steps for values in step.changes.values()]
        for value in dict.fromkeys(table[name] for table in tables if name in table):
            for simpler in simpler_values(value, space.formula.draw[name], whole=False):
                yield _with_value(training, name, value, simpler)


def _with_value(training: Training, name: str, old: float, new: float) -> Training:
    def settled(values: Mapping[str, float]) -> dict[str, float]:
        return {other: new if other == name and value == old else value for other, value in values.items()}

    groups = tuple(replace(group, hyperparameters=settled(group.hyperparameters)) for group in training.groups)
    steps = tuple(
        replace(step, changes={group: settled(values) for group, values in step.changes.items()})
        for step in training.steps
    )
    return replace(training, groups=groups, steps=steps)


def _simpler_numbers(training: Training, space: Space) -> Iterator[Training]:
    """Replace numbers of gradients, and then of parameters."""
    form = FORMATS[space.dtype]
    places = [(number, tensor) for number, step in enumerate(training.steps) for tensor in range(len(step.grads))]
    shown = [(place, grad) for place in places if (grad := training.steps[place[0]].grads[place[1]]) is not None]
    for arrays in simpler_arrays([grad for _, grad in shown], form) if shown else ():
        found = dict(zip((place for place, _ in shown), arrays, strict=True))
        steps = tuple(
            replace(step, grads=tuple(found.get((number, tensor)) for tensor in range(len(step.grads))))
            for number, step in enumerate(training.steps)
        )
        yield replace(training, steps=steps)
    for params in simpler_arrays(training.params, form):
        yield replace(training, params=params)
