"""Rules for rows: softmax, its logarithm, the logistic loss and affine maps, by every honest program at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.balls import BallArray, abs_lower, abs_upper, balls, midpoint
from oracle.arithmetic.curves import log_softmax as exact_log_softmax
from oracle.arithmetic.curves import logistic_loss as exact_logistic_loss
from oracle.arithmetic.curves import softmax as exact_softmax
from oracle.arithmetic.elementary import exp, log
from oracle.arithmetic.libraries import DIVISION, FUNCTION_ROUNDINGS
from oracle.arithmetic.reductions import sum
from oracle.arithmetic.rounded_curves import finished
from oracle.arithmetic.rounding import Rounded, atom, given, quiet, subnormal_charge
from oracle.arithmetic.scalars import gamma

__all__ = [
    "affine",
    "affine_pair",
    "chosen",
    "log_softmax",
    "logistic_loss",
    "logsumexp_softmax",
    "matmul",
    "matrix_transpose",
    "one_hot",
    "softmax",
    "through_probability_log_softmax",
    "unshifted_log_softmax",
    "unshifted_softmax",
    "weighted_deviation",
]

Floats = NDArray[np.float64]

EXP, LOG, LOG1P = (FUNCTION_ROUNDINGS[name] for name in ("exp", "log", "log1p"))

# Largest argument of an exponential that is worth a bound: what is further down is 0 in every format.
DEEP = 700.0


def _exactly(x: Rounded) -> BallArray:
    return x.x if isinstance(x.x, BallArray) else balls(x.x)


def _carried(y: BallArray, x: Rounded) -> Any:
    return y if isinstance(x.x, BallArray) else midpoint(y)


def _within(inner: Floats) -> Floats:
    """Turn the relative error of a sum into that of its reciprocal and of its logarithm."""
    return np.where(inner < 1, inner / (1 - inner), np.inf)


def _read_error(x: Rounded) -> Floats:
    """Return the error of numbers that a product may flush to zero when it reads them."""
    error: Floats = x.error + subnormal_charge(x.x, x.error, x.precision)
    return error


def _taken(array: BallArray, place: Any) -> BallArray:
    """Take one element of each row."""
    return BallArray.wrap(np.take_along_axis(array.elements, place, -1))


@dataclass(frozen=True, eq=False)
class _Rows:
    """What the rules for softmax share: bounds along the last axis.

    Parameters
    ----------
    p, logarithm : BallArray
        Softmax and its logarithm.
    distance : array
        Moduli of the scores' distances from the largest.
    term : array
        Relative error of each exponential.
    total : array
        Relative error of their sum, and of its reciprocal and logarithm.
    log_total : array
        Logarithm of their sum.
    """

    p: BallArray
    logarithm: BallArray
    distance: Floats
    term: Floats
    total: Floats
    log_total: Floats


def _rows(x: Rounded) -> _Rows:
    precision, scores = x.precision, _exactly(x)
    count = x.shape[-1]
    p, logarithm = exact_softmax(scores), exact_log_softmax(scores)
    middle, error = midpoint(scores), x.error
    place = np.argmax(middle, axis=-1)[..., None]
    distance = abs_upper(scores - _taken(scores, place))
    # The largest is subtracted, or nothing is where the exponentials stay in range.
    argument = gamma(1, precision.unit) * distance + error + np.max(error, axis=-1, keepdims=True)
    powers = gamma(EXP, precision.unit)
    term = np.expm1(np.minimum(argument, DEEP)) * (1 + powers) + powers
    share = np.sum(abs_upper(p) * term, axis=-1, keepdims=True)
    additions = gamma(max(count - 1, 0), precision.accumulation_unit)
    additions = additions + gamma(1, precision.unit) * precision.narrows_reductions
    total = share + additions * (1 + share) + count * precision.underflow
    log_total = abs_upper(_taken(logarithm, place))
    return _Rows(p, logarithm, distance, term, _within(total), log_total)


def softmax(x: Rounded) -> Rounded:
    r"""Bound :math:`e^{x_i} / \sum_c e^{x_c}` along the last axis.

    Covers scores shifted by the largest, and not shifted where their exponentials stay in range; quotients
    and products with the sum's reciprocal; and the exponential of `log_softmax`.
    """
    return _softmax(x, added=False)


def logsumexp_softmax(x: Rounded) -> Rounded:
    r"""Bound the same, and :math:`e^{x_i - l}` where :math:`l = \max_c x_c + \ln \sum_c e^{x_c - \max x}` is rounded first."""
    return _softmax(x, added=True)


def _softmax(x: Rounded, *, added: bool) -> Rounded:
    """Bound softmax; the logarithm of the sum may be ``added`` to the largest score before it is subtracted."""
    x = x.read()
    precision = x.precision
    unit = precision.unit
    with quiet():
        rows = _rows(x)
        p = abs_upper(rows.p)
        quotient = (1 + rows.term) * (1 + rows.total) * (1 + gamma(DIVISION, unit)) - 1
        deviation = gamma(1, unit) * (2 * rows.distance + rows.log_total) + rows.total
        deviation = deviation + gamma(LOG, unit) * (rows.log_total + rows.total) + 2 * np.max(x.error, initial=0.0)
        if added:
            moduli = np.max(abs_upper(_exactly(x)), axis=-1, keepdims=True)
            deviation = (1 + gamma(2, unit)) * deviation + gamma(1, unit) * (moduli + rows.log_total)
        powers = gamma(EXP, unit)
        power = np.expm1(np.minimum(deviation, DEEP)) * (1 + powers) + powers
        e = p * np.maximum(quotient, np.where(deviation < np.inf, power, np.inf))
        e = np.minimum(e + (x.shape[-1] + 2) * precision.underflow, np.where(rows.total < np.inf, 1 + powers, np.inf))
        return finished(_carried(rows.p, x), e + x.carrier.unit * p, x)


def log_softmax(x: Rounded) -> Rounded:
    r"""Bound :math:`x_i - \ln \sum_c e^{x_c}` along the last axis.

    Covers scores shifted by the largest, and not shifted where their exponentials stay in range, with the
    sum's logarithm and the score subtracted in any order; and the logarithm of `softmax` where that is
    far from underflow.
    """
    x = x.read()
    precision = x.precision
    unit = precision.unit
    with quiet():
        rows = _rows(x)
        size = abs_upper(rows.logarithm)
        moduli = np.max(abs_upper(_exactly(x)), axis=-1, keepdims=True) + abs_upper(_exactly(x))
        inherited = 2 * np.max(x.error, axis=-1, keepdims=True)
        e = rows.total + gamma(LOG, unit) * (rows.log_total + rows.total)
        e = e + gamma(2, unit) * (rows.log_total + rows.distance + moduli) + gamma(1, unit) * size
        probability = softmax(x)
        relative = probability.e / abs_lower(rows.p)
        logarithm = np.where(relative < 0.5, _within(relative) + gamma(LOG, unit) * (size + relative), 0.0)
        e = np.maximum(e, logarithm) + inherited + 3 * precision.underflow + x.carrier.unit * size
        e = np.where(2 * np.max(moduli, initial=0.0) < precision.compute.largest, e, np.inf)
        return finished(_carried(rows.logarithm, x), e, x)


def unshifted_softmax(x: Rounded) -> Rounded:
    """Bound quotients of exponentials of the scores as they are, and the exponential of `unshifted_log_softmax`."""
    powers = exp(x)
    total = sum(powers, axis=-1, keepdims=True)
    return _either(powers / total, exp(x - log(total)))


def unshifted_log_softmax(x: Rounded) -> Rounded:
    """Bound scores less the logarithm of the sum of their exponentials, and the logarithm of `unshifted_softmax`."""
    powers = exp(x)
    total = sum(powers, axis=-1, keepdims=True)
    return _whole(_either(x - log(total), log(powers / total)))


def through_probability_log_softmax(x: Rounded) -> Rounded:
    """Bound the logarithm of `softmax`, which is infinite where a probability underflows."""
    return _whole(log(softmax(x)))


def _whole(rows: Rounded) -> Rounded:
    """Leave no bound to a row with an element without one: programs add up logarithms times zeros and ones."""
    every = np.max(rows.error, axis=-1, keepdims=True)
    return finished(rows.x, np.where(every < np.inf, rows.error, np.inf), rows)


def _either(one: Rounded, other: Rounded) -> Rounded:
    """Bound what programs compute in one of two ways."""
    with quiet():
        apart = one.carrier.upper(one.x - other.x)  # by the errors of the reference
        return finished(one.x, np.maximum(one.error, other.error) + apart, one)


def logistic_loss(score: Rounded, target: Rounded) -> Rounded:
    r"""Bound :math:`\ln(1 + e^z) - y z`, element by element.

    Covers :math:`\max(z, 0) - y z + \ln(1 + e^{-|z|})`, :math:`(1 - y) z - \ln \sigma(z)`, and the
    logarithm of a sum of two exponentials that are shifted by the larger.
    """
    score, target = score.read(), target.read()
    precision = score.precision
    unit = precision.unit
    with quiet():
        y = exact_logistic_loss(_exactly(score), _exactly(target))
        z, weight = np.abs(score.carrier.midpoint(score.x)), score.carrier.midpoint(target.x)
        weight_error = target.error
        inherited = score.error * (1 + np.abs(weight) + weight_error) + z * weight_error
        moduli = z * (1 + np.abs(weight) + np.abs(1 - weight))
        tail = np.log1p(np.exp(-z))
        e = inherited + gamma(4, unit) * (moduli + inherited) + gamma(2, unit) + gamma(EXP + LOG + 2, unit) * tail
        e = e + 4 * precision.underflow + score.carrier.unit * (moduli + 1)
        e = np.where(2 * moduli < precision.compute.largest, e, np.inf)
        return finished(_carried(y, score), e, score)


def affine(x: Rounded, weight: Rounded, bias: Rounded) -> Rounded:
    """Bound the product of two matrices plus a row, added up in any order, with fused products or without."""
    return _affine(((x, weight),), bias)


def affine_pair(x: Rounded, weight: Rounded, hidden: Rounded, recurrent: Rounded, bias: Rounded) -> Rounded:
    """Bound the sum of two products of matrices and a row, all of whose terms may be added up in any order."""
    return _affine(((x, weight), (hidden, recurrent)), bias)


def matmul(a: Rounded, b: Rounded) -> Rounded:
    """Bound the product of two matrices."""
    return _affine(((a, b),), given(np.zeros(b.shape[-1]), a.precision))


def _affine(factors: tuple[tuple[Rounded, Rounded], ...], bias: Rounded) -> Rounded:
    """Bound products of matrices plus a row: a term may meet all additions, a product one more rounding than one."""
    bias = bias.read()
    precision, carried = bias.precision, bias.carrier
    with quiet():
        total, moduli, inherited, count = _exactly(bias), bias.M + bias.error, bias.error, 0
        for left, right in factors:
            x, weight = left.read(), right.read()
            x_error, weight_error = _read_error(x), _read_error(weight)
            rows, columns = x.M + x_error, weight.M + weight_error
            total = BallArray.namespace.matmul(_exactly(x), _exactly(weight)) + total
            moduli = rows @ columns + moduli
            inherited = x_error @ columns + rows @ weight_error + inherited
            count += x.shape[-1]
        relative = gamma(count + 1, precision.accumulation_unit)
        relative = relative + gamma(len(factors) + 1, precision.unit) * precision.narrows_reductions
        e = inherited + relative * moduli + (2 * count + 2) * precision.underflow + carried.unit * moduli
        e = np.where(moduli < precision.reduced.largest / 2, e, np.inf)
        return finished(_carried(total, bias), e, bias)


def matrix_transpose(x: Rounded) -> Rounded:
    """Exchange rows and columns."""
    return x.mT


def weighted_deviation(weights: Rounded, values: Rounded) -> Rounded:
    r"""Bound :math:`p_i (v_i - \sum_c p_c v_c)` along the last axis.

    Covers the products in any order, with the weight distributed over the difference or over the sum, and the
    row of values times the matrix :math:`\operatorname{diag}(p) - p p^\top`. A program may hold two approximations
    of the weights, one in each place.
    """
    p, v = weights.read(), values.read()
    precision, carried, count = p.precision, p.carrier, p.shape[-1]
    along: dict[str, Any] = {"axis": -1, "keepdims": True}
    with quiet():
        exact_p, exact_v = _exactly(p), _exactly(v)
        y = exact_p * (exact_v - BallArray.namespace.sum(exact_p * exact_v, **along))
        p_error, v_error = p.error, _read_error(v)
        share, size = p.M + p_error, v.M + v_error
        total = np.sum(share * size, **along)
        off = np.sum(p_error * size + share * v_error, **along)
        moduli = share * (size + total)
        relative = (
            gamma(count + 2, precision.accumulation_unit) + gamma(4, precision.unit) * precision.narrows_reductions
        )
        # The product of two weights may underflow before it meets a value.
        lost = (4 * (count + 1) + 2 * np.sum(size, **along)) * precision.underflow
        e = p_error * (size + total) + share * (v_error + off) + relative * moduli + lost + carried.unit * moduli
        largest = np.max(size, initial=0.0, **along)
        e = np.where((largest == 0) & (p_error < np.inf), 0.0, e)
        e = np.where(2 * (largest + total) < precision.reduced.largest, e, np.inf)
        return finished(_carried(y, p), e, p)


def chosen(rows: Rounded, places: NDArray[np.int64]) -> Rounded:
    """Take the element of each row at a place: picked, or added up with exact zeros, it is the same number."""
    rows = rows.read()
    place = places[..., None]
    x = _taken(rows.x, place) if isinstance(rows.x, BallArray) else np.take_along_axis(rows.x, place, -1)
    return atom(x[..., 0], rows.precision, np.take_along_axis(rows.error, place, -1)[..., 0])


def one_hot(rows: Floats, like: Rounded) -> Rounded:
    """Make exact numbers of zeros and ones."""
    return given(rows, like.precision)
