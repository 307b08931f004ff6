"""Exact means correctly rounded: the real value of a formula, rounded once."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from oracle.arithmetic.balls import BallArray, balls, rounded_ends, to_float, working_precision
from oracle.errors import DomainError, UndecidedError
from oracle.formula import Formula, whole_numbers
from oracle.trajectory import Trajectory

__all__ = ["PRECISIONS", "Decisions", "exact", "map_leaves"]

#: Bits of the attempts to prove a rounding.
PRECISIONS = (128, 256, 512, 1024, 2048, 4096)


class Decisions(NamedTuple):
    """How the roundings of a result were found.

    Parameters
    ----------
    precision_bits : int
        The highest precision that was needed.
    undecided_count : int
        Elements that this precision left open, taken to lie on the boundary between two floats.
    """

    precision_bits: int
    undecided_count: int


@overload
def exact(function: Callable[..., Any], /, *args: Any, info: Literal[False] = False, **kwargs: Any) -> Any: ...
@overload
def exact(function: Callable[..., Any], /, *args: Any, info: Literal[True], **kwargs: Any) -> tuple[Any, Decisions]: ...
def exact(function: Callable[..., Any], /, *args: Any, info: bool = False, **kwargs: Any) -> Any:
    """Return the real value of a function of float64 numbers, correctly rounded to float64.

    The function runs on balls, whose precision doubles from 128 to 4096 bits until both ends of
    every result round to the same float64.

    Parameters
    ----------
    function : Formula, Trajectory or callable
        Anything written against the number systems.
    *args, **kwargs : array of float64, float, int, bool, str, None, and containers of them
        Its arguments; floats are the numbers they are, not the decimals they were typed as. What a formula takes
        as whole numbers stays what it is.
    info : bool, optional
        Whether to say how the roundings were found.

    Returns
    -------
    result : as the function returns it
        Every array of numbers is an array of float64; integers stay.
    decisions : Decisions
        Only with ``info=True``.

    Raises
    ------
    DomainError
        If a number among the arguments is not finite or a hyperparameter lies outside its domain,
        or if a result has no finite value.
    UndecidedError
        If 4096 bits leave more than two floats to choose from.
    TypeError
        If an argument or a result is of another kind.

    Notes
    -----
    Special values:

    ============================================ ============================================
    infinite or NaN argument                     `DomainError`
    zero of either sign as argument              the number 0: its sign is lost
    result that is exactly 0                     +0.0
    nonzero result that rounds to 0              zero with the sign of the result
    result past the range                        infinity with the sign of the result
    result midway between two floats             the even one; half the smallest goes to zero,
                                                 half an ulp past the largest to infinity
    0/0 where the formula says that it is 0      0
    any other division by zero                   `DomainError`
    argument outside the domain of a function    `DomainError`
    both of these in a branch not taken          no harm
    result that 4096 bits do not tell from the   taken to be the midpoint
    midpoint of two floats
    result that 4096 bits do not tell from 0     +0.0
    ============================================ ============================================

    Examples
    --------
    >>> 0.3 - 3 * 0.1
    -5.551115123125783e-17
    >>> exact(lambda x, y: x - 3 * y, 0.3, 0.1)
    array(-2.77555756e-17)
    """
    if isinstance(function, Formula | Trajectory):
        function.require(kwargs)
    call = inspect.signature(function).bind(*args, **kwargs)
    integers = function.integers if isinstance(function, Formula) else ()
    for name, value in call.arguments.items():
        call.arguments[name] = whole_numbers(name, value) if name in integers else map_leaves(_enter, value, name)
    for bits in PRECISIONS:
        leave = _Leave(last=bits == PRECISIONS[-1])
        with working_precision(bits):
            result = map_leaves(leave, function(*call.args, **call.kwargs), "result")
        if leave.undecided == 0:
            break
    return (result, Decisions(bits, leave.undecided)) if info else result


def map_leaves(function: Callable[[Any, str], Any], value: Any, path: str) -> Any:
    """Apply ``function(leaf, path)`` to everything that is no container, and keep the containers."""
    if isinstance(value, Mapping):
        return {key: map_leaves(function, item, f"{path}[{key!r}]") for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        fields = zip(value._fields, value, strict=True)
        return type(value)(*(map_leaves(function, item, f"{path}.{name}") for name, item in fields))
    if isinstance(value, list | tuple):
        return type(value)(map_leaves(function, item, f"{path}[{place}]") for place, item in enumerate(value))
    return function(value, path)


def _element_name(path: str, index: tuple[int, ...]) -> str:
    return f"{path}[{', '.join(map(str, index))}]" if index else path


def _enter(value: Any, path: str) -> Any:
    """Make balls of floats."""
    if value is None or isinstance(value, int | str):
        return value
    dtype = np.asarray(value).dtype
    if not isinstance(value, float | np.ndarray | np.generic) or dtype.kind != "f" or dtype.itemsize > 8:
        kind = f"{dtype} array" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"{path} must be numbers or arrays of float64, got {kind}")
    floats = np.asarray(value, dtype=np.float64)
    for index in np.argwhere(~np.isfinite(floats))[:1]:
        name = _element_name(path, tuple(index))
        raise DomainError(f"{path} must be finite, got {name}={floats[tuple(index)]}")
    return balls(floats)


class _Leave:
    """Rounds the balls of one result, and counts those too wide to prove a rounding.

    Parameters
    ----------
    last : bool
        Whether no higher precision follows, so that what is undecided lies on a boundary.
    """

    def __init__(self, *, last: bool) -> None:
        self.last = last
        self.undecided = 0

    def __call__(self, leaf: Any, path: str) -> Any:
        if leaf is None or isinstance(leaf, int | str):
            return leaf
        if not isinstance(leaf, BallArray):
            raise TypeError(f"{path} must be computed from the arguments, got {type(leaf).__name__}")
        values, decided = to_float(leaf)
        if not decided.all():
            self.undecided += int(np.sum(~decided))
            if self.last:
                low, high = rounded_ends(leaf)
                for index in map(tuple, np.argwhere(~decided)):
                    values[index] = _on_boundary(float(low[index]), float(high[index]), _element_name(path, index))
        return values


def _on_boundary(low: float, high: float, name: str) -> float:
    """Round the boundary between two floats."""
    if math.isnan(low):
        raise DomainError(f"{name} has no finite value: a division by zero, or an argument outside a function's domain")
    if low != high and math.nextafter(low, high) != high:
        raise UndecidedError(f"cannot tell with {PRECISIONS[-1]} bits which number {name} is in [{low}, {high}]")
    if math.copysign(1.0, low) != math.copysign(1.0, high):
        return 0.0
    return low if np.float64(low).view(np.int64) % 2 == 0 else high
