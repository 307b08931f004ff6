"""Arithmetic as a program does it: every operation rounded once, to the formats of one precision.

The bounds of the oracle are derived; the programs written with this kit are what they are
held against. Nothing here knows a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.formats import FORMATS, Precision

__all__ = ["DTYPES", "POWERS", "Inapplicable", "Kit", "Tensor", "nonzero"]

DTYPES = {
    "float64": np.dtype(np.float64),
    "float32": np.dtype(np.float32),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float16": np.dtype(np.float16),
}
POWERS = ("pow", "product", "squaring", "exp", "expm1")

Floats = NDArray[np.float64]


class Inapplicable(Exception):
    """A way of computing has no meaning for these inputs, such as dividing by a zero learning rate."""


def _exact_multiply_add(a: float, b: float, c: float) -> float:
    """Round a * b + c once to float64."""
    if not (np.isfinite(a) and np.isfinite(b) and np.isfinite(c)):
        return a * b + c
    try:
        return float(Fraction(a) * Fraction(b) + Fraction(c))
    except OverflowError:
        return float(np.copysign(np.inf, a * b + c))


def nonzero(value: Any) -> Any:
    """Return a scalar that a program divides by.

    Raises
    ------
    Inapplicable
        If it is zero.
    """
    if value == 0:
        raise Inapplicable
    return value


_MULTIPLY_ADD = np.frompyfunc(_exact_multiply_add, 3, 1)


class Kit:
    """Arrays and scalars of one precision.

    Parameters
    ----------
    precision : Precision
        Arrays round to ``compute``, scalars to ``scalars``, a scalar that meets an array to
        ``entry``, state to ``storage``.
    flush : bool
        Whether subnormal results and inputs of array operations become zero.
    """

    def __init__(self, precision: Precision, *, flush: bool = False) -> None:
        self.precision = precision
        self.compute = DTYPES[precision.compute.name]
        self.accumulate = DTYPES[precision.accumulate.name]
        self._storage = DTYPES[precision.storage.name]
        self._scalars = DTYPES[precision.scalars.name]
        self._entry = DTYPES[precision.entry.name]
        self._smallest = precision.compute.smallest_normal if flush else 0.0

    def rounded(self, values: NDArray[Any], dtype: np.dtype[Any] | None = None) -> NDArray[Any]:
        """Round an array to ``compute``, or to ``dtype``, flushing where the kit flushes."""
        result = values.astype(dtype or self.compute)
        if self._smallest:
            result = np.where(np.abs(result.astype(np.float64)) < self._smallest, result.dtype.type(0), result)
        return result

    def array(self, values: Floats) -> Tensor:
        """Bring in numbers of the storage format."""
        return Tensor(self, self.rounded(np.asarray(values, dtype=np.float64)))

    def stored(self, tensor: Tensor) -> Tensor:
        """Round to the storage format, as what is kept between steps."""
        return Tensor(self, tensor.values.astype(self._storage).astype(self.compute))

    def shown(self, tensor: Tensor) -> Floats:
        """Return what a judge sees: the values in the storage format, widened."""
        return tensor.values.astype(self._storage).astype(np.float64)

    def scalar(self, value: float) -> Any:
        """Take a hyperparameter in the scalar format."""
        return np.asarray(value, dtype=np.float64).astype(self._scalars)[()]

    def entered(self, operand: Any) -> Any:
        """Return the values of a tensor, or a scalar as an array operation receives it."""
        if isinstance(operand, Tensor):
            return operand.values
        return self.rounded(np.asarray(operand), self._entry)[()]

    def sqrt(self, value: Any) -> Any:
        """Square root of a tensor or a scalar."""
        if isinstance(value, Tensor):
            return Tensor(self, self.rounded(np.sqrt(value.values)))
        return np.sqrt(value)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Tensor:
        """Return a * b + c with one rounding."""
        wide = (np.asarray(self.entered(operand)).astype(np.float64) for operand in (a, b, c))
        x, y, z = np.broadcast_arrays(*wide)
        if self.compute == np.float64:
            return Tensor(self, self.rounded(np.asarray(_MULTIPLY_ADD(x, y, z), dtype=np.float64)))
        product = x * y  # exact: two narrower significands fit into float64
        total = product + z
        back = total - product
        error = (product - (total - back)) + (z - back)
        # Rounding to odd keeps the second rounding, to the narrow format, a single one.
        even = (total.view(np.int64) & 1) == 0
        inexact = np.isfinite(error) & (error != 0) & even
        total = np.where(inexact, np.nextafter(total, np.copysign(np.inf, error)), total)
        return Tensor(self, self.rounded(self.precision.compute.round(total)))

    def power(self, base: Any, exponent: int, form: str) -> Any:
        """Return base ** exponent in scalar arithmetic."""
        one = self.scalar(1.0)
        if form == "product":
            result = one
            for _ in range(exponent):
                result = result * base
            return result
        if form == "squaring":
            result, square = one, base
            while exponent:
                result = result * square if exponent & 1 else result
                square, exponent = square * square, exponent >> 1
            return result
        if form == "exp":
            return np.exp(self.scalar(exponent) * np.log(base)) if base > 0 else self.scalar(0.0)
        return np.power(base, self.scalar(exponent))

    def weight(self, beta: Any, step: int, form: str) -> Any:
        """Return 1 - beta ** step in scalar arithmetic."""
        if form == "expm1" and beta > 0:
            return -np.expm1(self.scalar(step) * np.log(beta))
        return self.scalar(1.0) - self.power(beta, step, form)

    def full(self, like: Tensor, value: Any) -> Tensor:
        """Return an array filled with a scalar."""
        return Tensor(self, self.rounded(np.broadcast_to(np.asarray(self.entered(value)), like.values.shape)))


class Tensor:
    """An array whose operators round."""

    __array_ufunc__ = None  # a numpy scalar on the left leaves the operation to this class

    def __init__(self, kit: Kit, values: NDArray[Any]) -> None:
        self.kit = kit
        self.values = values

    def _apply(self, operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Tensor:
        kit = self.kit
        # A scalar wider than the array makes the operation wide, with one more rounding at its end.
        return Tensor(kit, kit.rounded(operation(kit.entered(left), kit.entered(right))))

    def __add__(self, other: Any) -> Tensor:
        return self._apply(np.add, self, other)

    def __radd__(self, other: Any) -> Tensor:
        return self._apply(np.add, other, self)

    def __sub__(self, other: Any) -> Tensor:
        return self._apply(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return self._apply(np.subtract, other, self)

    def __mul__(self, other: Any) -> Tensor:
        return self._apply(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return self._apply(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return self._apply(np.divide, self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return self._apply(np.divide, other, self)

    def __neg__(self) -> Tensor:
        return Tensor(self.kit, -self.values)

    def reciprocal(self) -> Tensor:
        """Return 1 / self."""
        return self._apply(np.divide, self.kit.full(self, self.kit.scalar(1.0)), self)


assert set(DTYPES) == set(FORMATS)
