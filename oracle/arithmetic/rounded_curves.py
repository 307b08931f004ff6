"""Rules for the curves of activations and losses: every honest way to evaluate one, bounded at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.balls import BallArray, balls, midpoint
from oracle.arithmetic.curves import tanh_argument as exact_tanh_argument
from oracle.arithmetic.formats import Precision
from oracle.arithmetic.libraries import DIVISION, ERF_ABSOLUTE, FUNCTION_ROUNDINGS, POWER
from oracle.arithmetic.rounding import GROW, SHRINK, Number, Rounded, atom, operand, quiet
from oracle.arithmetic.scalars import INFLATION, gamma

__all__ = ["difference", "logistic_slope", "normal_cdf", "sigmoid", "tanh_argument"]

Floats = NDArray[np.float64]

EXP, ERF, TANH = FUNCTION_ROUNDINGS["exp"], FUNCTION_ROUNDINGS["erf"], FUNCTION_ROUNDINGS["tanh"]

# erfc near 2, where the cumulative distribution is near 1: glibc states 5 ulps.
COMPLEMENT = 10

# Where both approximations of the cumulative distribution are 0 or 1 in every format.
SATURATED = 40.0


def constant_roundings(precision: Precision) -> float:
    """Roundings of a constant of a formula that meets an array, in units of the arithmetic's."""
    return precision.entry_roundings + 1


def inherited_error(x: Rounded) -> Floats:
    """Return the error of an argument; one that is a single number has no partial results that leave the range."""
    single: Floats = np.where(np.equal(x.r, 0), x.e, x.error)
    return single


def finished(y: Any, e: Floats, x: Rounded) -> Rounded:
    """Make the value of a rule; what has no bound, or NaN for one, gets infinity."""
    return atom(y, x.precision, np.where(np.isnan(e), np.inf, e * INFLATION))


def difference(a: Number, b: Number) -> Rounded:
    """Bound a subtraction that rounds once, relative to its result."""
    precision = next(value.precision for value in (a, b) if isinstance(value, Rounded))
    left, right = operand(a, precision).read(), operand(b, precision).read()
    with quiet():
        x = left.x - right.x
        error, size = left.error + right.error, left.carrier.upper(x)
        flushed = precision.underflow if precision.flush_to_zero else 0.0
        e = error + gamma(1, precision.unit) * (size + error) + flushed + left.carrier.unit * size
        e = np.where((size == 0) & (error == 0), 0.0, e)
        e = np.where(precision.compute.largest / 2 > size, e, np.inf)
    return finished(x, e, left)


def sigmoid(x: Rounded) -> Rounded:
    r"""Bound the logistic function.

    Covers :math:`1/(1 + e^{-x})`, whose exponential may overflow to a result of 0,
    :math:`e^x / (1 + e^x)` for negative x, and :math:`(1 + \tanh(x/2))/2`, also where the product with a
    factor is distributed over its sum.
    """
    x = x.read()
    precision, carried = x.precision, x.carrier

    def g(count: float) -> float:
        return float(gamma(count, precision.unit))

    with quiet():
        y = carried.apply("sigmoid", x.x)
        error, s, middle = inherited_error(x), carried.upper(y), carried.midpoint(x.x)
        other = 1 / (1 + np.exp(middle)) * GROW
        inherited = np.minimum(error / 4, s * other * np.expm1(error))
        inherited = np.where(error == 0, 0.0, np.minimum(inherited, 1.0))
        s, other = s + inherited, np.minimum(other + inherited, 1.0)
        quotient = s * ((1 + g(1 + DIVISION)) / (1 - g(EXP) * other) - 1)
        tangent = np.minimum(np.abs(2 * s - 1) + 2 * inherited, 1.0)
        half = g(TANH + 2) * tangent / 2 + g(2) * s
        overflow = np.where(np.exp(-middle + error) < precision.compute.largest / 2, 0.0, s)
        e = inherited + np.maximum(quotient, half) + overflow + 3 * precision.underflow + carried.unit * s
    return finished(y, e, x)


def logistic_slope(x: Rounded) -> Rounded:
    r"""Bound the derivative of the logistic function.

    Covers :math:`\sigma(x) (1 - \sigma(x))`, also with the product distributed over the difference,
    :math:`\sigma(x) \sigma(-x)`, and :math:`(1 - \tanh^2(x/2))/4`. The first cancels for positive x: the bound
    is absolute there.
    """
    s, mirrored = sigmoid(x), sigmoid(-x)
    complement = difference(1, s)
    with quiet():
        e = np.maximum(complement.e, mirrored.e) + gamma(1, s.precision.unit)
    slope: Rounded = s * atom(mirrored.x, s.precision, e)
    return slope


def normal_cdf(x: Rounded) -> Rounded:
    r"""Bound the cumulative normal distribution.

    Covers :math:`(1 + \operatorname{erf}(x/\sqrt2))/2`, also where the product with a factor is distributed
    over its sum, and :math:`\operatorname{erfc}(-x/\sqrt2)/2`. The first cancels for negative x: the bound
    is absolute there.
    """
    x = x.read()
    precision, carried = x.precision, x.carrier

    def g(count: float) -> float:
        return float(gamma(count, precision.unit))

    with quiet():
        y = carried.apply("normal_cdf", x.x)
        error, phi, size = inherited_error(x), carried.upper(y), np.abs(carried.midpoint(x.x))
        argument = g(DIVISION + constant_roundings(precision))
        near, far = np.maximum(size * (1 - argument) * SHRINK - error * GROW, 0.0), size * GROW + error
        density = np.exp(-(near**2) / 2) / math.sqrt(2 * math.pi) * GROW
        inherited = np.where(error == 0, 0.0, np.minimum(density * error, 1.0))
        phi = phi + inherited
        erf = np.minimum(np.abs(2 * phi - 1) + 2 * inherited, 1.0)
        # x times the density of a normal number is never larger than this.
        moved = np.minimum(density * far, 0.25) * argument
        library = np.maximum(g(ERF) * erf, g(ERF_ABSOLUTE) * np.minimum(far, 1.0))
        e = inherited + moved + np.maximum(library / 2 + g(2) * phi, g(COMPLEMENT) * phi) + g(1) * erf / 2
        e = e + 3 * precision.underflow + carried.unit * phi
    return finished(y, e, x)


def tanh_argument(x: Rounded) -> Rounded:
    r"""Bound :math:`\sqrt{2/\pi}(x + 0.044715 x^3)`, by any products or a library's pow.

    Where the hyperbolic tangent of it is 1 in every format, so it is whatever the cube overflows to.
    """
    x = x.read()
    precision, carried = x.precision, x.carrier
    count = POWER + 3 + 2 * constant_roundings(precision)
    with quiet():
        error, middle = inherited_error(x), carried.midpoint(x.x)
        inside = np.abs(middle) <= SATURATED
        kept = carried.choose(inside, x.x, carried.lift(np.copysign(SATURATED, middle)))
        y = exact_tanh_argument(kept if isinstance(kept, BallArray) else balls(kept))
        y = y if isinstance(kept, BallArray) else midpoint(y)
        size, reach = carried.upper(y), carried.upper(kept) + error
        inherited = np.where(error == 0, 0.0, error * (0.8 + 0.11 * reach**2))
        e = inherited + float(gamma(count, precision.unit)) * (size + inherited)
        e = e + 4 * precision.underflow + 4 * carried.unit * size
    return finished(y, e, x)
