"""Inputs of one check, and what a subject made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from properties.subject import Floats, Group, StepperFactory

__all__ = ["Call", "Event", "Observation", "Step", "Training", "observe"]

#: What a training program may do with an optimizer between two updates: names of methods of `Companion`.
Event = Literal["resumed", "copied", "add_group"]


@dataclass(frozen=True, eq=False)
class Step:
    """One update.

    Parameters
    ----------
    grads : tuple of array or None
        One for each parameter; ``None`` if it is missing.
    changes : mapping of int to mapping
        New hyperparameter values by group, set before the update.
    event : str, optional
        What happens before that: the training goes on with the optimizer ``resumed`` or ``copied``, while the one
        left behind takes an update of its own; or the last group, which has the last parameters, is added only now.
    """

    grads: tuple[Floats | None, ...]
    changes: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    event: Event | None = None


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
    """What a subject showed after each step, indexed ``[step][tensor]``; gradients only if it offers them."""

    params: tuple[tuple[Floats, ...], ...]
    states: tuple[tuple[Mapping[str, Floats], ...], ...]
    grads: tuple[tuple[Floats | None, ...], ...] = ()


def observe(factory: StepperFactory, training: Training, *, dtype: str, device: str) -> Observation:
    """Run a subject and record its parameters and exposed state after every step.

    Raises
    ------
    Rejected
        If the subject refuses the hyperparameters.
    """
    late = training.groups[-1:] if any(step.event == "add_group" for step in training.steps) else ()
    present = len(training.params) - sum(len(group.tensors) for group in late)
    early = training.groups[: len(training.groups) - len(late)]
    subject: Any = factory(training.params[:present], early, dtype=dtype, device=device)
    params, states, grads = [], [], []
    for step in training.steps:
        if step.event == "add_group":
            subject.add_group(training.params[present:], late[0].hyperparameters)
            present = len(training.params)
        elif step.event:
            left, subject = subject, getattr(subject, step.event)()
            left.step([None if grad is None else -grad for grad in step.grads[:present]])
        for group, values in step.changes.items():
            subject.set_hyperparameters(group, values)
        subject.step(step.grads[:present])
        # Copies, because a subject may show the arrays that it goes on to write to.
        waiting = training.params[present:]
        params.append(tuple(_copied(param) for param in (*subject.params(), *waiting)))
        shown = [{name: _copied(entry) for name, entry in entries.items()} for entries in subject.state()]
        states.append((*shown, *({} for _ in waiting)))
        if "grads" in getattr(factory, "offers", ()):
            grads.append(tuple(subject.grads()))
    return Observation(tuple(params), tuple(states), tuple(grads))


def _copied(shown: Floats) -> Floats:
    return np.array(shown, dtype=np.float64)
