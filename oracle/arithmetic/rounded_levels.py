"""The rules of schedules among rounded scalars: what programs make of levels, fractions and cosines.

A fraction of steps is exact in the formula and not in a program, which divides, or subtracts whole
turns from a rounded quotient; a level is reached from either end, as a part of the larger one, or by
a factor on every step. Each rule is one charge for all of these.
"""

from __future__ import annotations

import math
from fractions import Fraction

import flint

from oracle.arithmetic.balls import lower, upper
from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.arithmetic.libraries import FUNCTION_ROUNDINGS
from oracle.arithmetic.scalars import INFLATION, POWER_ROUNDINGS, RoundedScalar, gamma

__all__ = ["cosine", "inverse_root", "level", "root", "smaller", "stepwise"]

# Roundings of a weight made of integers: a division, a difference from 1, and one to spare for each.
WEIGHT = 4
# Of a level: two differences, two products, a ratio of the levels, a quotient and two sums.
LEVEL = 8
# Of an angle: pi, a product and a quotient.
ANGLE = 3
# Of one step from the rate before: a difference, a quotient, a product and a sum, of which each may be
# done on both sides of the quotient.
STEP = 8


def _gamma(count: float, precision: Precision) -> float:
    return float(gamma(count, precision.scalars.unit))


def _fraction(value: Fraction) -> flint.arb:
    return flint.arb(value.numerator) / value.denominator


def level(low: RoundedScalar, high: RoundedScalar, weight: RoundedScalar | Fraction, turns: int) -> RoundedScalar:
    """Bound ``low + (high - low) * weight`` for a weight between 0 and 1, in any of its forms."""
    precision = high.precision
    if isinstance(weight, Fraction):
        w, e = _fraction(weight), _gamma(WEIGHT, precision) * (1 + 2 * turns)
        largest = float(max(weight.denominator, 1))
    else:
        w, e, largest = weight.x, weight.e, 1.0
    span = high.x - low.x
    reach = upper(low.x) + low.e + upper(high.x) + high.e
    error = upper(span) * e + low.e + high.e + _gamma(LEVEL, precision) * reach * (1 + e)
    error += LEVEL * precision.scalars.smallest_normal * largest
    fits = reach * largest < precision.scalars.largest / 2  # a program may multiply by the step first
    return RoundedScalar(low.x + span * w, error * INFLATION if fits else math.inf, precision)


def cosine(turn: Fraction, like: RoundedScalar, turns: int) -> RoundedScalar:
    """Bound the cosine as it enters ``1 + cos``, also written with the square of half the angle's cosine or sine."""
    precision, library = like.precision, FUNCTION_ROUNDINGS["cos"]
    x, sine = flint.arb.cos_pi_fmpq(_rational(turn)), flint.arb.sin_pi_fmpq(_rational(turn))
    angle = math.pi * _gamma(ANGLE, precision) * (float(abs(turn)) + turns)
    inherited = upper(sine) * angle + angle**2 / 2
    own = _gamma(2 * library + 1, precision) * (1 + upper(x))
    return RoundedScalar(x, (inherited + own + precision.scalars.smallest_normal) * INFLATION, precision)


def _rational(value: Fraction) -> flint.fmpq:
    return flint.fmpq(value.numerator, value.denominator)


def root(ratio: Fraction, like: RoundedScalar) -> RoundedScalar:
    """Bound the root of a quotient, the quotient of two roots, or a power."""
    x = _fraction(ratio).sqrt()
    return RoundedScalar(x, upper(x) * _power(like.precision) * INFLATION, like.precision)


def inverse_root(x: RoundedScalar) -> RoundedScalar:
    """Bound the inverse root of a product, of which each factor may have been raised to a power by itself."""
    modulus, inverse = lower(x.x), 1 / x.x.sqrt()
    if not modulus > 2 * x.e or not upper(x.x) < x.precision.scalars.largest / 2:
        return RoundedScalar(inverse, math.inf, x.precision)
    relative = (1 + x.e / modulus) * (1 + _power(x.precision)) - 1  # (1 - d)^-1/2 - 1 <= d for d <= 1/2
    return RoundedScalar(inverse, upper(inverse) * relative * INFLATION, x.precision)


def _power(precision: Precision) -> float:
    return _gamma(2 * POWER_ROUNDINGS[precision.scalars is FLOAT64] + 4, precision)


def smaller(a: RoundedScalar, b: RoundedScalar) -> RoundedScalar:
    """Smaller one of two numbers, which no program rounds."""
    return RoundedScalar(a.x.min(b.x), max(a.e, b.e), a.precision)


def stepwise(rate: RoundedScalar, step: int, levels: tuple[RoundedScalar, ...]) -> RoundedScalar:
    """Add up what a rate inherits from the rates before it, none of which grows on its way down."""
    if not step:
        return rate
    precision = rate.precision
    reach = sum(upper(value.x) + value.e for value in levels)
    error = (step + 1) * rate.e + step * _gamma(STEP, precision) * reach
    return RoundedScalar(rate.x, error * INFLATION, precision)
