"""Arithmetic among hyperparameters, with the error that a program makes in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import flint
import numpy as np

from oracle.arithmetic.balls import lower, upper
from oracle.arithmetic.formats import FLOAT64, Precision

__all__ = ["RoundedScalar", "bias_correction", "gamma", "hyperparameter", "scalar", "scalar_sqrt"]

# Covers the roundings of the bound's own arithmetic, all of it on non-negative float64 numbers (relative error below 2^-43).
INFLATION = 1 + 2.0**-40

# Roundings that a library's pow may add to the t - 1 of a product: twice its ulps, and one. CUDA states
# 2 ulps for float64 and 4 for float32; the products' own count is exceeded by at most 5 otherwise.
POWER_ROUNDINGS = {True: 5, False: 9}


def gamma(count: Any, unit: float) -> Any:
    """Largest relative error of ``count`` roundings: (1 - u)^-count - 1; an array for an array."""
    return np.expm1(-count * math.log1p(-unit))


@dataclass(frozen=True, eq=False)
class RoundedScalar:
    """A hyperparameter, or a number computed from some.

    Parameters
    ----------
    x : flint.arb
        Exact value.
    e : float
        Absolute error that a program's value may have.
    precision : Precision
    factors : tuple of float
        Moduli of the factors of a product, which a program may bring to an array one at a time.
    roundings : int
        Array operations that this takes beyond the one that brings the first factor.
    """

    x: flint.arb
    e: float
    precision: Precision
    factors: tuple[float, ...] = ()
    roundings: int = 0

    def __exactstep_namespace__(self) -> Any:
        from oracle.arithmetic import rounded_functions  # which imports this module

        return rounded_functions

    @property
    def is_zero(self) -> bool:
        """Whether this is 0 in every program."""
        return self.e == 0 and bool(self.x == 0)

    @property
    def chain(self) -> tuple[float, ...]:
        """The factors; the value itself if it is no product."""
        return self.factors or (upper(self.x),)

    @property
    def grown(self) -> float:
        """Product of max(1, f) over the factors f."""
        return math.prod(max(factor, 1.0) for factor in self.chain)

    @property
    def shrunk(self) -> float:
        """Product of max(1, 1/f) over the factors f that are not 0."""
        return math.prod(max(1 / factor, 1.0) for factor in self.chain if factor)

    def _rounded(self, x: flint.arb, e: float, count: int = 1, *, tiny: bool = True) -> RoundedScalar:
        """Result of an operation: inherited error ``e`` and ``count`` roundings, which underflow if ``tiny``."""
        scalars = self.precision.scalars
        e += (upper(x) + e) * float(gamma(count, scalars.unit)) + (scalars.smallest_normal if tiny else 0.0)
        return RoundedScalar(x, math.inf if math.isnan(e) else e * INFLATION, self.precision)

    def __neg__(self) -> RoundedScalar:
        return replace(self, x=-self.x)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, RoundedScalar | int | float):
            return NotImplemented
        other = scalar(other, self.precision)
        if self.is_zero or other.is_zero:
            return other if self.is_zero else self
        return self._rounded(self.x + other.x, self.e + other.e, tiny=False)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, RoundedScalar | int | float):
            return NotImplemented
        other = scalar(other, self.precision)
        if self.is_zero or other.is_zero:
            return RoundedScalar(flint.arb(0), 0.0, self.precision)
        e = upper(self.x) * other.e + upper(other.x) * self.e + self.e * other.e
        product = self._rounded(self.x * other.x, e)
        return replace(product, factors=self.chain + other.chain, roundings=self.roundings + other.roundings + 1)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if not isinstance(other, RoundedScalar | int | float):
            return NotImplemented
        other = scalar(other, self.precision)
        smallest = lower(other.x) * (1 - 2.0**-50) - other.e * (1 + 2.0**-50)
        quotient = self.x / other.x
        if not smallest > 0:
            return RoundedScalar(quotient, math.inf, self.precision)
        if self.is_zero:
            return self
        result = self._rounded(quotient, (self.e + upper(quotient) * other.e) / smallest, 2)
        factors = self.chain + tuple(1 / factor for factor in other.chain)
        return replace(result, factors=factors, roundings=self.roundings + other.roundings + 2)

    def __rtruediv__(self, other: float) -> Any:
        return scalar(other, self.precision) / self

    def __pow__(self, exponent: int) -> RoundedScalar:
        """Raise to a power by repeated products, pow, or exp(t log b)."""
        if exponent == 0 or self.is_zero:
            return RoundedScalar(self.x**exponent, 0.0, self.precision)
        return RoundedScalar(self.x**exponent, _power_error(self, exponent), self.precision)


def _power_error(base: RoundedScalar, exponent: int) -> float:
    """Absolute error of a positive power of a base that is not 0."""
    modulus = lower(base.x)
    if not modulus > 0:
        return math.inf
    logarithm = abs(exponent * math.log(modulus))
    scalars = base.precision.scalars
    roundings = exponent + POWER_ROUNDINGS[scalars is FLOAT64] + 4 * logarithm
    relative = math.expm1(exponent * math.log1p(base.e / modulus)) + float(gamma(roundings, scalars.unit))
    return upper(base.x**exponent) * relative * INFLATION


def scalar(value: RoundedScalar | float, precision: Precision) -> RoundedScalar:
    """Make a scalar of a number: integers are exact, floats hyperparameters."""
    if isinstance(value, RoundedScalar):
        return value
    return (
        RoundedScalar(flint.arb(value), 0.0, precision) if isinstance(value, int) else hyperparameter(value, precision)
    )


def hyperparameter(value: float, precision: Precision) -> RoundedScalar:
    """Make a scalar of the float64 that a program receives and keeps in the format of its scalars."""
    exact = precision.scalars is FLOAT64 or value == 0
    e = 0.0 if exact else abs(value) * precision.scalars.unit + precision.scalars.smallest_normal
    return RoundedScalar(flint.arb(value), e, precision)


def scalar_sqrt(value: RoundedScalar) -> RoundedScalar:
    """Square root of a scalar that is not negative."""
    if value.is_zero:
        return value
    root = value.x.sqrt()
    low = math.sqrt(max(lower(value.x) * (1 - 2.0**-50) - value.e * (1 + 2.0**-50), 0.0))
    e = value.e / (lower(root) + low) if value.e else 0.0
    return value._rounded(root, e, 2, tiny=False)


def bias_correction(beta: Any, step: int) -> RoundedScalar:
    """Weight 1 - beta**step, by any product or power, or by expm1."""
    power = beta**step
    x = 1 - power.x
    if power.is_zero:
        return RoundedScalar(x, 0.0, beta.precision)
    e = power.e + 3 * beta.precision.scalars.unit * upper(x)
    return RoundedScalar(x, e * INFLATION, beta.precision)
