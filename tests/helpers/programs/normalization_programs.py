"""Honest programs for normalization layers and running statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.formats import FLOAT16, Format
from tests.helpers.programs.kit import Floats, Kit, Tensor

__all__ = [
    "AXES",
    "NORMALIZATION_IDS",
    "ONE_PASS",
    "Batch",
    "NormalizationForm",
    "draw_batch",
    "run_normalization",
    "variances",
]

LAYERS = ("standardize_feature", "batch_norm", "layer_norm", "rms_norm")
STATISTICS = ("batch_norm_running_mean", "batch_norm_running_variance", "batch_norm_running_variance_biased")
NORMALIZATION_IDS = (*LAYERS, *STATISTICS)

Values = NDArray[Any]
AXES: dict[str, tuple[Any, ...]] = {
    "mean": ("sum", "backwards", "reciprocal", "shares", "running", "blocks"),
    "variance": ("two_pass", "corrected", "welford", "merged", "narrow_deviations"),
    "output": ("printed", "reciprocal", "product_first", "scale", "folded", "distributed"),
    "average": ("two_products", "correction"),
    "unbiased": ("divisor", "factor"),
}


#: Variances that are differences of means: no choice on the axis of variances, but those of another evaluation.
ONE_PASS = ("difference", "clamped", "sums", "scaled_mean", "narrow_squares")


@dataclass(frozen=True)
class NormalizationForm:
    """One program: a choice on each axis along which honest programs differ."""

    mean: str
    variance: str
    output: str
    average: str
    unbiased: str

    @classmethod
    def draw(cls, rng: np.random.Generator) -> NormalizationForm:
        """Draw each choice with equal chances."""
        return cls(**{axis: choices[rng.integers(len(choices))] for axis, choices in AXES.items()})


@dataclass(frozen=True, eq=False)
class Batch:
    """Arrays that a formula takes, and its hyperparameters."""

    arrays: tuple[Floats, ...]
    hyperparameters: dict[str, float]


def draw_batch(rng: np.random.Generator, formula: str, form: Format, *, mild: bool = False) -> Batch:
    """Draw samples with a mean that is small or large beside their spread, some features or samples constant."""
    shape = (int(rng.choice([2, 3, 4])), int(rng.choice([1, 2, 3, 7, 16, 40]))) if not mild else (2, 4)
    if formula not in ("layer_norm", "rms_norm"):
        shape = (max(shape[1], 2), shape[0])
    spread = 1.0 if mild else float(rng.choice([1.0, 1.0, 0.1, 1e-3, 30.0]))
    if not mild and form is not FLOAT16 and rng.random() < 0.2:
        spread = 10.0 ** rng.uniform(-12, 12)
    x = rng.normal(size=shape) * spread
    if not mild:
        offset = rng.choice([0.0, 0.0, 1.0, 30.0, 0.1 / form.unit]) * rng.choice([-1.0, 1.0])
        x = x + (offset if form is not FLOAT16 else np.clip(offset, -20.0, 20.0)) * spread
        if formula != "standardize_feature" and rng.random() < 0.15:
            x = np.broadcast_to(x[:1, :1], shape)
        if rng.random() < 0.1:
            x = x * (rng.random(shape) < 0.5)
    x = form.round(np.ascontiguousarray(x))
    size = shape[-1]
    if formula in STATISTICS:
        running = np.abs(rng.normal(size=size)) * spread * float(rng.choice([0.0, 1.0, spread]))
        return Batch((x, form.round(running)), {"momentum": float(rng.choice([0.1, 0.5, 0.01, 0.0, 1.0, 0.3]))})
    weight = form.round(rng.normal(size=size))
    bias = form.round(rng.normal(size=size) * float(rng.choice([0.0, 1.0])))
    eps = {"eps": spread**2 * float(rng.choice([1.0, 0.1, 10.0, 1e-3])) if rng.random() < 0.7 else 1e-5}
    count = {"standardize_feature": 1, "rms_norm": 2}.get(formula, 3)
    return Batch((x, weight, bias)[:count], eps if count > 1 else {})


def run_normalization(kit: Kit, form: NormalizationForm, formula: str, batch: Batch) -> Floats:
    """Normalize, or gather, with one program."""
    x = batch.arrays[0]
    by_row = formula in ("layer_norm", "rms_norm")
    rows = kit.array(x if by_row else x.T)
    if formula in STATISTICS:
        return _gathered(kit, form, formula, rows.values, *batch.arrays[1:], **batch.hyperparameters)
    others = [kit.array(array if by_row else array[:, None]) for array in batch.arrays[1:]]
    mean = _column(kit, _mean(kit, form, rows.values))
    moment = (
        _column(kit, _mean(kit, form, _squares(kit, form, rows.values)))
        if formula == "rms_norm"
        else _column(kit, variances(kit, form, rows.values))
    )
    if batch.hyperparameters:
        moment = moment + kit.scalar(batch.hyperparameters["eps"])
    root = kit.sqrt(moment)
    result = _output(form, rows, None if formula == "rms_norm" else mean, root, *others)
    shown = kit.shown(result)
    return shown if by_row else shown.T


def _column(kit: Kit, values: Values) -> Tensor:
    return Tensor(kit, kit.rounded(np.asarray(values))[:, None])


def _each(function: Callable[[Values], Any], rows: Values) -> Values:
    return np.asarray([function(row) for row in rows])


def _squares(kit: Kit, form: NormalizationForm, values: Values) -> Values:
    if form.variance == "narrow_deviations":
        return kit.rounded(values * values)
    wide = values.astype(kit.accumulate)
    return wide * wide


def _total(values: Values, dtype: np.dtype[Any]) -> Any:
    total = dtype.type(0)
    for value in values.astype(dtype):
        total = dtype.type(total + value)
    return total


def _mean(kit: Kit, form: NormalizationForm, rows: Values) -> Values:
    """Return means in the format of the accumulator, or rounded on the way."""
    dtype = kit.accumulate

    def one(row: Values) -> Any:
        n = dtype.type(row.size)
        if form.mean == "sum":
            return dtype.type(_total(row, dtype) / n)
        if form.mean == "backwards":
            return dtype.type(kit.rounded(np.asarray(_total(row[::-1], dtype))).astype(dtype) / n)
        if form.mean == "reciprocal":
            return dtype.type(_total(row, dtype) * dtype.type(dtype.type(1) / n))
        if form.mean == "shares":
            return _total(kit.rounded(row.astype(dtype) / n), dtype)
        if form.mean == "running":
            middle = dtype.type(0)
            for count, value in enumerate(row.astype(dtype), start=1):
                middle = dtype.type(middle + dtype.type(dtype.type(value - middle) / dtype.type(count)))
            return middle
        blocks = [block for block in np.array_split(row, 3) if block.size]
        return dtype.type(_total(np.asarray([_total(block, dtype) for block in blocks]), dtype) / n)

    return _each(one, rows)


def variances(kit: Kit, form: NormalizationForm, rows: Values, *, divisor: int = 0) -> Values:
    """Return variances in the format of the accumulator; ``divisor`` is taken off the count."""
    dtype = kit.accumulate
    means = _mean(kit, form, rows)

    def one(row: Values, middle: Any) -> Any:
        n = dtype.type(row.size - divisor)
        wide = row.astype(dtype)
        if form.variance == "two_pass":
            apart = wide - middle
            return dtype.type(_total(apart * apart, dtype) / n)
        if form.variance == "narrow_deviations":
            apart = kit.rounded(row - middle.astype(kit.compute))
            return dtype.type(_total(kit.rounded(apart * apart), dtype) / n)
        if form.variance == "corrected":
            apart = wide - middle
            rest = _total(apart, dtype)
            return dtype.type(
                dtype.type(_total(apart * apart, dtype) - dtype.type(rest * rest) / dtype.type(row.size)) / n
            )
        if form.variance == "welford":
            return dtype.type(_welford(wide)[2] / n)
        if form.variance in ONE_PASS:
            return _difference(kit, form.variance, row, middle, divisor)
        return dtype.type(_merged(wide)[2] / n)

    return np.asarray([one(row, middle) for row, middle in zip(rows, means, strict=True)])


def _difference(kit: Kit, form: str, row: Values, middle: Any, divisor: int) -> Any:
    """Return a mean of squares less the square of a mean."""
    dtype = kit.accumulate
    count, n = dtype.type(row.size), dtype.type(row.size - divisor)
    wide = row.astype(dtype)
    squares = kit.rounded(row * row) if form == "narrow_squares" else wide * wide
    total = _total(squares, dtype)
    if form == "sums":
        whole = _total(wide, dtype)
        return dtype.type(dtype.type(total - dtype.type(whole * whole) / count) / n)
    if form == "scaled_mean":
        return dtype.type(dtype.type(total - dtype.type(count * dtype.type(middle * middle))) / n)
    spread = dtype.type(dtype.type(total / count) - dtype.type(middle * middle))
    spread = max(spread, dtype.type(0)) if form == "clamped" else spread
    return dtype.type(spread * dtype.type(count / n)) if divisor else spread


def _welford(row: Values) -> tuple[int, Any, Any]:
    kind = row.dtype.type
    middle = total = kind(0)
    for count, value in enumerate(row, start=1):
        before = kind(value - middle)
        middle = kind(middle + kind(before / kind(count)))
        total = kind(total + kind(before * kind(value - middle)))
    return row.size, middle, total


def _merged(row: Values) -> tuple[int, Any, Any]:
    """Merge the statistics of halves."""
    if row.size <= 2:
        return _welford(row)
    kind = row.dtype.type
    (n, middle, total), (m, other, rest) = _merged(row[: row.size // 2]), _merged(row[row.size // 2 :])
    apart = kind(other - middle)
    share = kind(kind(m) / kind(n + m))
    joined = kind(kind(total + rest) + kind(kind(apart * apart) * kind(kind(n) * share)))
    return n + m, kind(middle + kind(apart * share)), joined


def _output(
    form: NormalizationForm, x: Tensor, mean: Any, root: Tensor, weight: Any = None, bias: Any = None
) -> Tensor:
    def shifted(value: Tensor) -> Tensor:
        return value if bias is None else value + bias

    def scaled(value: Tensor) -> Tensor:
        return value if weight is None else value * weight

    if form.output in ("folded", "distributed"):
        factor = scaled(root.reciprocal())
        if mean is None:
            return shifted(x * factor)
        if form.output == "folded" and bias is not None:
            return x * factor + (bias - mean * factor)
        return shifted(x * factor - mean * factor)
    apart = x if mean is None else x - mean
    if form.output == "printed":
        return shifted(scaled(apart / root))
    if form.output == "reciprocal":
        return shifted(scaled(apart * root.reciprocal()))
    if form.output == "product_first":
        return shifted(scaled(apart) / root)
    return shifted(apart * scaled(root.reciprocal()))


def _gathered(
    kit: Kit, form: NormalizationForm, formula: str, rows: Values, running: Floats, *, momentum: float
) -> Floats:
    unbiased = formula == "batch_norm_running_variance"
    direct = unbiased and form.unbiased == "divisor"
    if formula == "batch_norm_running_mean":
        new = Tensor(kit, kit.rounded(_mean(kit, form, rows)))
    else:
        new = Tensor(kit, kit.rounded(variances(kit, form, rows, divisor=1 if direct else 0)))
    if unbiased and not direct:
        new = new * kit.scalar(rows.shape[1] / (rows.shape[1] - 1))
    old, rate = kit.array(running), kit.scalar(momentum)
    if form.average == "correction":
        return kit.shown(old + rate * (new - old))
    return kit.shown((kit.scalar(1.0) - rate) * old + rate * new)
