r"""The number system that bounds rounding errors: a value, and the worst that any honest program may make of it.

Every value carries its expression's magnitude and a count of the relative roundings that may hit
each of its terms. The roundings stay a count as long as programs may regroup the expression, since
regrouping permutes them; they become an absolute error where a sum ends the regrouping. The error
of a value x is then bounded by

.. math:: e + \gamma_r (M + e) + r \zeta H A, \qquad \gamma_r = (1 - u)^{-r} - 1,

with the unit roundoff u and the underflow error :math:`\zeta` of the arithmetic.

The functions that formulas use are those of `oracle.arithmetic.rounded_functions`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.carriers import Carrier, carrier
from oracle.arithmetic.discontinuities import Condition
from oracle.arithmetic.formats import Precision
from oracle.arithmetic.libraries import DIVISION, POWER
from oracle.arithmetic.scalars import INFLATION, RoundedScalar, gamma, scalar

__all__ = ["Number", "Rounded", "atom", "entered", "given", "operand", "subnormal_charge"]

Floats = NDArray[np.float64]

# A difference of non-negative bounds is taken from a smaller minuend and a larger subtrahend than computed.
SHRINK, GROW = 1 - 2.0**-50, 1 + 2.0**-50

# Relative roundings that a program may add when it reads state that it keeps in another scale.
READING = 2


def quiet() -> np.errstate:
    """Let infinities and NaN pass, which stand for what has no bound."""
    return np.errstate(all="ignore")


@dataclass(frozen=True, eq=False, slots=True)
class Rounded:
    """An array with a bound on what any honest program of a precision makes of it.

    All fields but ``T``, ``C`` and ``reading`` broadcast to one shape.

    Parameters
    ----------
    x : BallArray or array of float64, shape (...)
        Exact value, up to a reference error that is part of ``e`` (float64) or of the ball.
    precision : Precision
    M : array of float64
        Magnitude: the same expression with every term replaced by its modulus.
    e : array of float64
        Inherited absolute error.
    r : array of float64
        Relative roundings, in units of the arithmetic's unit roundoff and relative to ``M``.
    H, L : array of float64
        Products of max(1, f) and max(1, 1/f) over the moduli f of the chain's factors: how far an
        underflow or an overflow of a partial product may reach.
    A : array of float64
        Product of max(s, 1/s) over the chain's scalars, which may stand on either side of a quotient.
    D : array of float64
        What the denominators may grow to.
    T : int
        Additive terms after expansion.
    C : bool
        Whether terms may cancel.
    reading : float
        Roundings charged when an operation reads this value, and not when it is kept as state.
    """

    x: Any
    precision: Precision
    M: Floats
    e: Floats
    r: Any
    H: Floats
    L: Floats
    A: Any = 1.0
    D: Any = 1.0
    T: int = 1
    C: bool = False
    reading: float = 0
    _error: Floats | None = field(default=None, init=False, repr=False)

    __array_ufunc__: ClassVar[None] = None  # a numpy array on the left leaves the operation to this class
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # comparisons are elementwise

    def __exactstep_namespace__(self) -> Any:
        from oracle.arithmetic import rounded_functions  # which imports this module

        return rounded_functions

    @property
    def carrier(self) -> Carrier:
        """What ``x`` is kept in."""
        return carrier(self.precision)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return np.shape(self.M)

    @property
    def is_zero(self) -> NDArray[np.bool_]:
        """Where every program has exactly 0."""
        zero: NDArray[np.bool_] = (self.M == 0) & (self.e == 0)
        return zero

    @property
    def error(self) -> Floats:
        """The bound; infinite where some admitted order of the operations may leave the format's range."""
        if self._error is None:  # several rules ask the same value
            object.__setattr__(self, "_error", self._bound())
        return self._error  # type: ignore[return-value]  # just set

    def _bound(self) -> Floats:
        with quiet():
            underflow = self.r * self.precision.chain_underflow * self.H * self.A
            error = self.e + gamma(self.r, self.precision.unit) * (self.M + self.e) + underflow
            error = np.where(self.is_zero, 0.0, error)
            reach = np.maximum(self.H, self.D * self.A)
            inside = (reach < self.precision.compute.largest / 2) & (error < np.inf)
            # Scalars are folded, or inverted, before they are rounded to the format that meets the array.
            inside = inside & (self.precision.entry.largest / 2 > self.A)
            return np.where(inside, error * INFLATION, np.inf)

    def collapsed(self) -> Rounded:
        """Turn all roundings into inherited error."""
        return atom(self.x, self.precision, self.error)

    def read(self) -> Rounded:
        """Charge what reading a state may cost."""
        return replace(self, r=np.where(self.is_zero, 0.0, self.r + self.reading), reading=0) if self.reading else self

    def __getitem__(self, place: int) -> Rounded:
        """Take one entry of the first axis."""
        return self._moved(operator.itemgetter(place))

    @property
    def mT(self) -> Rounded:
        """Rows and columns exchanged, which no program rounds."""
        return self._moved(operator.attrgetter("mT"))

    def _moved(self, move: Callable[[Any], Any]) -> Rounded:
        """Take elements, or put them elsewhere, with what is known of them."""
        fields = {
            name: move(np.broadcast_to(getattr(self, name), self.shape)) for name in ("M", "e", "r", "H", "L", "A", "D")
        }
        return replace(self, x=move(self.x), **fields)

    def __neg__(self) -> Rounded:
        return replace(self, x=-self.x)

    def __abs__(self) -> Rounded:
        return replace(self, x=self.x.__abs__())

    def __add__(self, other: Any) -> Any:
        return _operate(_add, self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return _operate(_subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _operate(_add, -self, other)

    def __mul__(self, other: Any) -> Any:
        return _operate(_multiply, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return _operate(_divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _operate(_divide_into, self, other)

    def __pow__(self, exponent: int) -> Rounded:
        """Raise to a positive power by products, or by a library's pow if they are more than one."""
        base = self.read()
        result = base
        for _ in range(exponent - 1):
            result = result * base
        if exponent <= 2:
            return result
        r = exponent * base.r + max(exponent - 1, POWER)
        return replace(result, r=np.where(result.is_zero, 0.0, r))

    def __lt__(self, other: Any) -> Any:
        return _compare(np.less, self, other)

    def __le__(self, other: Any) -> Any:
        return _compare(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Any:
        return _compare(np.greater, self, other)

    def __ge__(self, other: Any) -> Any:
        return _compare(np.greater_equal, self, other)

    def __eq__(self, other: object) -> Any:
        return _compare(np.equal, self, other)

    def __ne__(self, other: object) -> Any:
        return _compare(np.not_equal, self, other)


# What meets an array.
Number = Rounded | RoundedScalar | int | float


def atom(x: Any, precision: Precision, e: Any = 0.0, *, reading: float = 0) -> Rounded:
    """Make a value that programs hold as one number, off by at most ``e``."""
    magnitude = carrier(precision).upper(x)
    with quiet():
        grown, shrunk = np.maximum(magnitude, 1.0), np.where(magnitude > 0, np.maximum(1 / magnitude, 1.0), 1.0)
    inherited = e if np.shape(e) == magnitude.shape else np.broadcast_to(e, magnitude.shape)
    return Rounded(x, precision, magnitude, inherited, 0.0, grown, shrunk, reading=reading)


def given(values: Any, precision: Precision) -> Rounded:
    """Make an exact value of float64 numbers that the subject receives in its storage format."""
    return atom(carrier(precision).lift(values), precision)


def entered(value: RoundedScalar) -> Rounded:
    """Bring a scalar to an array: rounded to the entry format, its factors together or one at a time."""
    precision = value.precision
    x, reference = carrier(precision).enter(value.x)
    result = atom(x, precision, value.e + reference)
    if value.is_zero:
        return result
    grown, shrunk = value.grown, value.shrunk
    fits = grown < precision.entry.largest / 2  # else it may enter as infinity
    return Rounded(
        x,
        precision,
        result.M,
        result.e + (precision.entry_underflow if fits else np.inf),
        precision.entry_roundings * len(value.chain) + value.roundings,
        np.asarray(grown),
        np.asarray(shrunk),
        grown * shrunk,
    )


def operand(value: Number, precision: Precision) -> Rounded:
    """Make an array of a number that meets one: integers are exact, floats hyperparameters."""
    if isinstance(value, Rounded):
        return value
    return given(float(value), precision) if isinstance(value, int) else entered(scalar(value, precision))


def subnormal_charge(x: Any, e: Any, precision: Precision) -> Any:
    """Error of passing a value on through arithmetic that flushes subnormal numbers to zero."""
    if not precision.flush_to_zero:
        return 0.0
    carried = carrier(precision)
    tiny = carried.lower(x) - e < precision.compute.smallest_normal
    return np.where(tiny & (carried.upper(x) + e > 0), precision.underflow, 0.0)


def _compare(relation: Callable[[Any, float], NDArray[np.bool_]], array: Rounded, other: Any) -> Any:
    if not isinstance(other, Number):
        return NotImplemented
    right = operand(other, array.precision)
    with quiet():
        difference = array.x - right.x
        error = array.error + right.error
        decided = (array.carrier.lower(difference) * SHRINK > error) | (error == 0)
        return Condition(relation(array.carrier.midpoint(difference), 0.0), decided)


def _operate(rule: Callable[[Rounded, Rounded, bool], Rounded], array: Rounded, other: Any) -> Any:
    if not isinstance(other, Number):
        return NotImplemented
    right = operand(other, array.precision)
    with quiet():
        return rule(array.read(), right.read(), not isinstance(other, Rounded))


def _add(a: Rounded, b: Rounded, b_is_scalar: bool = False) -> Rounded:
    x = a.x + b.x
    # A scalar that is added is neither factor nor divisor: it has no other side to stand on.
    error_a, error_b, unit = a.error, (replace(b, A=1.0) if b_is_scalar else b).error, a.precision.unit
    # In a sum of T expanded terms, however nested, up to T - 1 additions hit each of them.
    e = error_a + error_b + gamma(b.T - 1, unit) * (a.M + error_a) + gamma(a.T - 1, unit) * (b.M + error_b)
    e = e + a.carrier.unit * a.carrier.upper(x)
    # One underflow is charged for the sum: it covers a flushed input, and what was computed has been charged before.
    e = e + np.where((a.r == 0) & (b.r == 0), subnormal_charge(b.x, b.e, a.precision), 0.0)
    r: Any = 1.0
    skip_a, skip_b = a.is_zero, b.is_zero
    if skip_a.any() or skip_b.any():
        # Adding an exact zero rounds nothing, unless the other is a scalar of another format.
        e = np.where(skip_a, b.e + subnormal_charge(b.x, b.e, a.precision), e)
        e = np.where(skip_b, a.e + subnormal_charge(a.x, a.e, a.precision), e)
        r = np.where(skip_a, b.r + (b_is_scalar & ~skip_b), np.where(skip_b, a.r, r))
    modulus = a.carrier.upper(a.x) + a.carrier.upper(b.x)
    return Rounded(
        x,
        a.precision,
        a.M + b.M,
        e,
        r,
        np.maximum(a.H, b.H),
        np.maximum(a.L, b.L),
        a.A if b_is_scalar else np.maximum(a.A, b.A),
        np.maximum(a.D, b.D),
        a.T + b.T,
        a.C or b.C or bool((a.carrier.lower(x) < modulus * SHRINK).any()),
    )


def _subtract(a: Rounded, b: Rounded, b_is_scalar: bool) -> Rounded:
    return _add(a, -b, b_is_scalar)


def _multiply(a: Rounded, b: Rounded, b_is_scalar: bool = False) -> Rounded:
    x = a.x * b.x
    upper = a.carrier.upper
    modulus_a, modulus_b = upper(a.x), upper(b.x)
    # A scalar may meet each term by itself, computed anew, as the weights of an incremental average are.
    e = (a.M if b_is_scalar else modulus_a) * b.e + modulus_b * a.e + a.e * b.e + a.carrier.unit * upper(x)
    # What inherits an error is larger than the product of the magnitudes that it was computed from.
    M = a.M * b.M + np.maximum(a.M - modulus_a, 0.0) * b.e + np.maximum(b.M - modulus_b, 0.0) * a.e
    vanishes = (a.is_zero & (b.e < np.inf)) | (b.is_zero & (a.e < np.inf))
    return Rounded(
        x,
        a.precision,
        np.where(vanishes, 0.0, M),
        np.where(vanishes, 0.0, e),
        np.where(vanishes, 0.0, a.r + b.r + 1),
        a.H * b.H,
        a.L * b.L,
        a.A * b.A,
        a.D * b.D,
        a.T * b.T,
        a.C or b.C,
    )


def _divide(a: Rounded, b: Rounded, b_is_scalar: bool = False) -> Rounded:
    if b.C:
        b = b.collapsed()  # where terms may cancel, roundings relative to them are not relative to the divisor
    carried = a.carrier
    modulus = carried.lower(b.x) * SHRINK
    nonzero = modulus > b.error * GROW
    smallest = modulus - b.e * GROW
    x = a.x / b.x
    size = carried.upper(x)
    vanishes = a.is_zero & nonzero
    x = carried.choose(vanishes, carried.lift(0.0), x)
    M = np.where(nonzero, a.M / smallest, np.inf)
    reach = a.M / modulus if b_is_scalar else size  # as in a product
    e = np.where(nonzero, (a.e + reach * b.e) / smallest + carried.unit * size, np.inf)
    return Rounded(
        x,
        a.precision,
        np.where(vanishes, 0.0, M),
        np.where(vanishes, 0.0, e),
        np.where(vanishes, 0.0, a.r + b.r + DIVISION),
        a.H * b.L,
        a.L * b.H,
        a.A * b.A,
        a.D * b.H,
        a.T,
        a.C,
    )


def _divide_into(a: Rounded, b: Rounded, _: bool) -> Rounded:
    return _divide(b, a)
