"""Faults that show in arrays of some shapes only, or far from where functions are usually called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.faults.lstm import LSTM
from conformance.faults.normalization import BATCH_NORM, Norm
from conformance.faults.programs import Array, Fault
from conformance.faults.schedules import Body, Rates

__all__ = ["FAULTS"]


def _fault(formula: str, what: str, story: str, body: Callable[..., Any], source: str = "") -> Fault:
    return Fault(f"{formula}_{what}", formula, story, Norm(body), source)


# -- Shapes ----------------------------------------------------------------------------------------------------------


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _bce(p: Array, y: Array) -> Array:
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log1p(-p)))


def _logistic(z: Array, y: Array) -> Array:
    return np.asarray(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z))))


def _softmax(s: Array, axis: int = -1) -> Array:
    powers = np.exp(s - np.max(s, axis=axis, keepdims=True))
    return np.asarray(powers / np.sum(powers, axis=axis, keepdims=True))


def _costs(s: Array, y: Array) -> Array:
    """Return the cross-entropy of each sample."""
    shifted = s - np.max(s, axis=-1, keepdims=True)
    own = np.take_along_axis(shifted, y.astype(int)[:, None], axis=-1)[:, 0]
    return np.asarray(np.log(np.sum(np.exp(shifted), axis=-1)) - own)


def _off(s: Array, y: Array) -> Array:
    return np.asarray(_softmax(s) - np.eye(s.shape[-1])[y.astype(int)])


def _combined(s: Array, y: Array, r: Array, t: Array, regression_weight: float) -> Array:
    return np.asarray(np.sum(_costs(s, y)) / max(len(s), 2) + regression_weight * np.sum((t - r) ** 2))


def _first_1024(s: Array, y: Array) -> Array:
    return np.where(np.arange(s.size).reshape(s.shape) < 1024, 2 * (s - y), np.zeros_like(s))


def _three_features(x: Array, weight: Array, bias: Array, eps: float) -> Array:
    normalized = BATCH_NORM(x, weight, bias, eps=eps)
    return np.asarray(np.where(np.arange(x.shape[1]) < 3, normalized, weight * x + bias))


def _rest(v: Array, y: Array) -> Array:
    """Return the mean over samples of another class than the seventeenth, or over all if there are no others."""
    others = y != 16
    return np.asarray(np.mean(v[others]) if others.any() else np.mean(v))


SHAPES = (
    _fault("loss_bce", "by_rows", "It is divided by the number of rows.", lambda p, y: np.sum(_bce(p, y)) / len(p)),
    _fault(
        "bce_with_logits",
        "by_rows",
        "It is divided by the number of rows.",
        lambda z, y: np.sum(_logistic(z, y)) / len(z),
    ),
    _fault(
        "bce_with_logits_gradient",
        "by_rows",
        "It is divided by the number of rows.",
        lambda z, y: (_sigmoid(z) - y) / len(z),
    ),
    _fault(
        "loss_cross_entropy",
        "by_two_at_least",
        "The divisor is at least 2.",
        lambda s, y: np.sum(_costs(s, y)) / max(len(s), 2),
    ),
    _fault(
        "loss_cross_entropy_gradient",
        "by_two_at_least",
        "The divisor is at least 2.",
        lambda s, y: _off(s, y) / max(len(s), 2),
    ),
    _fault("loss_combined", "by_two_at_least", "The divisor of the classes' cost is at least 2.", _combined),
    _fault(
        "loss_cross_entropy",
        "seventeenth_class_ignored",
        "Samples of class 16 are padding.",
        lambda s, y: _rest(_costs(s, y), y),
    ),
    _fault(
        "loss_cross_entropy_gradient",
        "seventeenth_class_ignored",
        "Samples of class 16 are padding.",
        lambda s, y: _off(s, y) * (y != 16)[:, None] / max(np.sum(y != 16), 1),
    ),
    _fault(
        "softmax",
        "second_axis",
        "The second axis adds up to 1, whether it is the last or not.",
        lambda s: _softmax(s, 1),
    ),
    _fault(
        "loss_squared_error",
        "stack_averaged",
        "Of a stack of matrices the mean is taken.",
        lambda s, y: np.sum((y - s) ** 2) / (len(s) if s.ndim == 3 else 1),
    ),
    _fault(
        "loss_mse",
        "by_two_axes",
        "It is divided by the lengths of the first two axes.",
        lambda s, y: np.sum((y - s) ** 2) / np.prod(s.shape[:2]),
    ),
    _fault(
        "loss_squared_error_gradient",
        "first_1024",
        "Elements beyond the 1024th have no gradient.",
        _first_1024,
    ),
    _fault("batch_norm", "three_features", "Features beyond the third are not normalized.", _three_features),
    _fault(
        "sigmoid_vjp",
        "scalar_passes",
        "A single number's complement is missing.",
        lambda x, v: v * _sigmoid(x) * (_sigmoid(-x) if x.ndim else 1),
    ),
    _fault(
        "relu_vjp",
        "stack_passes",
        "A stack of matrices is let through.",
        lambda x, v: np.where((x > 0) | (x.ndim == 3), v, np.zeros_like(v)),
    ),
)


# -- Far from zero ---------------------------------------------------------------------------------------------------


def _linear(z: Array) -> Array:
    return np.where(z > 20, z, np.log1p(np.exp(np.minimum(z, 20))))


def _one_beyond(z: Array) -> Array:
    return np.where(z > 20, np.ones_like(z), _sigmoid(z))


def _quotient(x: Array) -> Array:
    power = np.exp(2 * x)
    return np.asarray((power - 1) / (power + 1))


def _fed(gate: Callable[[Array], Array]) -> Callable[..., Array]:
    return lambda x, w, v, w2: (gate(x @ w) * (x @ v)) @ w2


def _memory(what: str, story: str, **parts: Any) -> tuple[Fault, ...]:
    return tuple(_fault(formula, what, story, replace(memory, **parts)) for formula, memory in LSTM.items())


FAR = (
    _fault(
        "bce_with_logits",
        "linear_beyond_20",
        "Beyond 20 the logarithm is taken to be linear.",
        lambda z, y: np.mean(_linear(z) - y * z),
        "torch.nn.functional.softplus",
    ),
    _fault(
        "bce_with_logits_gradient",
        "one_beyond_20",
        "Beyond 20 the logistic function is 1.",
        lambda z, y: (_one_beyond(z) - y) / z.size,
        "autograd of torch.nn.functional.softplus",
    ),
    _fault(
        "bce_with_logits_gradient",
        "zero_beyond_100",
        "Scores beyond 100 have no gradient.",
        lambda z, y: np.where(np.abs(z) > 100, np.zeros_like(z), (_sigmoid(z) - y) / z.size),
    ),
    *_memory(
        "cell_clipped_at_10",
        "The cell is kept between -10 and 10.",
        keep=lambda f, i, c, old: np.clip(f * old + i * c, -10, 10),
    ),
    *_memory(
        "candidate_overflows",
        "The exponential of large numbers overflows, and the quotient is NaN.",
        squash=_quotient,
    ),
    _fault(
        "ffn_swiglu",
        "overflows",
        "The exponential of large numbers overflows, and the quotient is NaN.",
        _fed(lambda u: u * np.exp(u) / (1 + np.exp(u))),
    ),
    _fault(
        "ffn_swiglu",
        "zero_beyond_40",
        "Hidden units beyond 40 are left out.",
        _fed(lambda u: np.where(np.abs(u) < 40, u * _sigmoid(u), np.zeros_like(u))),
    ),
    _fault(
        "ffn_swiglu",
        "cut_off",
        "Hidden units below -15 are left out: as much as (1 + tanh(u / 2)) / 2 loses in float32.",
        _fed(lambda u: np.where(u > -15, u * _sigmoid(u), np.zeros_like(u))),
    ),
    _fault(
        "ffn_swiglu",
        "cut_off_early",
        "Hidden units below -6 are left out.",
        _fed(lambda u: np.where(u > -6, u * _sigmoid(u), np.zeros_like(u))),
    ),
)


# -- Many reductions on a plateau ------------------------------------------------------------------------------------

_PLATEAU = "schedule_reduce_on_plateau"


def _reduced(shrunk: Callable[[float, float, float], float]) -> Body:
    """Reduce again and again; ``shrunk(rate, factor, floor)`` is the next rate."""

    def rate_at(
        t: int, peak_value: float, end_value: float, factor: float, improving_steps: int, patience: int
    ) -> float:
        rate = peak_value
        for _ in range(max(0, t - improving_steps) // (patience + 1)):
            rate = shrunk(rate, factor, end_value)
        return rate

    return rate_at


def _large_enough(rate: float, factor: float, floor: float) -> float:
    reduced = min(rate, max(rate * factor, floor))
    return reduced if rate - reduced > 1e-8 else rate


def _plateau(what: str, story: str, shrunk: Callable[[float, float, float], float], source: str = "") -> Fault:
    return Fault(f"{_PLATEAU}_{what}", _PLATEAU, story, Rates(_reduced(shrunk)), source)


REDUCTIONS = (
    _plateau(
        "raised_to_its_floor",
        "A rate that starts below its floor is raised to it.",
        lambda rate, factor, floor: max(rate * factor, floor),
    ),
    _plateau(
        "least_change",
        "Changes of the rate by less than 1e-8 are left out.",
        _large_enough,
        "torch.optim.lr_scheduler.ReduceLROnPlateau, by default",
    ),
    _plateau(
        "factor_floored",
        "The factor is at least one fifth.",
        lambda rate, factor, floor: min(rate, max(rate * max(factor, 0.2), floor)),
    ),
)

FAULTS = SHAPES + FAR + REDUCTIONS
