"""What the value of a rounded number is kept in: balls, or float64.

A subject that stores float64 is judged with balls, whose own error is out of sight; for
narrower formats float64 is more than 2**10 times finer, and its error is charged.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import flint
import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.balls import BallArray, abs_lower, abs_upper, balls, midpoint
from oracle.arithmetic.formats import FLOAT64, Precision

__all__ = ["Carrier", "carrier"]

Floats = NDArray[np.float64]


class Carrier(Protocol):
    """What rules need of a value, beyond its operators; all bounds are rounded outward."""

    unit: ClassVar[float]  # largest relative error of one operation that has to be charged

    def lift(self, values: Any) -> Any:
        """Carry float64 numbers exactly."""

    def enter(self, value: flint.arb) -> tuple[Any, float]:
        """Carry a scalar, and the absolute error made in it."""

    def upper(self, x: Any) -> Floats:
        """Bound magnitudes from above."""

    def lower(self, x: Any) -> Floats:
        """Bound magnitudes from below."""

    def sqrt(self, x: Any) -> Any:
        """Root of values that are not negative."""

    def apply(self, name: str, x: Any) -> Any:
        """Evaluate a library function by its name."""

    def maximum(self, a: Any, b: Any) -> Any:
        """Larger one, by element."""

    def choose(self, condition: NDArray[np.bool_], if_true: Any, if_false: Any) -> Any:
        """Choose by element."""

    def midpoint(self, x: Any) -> Floats:
        """Round to float64."""

    def sum(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Sum along axes, or of everything."""


class FloatCarrier:
    """Values in float64."""

    unit: ClassVar[float] = FLOAT64.unit

    def lift(self, values: Any) -> Floats:
        return np.asarray(values, dtype=np.float64)

    def enter(self, value: flint.arb) -> tuple[Floats, float]:
        nearest = float(value)
        error = (value - nearest).abs_upper()
        return np.asarray(nearest), float(error) * (1 + FLOAT64.unit)

    def upper(self, x: Floats) -> Floats:
        return np.abs(x)

    lower = upper

    def sqrt(self, x: Floats) -> Floats:
        return np.sqrt(np.maximum(x, 0.0))

    def apply(self, name: str, x: Floats) -> Floats:
        return midpoint(getattr(BallArray.namespace, name)(balls(x)))

    def maximum(self, a: Floats, b: Floats) -> Floats:
        return np.maximum(a, b)

    def choose(self, condition: NDArray[np.bool_], if_true: Floats, if_false: Floats) -> Floats:
        return np.where(condition, if_true, if_false)

    def midpoint(self, x: Floats) -> Floats:
        return x

    def sum(self, x: Floats, *, axis: Any = None, keepdims: bool = False) -> Floats:
        return np.asarray(np.sum(x, axis=axis, keepdims=keepdims))


class BallCarrier:
    """Values in balls; the errors of rounding them are in their radii."""

    unit: ClassVar[float] = 0.0

    def lift(self, values: Any) -> BallArray:
        return balls(np.asarray(values, dtype=np.float64))

    def enter(self, value: flint.arb) -> tuple[BallArray, float]:
        return BallArray(value), 0.0

    def upper(self, x: BallArray) -> Floats:
        return abs_upper(x)

    def lower(self, x: BallArray) -> Floats:
        return abs_lower(x)

    def sqrt(self, x: BallArray) -> BallArray:
        return self.apply("sqrt", x)

    def apply(self, name: str, *arguments: BallArray) -> BallArray:
        result: BallArray = getattr(BallArray.namespace, name)(*arguments)
        return result

    def maximum(self, a: BallArray, b: BallArray) -> BallArray:
        return self.apply("maximum", a, b)

    def choose(self, condition: NDArray[np.bool_], if_true: BallArray, if_false: BallArray) -> BallArray:
        return BallArray.wrap(np.where(condition, if_true.elements, if_false.elements))

    def midpoint(self, x: BallArray) -> Floats:
        return midpoint(x)

    def sum(self, x: BallArray, *, axis: Any = None, keepdims: bool = False) -> BallArray:
        total: BallArray = BallArray.namespace.sum(x, axis=axis, keepdims=keepdims)
        return total


_FLOATS, _BALLS = FloatCarrier(), BallCarrier()


def carrier(precision: Precision) -> Carrier:
    """Return what carries the values of a subject."""
    return _BALLS if precision.storage is FLOAT64 else _FLOATS
