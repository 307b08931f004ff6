"""Faults of activations, losses and gated units."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.faults.normalization import Norm
from conformance.faults.programs import Array, Fault

__all__ = ["FAULTS", "gelu", "tanh_gelu"]


def _fault(formula: str, what: str, story: str, body: Callable[..., Any], source: str = "") -> Fault:
    return Fault(f"{formula}_{what}", formula, story, Norm(body), source)


def _erf(x: Array) -> Array:
    return np.reshape(np.array([math.erf(value) for value in x.ravel()], dtype=x.dtype), x.shape)


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def tanh_gelu(x: Array, cube: float = 0.044715, factor: float = math.sqrt(2 / math.pi)) -> Array:
    """Approximate GELU by a hyperbolic tangent."""
    return np.asarray(0.5 * x * (1 + np.tanh(factor * (x + cube * x**3))))


def _hard(x: Array) -> Array:
    return np.clip(x / 6 + 0.5, 0, 1)


def gelu(x: Array, scale: float = math.sqrt(0.5)) -> Array:
    """Return GELU, whose argument is scaled before the error function is taken."""
    return np.asarray(0.5 * x * (1 + _erf(scale * x)))


def _logarithmic(s: Array, y: Array) -> Array:
    return np.asarray(np.mean((np.log1p(np.abs(y)) - np.log1p(np.abs(s))) ** 2))


def _heavier(s: Array) -> Array:
    weights = np.ones_like(s)
    weights[..., 0] = 2
    powers = weights * np.exp(s - np.max(s, axis=-1, keepdims=True))
    return np.asarray(powers / np.sum(powers, axis=-1, keepdims=True))


ACTIVATIONS = (
    _fault("relu", "leaky", "Negative numbers keep a hundredth of their size.", lambda x: np.maximum(x, 0.01 * x)),
    _fault("relu", "capped", "Numbers above 6 become 6.", lambda x: np.clip(x, 0, 6)),
    _fault("relu", "modulus", "Negative numbers lose their signs.", np.abs),
    _fault("relu", "negated", "The result has the wrong sign.", lambda x: -np.maximum(x, 0)),
    _fault("relu", "soft", "The corner at 0 is rounded.", lambda x: np.logaddexp(0, 16 * x) / 16),
    _fault("relu", "one_at_zero", "Zero of either sign becomes 1.", lambda x: np.where(x == 0, 1, np.maximum(x, 0))),
    _fault("sigmoid", "hard", "Straight lines stand for the curve.", _hard),
    _fault("sigmoid", "base_two", "Powers of 2 stand for powers of e.", lambda x: 1 / (1 + np.exp2(-x))),
    _fault("sigmoid", "mirrored", "The exponent has the wrong sign.", lambda x: _sigmoid(-x)),
    _fault("sigmoid", "shifted", "A tenth is added to the argument.", lambda x: _sigmoid(x + 0.1)),
    _fault("sigmoid", "clamped", "Results below 1e-4 become 1e-4.", lambda x: np.maximum(_sigmoid(x), 1e-4)),
    _fault(
        "sigmoid",
        "overflows",
        "The exponential of large numbers overflows, and the quotient is NaN.",
        lambda x: np.exp(x) / (1 + np.exp(x)),
    ),
    _fault("gelu", "tanh", "The hyperbolic tangent stands for the error function.", tanh_gelu, "jax.nn.gelu"),
    _fault("gelu", "sigmoid", "The logistic function stands for the normal one.", lambda x: x * _sigmoid(1.702 * x)),
    _fault("gelu", "unscaled", "The root of 2 is missing.", lambda x: gelu(x, 1.0)),
    _fault(
        "gelu",
        "density",
        "The density of the normal distribution stands for its cumulative function.",
        lambda x: x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
    ),
    _fault("gelu", "gate_alone", "The factor x is missing.", lambda x: 0.5 * (1 + _erf(math.sqrt(0.5) * x))),
    _fault("gelu", "cut_off", "Numbers below -3 become 0.", lambda x: np.where(x < -3, 0, gelu(x))),
    _fault("gelu_tanh", "exact", "The error function is not approximated.", gelu, "torch.nn.GELU"),
    _fault("gelu_tanh", "without_cube", "The cube is missing.", lambda x: tanh_gelu(x, 0.0)),
    _fault("gelu_tanh", "coarse_constant", "The constant is 0.0447.", lambda x: tanh_gelu(x, 0.0447)),
    _fault("gelu_tanh", "unscaled", "The root of 2 / pi is missing.", lambda x: tanh_gelu(x, factor=1.0)),
    _fault(
        "gelu_tanh",
        "gate_alone",
        "The factor x is missing.",
        lambda x: 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
    _fault("gelu_tanh", "negated", "The result has the wrong sign.", lambda x: -tanh_gelu(x)),
    _fault("gelu_sigmoid", "gate_alone", "The factor x is missing.", lambda x: _sigmoid(1.702 * x)),
    _fault("gelu_sigmoid", "negated", "The result has the wrong sign.", lambda x: -x * _sigmoid(1.702 * x)),
    _fault("gelu_sigmoid", "exact", "The error function is not approximated.", gelu),
    _fault("gelu_sigmoid", "coarse_constant", "The constant is 1.7.", lambda x: x * _sigmoid(1.7 * x)),
    _fault("gelu_sigmoid", "silu", "The constant is missing.", lambda x: x * _sigmoid(x)),
    _fault(
        "gelu_sigmoid",
        "overflows",
        "The exponential of large numbers overflows, and the quotient is NaN.",
        lambda x: x * np.exp(1.702 * x) / (1 + np.exp(1.702 * x)),
    ),
    _fault("silu", "steeper", "The argument of the gate is one per cent too large.", lambda x: x * _sigmoid(1.01 * x)),
    _fault("silu", "hard", "Straight lines stand for the gate.", lambda x: x * _hard(x), "torch.nn.Hardswish"),
    _fault("silu", "gate_alone", "The factor x is missing.", _sigmoid),
    _fault("silu", "negated", "The result has the wrong sign.", lambda x: -x * _sigmoid(x)),
    _fault("silu", "gelu", "The normal distribution stands for the logistic one.", gelu),
    _fault(
        "silu",
        "overflows",
        "The exponential of large numbers overflows, and the quotient is NaN.",
        lambda x: x * np.exp(x) / (1 + np.exp(x)),
    ),
)


def _smooth(s: Array, y: Array) -> Array:
    distance = np.abs(y - s)
    return np.asarray(np.sum(np.where(distance < 1, distance**2 / 2, distance - 0.5)))


REGRESSION = (
    _fault(
        "loss_squared_error", "averaged", "The mean stands for the sum.", lambda s, y: np.mean((y - s) ** 2), "MSELoss"
    ),
    _fault("loss_squared_error", "halved", "Half of it is taken.", lambda s, y: np.sum((y - s) ** 2) / 2),
    _fault("loss_squared_error", "root", "The root of it is taken.", lambda s, y: np.sqrt(np.sum((y - s) ** 2))),
    _fault(
        "loss_squared_error",
        "outer",
        "Every prediction is compared with every target.",
        lambda s, y: np.sum((y.reshape(-1, 1) - s.reshape(1, -1)) ** 2),
    ),
    _fault("loss_squared_error", "epsilon", "A millionth is added.", lambda s, y: np.sum((y - s) ** 2) + 1e-6),
    _fault(
        "loss_squared_error", "relative", "Residuals are divided by targets.", lambda s, y: np.sum(((y - s) / y) ** 2)
    ),
    _fault("loss_mse", "summed", "The sum stands for the mean.", lambda s, y: np.sum((y - s) ** 2)),
    _fault("loss_mse", "halved", "Half of it is taken.", lambda s, y: np.mean((y - s) ** 2) / 2),
    _fault(
        "loss_mse",
        "one_less",
        "It is divided by one less than the count.",
        lambda s, y: np.sum((y - s) ** 2) / max(s.size - 1, 1),
    ),
    _fault(
        "loss_mse",
        "outer",
        "Every prediction is compared with every target.",
        lambda s, y: np.mean((y.reshape(-1, 1) - s.reshape(1, -1)) ** 2),
    ),
    _fault("loss_mse", "relative", "Residuals are divided by the targets.", lambda s, y: np.mean(((y - s) / y) ** 2)),
    _fault("loss_mse", "logarithmic", "Logarithms of 1 + x are compared.", _logarithmic),
    _fault("loss_l1", "averaged", "The mean stands for the sum.", lambda s, y: np.mean(np.abs(y - s)), "L1Loss"),
    _fault("loss_l1", "smooth", "Residuals below 1 are squared and halved.", _smooth, "SmoothL1Loss"),
    _fault("loss_l1", "signed", "Residuals keep their signs.", lambda s, y: np.sum(s - y)),
    _fault("loss_l1", "largest", "The largest residual alone counts.", lambda s, y: np.max(np.abs(y - s))),
    _fault("loss_l1", "epsilon", "A millionth is added.", lambda s, y: np.sum(np.abs(y - s)) + 1e-6),
)


def _bce(p: Array, y: Array) -> Array:
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log1p(-p)))


def _logistic(z: Array, y: Array) -> Array:
    return np.asarray(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z))))


def _smoothed(y: Array, classes: int) -> Array:
    return (1 - 1e-3) * y + 1e-3 / classes


BINARY = (
    _fault("loss_bce", "summed", "The sum stands for the mean.", lambda p, y: np.sum(_bce(p, y))),
    _fault("loss_bce", "base_two", "Logarithms are taken to the base 2.", lambda p, y: np.mean(_bce(p, y)) / np.log(2)),
    _fault(
        "loss_bce",
        "clamped",
        "Probabilities are clamped at 1e-7.",
        lambda p, y: np.mean(_bce(np.clip(p, 1e-7, 1 - 1e-7), y)),
        "keras.losses.BinaryCrossentropy",
    ),
    _fault(
        "loss_bce",
        "smoothed",
        "A thousandth of the labels is smoothed.",
        lambda p, y: np.mean(_bce(p, _smoothed(y, 2))),
    ),
    _fault("loss_bce", "positive_only", "The negative class's term is missing.", lambda p, y: -np.mean(y * np.log(p))),
    _fault("loss_bce", "ascends", "The sign is missing, as printed.", lambda p, y: -np.mean(_bce(p, y))),
    _fault("loss_bce", "classes_swapped", "The labels are exchanged.", lambda p, y: np.mean(_bce(p, 1 - y))),
    _fault("bce_with_logits", "summed", "The sum stands for the mean.", lambda z, y: np.sum(_logistic(z, y))),
    _fault(
        "bce_with_logits",
        "base_two",
        "Logarithms are taken to the base 2.",
        lambda z, y: np.mean(_logistic(z, y)) / np.log(2),
    ),
    _fault(
        "bce_with_logits",
        "overflows",
        "The exponential of large scores overflows.",
        lambda z, y: np.mean(np.log(1 + np.exp(z)) - y * z),
    ),
    _fault(
        "bce_with_logits",
        "through_probability",
        "The logarithm of a rounded probability is taken.",
        lambda z, y: np.mean(_bce(_sigmoid(z), y)),
    ),
    _fault(
        "bce_with_logits",
        "clamped",
        "Probabilities are clamped at 1e-7.",
        lambda z, y: np.mean(_bce(np.clip(_sigmoid(z), 1e-7, 1 - 1e-7), y)),
    ),
    _fault(
        "bce_with_logits",
        "smoothed",
        "A thousandth of the labels is smoothed.",
        lambda z, y: np.mean(_logistic(z, _smoothed(y, 2))),
    ),
    _fault("bce_with_logits", "ascends", "The sign is missing.", lambda z, y: -np.mean(_logistic(z, y))),
    _fault("bce_with_logits", "half_score", "Scores are halved.", lambda z, y: np.mean(_logistic(z / 2, y))),
)


def _softmax(s: Array, axis: Any = -1, scale: float = 1.0) -> Array:
    powers = np.exp(scale * (s - np.max(s, axis=axis, keepdims=True)))
    return np.asarray(powers / np.sum(powers, axis=axis, keepdims=True))


def _unshifted(s: Array) -> Array:
    return np.asarray(np.exp(s) / np.sum(np.exp(s), axis=-1, keepdims=True))


def _terms(s: Array) -> Array:
    shifted = s - np.max(s, axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True)))


def _one_hot(s: Array, y: Array) -> Array:
    return np.asarray(np.eye(s.shape[-1])[y.astype(int)])


def _cross_entropy(s: Array, y: Array) -> Array:
    return np.asarray(-np.mean(np.sum(y * _terms(s), axis=-1)))


CLASSES = (
    _fault("softmax", "unshifted", "The exponentials of large scores overflow.", _unshifted),
    _fault("softmax", "warmer", "The temperature is 1.001.", lambda s: _softmax(s, scale=1 / 1.001)),
    _fault("softmax", "base_two", "Powers of 2 stand for powers of e.", lambda s: _softmax(s, scale=np.log(2))),
    _fault("softmax", "other_axis", "Columns add up to 1, not rows.", lambda s: _softmax(s, 0)),
    _fault("softmax", "whole_array", "The whole array adds up to 1.", lambda s: _softmax(s, None)),
    _fault(
        "softmax",
        "with_rest",
        "The denominator is larger by 1.",
        lambda s: np.exp(s) / (1 + np.sum(np.exp(s), axis=-1, keepdims=True)),
    ),
    _fault("softmax", "epsilon", "A millionth is added to each.", lambda s: _softmax(s) + 1e-6),
    _fault("softmax", "cooled_down", "Scores have the wrong sign.", lambda s: _softmax(-s)),
    _fault("softmax", "first_class_heavier", "The first class is counted twice.", _heavier),
    _fault(
        "loss_cross_entropy",
        "unshifted",
        "The logarithm of a probability of 0 is infinite.",
        lambda s, y: -np.mean(np.log(np.sum(_one_hot(s, y) * _unshifted(s), axis=-1))),
    ),
    _fault(
        "loss_cross_entropy",
        "smoothed",
        "A thousandth of the labels is smoothed.",
        lambda s, y: _cross_entropy(s, _smoothed(_one_hot(s, y), s.shape[-1])),
    ),
    _fault(
        "loss_cross_entropy",
        "clamped",
        "Probabilities are clamped at 1e-7.",
        lambda s, y: -np.mean(np.log(np.maximum(np.sum(_one_hot(s, y) * _softmax(s), axis=-1), 1e-7))),
        "keras.losses.CategoricalCrossentropy",
    ),
    _fault(
        "loss_cross_entropy",
        "base_two",
        "Logarithms are taken to the base 2.",
        lambda s, y: _cross_entropy(s, _one_hot(s, y)) / np.log(2),
    ),
    _fault(
        "loss_cross_entropy",
        "averaged",
        "The mean over samples and classes stands for the mean over samples.",
        lambda s, y: -np.mean(_one_hot(s, y) * _terms(s)),
    ),
    _fault(
        "loss_cross_entropy",
        "summed",
        "The sum over samples stands for their mean.",
        lambda s, y: -np.sum(_one_hot(s, y) * _terms(s)),
    ),
    _fault(
        "loss_cross_entropy",
        "warmer",
        "The temperature is 1.001.",
        lambda s, y: _cross_entropy(s / 1.001, _one_hot(s, y)),
    ),
    _fault(
        "loss_cross_entropy",
        "without_sum",
        "Scores are taken for logarithms of probabilities.",
        lambda s, y: -np.mean(np.sum(_one_hot(s, y) * s, axis=-1)),
        "torch.nn.NLLLoss",
    ),
    _fault(
        "loss_cross_entropy",
        "softmax_twice",
        "Probabilities are taken for scores.",
        lambda s, y: _cross_entropy(_softmax(s), _one_hot(s, y)),
    ),
    _fault(
        "loss_cross_entropy",
        "next_class",
        "The label is off by one.",
        lambda s, y: _cross_entropy(s, _one_hot(s, (y + 1) % s.shape[-1])),
    ),
    _fault(
        "loss_cross_entropy",
        "first_sample_only",
        "The first sample stands for all.",
        lambda s, y: _cross_entropy(s[:1], _one_hot(s, y)[:1]),
    ),
)


def _classes(s: Array, y: Array) -> Array:
    return _cross_entropy(s, _one_hot(s, y))


COMBINED = (
    _fault(
        "loss_combined",
        "unweighted",
        "The weight is missing.",
        lambda s, y, r, t, regression_weight: _classes(s, y) + np.sum((t - r) ** 2),
    ),
    _fault(
        "loss_combined",
        "all_weighted",
        "Both costs are weighted.",
        lambda s, y, r, t, regression_weight: regression_weight * (_classes(s, y) + np.sum((t - r) ** 2)),
    ),
    _fault(
        "loss_combined",
        "complementary",
        "The cost of the classes has the complementary weight.",
        lambda s, y, r, t, regression_weight: (
            (1 - regression_weight) * _classes(s, y) + regression_weight * np.sum((t - r) ** 2)
        ),
    ),
    _fault(
        "loss_combined",
        "averaged",
        "The mean of the squares stands for their sum.",
        lambda s, y, r, t, regression_weight: _classes(s, y) + regression_weight * np.mean((t - r) ** 2),
    ),
    _fault(
        "loss_combined",
        "squared_weight",
        "The weight is applied twice.",
        lambda s, y, r, t, regression_weight: _classes(s, y) + np.sum((regression_weight * (t - r)) ** 2),
    ),
    _fault(
        "loss_combined",
        "root_of_weight",
        "The root of the weight is applied.",
        lambda s, y, r, t, regression_weight: _classes(s, y) + np.sqrt(regression_weight) * np.sum((t - r) ** 2),
    ),
    _fault(
        "loss_combined",
        "weight_floored",
        "The weight is a thousandth at least.",
        lambda s, y, r, t, regression_weight: _classes(s, y) + max(regression_weight, 1e-3) * np.sum((t - r) ** 2),
    ),
    _fault(
        "loss_combined",
        "moduli",
        "The moduli of the residuals stand for their squares.",
        lambda s, y, r, t, regression_weight: _classes(s, y) + regression_weight * np.sum(np.abs(t - r)),
    ),
)


GATES: dict[str, Callable[[Array, Array], Array]] = {
    "glu": lambda first, second: first * _sigmoid(second),
    "geglu": lambda first, second: gelu(first) * second,
    "swiglu": lambda first, second: first * _sigmoid(first) * second,
}


def _gated(name: str) -> tuple[Fault, ...]:
    """Return the faults that every gated unit may have."""
    gate = GATES[name]
    return (
        _fault(name, "swapped", "The branches are exchanged.", lambda x, w, b, v, c: gate(x @ v + c, x @ w + b)),
        _fault(name, "bias_dropped", "The first bias is missing.", lambda x, w, b, v, c: gate(x @ w, x @ v + c)),
        _fault(name, "gate_bias_dropped", "The second bias is missing.", lambda x, w, b, v, c: gate(x @ w + b, x @ v)),
        _fault(name, "bilinear", "There is no activation.", lambda x, w, b, v, c: (x @ w + b) * (x @ v + c)),
        _fault(
            name,
            "rows_mixed",
            "Each row is computed with the mean of the rows added to a thousandth.",
            lambda x, w, b, v, c: gate((x + 1e-3 * x.mean(0)) @ w + b, x @ v + c),
        ),
        _fault(
            name,
            "weights_shared",
            "Both branches have the first one's weights.",
            lambda x, w, b, v, c: gate(x @ w + b, x @ w + c),
        ),
    )


GATING = (
    *_gated("glu"),
    *_gated("geglu"),
    *_gated("swiglu"),
    _fault(
        "geglu",
        "tanh",
        "The hyperbolic tangent stands for the error function.",
        lambda x, w, b, v, c: tanh_gelu(x @ w + b) * (x @ v + c),
    ),
    _fault(
        "swiglu",
        "steeper",
        "The argument of the gate is one per cent too large.",
        lambda x, w, b, v, c: (x @ w + b) * _sigmoid(1.01 * (x @ w + b)) * (x @ v + c),
    ),
    _fault(
        "glu", "tanh", "The hyperbolic tangent is the gate.", lambda x, w, b, v, c: (x @ w + b) * np.tanh(x @ v + c)
    ),
)


def _fed(u: Array, other: Array | float, w2: Array) -> Array:
    return (u * _sigmoid(u) * other) @ w2


BLOCKS = (
    _fault("ffn_swiglu", "swapped", "The branches are exchanged.", lambda x, w, v, w2: _fed(x @ v, x @ w, w2)),
    _fault("ffn_swiglu", "bilinear", "There is no activation.", lambda x, w, v, w2: ((x @ w) * (x @ v)) @ w2),
    _fault(
        "ffn_swiglu",
        "logistic",
        "The logistic function alone is the activation.",
        lambda x, w, v, w2: (_sigmoid(x @ w) * (x @ v)) @ w2,
    ),
    _fault("ffn_swiglu", "normal", "GELU stands for SiLU.", lambda x, w, v, w2: (gelu(x @ w) * (x @ v)) @ w2),
    _fault("ffn_swiglu", "ungated", "The second branch is missing.", lambda x, w, v, w2: _fed(x @ w, 1, w2)),
    _fault(
        "ffn_swiglu", "gate_bias", "The second branch has a bias of 1.", lambda x, w, v, w2: _fed(x @ w, x @ v + 1, w2)
    ),
    _fault(
        "ffn_swiglu",
        "output_bias",
        "A thousandth is added to the result.",
        lambda x, w, v, w2: _fed(x @ w, x @ v, w2) + 1e-3,
    ),
    _fault("ffn_swiglu", "residual", "The input is added.", lambda x, w, v, w2: x + _fed(x @ w, x @ v, w2)),
    _fault(
        "ffn_swiglu",
        "rows_mixed",
        "Each row is computed with the mean of the rows added to a thousandth.",
        lambda x, w, v, w2: _fed((x + 1e-3 * x.mean(0)) @ w, x @ v, w2),
    ),
    _fault(
        "ffn_swiglu",
        "unit_left_out",
        "The first hidden unit is left out.",
        lambda x, w, v, w2: _fed(x @ w[:, 1:], x @ v[:, 1:], w2[1:]),
    ),
)

FAULTS = ACTIVATIONS + REGRESSION + BINARY + CLASSES + COMBINED + GATING + BLOCKS
