"""Losses as programs write them: every place on the axes along which they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from oracle.arithmetic import curves
from oracle.arithmetic.primitives import namespace
from oracle.dialects.family import Family, Variation
from oracle.formula import Array, Integers, NoState, Scalar
from oracle.losses.binary import bce_with_logits, loss_bce
from oracle.losses.combined import loss_combined
from oracle.losses.cross_entropy import loss_cross_entropy
from oracle.losses.regression import loss_l1, loss_mse, loss_squared_error
from oracle.losses.softmax import softmax

__all__ = ["BINARY", "COMBINED", "CROSS_ENTROPY", "LOGITS", "REGRESSION", "SOFTMAX"]

Base = Literal["natural", "two"]

LOG_TWO = math.log(2)
SMOOTHING = 1e-3
CLAMP = 1e-7


def _smoothed(target: Array, classes: int) -> Array:
    """Mix a thousandth of equal probabilities in."""
    return (1 - SMOOTHING) * target + SMOOTHING / classes


def _over_log_two(value: Array, base: Base) -> Array:
    return value if base == "natural" else value / LOG_TWO


@dataclass(frozen=True)
class RegressionAxes:
    """A place among losses of regression; the defaults are ``loss_squared_error``."""

    term: Literal["square", "modulus", "smooth"] = "square"
    reduction: Literal["sum", "mean", "half", "half mean", "one less", "root", "root mean"] = "sum"


def regression_dialect(prediction: Array, target: Array, *, axes: RegressionAxes) -> Array:
    """Lose as at one place on the axes."""
    xp = namespace(prediction)
    residual = curves.difference(target, prediction)
    terms = {
        "square": lambda: residual**2,
        "modulus": lambda: xp.abs(residual),
        "smooth": lambda: xp.where(xp.abs(residual) < 1, residual**2 / 2, xp.abs(residual) - 0.5),
    }[axes.term]()
    count = math.prod(prediction.shape)
    return {
        "sum": lambda: xp.sum(terms),
        "mean": lambda: xp.mean(terms),
        "half": lambda: xp.sum(terms) / 2,
        "half mean": lambda: xp.mean(terms) / 2,
        "one less": lambda: xp.sum(terms) / max(count - 1, 1),
        "root": lambda: xp.sqrt(xp.sum(terms)),
        "root mean": lambda: xp.sqrt(xp.mean(terms)),
    }[axes.reduction]()


SQUARES, MEANS, MODULI = ("loss_squared_error",), ("loss_mse",), ("loss_l1",)

REGRESSION = Family(
    body=regression_dialect,
    state_type=NoState,
    named={
        loss_squared_error: RegressionAxes(),
        loss_mse: RegressionAxes(reduction="mean"),
        loss_l1: RegressionAxes(term="modulus"),
    },
    variations={
        "halved": Variation("half of it is taken", {"reduction": "half"}, only=SQUARES),
        "root": Variation("the root of it is taken", {"reduction": "root"}, only=SQUARES),
        "mean": Variation("the mean stands for the sum", {"reduction": "mean"}, only=MODULI),
        "smooth": Variation("residuals below 1 are squared and halved", {"term": "smooth"}, only=MODULI),
        "in_half": Variation("half of it is taken", {"reduction": "half mean"}, only=MEANS),
        "of_root": Variation("the root of it is taken", {"reduction": "root mean"}, only=MEANS),
        "bessel": Variation("it is divided by one less than the count", {"reduction": "one less"}, only=MEANS),
    },
)


@dataclass(frozen=True)
class BinaryAxes:
    """A place among losses of two classes; the defaults are ``loss_bce`` and ``bce_with_logits``."""

    mean: bool = True
    base: Base = "natural"
    floor: float = 0
    smoothed: bool = False
    negative: bool = True


def _reduced(terms: Array, axes: BinaryAxes) -> Array:
    xp = namespace(terms)
    return _over_log_two(xp.mean(terms) if axes.mean else xp.sum(terms), axes.base)


def binary_dialect(prediction: Array, target: Array, *, axes: BinaryAxes) -> Array:
    """Lose from a probability as at one place on the axes."""
    xp = namespace(prediction)
    target = _smoothed(target, 2) if axes.smoothed else target
    if axes.floor:
        floor = axes.floor * xp.ones_like(prediction)
        prediction = xp.minimum(xp.maximum(prediction, floor), 1 - floor)
    terms = target * xp.log(prediction)
    if axes.negative:
        terms = terms + curves.difference(1, target) * xp.log(curves.difference(1, prediction))
    return -_reduced(terms, axes)


def logits_dialect(score: Array, target: Array, *, axes: BinaryAxes) -> Array:
    """Lose from a score as at one place on the axes."""
    target = _smoothed(target, 2) if axes.smoothed else target
    if not axes.negative:
        return _reduced(target * curves.logistic_loss(-score, namespace(score).zeros_like(score)), axes)
    return _reduced(curves.logistic_loss(score, target), axes)


SUMMED = Variation("the sum stands for the mean", {"mean": False})
BASE_TWO = Variation("logarithms are taken to the base 2", {"base": "two"})
CLAMPED = Variation("probabilities are clamped at 1e-7", {"floor": CLAMP})
SMOOTHED = Variation("a thousandth of the labels is smoothed", {"smoothed": True})
POSITIVE = Variation("the term of the negative class is missing", {"negative": False})
BINARY = Family(
    body=binary_dialect,
    state_type=NoState,
    named={loss_bce: BinaryAxes()},
    variations={
        "summed": SUMMED,
        "base_two": BASE_TWO,
        "clamped": CLAMPED,
        "smoothed": SMOOTHED,
        "positive_only": POSITIVE,
    },
)
LOGITS = Family(
    body=logits_dialect,
    state_type=NoState,
    named={bce_with_logits: BinaryAxes()},
    variations={"summed": SUMMED, "base_two": BASE_TWO, "smoothed": SMOOTHED, "positive_only": POSITIVE},
)


@dataclass(frozen=True)
class ClassAxes:
    """A place among softmaxes and cross-entropies; the defaults are ``softmax`` and ``loss_cross_entropy``."""

    scale: float = 1
    kind: Literal["softmax", "with rest", "other axis", "independent"] = "softmax"
    base: Base = "natural"
    floor: float = 0
    smoothed: bool = False
    reduction: Literal["mean", "sum", "share"] = "mean"
    normalised: bool = True


def softmax_dialect(scores: Array, *, axes: ClassAxes) -> Array:
    """Find probabilities as at one place on the axes."""
    scaled = scores if axes.scale == 1 else axes.scale * scores
    if axes.kind == "softmax":
        return curves.softmax(scaled)
    if axes.kind == "independent":
        return curves.sigmoid(scaled)
    xp = namespace(scores)
    powers = xp.exp(scaled)
    if axes.kind == "with rest":
        return powers / (1 + xp.sum(powers, axis=-1, keepdims=True))
    return powers / xp.sum(powers, axis=0, keepdims=True)


def cross_entropy_dialect(scores: Array, target: Integers, *, axes: ClassAxes) -> Array:
    """Lose as at one place on the axes."""
    xp = namespace(scores)
    scaled = scores if axes.scale == 1 else axes.scale * scores
    logarithms = curves.log_softmax(scaled) if axes.normalised else scaled
    if axes.floor:
        logarithms = xp.maximum(logarithms, math.log(axes.floor) * xp.ones_like(logarithms))
    likely = curves.chosen(logarithms, target)
    if axes.smoothed:
        likely = (1 - SMOOTHING) * likely + SMOOTHING * xp.mean(logarithms, axis=-1)
    reduced = xp.sum(likely) if axes.reduction == "sum" else xp.mean(likely)
    return -_over_log_two(reduced / scores.shape[-1] if axes.reduction == "share" else reduced, axes.base)


WARMER = Variation("scores are divided by a temperature of 1.001", {"scale": 1 / 1.001})
SOFTMAX = Family(
    body=softmax_dialect,
    state_type=NoState,
    named={softmax: ClassAxes()},
    variations={
        "warmer": WARMER,
        "base_two": Variation("powers of 2 stand for powers of e", {"scale": LOG_TWO}),
        "with_rest": Variation("the denominator is larger by 1", {"kind": "with rest"}),
        "other_axis": Variation("the probabilities add up to 1 along the first axis", {"kind": "other axis"}),
        "independent": Variation("each score gets its own logistic function", {"kind": "independent"}),
        "doubled": Variation("scores are doubled", {"scale": 2}),
    },
)
CROSS_ENTROPY = Family(
    body=cross_entropy_dialect,
    state_type=NoState,
    named={loss_cross_entropy: ClassAxes()},
    variations={
        "smoothed": SMOOTHED,
        "base_two": BASE_TWO,
        "clamped": CLAMPED,
        "warmer": WARMER,
        "without_sum": Variation("scores are taken for logarithms of probabilities", {"normalised": False}),
        "summed": Variation("the sum over samples stands for their mean", {"reduction": "sum"}),
        "averaged": Variation("it is divided by the number of classes, too", {"reduction": "share"}),
    },
)


@dataclass(frozen=True)
class CombinedAxes:
    """A place among combinations of both kinds of loss; the defaults are ``loss_combined``."""

    weight: Literal["regression", "none", "both", "complementary", "squared"] = "regression"
    mean: bool = False


def combined_dialect(
    scores: Array, label: Integers, prediction: Array, target: Array, *, regression_weight: Scalar, axes: CombinedAxes
) -> Array:
    """Lose as at one place on the axes."""
    classes = cross_entropy_dialect(scores, label, axes=ClassAxes())
    reduction: Literal["sum", "mean"] = "mean" if axes.mean else "sum"
    squares = regression_dialect(prediction, target, axes=RegressionAxes(reduction=reduction))
    return {
        "regression": lambda: classes + regression_weight * squares,
        "none": lambda: classes + squares,
        "both": lambda: regression_weight * (classes + squares),
        "complementary": lambda: (1 - regression_weight) * classes + regression_weight * squares,
        "squared": lambda: classes + regression_weight * (regression_weight * squares),
    }[axes.weight]()


COMBINED = Family(
    body=combined_dialect,
    state_type=NoState,
    named={loss_combined: CombinedAxes()},
    variations={
        "unweighted": Variation("the weight is missing", {"weight": "none"}),
        "all_weighted": Variation("both costs are weighted", {"weight": "both"}),
        "complementary": Variation("the other cost has the complementary weight", {"weight": "complementary"}),
        "mean": Variation("the mean of the squares stands for their sum", {"mean": True}),
        "squared_weight": Variation("the weight is applied twice", {"weight": "squared"}),
    },
)
