"""A number system of 5,000-bit mpmath numbers: what `exact` is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.elements import ElementArray, ElementNamespace, elementwise
from oracle.exact import map_leaves

_CONTEXT = mpmath.MPContext()
_CONTEXT.prec = 5000


class MPArray(ElementArray):
    element_type = _CONTEXT.mpf
    element = staticmethod(_CONTEXT.mpf)


class MPNamespace(ElementNamespace):
    sqrt = elementwise(_CONTEXT.sqrt)
    sign = elementwise(_CONTEXT.sign)
    exp = elementwise(_CONTEXT.exp)
    log = elementwise(_CONTEXT.log)
    tanh = elementwise(_CONTEXT.tanh)
    erf = elementwise(_CONTEXT.erf)
    cos = elementwise(_CONTEXT.cos)
    maximum = elementwise(max)
    minimum = elementwise(min)
    where = elementwise(lambda condition, if_true, if_false: if_true if condition else if_false)


MPArray.namespace = MPNamespace(MPArray)


def nearest_float(numerator: int, exponent: int) -> float:
    """Round ``numerator * 2**exponent`` once: division of integers rounds to nearest, ties to even."""
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
        return MPArray(leaf) if isinstance(leaf, float | np.ndarray) else leaf

    def leave(leaf: Any, path: str) -> Any:
        return rounded_once(leaf) if isinstance(leaf, MPArray) else leaf

    result = function(*map_leaves(enter, args, "args"), **map_leaves(enter, kwargs, "kwargs"))
    return map_leaves(leave, result, "result")
