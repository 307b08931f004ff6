"""Vector-Jacobian products and gradients as programs write them: every place on the axes along which they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from oracle.arithmetic import curves
from oracle.arithmetic.primitives import namespace
from oracle.dialects.family import Family, Variation
from oracle.differentiation.activations import relu_vjp, sigmoid_vjp, softmax_vjp
from oracle.differentiation.losses import (
    bce_with_logits_gradient,
    loss_cross_entropy_gradient,
    loss_squared_error_gradient,
)
from oracle.formula import Array, Integers, NoState

__all__ = ["CLASS_GRADIENTS", "RESIDUAL_GRADIENTS", "SCORE_GRADIENTS", "SHARES", "SLOPES"]

SMOOTHING = 1e-3


@dataclass(frozen=True)
class SlopeAxes:
    """A place among the slopes of activations; the defaults are ``relu_vjp``."""

    slope: Literal["step", "closed step", "leaky", "capped", "one", "sign", "logistic", "output", "gate", "tanh"] = (
        "step"
    )
    scale: float = 1


def slope_dialect(x: Array, upstream: Array, *, axes: SlopeAxes) -> Array:
    """Carry cotangents back as at one place on the axes."""
    xp = namespace(x, upstream)
    one, zero = xp.ones_like(x), xp.zeros_like(x)
    scaled = x if axes.scale == 1 else axes.scale * x
    slope = {
        "step": lambda: curves.positive(x),
        "closed step": lambda: xp.where(x >= 0, one, zero),
        "leaky": lambda: xp.where(x > 0, one, 0.01 * one),
        "capped": lambda: curves.positive(x) * curves.positive(6 - x),
        "one": lambda: one,
        "sign": lambda: xp.sign(x),
        "logistic": lambda: curves.logistic_slope(scaled),
        "output": lambda: x * (1 - x),
        "gate": lambda: curves.sigmoid(x),
        "tanh": lambda: 4 * curves.logistic_slope(2 * x),
    }[axes.slope]()
    return upstream * slope


RECTIFIER, LOGISTIC = ("relu_vjp",), ("sigmoid_vjp",)

SLOPES = Family(
    body=slope_dialect,
    state_type=NoState,
    named={relu_vjp: SlopeAxes(), sigmoid_vjp: SlopeAxes(slope="logistic")},
    variations={
        "one_at_zero": Variation("the slope at 0 is 1", {"slope": "closed step"}, only=RECTIFIER),
        "leaky": Variation("negative numbers let a hundredth through", {"slope": "leaky"}, only=RECTIFIER),
        "capped": Variation("numbers from 6 on let nothing through", {"slope": "capped"}, only=RECTIFIER),
        "everywhere": Variation("everything comes through", {"slope": "one"}, only=RECTIFIER),
        "of_modulus": Variation("negative numbers turn the sign", {"slope": "sign"}, only=RECTIFIER),
        "without_complement": Variation("the factor 1 - s is missing", {"slope": "gate"}, only=LOGISTIC),
        "of_output": Variation("the input is taken for the output", {"slope": "output"}, only=LOGISTIC),
        "of_tanh": Variation("it is the slope of the hyperbolic tangent", {"slope": "tanh"}, only=LOGISTIC),
        "base_two": Variation("powers of 2 stand for powers of e", {"scale": math.log(2)}, only=LOGISTIC),
        "steeper": Variation("the argument is one per cent too large", {"scale": 1.01}, only=LOGISTIC),
    },
)


@dataclass(frozen=True)
class ShareAxes:
    """A place among what comes back through softmax; the defaults are ``softmax_vjp``."""

    subtracted: Literal["mean", "own share", "sum", "plain mean"] = "mean"
    scale: float = 1
    logarithm: bool = False
    turned: bool = False


def share_dialect(scores: Array, upstream: Array, *, axes: ShareAxes) -> Array:
    """Carry cotangents back through softmax as at one place on the axes."""
    xp = namespace(scores, upstream)
    p = curves.softmax(scores if axes.scale == 1 else axes.scale * scores)
    if axes.logarithm:
        return upstream - p * xp.sum(upstream, axis=-1, keepdims=True)
    if axes.subtracted == "mean":
        pulled = curves.weighted_deviation(p, upstream)
        return -pulled if axes.turned else pulled
    return (
        p
        * {
            "own share": lambda: upstream * (1 - p),
            "sum": lambda: upstream - xp.sum(upstream, axis=-1, keepdims=True),
            "plain mean": lambda: upstream - xp.mean(upstream, axis=-1, keepdims=True),
        }[axes.subtracted]()
    )


SHARES = Family(
    body=share_dialect,
    state_type=NoState,
    named={softmax_vjp: ShareAxes()},
    variations={
        "diagonal": Variation("only a score's own share is differentiated", {"subtracted": "own share"}),
        "unweighted": Variation("cotangents are added up without weights", {"subtracted": "sum"}),
        "plain_mean": Variation("the mean that is subtracted has no weights", {"subtracted": "plain mean"}),
        "of_logarithm": Variation("it is that of the logarithm", {"logarithm": True}),
        "base_two": Variation("powers of 2 stand for powers of e", {"scale": math.log(2)}),
        "turned": Variation("it has the other sign", {"turned": True}),
    },
)


@dataclass(frozen=True)
class GradientAxes:
    """A place among gradients of losses; the defaults are those of the named ones."""

    reduction: Literal["loss's own", "sum", "mean", "share", "half"] = "loss's own"
    turned: bool = False
    signs: bool = False
    target: Literal["given", "smoothed", "missing"] = "given"
    scale: float = 1


def residual_gradient_dialect(prediction: Array, target: Array, *, axes: GradientAxes) -> Array:
    """Differentiate a loss of residuals as at one place on the axes."""
    residual = curves.difference(target, prediction) if axes.turned else curves.difference(prediction, target)
    if axes.signs:
        return namespace(residual).sign(residual)
    if axes.reduction == "half":
        return residual
    gradient = 2 * residual
    return gradient / math.prod(prediction.shape) if axes.reduction == "mean" else gradient


def _against(probability: Array, target: Array, classes: int, axes: GradientAxes) -> Array:
    if axes.target == "missing":
        return probability
    aim = (1 - SMOOTHING) * target + SMOOTHING / classes if axes.target == "smoothed" else target
    return aim - probability if axes.turned else probability - aim


def score_gradient_dialect(score: Array, target: Array, *, axes: GradientAxes) -> Array:
    """Differentiate a loss of scores of two classes as at one place on the axes."""
    gradient = _against(curves.sigmoid(score), target, 2, axes)
    return gradient if axes.reduction == "sum" else gradient / math.prod(score.shape)


def class_gradient_dialect(scores: Array, target: Integers, *, axes: GradientAxes) -> Array:
    """Differentiate a loss of scores of several classes as at one place on the axes."""
    scaled = scores if axes.scale == 1 else axes.scale * scores
    gradient = _against(curves.softmax(scaled), curves.one_hot(target, scores), scores.shape[-1], axes)
    if axes.reduction == "sum":
        return gradient
    return gradient / math.prod(scores.shape if axes.reduction == "share" else scores.shape[:-1])


SUMMED = Variation("the gradient of the sum stands for that of the mean", {"reduction": "sum"})
TURNED = Variation("it points the other way", {"turned": True})
SMOOTHED = Variation("a thousandth of the labels is smoothed", {"target": "smoothed"})

RESIDUAL_GRADIENTS = Family(
    body=residual_gradient_dialect,
    state_type=NoState,
    named={loss_squared_error_gradient: GradientAxes()},
    variations={
        "halved": Variation("the factor 2 is missing", {"reduction": "half"}),
        "mean": Variation("the gradient of the mean stands for that of the sum", {"reduction": "mean"}),
        "turned": TURNED,
        "signs": Variation("it is the gradient of the moduli", {"signs": True}),
    },
)
SCORE_GRADIENTS = Family(
    body=score_gradient_dialect,
    state_type=NoState,
    named={bce_with_logits_gradient: GradientAxes()},
    variations={
        "summed": SUMMED,
        "turned": TURNED,
        "smoothed": SMOOTHED,
        "without_target": Variation("the target is not subtracted", {"target": "missing"}),
    },
)
CLASS_GRADIENTS = Family(
    body=class_gradient_dialect,
    state_type=NoState,
    named={loss_cross_entropy_gradient: GradientAxes()},
    variations={
        "summed": SUMMED,
        "turned": TURNED,
        "smoothed": SMOOTHED,
        "without_label": Variation("the label is not subtracted", {"target": "missing"}),
        "warmer": Variation("scores are divided by a temperature of 1.001", {"scale": 1 / 1.001}),
        "averaged": Variation("it is divided by the number of classes, too", {"reduction": "share"}),
    },
)
