"""Faults of numbers kept too narrow, and of paths that only some inputs take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.faults.adagrad import ADAGRAD
from conformance.faults.adam import ADAM
from conformance.faults.bookkeeping import MisreadStrides, only
from conformance.faults.descent import HEAVY_BALL
from conformance.faults.lion import LION
from conformance.faults.normalization import BATCH_NORM, LAYER_NORM, Norm
from conformance.faults.programs import Array, Fault, Memory, Options, Program, Rule
from conformance.faults.rmsprop import RMSPROP

__all__ = ["FAULTS"]


def _narrowed(values: Any) -> Array:
    """Round to half of the bits, and back."""
    array = np.asarray(values)
    half = np.float32 if array.dtype == np.float64 else np.float16
    return array.astype(half).astype(array.dtype)


def _remembering(rule: Rule) -> Rule:
    """Keep what a rule remembers in half of the bits."""

    def narrow(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
        moved = rule(theta, g, memory, h, t)
        memory.update({name: _narrowed(entry) for name, entry in memory.items()})
        return moved

    return narrow


def _forgetting_at(step: int, rule: Rule) -> Rule:
    def forgetful(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
        if t == step:
            memory.clear()
        return rule(theta, g, memory, h, t)

    return forgetful


def _at_rest(rule: Rule) -> Rule:
    """Do nothing where all gradients of a tensor are zero."""
    return lambda theta, g, memory, h, t: rule(theta, g, memory, h, t) if np.any(g) else theta


def _clamped(rates: float) -> Rule:
    return replace(ADAM, move=lambda theta, ratio, h: theta - h.learning_rate * np.clip(ratio, -rates, rates))


def _softmax(s: Array, gather: Callable[[Array], Array]) -> Array:
    powers = np.exp(s - np.max(s, axis=-1, keepdims=True))
    return np.asarray(powers / gather(powers))


def _narrow_sum(powers: Array) -> Array:
    return _narrowed(np.sum(powers, axis=-1, keepdims=True))


def _without_last_of_odd(powers: Array) -> Array:
    count = powers.shape[-1]
    return np.asarray(np.sum(powers[..., : count - count % 2 if count > 1 else count], axis=-1, keepdims=True))


def _beyond_1024(curve: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Let the elements after the first 1024 pass."""
    return lambda x: np.where(np.arange(x.size).reshape(x.shape) < 1024, curve(x), x)


def _optimizer(id: str, formula: str, story: str, rule: Rule) -> Fault:
    return Fault(id, formula, story, Program(rule))


def _function(id: str, formula: str, story: str, body: Callable[..., Any]) -> Fault:
    return Fault(id, formula, story, Norm(body))


NARROW = (
    _optimizer(
        "adagrad_sum_in_half_the_bits",
        "adagrad",
        "The sum of squares is kept in half of the bits.",
        _remembering(ADAGRAD),
    ),
    _optimizer(
        "rmsprop_average_in_half_the_bits",
        "rmsprop",
        "The average of squares is kept in half of the bits.",
        _remembering(RMSPROP),
    ),
    _optimizer(
        "momentum_heavy_ball_buffer_in_half_the_bits",
        "momentum_heavy_ball",
        "The buffer is kept in half of the bits.",
        _remembering(HEAVY_BALL),
    ),
    _function(
        "softmax_sum_in_half_the_bits",
        "softmax",
        "The sum of exponentials is kept in half of the bits.",
        lambda s: _softmax(s, _narrow_sum),
    ),
    _function(
        "loss_mse_sum_in_half_the_bits",
        "loss_mse",
        "The sum of squares is kept in half of the bits.",
        lambda s, y: _narrowed(np.sum((s - y) ** 2)) / s.size,
    ),
    _function(
        "batch_norm_moment_in_half_the_bits",
        "batch_norm",
        "The variance is kept in half of the bits.",
        replace(BATCH_NORM, moment=lambda x, along: _narrowed(np.var(x, **along))),
    ),
    _function(
        "layer_norm_mean_in_half_the_bits",
        "layer_norm",
        "The mean is kept in half of the bits.",
        replace(LAYER_NORM, centre=lambda x, along: _narrowed(np.mean(x, **along))),
    ),
)

PATHS = (
    _optimizer("adam_clamped_at_two_rates", "adam", "No element moves further than two learning rates.", _clamped(2)),
    _optimizer("adam_clamped_at_ten_rates", "adam", "No element moves further than ten learning rates.", _clamped(10)),
    _optimizer(
        "rmsprop_forgets_at_step_100",
        "rmsprop",
        "The average is dropped at step 100.",
        _forgetting_at(100, RMSPROP),
    ),
    _optimizer(
        "momentum_heavy_ball_forgets_at_step_100",
        "momentum_heavy_ball",
        "The buffer is dropped at step 100.",
        _forgetting_at(100, HEAVY_BALL),
    ),
    _optimizer(
        "lion_rests_without_gradient",
        "lion",
        "A tensor whose gradient is all zeros stays.",
        _at_rest(LION),
    ),
    _optimizer(
        "lion_tail_beyond_1024_untouched",
        "lion",
        "Elements after the first 1024 are not reached.",
        only(LION, lambda index, size: index < 1024),
    ),
    Fault(
        "rmsprop_strided_gradient_misread",
        "rmsprop",
        "Gradients that are not contiguous are read in the order of their memory.",
        Program(RMSPROP, MisreadStrides),
        "bitsandbytes-foundation/bitsandbytes #1185",
    ),
    _function(
        "softmax_last_of_odd_left_out",
        "softmax",
        "The sum leaves out the last of an odd number of classes.",
        lambda s: _softmax(s, _without_last_of_odd),
    ),
    _function(
        "sigmoid_beyond_1024_passes",
        "sigmoid",
        "Elements after the first 1024 pass unchanged.",
        _beyond_1024(lambda x: np.asarray(1 / (1 + np.exp(-x)))),
    ),
    _function(
        "relu_beyond_1024_passes",
        "relu",
        "Elements after the first 1024 pass unchanged.",
        _beyond_1024(lambda x: np.maximum(x, 0)),
    ),
)

FAULTS = NARROW + PATHS
