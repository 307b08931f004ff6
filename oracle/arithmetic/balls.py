"""The number system that proves its digits: arrays of balls, and their way back to floats.

A ball is a midpoint and a radius; every operation returns one that holds all results for the
numbers of its arguments. Its precision is a global of the library underneath, set only by
`working_precision`. A ball that is not finite says nothing: where a divisor may be zero, or an
argument lies outside a function's domain.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq
from numpy.typing import NDArray

from oracle.arithmetic import ball_curves
from oracle.arithmetic.elements import ElementArray, ElementNamespace, elementwise
from oracle.arithmetic.levels import rational_root
from oracle.errors import UndecidedError

__all__ = [
    "BallArray",
    "Trilean",
    "abs_lower",
    "abs_upper",
    "balls",
    "is_finite",
    "lower",
    "midpoint",
    "rounded_ends",
    "to_float",
    "upper",
    "working_precision",
]


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Round balls to this many significant bits within the block."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


@dataclass(frozen=True, eq=False)
class Trilean:
    """Answers of comparisons that enclosures may leave open.

    Parameters
    ----------
    certain : array of bool, shape (...)
        The relation holds for all numbers of the balls.
    impossible : array of bool, shape (...)
        It holds for none of them.
    """

    certain: NDArray[np.bool_]
    impossible: NDArray[np.bool_]

    def __bool__(self) -> bool:
        if self.certain == self.impossible:
            raise UndecidedError(f"cannot tell with {ctx.prec} bits whether a comparison holds")
        return bool(self.certain)


_OPPOSITE = {
    operator.lt: operator.ge,
    operator.le: operator.gt,
    operator.gt: operator.le,
    operator.ge: operator.lt,
    operator.eq: operator.ne,
    operator.ne: operator.eq,
}


def _power(base: arb, exponent: int) -> arb:
    # The library's own power is NaN for balls around zero, and an even power of them reaches below zero.
    if exponent < 0:
        return 1 / _power(base, -exponent)
    if exponent == 0:
        return arb(1)
    root = _power(base, exponent // 2) if exponent > 3 else base
    square = (root * root).nonnegative_part() if exponent > 1 else arb(1)
    return square * base if exponent % 2 else square


class BallArray(ElementArray):
    """An array of balls; floats enter as the exact numbers they are."""

    element_type = arb
    element = staticmethod(arb)

    @staticmethod
    def compare(relation: Callable[[Any, Any], Any], left: Any, right: Any) -> Trilean:
        """Compare balls; both masks are false where they overlap."""
        certain, impossible = relation(left, right), _OPPOSITE[relation](left, right)
        return Trilean(np.asarray(certain, dtype=bool), np.asarray(impossible, dtype=bool))

    def __pow__(self, exponent: int) -> BallArray:
        return self.wrap(np.frompyfunc(lambda base: _power(base, exponent), 1, 1)(self.elements))


def _sqrt(ball: arb) -> arb:
    # Formulas take roots of sums and averages of squares: what a ball around zero holds below zero is rounding.
    return arb.nan() if ball < 0 else ball.nonnegative_part().sqrt()


def _choose(certain: bool, impossible: bool, if_true: arb, if_false: arb) -> arb:
    if certain:
        return if_true
    return if_false if impossible else if_true.union(if_false)


class BallNamespace(ElementNamespace):
    """What formulas may do to balls."""

    sqrt = elementwise(_sqrt)
    sign = elementwise(arb.sgn)
    exp = elementwise(arb.exp)
    log = elementwise(arb.log)
    tanh = elementwise(arb.tanh)
    erf = elementwise(arb.erf)
    log1p = elementwise(arb.log1p)
    sigmoid = elementwise(ball_curves.sigmoid)
    normal_cdf = elementwise(ball_curves.normal_cdf)
    cos = elementwise(arb.cos)
    maximum = elementwise(arb.max)
    minimum = elementwise(arb.min)

    @property
    def pi(self) -> BallArray:
        """The circle's half, at the precision in force."""
        return BallArray(arb.pi())

    def softmax(self, x: BallArray) -> BallArray:
        """Softmax along the last axis, without overflow."""
        return BallArray.wrap(ball_curves.softmax(x.elements))

    def log_softmax(self, x: BallArray) -> BallArray:
        """Logarithm of the softmax along the last axis, without cancellation."""
        return BallArray.wrap(ball_curves.log_softmax(x.elements))

    def cosine(self, turn: Fraction, *_: Any) -> BallArray:
        """Cosine of a part of half a turn; exact where it is 0, 1/2 or 1, so that ties are found."""
        return BallArray(arb.cos_pi_fmpq(fmpq(turn.numerator, turn.denominator)))

    def root(self, ratio: Fraction, *_: Any) -> BallArray | Fraction:
        """Square root of a fraction; the fraction that it is, so that ties are found."""
        return rational_root(ratio) or BallArray((arb(ratio.numerator) / ratio.denominator).sqrt())

    def where(self, condition: Any, if_true: Any, if_false: Any) -> BallArray:
        """Choose by element; an undecided condition gives a ball around both choices."""
        if not isinstance(condition, Trilean):
            holds = np.asarray(condition, dtype=bool)
            condition = Trilean(holds, ~holds)
        choose = np.frompyfunc(_choose, 4, 1)
        choices = BallArray.coerce(if_true), BallArray.coerce(if_false)
        return BallArray.wrap(choose(condition.certain, condition.impossible, *choices))


BallArray.namespace = BallNamespace(BallArray)


def balls(values: Any) -> BallArray:
    """Make exact balls.

    Parameters
    ----------
    values : array of float64 or float, shape (...)

    Returns
    -------
    BallArray, shape (...)
        Balls of radius 0.
    """
    return BallArray(values)


def _apply(function: Callable[[arb], Any], array: BallArray) -> Any:
    return np.asarray(np.frompyfunc(function, 1, 1)(array.elements), dtype=object)


def is_finite(array: BallArray) -> NDArray[np.bool_]:
    """Tell the balls that hold numbers from those that say nothing."""
    finite: NDArray[np.bool_] = _apply(arb.is_finite, array).astype(bool)
    return finite


def midpoint(array: BallArray) -> NDArray[np.float64]:
    """Round midpoints to the nearest float64; NaN where a ball says nothing."""
    return array.elements.astype(np.float64)


def rounded_ends(array: BallArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Round both ends of every ball to the nearest float64, ties to even.

    Parameters
    ----------
    array : BallArray, shape (...)

    Returns
    -------
    low, high : array of float64, shape (...)
        The correctly rounded value lies between them; NaN where a ball says nothing.
    """
    finite = is_finite(array)
    low, high = (_apply(end, array).astype(np.float64) for end in (arb.lower, arb.upper))
    return np.where(finite, low, np.nan), np.where(finite, high, np.nan)


def to_float(array: BallArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Round correctly to float64 where the balls are small enough to prove it.

    Parameters
    ----------
    array : BallArray, shape (...)

    Returns
    -------
    values : array of float64, shape (...)
    decided : array of bool, shape (...)
        Where both ends of the ball round to the same number of the same sign.
    """
    low, high = rounded_ends(array)
    return low, (low == high) & (np.signbit(low) == np.signbit(high))


def upper(ball: arb) -> float:
    """Return a float64 that is at least the modulus; infinity for a ball that says nothing."""
    end = ball.abs_upper()
    nearest = float(end)
    if end <= nearest:
        return nearest
    return math.inf if math.isnan(nearest) else math.nextafter(nearest, math.inf)


def lower(ball: arb) -> float:
    """Return a float64 that is at most the modulus; 0 for a ball that says nothing."""
    end = ball.abs_lower()
    nearest = float(end)
    if end >= nearest:
        return nearest
    return 0.0 if math.isnan(nearest) else math.nextafter(nearest, 0.0)


_upper, _lower = np.frompyfunc(upper, 1, 1), np.frompyfunc(lower, 1, 1)


def abs_upper(array: BallArray) -> NDArray[np.float64]:
    """Bound magnitudes from above by float64 numbers; infinite where a ball says nothing."""
    return np.asarray(_upper(array.elements), dtype=np.float64)


def abs_lower(array: BallArray) -> NDArray[np.float64]:
    """Bound magnitudes from below by float64 numbers; 0 where a ball says nothing."""
    return np.asarray(_lower(array.elements), dtype=np.float64)
