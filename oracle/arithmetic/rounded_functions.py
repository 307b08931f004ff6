"""The namespace of the rounding number system: what formulas may do to its arrays and scalars."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from oracle.arithmetic.composites import decayed, interpolated, moving_average, quotient, rescaled, stored
from oracle.arithmetic.discontinuities import Condition, branch
from oracle.arithmetic.elementary import cos, erf, exp, log, tanh
from oracle.arithmetic.formats import Precision
from oracle.arithmetic.libraries import SQUARE_ROOT
from oracle.arithmetic.reductions import mean, one_pass_variance, sum, variance
from oracle.arithmetic.rounded_curves import difference, logistic_slope, normal_cdf, sigmoid, tanh_argument
from oracle.arithmetic.rounded_levels import cosine, inverse_root, level, root, smaller, stepwise
from oracle.arithmetic.rounded_rows import (
    affine,
    affine_pair,
    chosen,
    log_softmax,
    logistic_loss,
    logsumexp_softmax,
    matmul,
    matrix_transpose,
    one_hot,
    softmax,
    through_probability_log_softmax,
    unshifted_log_softmax,
    unshifted_softmax,
    weighted_deviation,
)
from oracle.arithmetic.rounded_scaling import scaled_clip, scaled_norm
from oracle.arithmetic.rounding import (
    GROW,
    SHRINK,
    Number,
    Rounded,
    atom,
    given,
    operand,
    quiet,
    subnormal_charge,
)
from oracle.arithmetic.scalars import INFLATION, RoundedScalar, bias_correction, gamma, scalar_sqrt

__all__ = [
    "abs",
    "affine",
    "affine_pair",
    "bias_correction",
    "chosen",
    "cos",
    "cosine",
    "decayed",
    "difference",
    "erf",
    "exp",
    "interpolated",
    "inverse_root",
    "level",
    "linalg",
    "log",
    "log_softmax",
    "logistic_loss",
    "logistic_slope",
    "logsumexp_softmax",
    "matmul",
    "matrix_transpose",
    "maximum",
    "mean",
    "minimum",
    "moving_average",
    "normal_cdf",
    "one_hot",
    "one_pass_variance",
    "ones_like",
    "positive",
    "quotient",
    "rescaled",
    "root",
    "scaled_clip",
    "scaled_norm",
    "sigmoid",
    "sign",
    "softmax",
    "sqrt",
    "stepwise",
    "stored",
    "sum",
    "tanh",
    "tanh_argument",
    "through_probability_log_softmax",
    "unshifted_log_softmax",
    "unshifted_softmax",
    "variance",
    "vector_norm",
    "weighted_deviation",
    "where",
    "zeros_like",
]

absolute = abs


def zeros_like(x: Rounded) -> Rounded:
    """Exact zeros of the same shape."""
    return given(np.zeros(x.shape), x.precision)


def ones_like(x: Rounded) -> Rounded:
    """Exact ones of the same shape."""
    return given(np.ones(x.shape), x.precision)


def abs(x: Any) -> Any:
    """Modulus, which no program rounds."""
    return absolute(x)


def sqrt(x: Any) -> Any:
    """Square root of numbers that are not negative.

    The roundings inside are not halved: a program may take the roots of its factors.
    """
    if isinstance(x, RoundedScalar):
        return scalar_sqrt(x)
    x = x.read()
    if x.C:
        x = x.collapsed()
    carried, precision = x.carrier, x.precision
    with quiet():
        zero = x.is_zero
        root = carried.sqrt(x.x)
        e = x.e + x.r * precision.chain_underflow * x.H * x.A
        size = carried.lower(root)
        low = np.sqrt(np.maximum(carried.lower(x.x) * SHRINK - e * GROW, 0.0))
        high = np.sqrt(carried.lower(x.x) + e) * SHRINK
        modulus = carried.upper(root)
        # No bound, which may be NaN here, stays none.
        deviation = np.where(e == 0, 0.0, np.maximum(np.minimum(e / (size + low), modulus), e / (size + high)))
        e = deviation * INFLATION + carried.unit * modulus
        return Rounded(
            root,
            precision,
            np.where(zero, 0.0, modulus),
            np.where(zero, 0.0, e),
            np.where(zero, 0.0, x.r + SQUARE_ROOT),
            np.sqrt(x.H),
            np.sqrt(x.L),
            x.A,
            np.sqrt(x.D),
        )


def _pair(a: Number, b: Number) -> tuple[Rounded, Rounded]:
    """Make arrays of two numbers, one of which is one."""
    precision = next(value.precision for value in (a, b) if isinstance(value, Rounded))
    return _element(a, precision), _element(b, precision)


def _element(value: Number, precision: Precision) -> Rounded:
    """Make a number that may become an element as it is: a scalar of a wider format is rounded once more."""
    result = operand(value, precision)
    if isinstance(value, Rounded) or precision.entry.bits <= precision.compute.bits:
        return result
    return replace(result, r=result.r + 1)


def maximum(x1: Number, x2: Number) -> Any:
    """Return the larger of two: the winner with its error if the error leaves no doubt about who wins."""
    if isinstance(x1, RoundedScalar) and isinstance(x2, RoundedScalar):
        return -smaller(-x1, -x2)
    a, b = _pair(x1, x2)
    precision, carried = a.precision, a.carrier
    with quiet():
        difference = a.x - b.x
        error_a, error_b = a.error, b.error
        decided = carried.lower(difference) * SHRINK > (error_a + error_b) * GROW
        winner = np.where(carried.midpoint(difference) > 0, error_a, error_b)
        e = np.where(decided, winner, np.maximum(error_a, error_b))
        x = carried.maximum(a.x, b.x)
        e = e + subnormal_charge(x, e, precision)
    return atom(x, precision, e, reading=max(a.reading, b.reading))


def minimum(x1: Number, x2: Number) -> Any:
    """Return the smaller of two."""
    if isinstance(x1, RoundedScalar) and isinstance(x2, RoundedScalar):
        return smaller(x1, x2)
    return -maximum(-x1, -x2)


def where(condition: Condition, x1: Number, x2: Number) -> Rounded:
    """Choose by element; an undecided element opens both ways."""
    a, b = _pair(x1, x2)
    undecided = ~condition.decided
    flipped = branch(2, undecided, "comparison") == 1
    holds = condition.holds ^ (undecided & flipped)

    return Rounded(
        a.carrier.choose(holds, a.x, b.x),
        a.precision,
        np.where(holds, a.M, b.M),
        np.where(holds, a.e, b.e),
        np.where(holds, a.r, b.r),
        np.where(holds, a.H, b.H),
        np.where(holds, a.L, b.L),
        np.where(holds, a.A, b.A),
        np.where(holds, a.D, b.D),
        max(a.T, b.T),
        a.C or b.C,
        max(a.reading, b.reading),
    )


def positive(x: Rounded) -> Rounded:
    """Indicator of the numbers above 0; a subnormal number that is read as zero is none of them."""
    x = x.collapsed()
    with quiet():
        x = replace(x, e=x.e + subnormal_charge(x.x, x.e, x.precision))
    return where(x > 0, ones_like(x), zeros_like(x))


def sign(x: Rounded) -> Rounded:
    """Sign -1, 0 or 1; an element that may be 0 by rounding opens all three ways."""
    x = x.read()
    with quiet():
        error = x.error
        undecided = ~((x.carrier.lower(x.x) * SHRINK > error) | (error == 0))
        signs = np.sign(x.carrier.midpoint(x.x))
        turned = branch(3, undecided & (error < np.inf), "sign")
        signs = np.where(undecided, (signs + 1 + turned) % 3 - 1, signs)
    return atom(x.carrier.lift(signs), x.precision, np.where(error < np.inf, 0.0, np.inf))


def vector_norm(x: Rounded) -> Rounded:
    """Euclidean norm, 0-d: of all elements, of their blocks' norms, or scaled."""
    x = x.read()
    precision, carried = x.precision, x.carrier
    count = x.M.size
    with quiet():
        inherited = np.sqrt(np.sum(x.error**2))
        square = carried.sum(x.x * x.x)
        norm = carried.sqrt(square)
        size, modulus = carried.lower(norm), carried.upper(norm)
        relative = gamma((count + 5) / 2 + 3, precision.accumulation_unit)
        relative = relative + gamma(4, precision.unit) * precision.narrows_reductions + (count + 2) * carried.unit
        lost = count * precision.underflow
        low = np.sqrt(np.maximum(carried.lower(square) * SHRINK - lost, 0.0))
        underflow = np.minimum(lost / (size + low), modulus)
        underflow = np.maximum(underflow, lost / (size + np.sqrt(carried.lower(square) + lost) * SHRINK))
        e = inherited + relative * (modulus + inherited) + underflow
        e = np.where(np.all(x.is_zero), 0.0, e * INFLATION)
        squares_fit = np.max(x.M + x.error, initial=0.0) ** 2 < precision.compute.largest / 2
        sum_fits = carried.upper(square) < precision.reduced.largest / 2
        e = np.where(squares_fit & sum_fits, e, np.inf)
    return atom(norm, precision, e)


class linalg:
    """Where the array API keeps its norm."""

    vector_norm = staticmethod(vector_norm)
