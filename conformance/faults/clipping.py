"""Faults of clipping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from conformance.faults.programs import Arithmetic, Array, Fault
from properties.subject import Floats, Function

__all__ = ["FAULTS", "Clip"]

Body = Callable[[Array, float], Array]


@dataclass(frozen=True, eq=False)
class Clip:
    """A factory of functions of a gradient and a threshold."""

    body: Body

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function; there is only the CPU."""
        arithmetic = Arithmetic(dtype)

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            (grad,), (limit,) = arrays, hyperparameters.values()
            with np.errstate(all="ignore"):
                return np.array(arithmetic.store(self.body(arithmetic.load(grad), limit)), dtype=np.float64)

        return function


def _norm(g: Array) -> Array:
    return np.asarray(np.sqrt(np.sum(g * g)), dtype=g.dtype)


def _largest(g: Array) -> Array:
    return np.asarray(np.max(np.abs(g), initial=0), dtype=g.dtype)


def _by(norm: Callable[[Array], Array]) -> Body:
    """Build the clip by another norm."""

    def body(g: Array, limit: float) -> Array:
        n = norm(g)
        return np.where(n > limit, g * (limit / np.where(n == 0, 1, n)), g)

    return body


def _per_row(g: Array) -> Array:
    return np.sqrt(np.sum(g * g, axis=-1, keepdims=True)) if g.ndim > 1 else _norm(g)


def _root_mean_square(g: Array) -> Array:
    return np.asarray(_norm(g) / np.sqrt(max(g.size, 1)), dtype=g.dtype)


def _inverted(g: Array, limit: float) -> Array:
    n = _norm(g)
    return np.where((n < limit) & (n > 0), g * (limit / np.where(n == 0, 1, n)), g)


def _halves(g: Array) -> Array:
    flat = g.reshape(-1)
    return np.maximum(_norm(flat[: flat.size // 2]), _norm(flat[flat.size // 2 :]))


def _fault(id: str, formula: str, story: str, body: Body, source: str = "") -> Fault:
    return Fault(id, formula, story, Clip(body), source)


BY_VALUE = (
    _fault(
        "clip_by_value_bounds_swapped",
        "clip_by_value",
        "The bounds stand in the wrong order: everything becomes minus the threshold.",
        lambda g, c: np.minimum(np.maximum(g, c), -c),
        "keras-team/keras commit 46a2fb6f",
    ),
    _fault("clip_by_value_does_nothing", "clip_by_value", "The gradient passes unchanged.", lambda g, c: g),
    _fault(
        "clip_by_value_scales_always",
        "clip_by_value",
        "The array is scaled so that its largest entry has the threshold's size.",
        lambda g, c: g * (c / np.where(_largest(g) == 0, 1, _largest(g))),
    ),
    _fault(
        "clip_by_value_adds_epsilon",
        "clip_by_value",
        "A millionth is added to the threshold.",
        lambda g, c: np.clip(g, -c - 1e-6, c + 1e-6),
    ),
    _fault("clip_value_one_sided", "clip_by_value", "Only large positive entries are clipped.", np.minimum),
    _fault(
        "clip_by_value_sign_lost",
        "clip_by_value",
        "Clipped entries become positive.",
        lambda g, c: np.where(np.abs(g) > c, np.asarray(c, g.dtype), g),
    ),
    _fault(
        "clip_by_value_threshold_exceeded",
        "clip_by_value",
        "The bound lies one per cent above the threshold.",
        lambda g, c: np.clip(g, -1.01 * c, 1.01 * c),
    ),
    _fault(
        "clip_by_value_zeroes",
        "clip_by_value",
        "Entries beyond the threshold are set to zero.",
        lambda g, c: np.where(np.abs(g) > c, 0 * g, g),
    ),
    _fault(
        "clip_by_value_rescales",
        "clip_by_value",
        "The whole array is scaled by its largest entry.",
        _by(_largest),
    ),
    _fault(
        "clip_by_value_smooth",
        "clip_by_value",
        "A hyperbolic tangent saturates at the threshold.",
        lambda g, c: c * np.tanh(g / c) if c else 0 * g,
    ),
)

BY_NORM = (
    _fault("clip_does_nothing", "clip_by_norm", "The gradient passes unchanged.", lambda g, limit: g),
    _fault(
        "clip_adds_epsilon",
        "clip_by_norm",
        "A millionth is added to the norm.",
        lambda g, limit: g * np.minimum(limit / (_norm(g) + 1e-6), 1),
        "pytorch/pytorch clip_grad_norm_",
    ),
    _fault(
        "clip_scales_always",
        "clip_by_norm",
        "Small gradients are scaled up to the threshold.",
        lambda g, limit: g * (limit / np.where(_norm(g) == 0, 1, _norm(g))),
    ),
    _fault(
        "clip_inverted",
        "clip_by_norm",
        "Small gradients are scaled up, large ones pass.",
        _inverted,
        "deepspeedai/DeepSpeed 0.13.2",
    ),
    _fault("clip_per_row", "clip_by_norm", "Each row is clipped by its own norm.", _by(_per_row)),
    _fault(
        "clip_l1_norm", "clip_by_norm", "The norm is the sum of moduli.", _by(lambda g: np.asarray(np.sum(np.abs(g))))
    ),
    _fault(
        "clip_largest_entry",
        "clip_by_norm",
        "The norm is the largest modulus.",
        _by(_largest),
    ),
    _fault("clip_squared_norm", "clip_by_norm", "The norm lacks its root.", _by(lambda g: np.asarray(np.sum(g * g)))),
    _fault(
        "clip_norm_of_mean",
        "clip_by_norm",
        "The norm is divided by the root of the number of elements.",
        _by(_root_mean_square),
    ),
    _fault(
        "clip_threshold_exceeded",
        "clip_by_norm",
        "Clipped gradients are one per cent too long.",
        lambda g, limit: _by(_norm)(g, 1.01 * limit),
    ),
    _fault(
        "clip_sign_lost",
        "clip_by_norm",
        "Clipped gradients lose their signs.",
        lambda g, limit: np.where(_norm(g) > limit, np.abs(_by(_norm)(g, limit)), g),
    ),
    _fault(
        "clip_nan_for_zero_gradient",
        "clip_by_norm",
        "A zero gradient becomes 0/0.",
        lambda g, limit: np.where(_norm(g) > limit, g * (limit / _norm(g)), g * np.where(_norm(g) == 0, np.nan, 1)),
        "kozistr/pytorch_optimizer PR #431, keras-team/keras #14075",
    ),
    _fault(
        "clip_by_norm_is_by_value",
        "clip_by_norm",
        "Each entry is clipped to the threshold.",
        lambda g, limit: np.clip(g, -limit, limit),
    ),
    _fault(
        "clip_norm_of_halves",
        "clip_by_norm",
        "The norm is the larger of two partial norms.",
        _by(_halves),
        "pytorch/pytorch #140066",
    ),
    _fault(
        "clip_float32_norm",
        "clip_by_norm",
        "A float64 run takes the norm in float32.",
        _by(lambda g: np.asarray(_norm(g), dtype=np.float32).astype(g.dtype)),
    ),
)

BY_NORM_TORCH = (
    _fault(
        "clip_omits_epsilon",
        "clip_by_norm_torch",
        "Nothing is added to the norm.",
        _by(_norm),
    ),
    _fault(
        "clip_torch_epsilon_too_large",
        "clip_by_norm_torch",
        "A hundred-thousandth is added to the norm, not a millionth.",
        lambda g, limit: g * np.minimum(limit / (_norm(g) + 1e-5), 1),
    ),
    _fault(
        "clip_torch_is_by_value",
        "clip_by_norm_torch",
        "Each entry is clipped to the threshold.",
        lambda g, limit: np.clip(g, -limit, limit),
    ),
    _fault(
        "clip_torch_sign_lost",
        "clip_by_norm_torch",
        "Clipped gradients lose their signs.",
        lambda g, limit: np.abs(g) * (limit / (_norm(g) + 1e-6)) if _norm(g) > limit else g,
    ),
    _fault(
        "clip_torch_scales_always",
        "clip_by_norm_torch",
        "The factor is not bounded by 1.",
        lambda g, limit: g * (limit / (_norm(g) + 1e-6)),
    ),
)

FAULTS = BY_VALUE + BY_NORM + BY_NORM_TORCH
