"""Arrays of numbers that are Python objects: what balls, symbols and the like have in common.

A number system of this kind is a subclass of `ElementArray`, which says what an element is, and
one of `ElementNamespace`, which says what the functions of formulas do to an element.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["ElementArray", "ElementNamespace", "Elements", "elementwise"]

Elements = NDArray[np.object_]


def _operation(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(self: ElementArray, other: Any) -> Any:
        if not self._fits(other):
            return NotImplemented
        return self.wrap(function(self.elements, self.coerce(other)))

    return apply


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return _operation(lambda right, left: function(left, right))


def _comparison(relation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(self: ElementArray, other: Any) -> Any:
        if not self._fits(other):
            return NotImplemented
        return self.compare(relation, self.elements, self.coerce(other))

    return apply


class ElementArray:
    """An array whose elements are Python objects, with numpy's broadcasting.

    It meets arrays of its own kind, bare elements, Python numbers and numpy arrays; floats become
    elements exactly. Everything else is left to the other operand.

    Parameters
    ----------
    values : ElementArray, array, element, float or int, shape (...)

    Attributes
    ----------
    elements : array of object, shape (...)
    element_type : type
        What an element is.
    element : callable
        Makes an element of a Python number, exactly, or of an element.
    namespace : ElementNamespace
        The functions of the number system.
    """

    __array_ufunc__ = None  # a numpy array on the left leaves the operation to this class
    __hash__ = None  # type: ignore[assignment]  # equality is elementwise

    element_type: ClassVar[type]
    element: ClassVar[Callable[..., Any]]
    namespace: ClassVar[ElementNamespace]
    elements: Elements

    def __init__(self, values: Any) -> None:
        self.elements = np.asarray(self.coerce(values), dtype=object)

    @classmethod
    def wrap(cls, elements: Any) -> Self:
        """Make an array of elements, or of one, without a look at them."""
        array = cls.__new__(cls)
        array.elements = np.asarray(elements, dtype=object)
        return array

    @classmethod
    def coerce(cls, value: Any) -> Any:
        """Return the elements of a value, or the one element that it is."""
        if isinstance(value, cls):
            return value.elements
        if isinstance(value, cls.element_type):
            return value
        if isinstance(value, int | float):
            return cls.element(value)
        return np.frompyfunc(cls.element, 1, 1)(np.asarray(value).astype(object))

    @classmethod
    def _fits(cls, other: Any) -> bool:
        return isinstance(other, cls | cls.element_type | int | float | np.ndarray | np.number)

    @staticmethod
    def compare(relation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        """Compare elements; a number system whose comparisons are no booleans overrides it."""
        return np.asarray(relation(left, right), dtype=bool)

    def __exactstep_namespace__(self) -> ElementNamespace:
        return self.namespace

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.elements.shape

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.elements.size

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.elements.ndim

    @property
    def mT(self) -> Self:
        """Rows and columns exchanged."""
        return self.wrap(self.elements.mT)

    def reshape(self, *shape: int) -> Self:
        """Return the elements in another shape."""
        return self.wrap(self.elements.reshape(*shape))

    def __len__(self) -> int:
        return len(self.elements)

    def __getitem__(self, index: Any) -> Self:
        return self.wrap(self.elements[index])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.elements.tolist()})"

    __add__ = _operation(operator.add)
    __radd__ = _reflected(operator.add)
    __sub__ = _operation(operator.sub)
    __rsub__ = _reflected(operator.sub)
    __mul__ = _operation(operator.mul)
    __rmul__ = _reflected(operator.mul)
    __truediv__ = _operation(operator.truediv)
    __rtruediv__ = _reflected(operator.truediv)

    def __pow__(self, exponent: int) -> Self:
        return self.wrap(self.elements**exponent)

    def __neg__(self) -> Self:
        return self.wrap(-self.elements)

    def __abs__(self) -> Self:
        return self.wrap(np.abs(self.elements))

    __lt__ = _comparison(operator.lt)
    __le__ = _comparison(operator.le)
    __gt__ = _comparison(operator.gt)
    __ge__ = _comparison(operator.ge)
    __eq__ = _comparison(operator.eq)
    __ne__ = _comparison(operator.ne)


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method of a namespace, with broadcasting, of a function of elements."""

    def apply(self: ElementNamespace, *arrays: Any) -> Any:
        lifted = np.frompyfunc(function, len(arrays), 1)
        return self.array.wrap(lifted(*map(self.array.coerce, arrays)))

    return apply


def _quotient(numerator: Any, denominator: Any) -> Any:
    # An enclosure equals zero only if it is exactly zero: 0/0 is never assumed.
    return denominator if numerator == 0 and denominator == 0 else numerator / denominator


class ElementNamespace:
    """Functions of the array API that are the same for every kind of element.

    A number system adds those that are not, declared below.

    Parameters
    ----------
    array : type of ElementArray
        What its functions take and return.
    """

    where: Callable[..., Any]
    sqrt: Callable[..., Any]
    sign: Callable[..., Any]
    exp: Callable[..., Any]
    log: Callable[..., Any]
    tanh: Callable[..., Any]
    erf: Callable[..., Any]
    log1p: Callable[..., Any]
    cos: Callable[..., Any]
    maximum: Callable[..., Any]
    minimum: Callable[..., Any]

    def __init__(self, array: type[ElementArray]) -> None:
        self.array = array

    abs = elementwise(abs)
    quotient = elementwise(_quotient)

    def zeros_like(self, x: Any) -> Any:
        """Zeros of the same shape."""
        return self.array(np.zeros(x.shape))

    def ones_like(self, x: Any) -> Any:
        """Ones of the same shape."""
        return self.array(np.ones(x.shape))

    def sum(self, x: Any, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """Sum along axes, or of everything; the empty sum is 0."""
        return self.array(np.sum(x.elements, axis=axis, keepdims=keepdims))

    def mean(self, x: Any, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """Sum along axes, or of everything, over the number of terms."""
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total / (x.size // max(total.size, 1))

    def max(self, x: Any, *, axis: int, keepdims: bool = False) -> Any:
        """Largest element along an axis."""
        largest = functools.reduce(self.maximum, (x[..., place] for place in range(x.shape[axis])))
        return largest.reshape(*largest.shape, 1) if keepdims else largest

    def matmul(self, a: Any, b: Any) -> Any:
        """Matrix product; the empty sum is 0."""
        return self.array(a.elements @ b.elements)

    def matrix_transpose(self, x: Any) -> Any:
        """Exchange rows and columns."""
        return x.mT

    def chosen(self, rows: Any, places: NDArray[np.int64]) -> Any:
        """Take the element of each row at a place."""
        return self.array.wrap(np.take_along_axis(rows.elements, places[..., None], -1)[..., 0])

    def one_hot(self, rows: NDArray[np.float64], like: Any) -> Any:  # noqa: ARG002 - other systems look at it
        """Make numbers of zeros and ones."""
        return self.array(rows)

    @property
    def linalg(self) -> Self:
        """Where the array API keeps its norm."""
        return self

    def vector_norm(self, x: Any) -> Any:
        """Square root of the sum of all squares, 0-d."""
        return self.sqrt(self.sum(x**2))
