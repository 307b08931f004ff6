"""Faults of normalization layers and of running statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.faults.programs import Arithmetic, Array, Fault
from properties.subject import Floats, Function

__all__ = ["BATCH_NORM", "FAULTS", "LAYER_NORM", "RMS_NORM", "STANDARDIZE", "Norm", "Recipe", "Running"]


@dataclass(frozen=True, eq=False)
class Recipe:
    """The parts of a layer, each of which a fault may replace.

    Parameters
    ----------
    axis : int or None
        Along which means are taken; None for the whole array.
    centre : callable
        ``centre(x, along)`` is subtracted from the input.
    moment : callable
        ``moment(x, along)`` is what epsilon is added to.
    divisor : callable
        ``divisor(moment, eps)`` divides.
    affine : callable
        ``affine(normalized, *parameters)`` is the result.
    """

    axis: int | None = -1
    centre: Callable[..., Any] = lambda x, along: np.mean(x, **along)
    moment: Callable[..., Any] = lambda x, along: np.var(x, **along)
    divisor: Callable[..., Any] = lambda moment, eps: np.sqrt(moment + eps)
    affine: Callable[..., Any] = lambda normalized, weight=1, bias=0: weight * normalized + bias

    def __call__(self, x: Array, *parameters: Array, eps: float = 0.0) -> Array:
        """Normalize."""
        along = {"axis": self.axis, "keepdims": True}
        centred = x - self.centre(x, along)
        return np.asarray(self.affine(centred / self.divisor(self.moment(x, along), eps), *parameters))


@dataclass(frozen=True, eq=False)
class Norm:
    """A factory of functions of arrays."""

    body: Callable[..., Any]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function; there is only the CPU."""
        arithmetic = Arithmetic(dtype)

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            with np.errstate(all="ignore"):
                values = self.body(*map(arithmetic.load, arrays), **hyperparameters)
                return np.array(arithmetic.store(values), dtype=np.float64)

        return function


def _zero(_x: Array, _along: Any) -> float:
    return 0.0


def _second_moment(x: Array, along: Any) -> Array:
    return np.asarray(np.mean(x * x, **along))


def _unbiased(x: Array, along: Any) -> Array:
    count = x.shape[along["axis"]]
    return np.asarray(np.var(x, **along) * count / np.float64(count - 1))


def _sum_of_squares(x: Array, along: Any) -> Array:
    return np.asarray(np.sum((x - np.mean(x, **along)) ** 2, **along))


def _float32_mean(x: Array, along: Any) -> Array:
    return np.asarray(np.mean(x, dtype=np.float32, **along))


def _outside(moment: Array, eps: float) -> Array:
    return np.asarray(np.sqrt(moment) + eps)


STANDARDIZE = Recipe(axis=0)
BATCH_NORM = Recipe(axis=0)
LAYER_NORM = Recipe()
RMS_NORM = Recipe(centre=_zero, moment=_second_moment)


def _fault(id: str, formula: str, story: str, body: Callable[..., Any], source: str = "") -> Fault:
    return Fault(id, formula, story, Norm(body), source)


def _layer(change: str, story: str, source: str = "", **parts: Any) -> Fault:
    return _fault(f"layer_norm_{change}", "layer_norm", story, replace(LAYER_NORM, **parts), source)


def _batch(change: str, story: str, source: str = "", **parts: Any) -> Fault:
    return _fault(f"batch_norm_{change}", "batch_norm", story, replace(BATCH_NORM, **parts), source)


def _rms(change: str, story: str, source: str = "", **parts: Any) -> Fault:
    return _fault(f"rms_norm_{change}", "rms_norm", story, replace(RMS_NORM, **parts), source)


def _standardize(change: str, story: str, source: str = "", **parts: Any) -> Fault:
    return _fault(f"standardize_{change}", "standardize_feature", story, replace(STANDARDIZE, **parts), source)


def _without_last(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """Measure all rows but the last."""
    return lambda x, along: reduce(x[:-1] if len(x) > 1 else x, **along)


def _without_first(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """Measure all elements of a row but the first."""
    return lambda x, along: reduce(x[..., 1:] if x.shape[-1] > 1 else x, **along)


def _first_enlarged(normalized: Array, weight: Any = 1) -> Array:
    """Apply the gain, and make the first element one per cent too large."""
    scaled = weight * normalized
    scaled[..., 0] *= 1.01
    return np.asarray(scaled)


LAYERS = (
    _layer("unbiased", "The variance is divided by n - 1.", moment=_unbiased),
    _layer("eps_outside", "Epsilon is added to the standard deviation.", "tracel-ai/burn #2185", divisor=_outside),
    _layer("eps_missing", "Epsilon is not added.", divisor=lambda moment, eps: np.sqrt(moment)),
    _layer("eps_tenfold", "Epsilon is ten times too large.", divisor=lambda moment, eps: np.sqrt(moment + 10 * eps)),
    _layer("eps_fixed", "Epsilon is 1e-5 whatever is asked for.", divisor=lambda moment, eps: np.sqrt(moment + 1e-5)),
    _layer("mean_kept", "The mean is subtracted in the variance alone.", centre=_zero),
    _layer("uncentred_moment", "The mean is not subtracted before squaring.", moment=_second_moment),
    _layer("sum_for_mean", "The squared deviations are summed.", moment=_sum_of_squares),
    _layer("float32_mean", "A float64 run takes the mean in float32.", centre=_float32_mean),
    _layer(
        "float16_moment",
        "The variance is accumulated in float16.",
        moment=lambda x, along: np.var(x, dtype=np.float16, **along).astype(x.dtype),
    ),
    _layer("over_first_axis", "Features are normalized over the samples.", axis=0),
    _layer("whole_array", "One mean and one variance serve all samples.", axis=None),
    _layer("gain_one_plus", "One is added to the gain.", affine=lambda y, w, b: (1 + w) * y + b),
    _layer("affine_swapped", "Gain and shift are exchanged.", affine=lambda y, w, b: b * y + w),
    _layer("shift_scaled", "The shift is scaled by the gain.", affine=lambda y, w, b: w * (y + b)),
    _layer(
        "nan_for_constants",
        "A sample without variance becomes 0/0.",
        divisor=lambda moment, eps: np.where(moment == 0, np.nan, np.sqrt(moment + eps)),
    ),
    _layer("first_element_left_out", "The mean leaves the first element out.", centre=_without_first(np.mean)),
)

BATCHES = (
    _batch("unbiased", "The batch is normalized by the unbiased variance.", moment=_unbiased),
    _batch("eps_outside", "Epsilon is added to the standard deviation.", divisor=_outside),
    _batch("eps_missing", "Epsilon is not added.", divisor=lambda moment, eps: np.sqrt(moment)),
    _batch("mean_kept", "The mean is subtracted in the variance alone.", centre=_zero),
    _batch("over_samples", "Samples are normalized over their features.", axis=-1),
    _batch(
        "first_feature",
        "The first feature's variance serves all.",
        moment=lambda x, along: np.asarray(np.var(x, **along))[:, :1],
    ),
    _batch("affine_swapped", "Gain and shift are exchanged.", affine=lambda y, w, b: b * y + w),
    _batch("gain_squared", "The gain is applied twice.", affine=lambda y, w, b: w * w * y + b),
    _batch(
        "nan_for_constants",
        "A feature without variance becomes 0/0.",
        divisor=lambda moment, eps: np.where(moment == 0, np.nan, np.sqrt(moment + eps)),
    ),
    _batch("last_sample_ignored", "The mean leaves the last sample out.", centre=_without_last(np.mean)),
)

ROOTS = (
    _rms("eps_outside", "Epsilon is added to the root mean square.", divisor=_outside),
    _rms("eps_missing", "Epsilon is not added.", divisor=lambda moment, eps: np.sqrt(moment)),
    _rms("centred", "The mean is subtracted.", centre=lambda x, along: np.mean(x, **along)),
    _rms("sum_for_mean", "The squares are summed.", moment=lambda x, along: np.sum(x * x, **along)),
    _rms(
        "divided_twice",
        "The mean square is divided by the number of features once more.",
        moment=lambda x, along: np.mean(x * x, **along) / x.shape[-1],
    ),
    _rms("gain_one_plus", "One is added to the gain.", affine=lambda y, w: (1 + w) * y),
    _rms("whole_array", "One root mean square serves all samples.", axis=None),
    _rms(
        "first_element_left_out",
        "The first element is not squared.",
        moment=_without_first(lambda x, **a: _second_moment(x, a)),
    ),
    _rms("first_element_left_out_of_result", "The first element is one per cent too large.", affine=_first_enlarged),
    _rms(
        "float16_moment",
        "The squares are accumulated in float16.",
        moment=lambda x, along: np.mean(x * x, dtype=np.float16, **along).astype(x.dtype),
    ),
)

STANDARDIZING = (
    _standardize("unbiased", "The variance is divided by n - 1.", moment=_unbiased),
    _standardize("no_root", "The variance divides without its root.", divisor=lambda moment, eps: moment),
    _standardize("mean_kept", "The mean is not subtracted.", centre=_zero),
    _standardize("over_samples", "Samples are standardized over their features.", axis=-1),
    _standardize("whole_array", "One mean and one deviation serve all features.", axis=None),
    _standardize(
        "adds_epsilon", "A small number is added to the variance.", divisor=lambda moment, eps: np.sqrt(moment + 1e-5)
    ),
    _standardize("last_sample_ignored", "The mean leaves the last sample out.", centre=_without_last(np.mean)),
)


@dataclass(frozen=True, eq=False)
class Running:
    """The parts of a running statistic.

    Parameters
    ----------
    statistic : callable
        Of a batch, feature by feature.
    average : callable
        ``average(old, new, momentum)``.
    """

    statistic: Callable[[Array], Any]
    average: Callable[..., Any] = lambda old, new, momentum: (1 - momentum) * old + momentum * new

    def __call__(self, x: Array, running: Array, *, momentum: float) -> Array:
        """Gather."""
        return np.asarray(self.average(running, np.asarray(self.statistic(x)), momentum))


def _mean(x: Array) -> Any:
    return np.mean(x, axis=0)


def _biased(x: Array) -> Any:
    return np.var(x, axis=0)


def _bessel(x: Array) -> Any:
    return np.var(x, axis=0, ddof=1)


def _complement(old: Array, new: Array, momentum: float) -> Array:
    return np.asarray(momentum * old + (1 - momentum) * new)


def _undamped(old: Array, new: Array, momentum: float) -> Array:
    return np.asarray(old + momentum * new)


def _from_first(x: Array, count: int) -> Any:
    """Take the mean square distance from the first sample."""
    return np.sum((x - x[:1]) ** 2, axis=0) / count


def _running(formula: str, prefix: str, statistic: Callable[[Array], Any]) -> Callable[..., Fault]:
    def fault(change: str, story: str, source: str = "", **parts: Any) -> Fault:
        return _fault(f"{prefix}_{change}", formula, story, Running(**{"statistic": statistic, **parts}), source)

    return fault


_of_mean = _running("batch_norm_running_mean", "running_mean", _mean)
_of_variance = _running("batch_norm_running_variance", "running_variance", _bessel)
_of_biased = _running("batch_norm_running_variance_biased", "running_variance_biased", _biased)

STATISTICS = (
    _of_mean("complement", "The momentum is the weight of the old value.", average=_complement),
    _of_mean("undamped", "The old value keeps its whole weight.", average=_undamped),
    _of_mean("last_batch", "Nothing is kept of earlier batches.", average=lambda old, new, momentum: new),
    _of_mean(
        "last_sample_ignored", "The mean leaves the last sample out.", statistic=lambda x: np.mean(x[:-1], axis=0)
    ),
    _of_mean("root", "The root of the mean's modulus is gathered.", statistic=lambda x: np.sqrt(np.abs(_mean(x)))),
    _of_mean("of_all_features", "One mean serves all features.", statistic=lambda x: np.full(x.shape[1], np.mean(x))),
    _of_variance(
        "biased_for_unbiased",
        "The biased variance is gathered.",
        "keras-team/keras #8982, tenstorrent/tt-metal #55438",
        statistic=_biased,
    ),
    _of_variance("complement", "The momentum is the weight of the old value.", average=_complement),
    _of_variance("uncentred", "The mean is not subtracted.", statistic=lambda x: np.mean(x * x, axis=0)),
    _of_variance("deviation", "The standard deviation is gathered.", statistic=lambda x: np.sqrt(_bessel(x))),
    _of_variance(
        "first_sample_for_mean",
        "Deviations are taken from the first sample.",
        statistic=lambda x: _from_first(x, len(x) - 1),
    ),
    _of_variance(
        "of_all_features",
        "One variance serves all features.",
        statistic=lambda x: np.full(x.shape[1], np.var(x, ddof=1)),
    ),
    _of_biased("unbiased_for_biased", "The unbiased variance is gathered.", statistic=_bessel),
    _of_biased("complement", "The momentum is the weight of the old value.", average=_complement),
    _of_biased("uncentred", "The mean is not subtracted.", statistic=lambda x: np.mean(x * x, axis=0)),
    _of_biased("deviation", "The standard deviation is gathered.", statistic=lambda x: np.sqrt(_biased(x))),
    _of_biased(
        "first_sample_for_mean",
        "Deviations are taken from the first sample.",
        statistic=lambda x: _from_first(x, len(x)),
    ),
    _of_biased(
        "of_all_features", "One variance serves all features.", statistic=lambda x: np.full(x.shape[1], np.var(x))
    ),
)

FAULTS = LAYERS + BATCHES + ROOTS + STANDARDIZING + STATISTICS
