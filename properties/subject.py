"""What is judged: the protocols that an implementation is seen through.

All numbers cross as float64 arrays whose values are exact in the subject's dtype, so that
bfloat16 needs no array type of its own. A subject never sees an expected value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Closure",
    "Companion",
    "Floats",
    "Function",
    "FunctionFactory",
    "Group",
    "Place",
    "RandomFunction",
    "Rejected",
    "Schedule",
    "ScheduleFactory",
    "Stepper",
    "StepperFactory",
]

Floats = NDArray[np.float64]

#: Evaluates the loss and the gradients of a training program, ``None`` for those that are missing.
Closure = Callable[[], tuple[float, Sequence[Floats | None]]]


class Rejected(Exception):
    """The subject refuses hyperparameters that the formula allows; counted, not judged."""


@dataclass(frozen=True)
class Group:
    """A parameter group.

    Parameters
    ----------
    tensors : tuple of int
        Positions of its parameters in the subject's list.
    hyperparameters : mapping of str to float
        Values by the oracle's names.
    maximize : bool
        Whether the optimizer is to climb: to take its gradients with the other sign.
    """

    tensors: tuple[int, ...]
    hyperparameters: Mapping[str, float]
    maximize: bool = False


class Place(NamedTuple):
    """What a parameter is made of, and where.

    Parameters
    ----------
    dtype, device : str
        As a subject is asked for them: ``float32``, ``cpu``.
    shape : tuple of int
    """

    dtype: str
    device: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        """Return all three as a part of a sentence."""
        return f"{self.dtype} of shape {self.shape} on {self.device}"


class Stepper(Protocol):
    """An optimizer with its parameters."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Update the parameters once; ``None`` is a missing gradient."""

    def params(self) -> list[Floats]:
        """Copies of the parameters."""

    def state(self) -> list[Mapping[str, Floats]]:
        """Exposed state of each parameter by the oracle's names; empty where nothing is exposed."""

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Change hyperparameters of a group before the next step."""


class Companion(Stepper, Protocol):
    """An optimizer that goes through all that a training program does with one.

    A factory names in ``offers`` the methods that its optimizers have beyond those of `Stepper`, and ``maximize`` if
    its groups may climb. What is not offered is left out of the programs that the optimizer is run through; methods that
    subjects have all the same, it names in ``withheld``.
    """

    def resumed(self) -> Stepper:
        """Save everything, and load it into a new optimizer, made as this was, of copies of the parameters."""

    def copied(self) -> Stepper:
        """Make a deep copy, parameters included."""

    def pickled(self) -> Stepper:
        """Pickle the optimizer with its parameters, and make another of what was pickled."""

    def saved(self) -> object:
        """Save everything, parameters included, and leave it as it is."""

    def rewound(self, saved: object) -> None:
        """Load what was saved back into this very optimizer, and its parameters."""

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Add a group of new parameters, which come last."""

    def freeze(self, tensors: Sequence[int]) -> None:
        """Let these parameters, and no others, be ones that want no gradient."""

    def step_accumulated(self, passes: Sequence[Sequence[Floats | None]]) -> None:
        """Update once, with the gradients of several backward passes added up where they are kept."""

    def step_closure(self, closure: Closure) -> float | None:
        """Update with the gradients of a closure; return what the optimizer returns for its loss."""

    def step_clipped(self, grads: Sequence[Floats | None], limit: float) -> None:
        """Clip each number of the gradients to ``[-limit, limit]``, then update."""

    def step_sparse(self, grads: Sequence[Floats | None]) -> None:
        """Update with gradients that hold only the numbers that are not zero."""

    def grads(self) -> list[Floats | None]:
        """Copies of the gradients as the last update left them."""

    def places(self) -> list[Place]:
        """What each parameter is made of, and where."""


class StepperFactory(Protocol):
    """Makes optimizers of one implementation."""

    def __call__(self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str) -> Stepper:
        """Make a new optimizer; the arrays' memory layout (strides) is to be kept where possible.

        Raises
        ------
        Rejected
            If the implementation refuses the hyperparameters.
        """


class Function(Protocol):
    """A function of arrays."""

    def __call__(self, *arrays: Floats, **hyperparameters: float) -> Floats:
        """Return the result, widened to float64."""


class RandomFunction(Protocol):
    """A function that draws an array of its own: the subject of a formula with a drawn mask."""

    def __call__(self, x: Floats, *seed: Floats, **hyperparameters: float) -> Floats:
        """Return the results for ``x[0]``, ``x[1]``, ..., passes that follow each other.

        With a seed (a whole number, shape ()), they are those of training, and all randomness starts from it
        once, before the first pass; without, they are those of inference.
        """


class FunctionFactory(Protocol):
    """Makes functions of one implementation."""

    def __call__(self, *, dtype: str, device: str) -> Function | RandomFunction:
        """Return the function for a dtype and a device: a `RandomFunction` if the formula has drawn arrays."""


class Schedule(Protocol):
    """A learning rate as a function of the step."""

    def __call__(self, steps: Floats, **hyperparameters: float) -> Floats:
        """Return the rate after each number of completed updates: 0, 1, 2, ..., in this order."""


class ScheduleFactory(Protocol):
    """Makes schedules of one implementation."""

    def __call__(self, *, dtype: str, device: str) -> Schedule:
        """Return the schedule for a dtype and a device."""
