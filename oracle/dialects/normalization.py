"""Normalization as programs write it: every place on the axes along which they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from oracle.arithmetic.primitives import moving_average, namespace, quotient, variance
from oracle.dialects.family import Family, Variation
from oracle.formula import Array, NoState, Scalar
from oracle.normalization.batch_norm import (
    batch_norm,
    batch_norm_running_mean,
    batch_norm_running_variance,
    batch_norm_running_variance_biased,
)
from oracle.normalization.layer_norm import layer_norm
from oracle.normalization.rms_norm import rms_norm
from oracle.normalization.standardize_feature import standardize_feature

__all__ = ["NORMALIZATION", "RUNNING", "NormalizationAxes", "RunningAxes"]

WITH_EPS = ("batch_norm", "layer_norm", "rms_norm")
CENTRED = ("standardize_feature", "batch_norm", "layer_norm")
SHIFTED = ("batch_norm", "layer_norm")

Moment = Literal["variance", "unbiased", "second moment", "sum", "sum of squares"]


@dataclass(frozen=True)
class NormalizationAxes:
    """A place on the axes of the family; the defaults are ``layer_norm``."""

    along: Literal["last", "first", "all"] = "last"
    centred: bool = True
    moment: Moment = "variance"
    epsilon: Literal["inside", "outside", "absent", "tenfold"] = "inside"
    root: bool = True
    affine: Literal["gain and shift", "gain", "one plus gain", "swapped", "none"] = "gain and shift"


def normalization_dialect(
    x: Array, weight: Array = 1, bias: Array = 0, *, axes: NormalizationAxes, eps: Scalar = 0
) -> Array:
    """Normalize as at one place on the axes."""
    xp = namespace(x)
    axis = {"last": -1, "first": 0, "all": tuple(range(len(x.shape)))}[axes.along]
    moment = _moment(axes.moment, x, axis)
    if axes.epsilon in ("inside", "tenfold"):
        moment = moment + (10 * eps if axes.epsilon == "tenfold" else eps)
    divisor = xp.sqrt(moment) if axes.root else moment
    if axes.epsilon == "outside":
        divisor = divisor + eps
    normalized = quotient(x - xp.mean(x, axis=axis, keepdims=True) if axes.centred else x, divisor)
    match axes.affine:
        case "none":
            return normalized
        case "gain":
            return weight * normalized
        case "one plus gain":
            return (1 + weight) * normalized + bias
        case "swapped":
            return bias * normalized + weight
    return weight * normalized + bias


def _moment(moment: Moment, x: Array, axis: Any) -> Array:
    """Measure the spread of an array along axes, which are kept with length 1."""
    xp = namespace(x)
    along = {"axis": axis, "keepdims": True}
    count = math.prod(x.shape[each] for each in ((axis,) if isinstance(axis, int) else axis))
    match moment:
        case "variance":
            return variance(x, **along)
        case "unbiased":
            return variance(x, **along) * count / max(count - 1, 1)
        case "second moment":
            return xp.mean(x**2, **along)
        case "sum of squares":
            return xp.sum(x**2, **along)
    return xp.sum((x - xp.mean(x, **along)) ** 2, **along)


_GAIN: dict[str, Any] = {"centred": False, "moment": "second moment", "affine": "gain"}

NORMALIZATION = Family(
    body=normalization_dialect,
    state_type=NoState,
    named={
        standardize_feature: NormalizationAxes(along="first", epsilon="absent", affine="none"),
        batch_norm: NormalizationAxes(along="first"),
        layer_norm: NormalizationAxes(),
        rms_norm: NormalizationAxes(**_GAIN),
    },
    variations={
        "unbiased": Variation("the variance has the divisor n - 1", {"moment": "unbiased"}, only=CENTRED),
        "eps_outside": Variation("epsilon is added outside the root", {"epsilon": "outside"}, only=WITH_EPS),
        "eps_missing": Variation("epsilon is not added", {"epsilon": "absent"}, only=WITH_EPS),
        "eps_tenfold": Variation("epsilon is ten times too large", {"epsilon": "tenfold"}, only=WITH_EPS),
        "mean_kept": Variation("the mean is not subtracted from what is divided", {"centred": False}, only=CENTRED),
        "second_moment": Variation(
            "the mean is not subtracted before squaring", {"moment": "second moment"}, only=CENTRED
        ),
        "no_root": Variation("the variance divides without its root", {"root": False}),
        "sum": Variation("the squares are summed, not averaged", {"moment": "sum"}, only=CENTRED),
        "sum_of_squares": Variation(
            "the squares are summed, not averaged", {"moment": "sum of squares"}, only=("rms_norm",)
        ),
        "centred": Variation("the mean is subtracted", {"centred": True, "moment": "variance"}, only=("rms_norm",)),
        "centred_moment": Variation(
            "the mean is subtracted before squaring", {"moment": "variance"}, only=("rms_norm",)
        ),
        "gain_one_plus": Variation("one is added to the gain", {"affine": "one plus gain"}, only=WITH_EPS),
        "affine_swapped": Variation("gain and shift are exchanged", {"affine": "swapped"}, only=SHIFTED),
        "affine_missing": Variation("neither gain nor shift is applied", {"affine": "none"}, only=WITH_EPS),
        "other_axis": Variation(
            "features are normalized one sample at a time", {"along": "last"}, only=("standardize_feature",)
        ),
        "one_axis_up": Variation("samples are normalized over the first axis", {"along": "first"}, only=("rms_norm",)),
        "one_scale": Variation("one mean and one divisor serve the whole array", {"along": "all"}),
    },
)

VARIANCES = ("batch_norm_running_variance", "batch_norm_running_variance_biased")
MEANS = ("batch_norm_running_mean",)


@dataclass(frozen=True)
class RunningAxes:
    """A place on the axes of running statistics; the defaults are ``batch_norm_running_mean``."""

    statistic: Literal["mean", "sum", "unbiased", "biased", "squares", "second moment", "deviation"] = "mean"
    average: Literal["moving", "complement", "undamped", "last"] = "moving"


def running_dialect(x: Array, running: Array, *, axes: RunningAxes, momentum: Scalar) -> Array:
    """Gather a statistic of a batch as at one place on the axes."""
    new = _statistic(axes.statistic, x)
    match axes.average:
        case "complement":
            return moving_average(momentum, running, new)
        case "undamped":
            return running + momentum * new
        case "last":
            return new
    return moving_average(1 - momentum, running, new)


def _statistic(statistic: str, x: Array) -> Array:
    """Measure a batch, feature by feature."""
    xp, m = namespace(x), x.shape[0]
    match statistic:
        case "mean":
            return xp.mean(x, axis=0)
        case "sum":
            return xp.sum(x, axis=0)
        case "unbiased":
            return variance(x, axis=0) * m / (m - 1)
        case "biased":
            return variance(x, axis=0)
        case "squares":
            return variance(x, axis=0) * m
        case "second moment":
            return xp.mean(x**2, axis=0)
    return xp.sqrt(variance(x, axis=0))


RUNNING = Family(
    body=running_dialect,
    state_type=NoState,
    named={
        batch_norm_running_mean: RunningAxes(),
        batch_norm_running_variance: RunningAxes(statistic="unbiased"),
        batch_norm_running_variance_biased: RunningAxes(statistic="biased"),
    },
    variations={
        "complement": Variation("the momentum is the weight of the old value", {"average": "complement"}),
        "undamped": Variation("the old value keeps its whole weight", {"average": "undamped"}),
        "last_batch": Variation("nothing is kept of earlier batches", {"average": "last"}),
        "sum": Variation("the batch is summed, not averaged", {"statistic": "sum"}, only=MEANS),
        "squares": Variation(
            "the squared deviations are summed, not averaged", {"statistic": "squares"}, only=VARIANCES
        ),
        "root": Variation("the standard deviation is gathered", {"statistic": "deviation"}, only=VARIANCES),
        "second_moment": Variation(
            "the mean is not subtracted before squaring", {"statistic": "second moment"}, only=VARIANCES
        ),
    },
)
