"""Inputs of one check, and what a subject made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from properties.subject import Floats, Group, StepperFactory

__all__ = ["Call", "Observation", "Step", "Training", "observe"]


@dataclass(frozen=True, eq=False)
class Step:
    """One update.

    Parameters
    ----------
    grads : tuple of array or None
        One for each parameter; ``None`` if it is missing.
    changes : mapping of int to mapping
        New hyperparameter values by group, set before the update.
    """

    grads: tuple[Floats | None, ...]
    changes: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Training:
    """A sequence of updates from given parameters: the input of an optimizer's check."""

    params: tuple[Floats, ...]
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]

    def hyperparameters(self) -> list[list[Mapping[str, float]]]:
        """Return the values in force, indexed ``[step][tensor]``."""
        current = [dict(group.hyperparameters) for group in self.groups]
        owner = {tensor: number for number, group in enumerate(self.groups) for tensor in group.tensors}
        table: list[list[Mapping[str, float]]] = []
        for step in self.steps:
            for number, values in step.changes.items():
                current[number] = {**current[number], **values}
            table.append([current[owner[tensor]] for tensor in range(len(self.params))])
        return table


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a function; of a schedule, the one array is the steps 0, 1, 2, ... that it is asked for."""

    arrays: tuple[Floats, ...]
    hyperparameters: Mapping[str, float]

    def settled(self, hyperparameters: Mapping[str, float]) -> Call:
        """Return the call with other hyperparameters."""
        return replace(self, hyperparameters=hyperparameters)


@dataclass(frozen=True, eq=False)
class Observation:
    """What a subject showed after each step, indexed ``[step][tensor]``."""

    params: tuple[tuple[Floats, ...], ...]
    states: tuple[tuple[Mapping[str, Floats], ...], ...]


def observe(factory: StepperFactory, training: Training, *, dtype: str, device: str) -> Observation:
    """Run a subject and record its parameters and exposed state after every step.

    Raises
    ------
    Rejected
        If the subject refuses the hyperparameters.
    """
    subject = factory(training.params, training.groups, dtype=dtype, device=device)
    params, states = [], []
    for step in training.steps:
        for group, values in step.changes.items():
            subject.set_hyperparameters(group, values)
        subject.step(step.grads)
        # Copies, because a subject may show the arrays that it goes on to write to.
        params.append(tuple(_copied(param) for param in subject.params()))
        states.append(tuple({name: _copied(entry) for name, entry in entries.items()} for entries in subject.state()))
    return Observation(tuple(params), tuple(states))


def _copied(shown: Floats) -> Floats:
    return np.array(shown, dtype=np.float64)
