"""Reductions of rounded arrays along axes: sums, means and variances, by any honest program."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.rounding import Rounded, atom, quiet, subnormal_charge
from oracle.arithmetic.scalars import INFLATION, gamma

__all__ = ["Axis", "mean", "one_pass_variance", "sum", "variance"]

Axis: TypeAlias = int | tuple[int, ...] | None
Floats = NDArray[np.float64]


def _count(x: Rounded, axis: Axis) -> int:
    """Return the number of elements that are reduced to one."""
    axes = range(len(x.shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return math.prod(x.shape[each] for each in axes)


def sum(x: Rounded, *, axis: Axis = None, keepdims: bool = False) -> Rounded:
    """Sum along axes, or of everything, in any order."""
    x = x.read()
    precision, carried = x.precision, x.carrier
    along: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    with quiet():
        # What was computed has been charged for its underflow.
        error = x.error + np.where(x.r == 0, subnormal_charge(x.x, x.e, precision), 0.0)
        additions = max(_count(x, axis) - 1, 0)
        total, M = carried.sum(x.x, **along), np.sum(x.M + error, **along)
        relative = (
            gamma(additions, precision.accumulation_unit) + gamma(1, precision.unit) * precision.narrows_reductions
        )
        e = np.sum(error, **along) + (relative + additions * carried.unit) * M + additions * precision.underflow
        e = np.where(M == 0, 0.0, e * INFLATION)
        e = np.where(precision.reduced.largest / 2 > M, e, np.inf)
    return atom(total, precision, e)


def mean(x: Rounded, *, axis: Axis = None, keepdims: bool = False) -> Rounded:
    """Mean along axes: a sum over the count, a sum of shares, a running mean, or means of blocks merged."""
    x = x.read()
    precision, carried = x.precision, x.carrier
    along: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    count = _count(x, axis)
    with quiet():
        error, terms = x.error, np.sum(x.M + x.error, **along)
        relative = gamma(count + 8 + 4 * math.log(max(count, 1)), precision.accumulation_unit)
        # The shares, or the sum and its share, are rounded once more from the accumulator's format.
        relative = relative + gamma(4, precision.unit) * precision.narrows_reductions + (count + 2) * carried.unit
        if precision.entry is not precision.compute:  # 1/n may meet the elements in another format
            relative = relative + gamma(precision.entry_roundings, precision.unit) + precision.entry_underflow
        e = (np.sum(error, **along) + relative * terms) / count + 2 * (count + 1) * precision.underflow
        e = np.where(terms == 0, 0.0, e * INFLATION)
        e = np.where(precision.reduced.largest / 2 > terms, e, np.inf)
    return atom(carried.sum(x.x, **along) / count, precision, e)


def variance(x: Rounded, *, axis: Axis = None, keepdims: bool = False) -> Rounded:
    r"""Bound the mean of :math:`(x - \mu)^2`.

    Covers two passes, with and without correction, running means and sums of squares (Welford), and the
    merging of blocks; not the difference of two means.
    """
    x = x.read()
    precision, carried = x.precision, x.carrier
    along: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    count = _count(x, axis)
    middle = mean(x, axis=axis, keepdims=True)
    unit, narrows = precision.accumulation_unit, precision.narrows_reductions
    with quiet():
        error = x.error
        square = carried.sum((x.x - middle.x) ** 2, **along) / count
        off = np.reshape(middle.error, square.shape)
        inherited = np.sqrt(np.sum(error**2, **along) / count)
        spread = np.sqrt(carried.upper(square)) + inherited
        size = np.sum(x.M + error, **along) / count
        # Two passes: a mean that is off changes the sum of squares in second order only.
        relative = gamma(count + 6, unit) + gamma(5, precision.unit) * narrows + (count + 6) * carried.unit
        levels = math.log2(max(count, 2))  # of merging, where every partial mean is off once more
        second = 5 * max(levels, 1.0) * off**2
        passes = relative * (spread**2 + off**2) + second + (count + 6) * precision.underflow
        # Running sums: every partial mean is off, in first order.
        steps = max(6.3, 5 * math.sqrt(levels))
        running = spread * np.maximum(2.9 * off, steps * (gamma(count, unit) * size + off * narrows))
        e = (passes + running + inherited * (2 * spread + inherited)) * INFLATION
        e = np.where(size == 0, 0.0, e)
        largest = np.max(x.M + error, initial=0.0, **along)
        fits = (4 * largest**2 < precision.compute.largest / 2) & (middle.error.reshape(square.shape) < np.inf)
        fits = fits & (precision.reduced.largest / 2 > count * (spread**2 + off**2 + e))
        e = np.where(fits, e, np.inf)
    return atom(square, precision, e)


def one_pass_variance(x: Rounded, *, axis: Axis = None, keepdims: bool = False) -> Rounded:
    r"""Bound :math:`\frac1n \sum_i x_i^2 - \mu^2`.

    Covers differences of the two means, of the sums before they are divided, and what is below zero taken
    for zero: all have errors relative to the mean square, which may be far larger than the difference.
    """
    x = x.read()
    precision, carried = x.precision, x.carrier
    along: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    count = _count(x, axis)
    middle = mean(x, axis=axis, keepdims=True)
    unit, narrows = precision.accumulation_unit, precision.narrows_reductions
    with quiet():
        error, reach = x.error, x.M + x.error
        square = carried.sum((x.x - middle.x) ** 2, **along) / count
        off = np.reshape(middle.error, square.shape)
        size, squares = np.sum(reach, **along) / count, np.sum(reach**2, **along) / count
        # A mean of squares that are rounded first; the difference, and a product or quotient on either side of it.
        of_squares = gamma(count + 15 + 4 * math.log(max(count, 1)), unit) + gamma(11, precision.unit) * narrows
        of_square = gamma(6, unit) + gamma(6, precision.unit) * narrows
        e = np.sum(error * (2 * x.M + error), **along) / count + (of_squares + (count + 8) * carried.unit) * squares
        e = e + off * (2 * size + off) + (of_square + 4 * carried.unit) * (size + off) ** 2
        e = np.where(size == 0, 0.0, (e + 4 * (count + 4) * precision.underflow) * INFLATION)
        largest = np.max(reach, initial=0.0, **along)
        range_of_sums = precision.reduced.largest / 2
        fits = (largest**2 < precision.compute.largest / 2) & (count**2 * squares < range_of_sums) & (off < np.inf)
        e = np.where(fits, e, np.inf)
    return atom(square, precision, e)
