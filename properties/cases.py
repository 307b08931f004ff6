"""Inputs of one check, and what a subject made of them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from properties.subject import Floats, Group, Place

__all__ = ["INTERRUPTIONS", "Call", "Evaluation", "Event", "Interruption", "Observation", "Step", "Training", "Way"]

#: What leaves no trace: the training goes on with what these methods of `Companion` return.
Interruption = Literal["resumed", "copied", "pickled"]
INTERRUPTIONS: tuple[Interruption, ...] = get_args(Interruption)

#: What a training program may do with an optimizer between two updates: names of methods of `Companion`.
Event = Interruption | Literal["saved", "rewound", "add_group"]

#: How an update comes by its gradients: names of methods of `Stepper` and `Companion`.
Way = Literal["step", "step_accumulated", "step_closure", "step_clipped", "step_sparse"]


@dataclass(frozen=True, eq=False)
class Step:
    """One update, and what happens before it.

    Parameters
    ----------
    grads : tuple of array or None
        What the rule is to see, one for each parameter; ``None`` if it is missing.
    changes : mapping of int to mapping
        New hyperparameter values by group, set before the update.
    events : tuple of str
        What happens before that, in this order: the training goes on with the optimizer ``resumed``, ``copied`` or
        ``pickled``, while the one left behind takes an update of its own; or with the same one, ``saved``, or
        ``rewound`` to what was saved before an update of its own; or the next of the groups that were not there from
        the start is added (``add_group``).
    way : str
        How the gradients come: as they are (``step``), as the sum of two backward passes, out of a closure, clipped, or
        sparse.
    frozen : tuple of int
        Parameters that want no gradient; theirs must be missing.
    """

    grads: tuple[Floats | None, ...]
    changes: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    way: Way = "step"
    frozen: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Training:
    """A program of updates from given parameters: the input of an optimizer's check.

    The formula sees nothing of it but gradients and hyperparameters: whatever else happens changes no exact value.
    A group for which there is an event ``add_group`` comes last among the groups, and its parameters among the
    parameters; their gradients are missing until then.
    """

    params: tuple[Floats, ...]
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]

    @property
    def late_groups(self) -> tuple[Group, ...]:
        """Those that are added on the way."""
        count = sum(step.events.count("add_group") for step in self.steps)
        return self.groups[len(self.groups) - count :]

    @property
    def demands(self) -> frozenset[str]:
        """What it asks of an optimizer beyond updates: names that a factory may offer, see `Companion`."""
        asked = {str(name) for step in self.steps for name in (*step.events, step.way)} - {"step"}
        asked |= {"freeze"} if any(step.frozen for step in self.steps) else set()
        asked |= {"maximize"} if any(group.maximize for group in self.groups) else set()
        return frozenset(asked)

    def restricted(self, offers: Container[str]) -> Training:
        """Return the program without what is not among the offers; the formula sees no difference."""
        groups = tuple(replace(group, maximize=group.maximize and "maximize" in offers) for group in self.groups)
        steps = tuple(
            replace(
                step,
                events=tuple(event for event in step.events if event in offers),
                way=step.way if step.way in offers else "step",
                frozen=step.frozen if "freeze" in offers else (),
            )
            for step in self.steps
        )
        return replace(self, groups=groups, steps=steps)

    def completed(self) -> Training:
        """Return the program with zeros for gradients that are missing; nothing in it is frozen, or comes late."""
        steps = tuple(
            replace(
                step,
                grads=tuple(
                    np.zeros(param.shape) if grad is None else grad
                    for param, grad in zip(self.params, step.grads, strict=True)
                ),
                events=tuple(event for event in step.events if event != "add_group"),
                frozen=(),
            )
            for step in self.steps
        )
        return replace(self, steps=steps)

    def unchanging(self) -> Training:
        """Return the program with the hyperparameters that it begins with."""
        return replace(self, steps=tuple(replace(step, changes={}) for step in self.steps))

    def uninterrupted(self) -> Training:
        """Return the program without what leaves no trace."""
        steps = tuple(
            replace(step, events=tuple(event for event in step.events if event == "add_group")) for step in self.steps
        )
        return replace(self, steps=steps)

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


@dataclass(frozen=True)
class Evaluation:
    """What became of a closure.

    Parameters
    ----------
    calls : int
        How often it was called.
    loss, returned : float, optional
        Its first loss, and what the optimizer returned for it.
    """

    calls: int
    loss: float
    returned: float | None


@dataclass(frozen=True, eq=False)
class Observation:
    """What a subject showed after each step, indexed ``[step][tensor]``.

    Gradients are there if it offers them, with the signs that the formula sees; places, if it offers them, of the
    parameters that it has so far; evaluations, indexed ``[step]``, where it was given a closure.
    """

    params: tuple[tuple[Floats, ...], ...]
    states: tuple[tuple[Mapping[str, Floats], ...], ...]
    grads: tuple[tuple[Floats | None, ...], ...] = ()
    evaluations: tuple[Evaluation | None, ...] = ()
    places: tuple[tuple[Place, ...], ...] = ()
