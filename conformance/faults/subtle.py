"""Faults that show only where few look: odd shapes, far magnitudes, late steps, settings that change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from conformance.faults.adam import ADAM
from conformance.faults.bookkeeping import only
from conformance.faults.clipping import Clip
from conformance.faults.decay import ADAMW
from conformance.faults.descent import AVERAGE, DAMPENED, GD, HEAVY_BALL
from conformance.faults.programs import Array, Bookkeeping, Fault, Memory, Options, Program, Rule
from properties.subject import Floats

__all__ = ["FAULTS", "read_once"]


class SharedBetweenGroups(Bookkeeping):
    """Tensors of one shape share one memory if they belong to different groups."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Use the memory of the first group's tensor of this shape."""
        self.steps[tensor] += 1
        first = next(n for n in (*self.members[0], tensor) if self.values[n].shape == grad.shape)
        mine = tensor if group == 0 else first
        self.apply(tensor, grad, self.memories[mine], self.options[group], self.steps[tensor])


class TwoGroupsOfOptions(Bookkeeping):
    """There is room for the options of two groups."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Run the rule with the second group's options for all later ones."""
        super().update(min(group, 1), tensor, grad)


class SixteenTensors(Bookkeeping):
    """One launch updates sixteen tensors, and there is no second."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Forget the tensors after the sixteenth."""
        super().step([grad if tensor < 16 else None for tensor, grad in enumerate(grads)])


def read_once(name: str, rule: Rule) -> Rule:
    """Keep one hyperparameter as it was at a tensor's first step."""

    def forgetful(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
        value = memory.setdefault(f"first_{name}", getattr(h, name))
        return rule(theta, g, memory, SimpleNamespace(**{**vars(h), name: value}), t)

    return forgetful


def _scaled_late(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    """Scale the heavy ball's velocity, which is the average's only while the momentum is constant."""
    step = HEAVY_BALL(np.zeros_like(theta), g, memory, h, t)
    moved: Array = theta + (1 - h.momentum) * step
    return moved


def _momentum_of_last_step(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    v = memory["momentum_buffer"] = memory.get("factor", 0) * memory.get("momentum_buffer", np.zeros_like(theta)) + g
    memory["factor"] = h.momentum
    moved: Array = theta - h.learning_rate * (g + h.momentum * v)
    return moved


def _default_for_zero(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    moved: Array = theta - (h.learning_rate or 1e-3) * g
    return moved


def _rests_without_gradient(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    moved = ADAM(theta, g, memory, h, t)
    return moved if np.any(g) else theta


def _clip_as_printed(g: Array, limit: float) -> Array:
    norm = _norm(g)
    return g * np.where(norm > limit, limit / np.where(norm == 0, 1, norm), 1)


def _clip(norm: Callable[[Array], Array], factor: Callable[[Array], Array] = lambda c: c) -> Clip:
    """Build the clip by another norm, or with another factor."""

    def body(g: Array, limit: float) -> Array:
        n = norm(g)
        return np.where(n > 0, g * np.minimum(1, factor(limit / np.where(n > 0, n, 1))), g)

    return Clip(body)


def _norm(g: Array) -> Array:
    largest = np.max(np.abs(g), initial=0) or 1
    return np.asarray(largest * np.sqrt(np.sum((g / largest) ** 2)), dtype=g.dtype)


def _without_last_of_block(g: Array) -> Array:
    flat = g.reshape(-1)
    return _norm(flat[:-1] if flat.size % 8 == 0 else flat)


def _by_matrix(g: Array) -> Array:
    return np.sqrt(np.sum(g * g, axis=(-2, -1), keepdims=True)) if g.ndim > 2 else _norm(g)


OPTIMIZERS = (
    Fault(
        "adam_small_gradients_ignored",
        "adam",
        "Gradients below 1e-8 are taken for zero.",
        Program(replace(ADAM, gradient=lambda theta, g, h: np.where(np.abs(g) < 1e-8, 0 * g, g))),
    ),
    Fault(
        "adam_second_moment_floored",
        "adam",
        "The second moment is kept above 1e-16.",
        Program(replace(ADAM, ratio=lambda m, v, c1, c2, h: (m / c1) / (np.sqrt(np.maximum(v / c2, 1e-16)) + h.eps))),
    ),
    Fault(
        "adam_eps_floored",
        "adam",
        "An epsilon below 1e-8 is raised to it.",
        Program(replace(ADAM, ratio=lambda m, v, c1, c2, h: (m / c1) / (np.sqrt(v / c2) + max(h.eps, 1e-8)))),
    ),
    Fault(
        "adam_parameters_clipped",
        "adam",
        "Parameters are kept between -100 and 100.",
        Program(replace(ADAM, move=lambda theta, ratio, h: np.clip(theta - h.learning_rate * ratio, -100, 100))),
    ),
    Fault(
        "adam_step_counter_of_eight_bits",
        "adam",
        "After step 255 the counter starts anew.",
        Program(lambda theta, g, memory, h, t: ADAM(theta, g, memory, h, (t - 1) % 255 + 1)),
    ),
    Fault(
        "adam_rests_without_gradient",
        "adam",
        "A tensor whose gradient is all zeros does not coast on its first moment.",
        Program(_rests_without_gradient),
    ),
    Fault(
        "adam_state_shared_between_groups",
        "adam",
        "Tensors of one shape share their moments if they belong to different groups.",
        Program(ADAM, SharedBetweenGroups),
    ),
    Fault(
        "adam_eps_read_once",
        "adam",
        "Epsilon is read at the first step and never again.",
        Program(read_once("eps", ADAM)),
    ),
    Fault(
        "adamw_decay_read_once",
        "adamw",
        "The decay is read at the first step and never again.",
        Program(read_once("weight_decay", ADAMW)),
    ),
    Fault(
        "adamw_decay_skipped_for_kernels",
        "adamw",
        "Tensors of four dimensions do not decay.",
        Program(
            replace(
                ADAMW,
                decay=lambda theta, g, h, t: (
                    theta - h.learning_rate * h.weight_decay * theta if theta.ndim < 4 else theta
                ),
            )
        ),
    ),
    Fault(
        "momentum_heavy_ball_momentum_read_once",
        "momentum_heavy_ball",
        "The momentum is read at the first step and never again.",
        Program(read_once("momentum", HEAVY_BALL)),
    ),
    Fault(
        "momentum_ema_momentum_read_once",
        "momentum_ema",
        "The momentum is read at the first step and never again.",
        Program(read_once("momentum", AVERAGE)),
    ),
    Fault(
        "momentum_ema_scaled_late",
        "momentum_ema",
        "Gradients are summed without 1 - momentum, and the momentum of the moment scales the sum.",
        Program(_scaled_late),
    ),
    Fault(
        "momentum_torch_dampening_read_once",
        "momentum_torch_dampening",
        "The dampening is read at the first step and never again.",
        Program(read_once("dampening", DAMPENED)),
    ),
    Fault(
        "momentum_nesterov_momentum_of_last_step",
        "momentum_nesterov",
        "The velocity keeps as much as the step before looked ahead: Nesterov's method where the momentum varies.",
        Program(_momentum_of_last_step),
    ),
    Fault(
        "gd_default_for_zero_rate",
        "gd",
        "A learning rate of zero is taken for a missing one, and replaced by the default.",
        Program(_default_for_zero),
    ),
    Fault(
        "gd_third_group_uses_second",
        "gd",
        "Groups after the second use its hyperparameters.",
        Program(GD, TwoGroupsOfOptions),
    ),
    Fault("gd_sixteen_tensors_only", "gd", "Tensors after the sixteenth stay.", Program(GD, SixteenTensors)),
    Fault(
        "gd_last_of_whole_blocks_untouched",
        "gd",
        "The last element stays if the elements fill blocks of four.",
        Program(only(GD, lambda index, size: (index < size - 1) | (size % 4 != 0))),
    ),
)

CLIPS = (
    Fault(
        "clip_norm_floored",
        "clip_by_norm",
        "A norm below a millionth is raised to it.",
        _clip(lambda g: np.maximum(_norm(g), 1e-6)),
    ),
    Fault(
        "clip_factor_floored",
        "clip_by_norm",
        "No gradient is shortened to less than a thousandth.",
        _clip(_norm, lambda factor: np.maximum(factor, 1e-3)),
    ),
    Fault(
        "clip_begins_late",
        "clip_by_norm",
        "A norm may exceed the threshold by a ten-millionth before anything happens.",
        _clip(_norm, lambda factor: np.where(factor > 1 - 1e-7, 1, factor)),
    ),
    Fault(
        "clip_by_matrix",
        "clip_by_norm",
        "Each matrix of a tensor of more dimensions is clipped by itself.",
        _clip(_by_matrix),
    ),
    Fault(
        "clip_norm_lacks_last_of_block",
        "clip_by_norm",
        "The norm lacks the last element if the elements fill blocks of eight.",
        _clip(_without_last_of_block),
    ),
    Fault(
        "clip_norm_of_first_4096",
        "clip_by_norm",
        "The norm is that of the first 4096 elements.",
        _clip(lambda g: _norm(g.reshape(-1)[:4096])),
    ),
    Fault(
        "clip_scalar_passes",
        "clip_by_norm",
        "An array without dimensions passes unchanged.",
        Clip(lambda g, limit: g if g.ndim == 0 else _clip_as_printed(g, limit)),
    ),
    Fault(
        "clip_by_value_huge_passes",
        "clip_by_value",
        "Entries beyond 1e8 pass.",
        Clip(lambda g, c: np.where(np.abs(g) > 1e8, g, np.clip(g, -c, c))),
    ),
)

FAULTS = OPTIMIZERS + CLIPS
