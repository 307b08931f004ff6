"""A number system of 5,000-bit mpmath numbers: what `exact` is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.elements import ElementArray, ElementNamespace, elementwise
from oracle.arithmetic.levels import rational_root
from oracle.exact import map_leaves

_CONTEXT = mpmath.MPContext()
_CONTEXT.prec = 5000


class MPArray(ElementArray):
    element_type = _CONTEXT.mpf
    element = staticmethod(_CONTEXT.mpf)

    @classmethod
    def coerce(cls, value: Any) -> Any:
        # The library writes all digits of an array to the right of a bare element before it leaves it the operation.
        return np.asarray(super().coerce(value), dtype=object)


def _erfc(x: Any) -> Any:
    # The library refuses such numbers: the first term of the asymptotic series rounds to the same float64.
    if abs(x) > 2**100:
        return _CONTEXT.exp(-x * x) / (x * _CONTEXT.sqrt(_CONTEXT.pi)) if x > 0 else _CONTEXT.mpf(2)
    return _CONTEXT.erfc(x)


class MPNamespace(ElementNamespace):
    sqrt = elementwise(_CONTEXT.sqrt)
    sign = elementwise(_CONTEXT.sign)
    exp = elementwise(_CONTEXT.exp)
    log = elementwise(_CONTEXT.log)
    tanh = elementwise(_CONTEXT.tanh)
    erf = elementwise(_CONTEXT.erf)
    erfc = elementwise(_erfc)
    log1p = elementwise(_CONTEXT.log1p)
    pi = _CONTEXT.pi
    cos = elementwise(_CONTEXT.cos)
    maximum = elementwise(max)
    minimum = elementwise(min)
    where = elementwise(lambda condition, if_true, if_false: if_true if condition else if_false)

    def cosine(self, turn: Fraction, *_: Any) -> MPArray:
        if turn.denominator <= 3:  # the only fractions of half a turn with a rational cosine, a multiple of 1/2
            return MPArray(round(2 * math.cos(math.pi * turn)) / 2)
        return MPArray(_CONTEXT.cospi(_CONTEXT.mpf(turn.numerator) / turn.denominator))

    def root(self, ratio: Fraction, *_: Any) -> MPArray | Fraction:
        return rational_root(ratio) or MPArray(_CONTEXT.sqrt(_CONTEXT.mpf(ratio.numerator) / ratio.denominator))


MPArray.namespace = MPNamespace(MPArray)


def nearest_float(numerator: int, exponent: int) -> float:
    """Round ``numerator * 2**exponent`` once: division of integers rounds to nearest, ties to even."""
    if exponent < -20_000:  # what is this far down needs no quotient of such integers
        numerator, exponent = (numerator > 0) - (numerator < 0), -20_000
    try:
        return numerator * 2**exponent / 1 if exponent > 0 else numerator / 2**-exponent
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf


def _round(number: Any) -> float:
    sign, mantissa, exponent, _ = number._mpf_
    return nearest_float(-int(mantissa) if sign else int(mantissa), exponent)


def rounded_once(array: MPArray) -> NDArray[np.float64]:
    return np.asarray(np.frompyfunc(_round, 1, 1)(array.elements), dtype=np.float64)


def mp_exact(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a function on 5,000-bit numbers and round its results to float64; raises ZeroDivisionError."""

    def enter(leaf: Any, path: str) -> Any:
        return MPArray(leaf) if isinstance(leaf, float) or getattr(leaf, "dtype", None) == np.float64 else leaf

    def leave(leaf: Any, path: str) -> Any:
        return rounded_once(leaf) if isinstance(leaf, MPArray) else leaf

    result = function(*map_leaves(enter, args, "args"), **map_leaves(enter, kwargs, "kwargs"))
    return map_leaves(leave, result, "result")
