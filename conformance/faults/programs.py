"""Numpy optimizers in replaceable parts, to plant faults in: bookkeeping here, rules in the modules beside.

A *rule* is a function ``rule(param, grad, memory, options, step)`` that returns the new parameter
and edits its memory; *bookkeeping* decides who shares memory, counters and options. Untouched, both
are honest: the conformance tests use them so.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.formats import FLOAT32, FLOAT64, FORMATS
from properties.subject import Closure, Floats, Group, Place

__all__ = ["EVERYTHING", "Arithmetic", "Array", "Bookkeeping", "Fault", "Memory", "Options", "Program", "Rule"]

#: What training programs may do with these optimizers: all methods of `Companion`, and ``maximize``.
EVERYTHING = (
    *("resumed", "copied", "pickled", "saved", "rewound", "add_group", "freeze", "maximize", "grads", "places"),
    *("step_accumulated", "step_closure", "step_clipped", "step_sparse"),
)

Array = NDArray[np.floating[Any]]
Memory = dict[str, Any]
Options = Any  # hyperparameters as attributes
Rule = Callable[[Array, Array, Memory, Options, int], Array]


@dataclass(frozen=True)
class Fault:
    """A wrong implementation, planted to see whether the claims notice.

    Parameters
    ----------
    id : str
        What is wrong, after the formula's name or family.
    formula : str
        The formula that it claims to compute.
    story : str
        What it does instead, in one sentence.
    make : StepperFactory or FunctionFactory
        As the formula's kind says.
    source : str
        Repository and number of a real bug like it, or a function that is so by convention; empty if there is none.
    dtypes : tuple of str
        Where it leaves the bounds; in the others it is as far off as rounding may be.
    beyond : str
        Why no input that is drawn shows it; empty if one does.
    """

    id: str
    formula: str
    story: str
    make: Any
    source: str = ""
    dtypes: tuple[str, ...] = tuple(FORMATS)
    beyond: str = ""


class Arithmetic:
    """Numbers of one dtype; half precision is computed in float32 and stored rounded."""

    def __init__(self, dtype: str) -> None:
        self.form = FORMATS[dtype]
        self.type = np.float64 if self.form is FLOAT64 else np.float32

    def load(self, values: Floats) -> Array:
        """Copy into the working type, strides kept."""
        return np.array(values, dtype=self.type, order="K")

    def store(self, values: Array) -> Array:
        """Round to what the dtype can hold."""
        if self.form in (FLOAT64, FLOAT32):
            return np.asarray(values, dtype=self.type)
        return self.form.round(np.asarray(values, dtype=np.float64)).astype(self.type)


class Bookkeeping:
    """A stepper that keeps each tensor's memory, counter and options apart, and runs a rule on it."""

    device = "cpu"

    def __init__(self, rule: Rule, params: Sequence[Floats], groups: Sequence[Group], dtype: str) -> None:
        self.rule = rule
        self.dtype = dtype
        self.arithmetic = Arithmetic(dtype)
        self.groups = list(groups)
        self.values = [self.arithmetic.load(param) for param in params]
        self.options: list[Options] = [SimpleNamespace(**group.hyperparameters) for group in groups]
        self.signs = [-1 if group.maximize else 1 for group in groups]
        self.frozen: frozenset[int] = frozenset()
        self.members = [group.tensors for group in groups]
        self.memories: list[Memory] = [{} for _ in params]
        self.steps = [0 for _ in params]
        self.given: list[Array | None] = []

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Update every parameter that has a gradient."""
        self.given = [None if grad is None else self.arithmetic.load(grad) for grad in grads]
        with np.errstate(all="ignore"):
            for group, tensors in enumerate(self.members):
                for tensor in tensors:
                    grad = self.given[tensor]
                    if grad is not None:
                        self.update(group, tensor, grad if self.signs[group] == 1 else -grad)

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Run the rule on one tensor."""
        self.steps[tensor] += 1
        self.apply(tensor, grad, self.memories[tensor], self.options[group], self.steps[tensor])

    def apply(self, tensor: int, grad: Array, memory: Memory, options: Options, step: int) -> None:
        """Replace a parameter and its memory by what the rule makes of them."""
        value = self.rule(self.values[tensor], grad, memory, options, step)
        self.values[tensor] = self.arithmetic.store(value)
        for name, entry in memory.items():
            if isinstance(entry, np.ndarray):
                memory[name] = self.arithmetic.store(entry)

    def params(self) -> list[Floats]:
        """Copies of the parameters."""
        return [np.array(value, dtype=np.float64) for value in self.values]

    def state(self) -> list[Mapping[str, Floats]]:
        """Nothing is exposed: a fault must show in the parameters."""
        return [{} for _ in self.values]

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Change a group's options."""
        for name, value in values.items():
            setattr(self.options[group], name, value)

    def grads(self) -> list[Floats | None]:
        """Copies of the gradients as the rule left them."""
        return [None if grad is None else np.array(grad, dtype=np.float64) for grad in self.given]

    def places(self) -> list[Place]:
        """What the arrays say of themselves; the working type stands for the dtype that it holds the numbers of."""
        return [
            Place(self.dtype if value.dtype == self.arithmetic.type else value.dtype.name, self.device, value.shape)
            for value in self.values
        ]

    def resumed(self) -> Bookkeeping:
        """Make a new stepper, and restore what was saved."""
        stepper = type(self)(self.rule, self.params(), self.groups, self.dtype)
        stepper.restore(copy.deepcopy(self))
        return stepper

    def restore(self, saved: Bookkeeping) -> None:
        """Take over memories, counters, options and signs."""
        self.memories, self.steps, self.options = saved.memories, saved.steps, saved.options
        self.signs = saved.signs

    def copied(self) -> Bookkeeping:
        """Make a deep copy."""
        return copy.deepcopy(self)

    def pickled(self) -> Bookkeeping:
        """Make what a pickle would: a deep copy too."""
        return copy.deepcopy(self)

    def saved(self) -> Bookkeeping:
        """Make a deep copy."""
        return copy.deepcopy(self)

    def rewound(self, saved: Bookkeeping) -> None:
        """Take over the parameters, and restore the rest."""
        self.values = [np.array(value) for value in saved.values]
        self.restore(copy.deepcopy(saved))

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Add a group of parameters with fresh memories."""
        self.values += [self.arithmetic.load(param) for param in params]
        self.memories += [{} for _ in params]
        self.steps += [0 for _ in params]
        self.members.append(group.tensors)
        self.groups.append(group)
        self.options.append(SimpleNamespace(**group.hyperparameters))
        self.signs.append(-1 if group.maximize else 1)

    def freeze(self, tensors: Sequence[int]) -> None:
        """Remember who is frozen."""
        self.frozen = frozenset(tensors)

    def step_accumulated(self, passes: Sequence[Sequence[Floats | None]]) -> None:
        """Add up the gradients of the passes, then update."""
        self.step([None if grads[0] is None else sum(grads) for grads in zip(*passes, strict=True)])

    def step_closure(self, closure: Closure) -> float | None:
        """Evaluate the closure, then update."""
        loss, grads = closure()
        self.step(grads)
        return loss

    def step_clipped(self, grads: Sequence[Floats | None], limit: float) -> None:
        """Clip, then update."""
        self.step([None if grad is None else np.clip(grad, -limit, limit) for grad in grads])

    def step_sparse(self, grads: Sequence[Floats | None]) -> None:
        """Update as with zeros in the gaps."""
        self.step(grads)


@dataclass(frozen=True, eq=False)
class Program:
    """A factory of steppers: a rule under some bookkeeping."""

    offers: ClassVar[tuple[str, ...]] = EVERYTHING

    rule: Rule
    bookkeeping: type[Bookkeeping] = Bookkeeping

    def __call__(self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str) -> Bookkeeping:
        """Make an optimizer; there is only the CPU."""
        return self.bookkeeping(self.rule, params, groups, dtype)
