"""What claims about optimizers share: trainings changed in one respect, and comparisons with derived bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from oracle.arithmetic.balls import BallArray, balls
from oracle.bound import Enclosure
from properties.cases import Training
from properties.claims import Bench
from properties.margins import slack, total
from properties.subject import Floats

__all__ = [
    "compare_positions",
    "compare_runs",
    "mapped",
    "planted",
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
            replace(
                step,
                grads=tuple(None if array is None else grad(array) for array in step.grads),
                changes={number: values(table) for number, table in step.changes.items()},
            )
            for step in training.steps
        ),
    )


def planted(formulas: Sequence[str], what: str) -> tuple[str, ...]:
    """Return the ids of one fault that is seeded in each of several formulas."""
    return tuple(f"{formula}_{what}" for formula in formulas)


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

    Each run may be off by its own bound. The bounds differ where another learning rate, say, underflows.

    Parameters
    ----------
    bench : Bench
    training, other : Training
    back : callable
        Brings the parameters of ``other``, or bounds of them, to the places of those of ``training``; it may turn
        signs, and rounds nothing.
    note : str
        Said of a violation.
    """
    first, second = bench.train(training), bench.train(other)
    rows = zip(bench.enclosures(training), bench.enclosures(other), strict=True)
    for number, (row, other_row) in enumerate(rows):
        errors, other_errors = ([slack(param) for param, _ in entries] for entries in (row, other_row))
        restored = zip(back(second.params[number]), map(np.abs, back(other_errors)), strict=True)
        for tensor, (param, error) in enumerate(restored):
            expected = Enclosure(value=balls(first.params[number][tensor]), error=total(errors[tensor], error))
            bench.compare(param, expected, quantity="param", step=number + 1, tensor=tensor, note=note)
