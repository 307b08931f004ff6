"""Faults of what surrounds a rule: who shares state and counters, and which elements are reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.faults.adam import ADAM
from conformance.faults.decay import ADAM_L2, ADAMW
from conformance.faults.descent import GD, HEAVY_BALL, SGD_L2
from conformance.faults.programs import Array, Bookkeeping, Fault, Memory, Options, Program, Rule
from properties.subject import Floats

__all__ = ["FAULTS", "only"]


class CountedPerGroup(Bookkeeping):
    """Every tensor that is updated advances its group's one counter."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Count for the whole group, then run the rule."""
        for member in self.members[group]:
            self.steps[member] += 1
        self.apply(tensor, grad, self.memories[tensor], self.options[group], self.steps[tensor])


class CountedPerCall(Bookkeeping):
    """Every call of ``step`` advances every counter."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Count the tensors without a gradient too."""
        for tensor, grad in enumerate(grads):
            self.steps[tensor] += grad is None
        super().step(grads)


class MissingIsZero(Bookkeeping):
    """A missing gradient is taken for zeros."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Fill the gaps with zeros."""
        filled = [
            np.zeros(value.shape) if grad is None else grad for value, grad in zip(self.values, grads, strict=True)
        ]
        super().step(filled)


class SharedMemory(Bookkeeping):
    """Tensors of one shape share one memory, as under a cache keyed by shape."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Use the memory of the first tensor of this shape."""
        self.steps[tensor] += 1
        first = next(n for n, value in enumerate(self.values) if value.shape == grad.shape)
        self.apply(tensor, grad, self.memories[first], self.options[group], self.steps[tensor])


class FirstGroupOptions(Bookkeeping):
    """Every group uses the hyperparameters of the first."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Run the rule with the first group's options."""
        super().update(0, tensor, grad)


class FrozenOptions(Bookkeeping):
    """Hyperparameters are read once."""

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Ignore the change if the group has been used."""
        if not any(self.steps[tensor] for tensor in self.members[group]):
            super().set_hyperparameters(group, values)


class ZeroIsDefault(Bookkeeping):
    """A decay of zero is taken for one that is not given: the default is used, which is that of the first group."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Run the rule with the default."""
        given, default = self.options[group], self.groups[0].hyperparameters
        ended = {name: default[name] for name in ("weight_decay", "l2_penalty") if vars(given).get(name) == 0}
        self.options[group] = SimpleNamespace(**{**vars(given), **ended})
        super().update(group, tensor, grad)
        self.options[group] = given


class DecayFirstGroupOnly(Bookkeeping):
    """Only the first group decays."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Run the rule without decay for the other groups."""
        if group:
            self.options[group].weight_decay = 0.0
        super().update(group, tensor, grad)


class FirstTensorOnly(Bookkeeping):
    """Only the first tensor of a group is updated."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Skip the others."""
        if tensor == self.members[group][0]:
            super().update(group, tensor, grad)


class Leaking(Bookkeeping):
    """A tensor's gradient is left over for the next one."""

    carried: float = 0.0

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Add the last element of the tensor before."""
        super().update(group, tensor, grad + grad.dtype.type(self.carried))
        self.carried = float(grad.flat[-1]) if grad.size else 0.0


class MisreadStrides(Bookkeeping):
    """Gradients are read in the order of their memory, whatever their strides."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Read each gradient's memory from its start."""
        super().step([None if grad is None else self._as_stored(grad) for grad in grads])

    @staticmethod
    def _as_stored(grad: Floats) -> Floats:
        if grad.flags.c_contiguous or grad.size == 0:
            return grad
        step = grad.itemsize
        span = 1 + sum(
            (length - 1) * abs(stride) // step for length, stride in zip(grad.shape, grad.strides, strict=True)
        )
        stored = np.lib.stride_tricks.as_strided(grad, (span,), (step,), writeable=False)
        return np.array(stored[: grad.size]).reshape(grad.shape)


def only(rule: Rule, reached: Any) -> Rule:
    """Restrict a rule to the elements that a function of the size selects; the others stay."""

    def restricted(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
        moved = np.array(rule(theta, g, memory, h, t), order="C")
        index = np.arange(theta.size).reshape(theta.shape)
        return np.where(reached(index, theta.size), moved, theta)

    return restricted


_DECAYING: Mapping[str, Rule] = {"sgd_l2": SGD_L2, "adam_l2": ADAM_L2, "adamw": ADAMW}

FAULTS = (
    Fault(
        "adam_step_shared_by_group",
        "adam",
        "Every tensor advances its group's one step counter.",
        Program(ADAM, CountedPerGroup),
        "deepspeedai/DeepSpeed PR #1823",
    ),
    Fault(
        "adam_step_counted_per_optimizer",
        "adam",
        "The step counter advances while a gradient is missing.",
        Program(ADAM, CountedPerCall),
    ),
    Fault(
        "missing_gradient_is_zero",
        "adam",
        "A missing gradient is taken for zeros: moments decay and parameters coast.",
        Program(ADAM, MissingIsZero),
    ),
    Fault(
        "adamw_missing_gradient_decays",
        "adamw",
        "A parameter without a gradient decays.",
        Program(ADAMW, MissingIsZero),
    ),
    Fault(
        "adam_state_shared_between_tensors",
        "adam",
        "Tensors of one shape share their moments.",
        Program(ADAM, SharedMemory),
        "kozistr/pytorch_optimizer PR #442",
    ),
    Fault(
        "momentum_heavy_ball_shared_buffer",
        "momentum_heavy_ball",
        "Tensors of one shape share their buffer.",
        Program(HEAVY_BALL, SharedMemory),
    ),
    Fault(
        "adam_second_group_uses_first",
        "adam",
        "All groups use the first group's hyperparameters.",
        Program(ADAM, FirstGroupOptions),
        "deepspeedai/DeepSpeed PR #8171",
    ),
    Fault(
        "group_rate_ignored",
        "gd",
        "All groups use the first group's learning rate.",
        Program(GD, FirstGroupOptions),
        "deepspeedai/DeepSpeed PR #8171",
    ),
    Fault(
        "adam_learning_rate_change_ignored",
        "adam",
        "Hyperparameters are read at the first step and never again.",
        Program(ADAM, FrozenOptions),
    ),
    Fault(
        "gd_first_rate_kept",
        "gd",
        "The learning rate is read at the first step and never again.",
        Program(GD, FrozenOptions),
    ),
    Fault(
        "adamw_first_group_only",
        "adamw",
        "Only the first group decays.",
        Program(ADAMW, DecayFirstGroupOnly),
        "pytorch/pytorch #100707",
    ),
    *(
        Fault(
            f"{formula}_decay_of_zero_is_default",
            formula,
            "A decay that is set to zero is taken for none given, and the default is used.",
            Program(rule, ZeroIsDefault),
        )
        for formula, rule in _DECAYING.items()
    ),
    Fault(
        "gd_first_tensor_only",
        "gd",
        "Only the first tensor of a group is updated.",
        Program(GD, FirstTensorOnly),
        "pytorch/pytorch #119885",
    ),
    Fault(
        "gd_gradient_leaks_between_tensors",
        "gd",
        "The last element of one tensor's gradient is added to the next tensor's.",
        Program(GD, Leaking),
    ),
    Fault(
        "adam_strided_gradient_misread",
        "adam",
        "Gradients that are not contiguous are read in the order of their memory.",
        Program(ADAM, MisreadStrides),
        "bitsandbytes-foundation/bitsandbytes #1185",
    ),
    Fault(
        "gd_vector_blocks_untouched",
        "gd",
        "Whole blocks of 16 elements are computed and not stored; only the rest after the last block changes.",
        Program(only(GD, lambda index, size: index >= size // 16 * 16)),
        "pytorch/pytorch #191763",
    ),
    Fault(
        "adam_tail_beyond_1024_untouched",
        "adam",
        "Elements after the first 1024 are not reached.",
        Program(only(ADAM, lambda index, size: index < 1024)),
    ),
)
