"""What claims about optimizers share: trainings changed in one respect, and comparisons with derived bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from oracle.arithmetic.balls import BallArray, balls
from oracle.bound import Enclosure
from properties.cases import Step, Training
from properties.claims import Bench
from properties.margins import slack, total
from properties.subject import Floats

__all__ = [
    "compare_positions",
    "compare_runs",
    "mapped",
    "with_constant_gradients",
    "with_zero_gradients",
    "without_decay",
]

_DECAYS = ("weight_decay", "l2_penalty")


def mapped(
    training: Training,
    *,
    param: Callable[[Floats], Floats] = lambda array: array,
    grad: Callable[[Floats], Floats] = lambda array: array,
    values: Callable[[Mapping[str, float]], Mapping[str, float]] = lambda table: table,
) -> Training:
    """Return a training with changed parameters, gradients or hyperparameters.

    Parameters
    ----------
    training : Training
    param, grad : callable
        Applied to each array.
    values : callable
        Applied to each group's hyperparameters, and to each change of some of them.
    """
    return Training(
        tuple(param(array) for array in training.params),
        tuple(replace(group, hyperparameters=values(group.hyperparameters)) for group in training.groups),
        tuple(
            Step(
                tuple(None if array is None else grad(array) for array in step.grads),
                {number: values(table) for number, table in step.changes.items()},
            )
            for step in training.steps
        ),
    )


def with_constant_gradients(training: Training) -> Training:
    """Repeat the first gradients in every step."""
    first = training.steps[0].grads
    return replace(training, steps=tuple(replace(step, grads=first) for step in training.steps))


def with_zero_gradients(training: Training) -> Training:
    """Make every gradient zero."""
    return mapped(training, grad=np.zeros_like)


def without_decay(training: Training) -> Training:
    """Set weight decay and penalty to zero."""
    return mapped(training, values=lambda table: {n: 0.0 if n in _DECAYS else value for n, value in table.items()})


def compare_positions(bench: Bench, training: Training, positions: Sequence[Sequence[BallArray]], note: str) -> None:
    """Compare the parameters after every step with exact ones, within the bounds of the trajectory.

    Parameters
    ----------
    bench : Bench
    training : Training
        What the subject is run on.
    positions : sequence of sequence of BallArray
        Exact parameters, indexed ``[step][tensor]``.
    note : str
        Said of a violation.
    """
    observation, enclosures = bench.train(training), bench.enclosures(training)
    for number, exact in enumerate(positions):
        for tensor, value in enumerate(exact):
            expected = Enclosure(value=value, error=slack(enclosures[number][tensor][0]))
            shown = observation.params[number][tensor]
            bench.compare(shown, expected, quantity="param", step=number + 1, tensor=tensor, note=note)


def compare_runs(
    bench: Bench,
    training: Training,
    other: Training,
    back: Callable[[Sequence[Floats]], Sequence[Floats]],
    note: str,
) -> None:
    """Compare two trainings that end in the same place but for an exact rearrangement.

    Each run may be off by its own bound, and both bounds are the same: twice the bound is allowed.

    Parameters
    ----------
    bench : Bench
    training, other : Training
    back : callable
        Brings the parameters of ``other`` into the shape of those of ``training``, without rounding.
    note : str
        Said of a violation.
    """
    first, second, enclosures = bench.train(training), bench.train(other), bench.enclosures(training)
    for number, shown in enumerate(first.params):
        for tensor, restored in enumerate(back(second.params[number])):
            error = slack(enclosures[number][tensor][0])
            expected = Enclosure(value=balls(shown[tensor]), error=total(error, error))
            bench.compare(restored, expected, quantity="param", step=number + 1, tensor=tensor, note=note)
