"""Faults of vector-Jacobian products and of gradients of losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.faults.normalization import Norm
from conformance.faults.programs import Array, Fault

__all__ = ["FAULTS"]


def _fault(formula: str, what: str, story: str, body: Callable[..., Any], source: str = "") -> Fault:
    return Fault(f"{formula}_{what}", formula, story, Norm(body), source)


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _slope(x: Array) -> Array:
    return _sigmoid(x) * _sigmoid(-x)


def _softmax(s: Array, shift: bool = True) -> Array:
    powers = np.exp(s - np.max(s, axis=-1, keepdims=True) if shift else s)
    return np.asarray(powers / np.sum(powers, axis=-1, keepdims=True))


def _off(s: Array, y: Array, p: Array) -> Array:
    return np.asarray(p - np.eye(s.shape[-1])[y.astype(int)])


def _masked(condition: Array, v: Array) -> Array:
    return np.where(condition, v, np.zeros_like(v))


_SQUARE, _SCORE, _CLASSES = "loss_squared_error_gradient", "bce_with_logits_gradient", "loss_cross_entropy_gradient"

FAULTS = (
    _fault("relu_vjp", "one_at_zero", "The slope at 0 is 1.", lambda x, v: _masked(x >= 0, v)),
    _fault("relu_vjp", "leaky", "Negative numbers let a hundredth through.", lambda x, v: np.where(x > 0, v, 0.01 * v)),
    _fault("relu_vjp", "everywhere", "The mask is missing.", lambda x, v: v),
    _fault("relu_vjp", "of_modulus", "Negative numbers turn the sign.", lambda x, v: v * np.sign(x)),
    _fault("relu_vjp", "of_square", "The mask is multiplied by 2x.", lambda x, v: v * np.maximum(2 * x, 0)),
    _fault(
        "relu_vjp",
        "guided",
        "Negative cotangents do not come through.",
        lambda x, v: _masked((x > 0) & (v > 0), v),
        "guided backpropagation",
    ),
    _fault(
        "relu_vjp",
        "cotangent_clipped",
        "Cotangents are clipped to [-1, 1].",
        lambda x, v: _masked(x > 0, np.clip(v, -1, 1)),
    ),
    _fault("relu_vjp", "slope_added", "The slope is added, not multiplied.", lambda x, v: v + (x > 0)),
    _fault("sigmoid_vjp", "complement_missing", "The factor 1 - s is missing.", lambda x, v: v * _sigmoid(x)),
    _fault("sigmoid_vjp", "of_output", "The input is taken for the output.", lambda x, v: v * x * (1 - x)),
    _fault("sigmoid_vjp", "of_tanh", "It is the slope of the hyperbolic tangent.", lambda x, v: v * 4 * _slope(2 * x)),
    _fault("sigmoid_vjp", "base_two", "Powers of 2 stand for powers of e.", lambda x, v: v * _slope(np.log(2) * x)),
    _fault(
        "sigmoid_vjp",
        "cotangent_squashed",
        "Cotangents are squashed by the hyperbolic tangent.",
        lambda x, v: np.tanh(v) * _slope(x),
    ),
    _fault("sigmoid_vjp", "slope_added", "The slope is added, not multiplied.", lambda x, v: v + _slope(x)),
    _fault(_SQUARE, "halved", "The factor 2 is missing.", lambda s, y: s - y),
    _fault(_SQUARE, "averaged", "It is divided by the number of elements.", lambda s, y: 2 * (s - y) / s.size),
    _fault(_SQUARE, "turned", "It points the other way.", lambda s, y: 2 * (y - s)),
    _fault(_SQUARE, "moduli", "The moduli of the residuals stand for them.", lambda s, y: 2 * np.abs(s - y)),
    _fault(_SQUARE, "relative", "Residuals are divided by the targets.", lambda s, y: 2 * (s - y) / np.abs(y)),
    _fault(_SQUARE, "epsilon", "A millionth is added.", lambda s, y: 2 * (s - y) + 1e-6),
    _fault(_SCORE, "summed", "The gradient of the sum stands for that of the mean.", lambda z, y: _sigmoid(z) - y),
    _fault(_SCORE, "turned", "It points the other way.", lambda z, y: (y - _sigmoid(z)) / z.size),
    _fault(_SCORE, "doubled", "There is a factor 2.", lambda z, y: 2 * (_sigmoid(z) - y) / z.size),
    _fault(
        _SCORE,
        "target_missing",
        "The target is not subtracted.",
        lambda z, y: _sigmoid(z) / z.size,
    ),
    _fault(_SCORE, "of_sign", "Scores are decided before they are compared.", lambda z, y: ((z > 0) - y) / z.size),
    _fault(
        _SCORE,
        "of_probability",
        "The slope of the logistic function is multiplied in once more.",
        lambda z, y: (_sigmoid(z) - y) * _slope(z) / z.size,
    ),
    _fault(
        _CLASSES,
        "summed",
        "The gradient of the sum stands for that of the mean.",
        lambda s, y: _off(s, y, _softmax(s)),
    ),
    _fault(_CLASSES, "turned", "It points the other way.", lambda s, y: -_off(s, y, _softmax(s)) / len(s)),
    _fault(_CLASSES, "averaged", "It is divided by all scores.", lambda s, y: _off(s, y, _softmax(s)) / s.size),
    _fault(
        _CLASSES,
        "label_missing",
        "The label is not subtracted.",
        lambda s, y: _softmax(s) / len(s),
    ),
    _fault(
        _CLASSES,
        "unshifted",
        "The exponentials of large scores overflow.",
        lambda s, y: _off(s, y, _softmax(s, shift=False)) / len(s),
    ),
    _fault(_CLASSES, "warmer", "The temperature is 1.001.", lambda s, y: _off(s, y, _softmax(s / 1.001)) / len(s)),
    _fault(_CLASSES, "of_scores", "Scores are taken for probabilities.", lambda s, y: _off(s, y, s) / len(s)),
    _fault(
        _CLASSES,
        "next_class",
        "The label is off by one.",
        lambda s, y: _off(s, (y + 1) % s.shape[-1], _softmax(s)) / len(s),
    ),
)
