"""Library functions of rounded numbers: inherited error through the largest slope, then the library's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.libraries import ERF_ABSOLUTE, FUNCTION_ROUNDINGS
from oracle.arithmetic.rounding import GROW, SHRINK, Rounded, atom, quiet
from oracle.arithmetic.scalars import INFLATION, gamma

__all__ = ["cos", "erf", "exp", "log", "tanh"]

Floats = NDArray[np.float64]


def _nearest_zero(x: Floats, e: Floats) -> Floats:
    """Return the smallest modulus of an interval."""
    return np.maximum(np.abs(x) * SHRINK - e * GROW, 0.0)


def _through_exp(x: Floats, e: Floats) -> Any:
    return np.exp(x) * np.expm1(e)


def _through_log(x: Floats, e: Floats) -> Any:
    return np.where(e * GROW < x * SHRINK, -np.log1p(-e / x * GROW), np.inf)


def _through_tanh(x: Floats, e: Floats) -> Any:
    return e / np.cosh(_nearest_zero(x, e)) ** 2


def _through_erf(x: Floats, e: Floats) -> Any:
    return e * (2 / math.sqrt(math.pi)) * np.exp(-(_nearest_zero(x, e) ** 2))


def _through_cos(x: Floats, e: Floats) -> Any:
    return np.minimum(e, (np.abs(np.sin(x)) * GROW + 2.0**-50) * e + e**2 / 2)


def _library_function(name: str, inherited: Callable[[Floats, Floats], Any]) -> Callable[[Rounded], Rounded]:
    def apply(x: Rounded) -> Rounded:
        x = x.read()
        precision, carried = x.precision, x.carrier
        y = carried.apply(name, x.x)
        with quiet():
            error, size = x.error, carried.upper(y)
            middle = carried.midpoint(x.x)
            e = inherited(middle, error)
            library = gamma(FUNCTION_ROUNDINGS[name], precision.unit) * (size + e)
            if name == "erf":
                library = np.maximum(library, gamma(ERF_ABSOLUTE, precision.unit) * np.minimum(np.abs(middle), 1.0))
            # Library functions are exact at the argument 0 alone, and only where it is no result of rounding.
            exact = x.is_zero & (name != "log")
            local = np.where(exact, 0.0, library + precision.underflow + carried.unit * size)
            return atom(y, precision, np.where(error < np.inf, (e + local) * INFLATION, np.inf))

    apply.__doc__ = f"Return ``{name}`` of every element, by any library."
    return apply


exp = _library_function("exp", _through_exp)
log = _library_function("log", _through_log)
tanh = _library_function("tanh", _through_tanh)
erf = _library_function("erf", _through_erf)
cos = _library_function("cos", _through_cos)
