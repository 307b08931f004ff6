"""Comparisons that rounding leaves undecided, and the ways through a formula that they open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from oracle.errors import UndecidedError

__all__ = ["Condition", "Way", "branch", "ways"]

Mask = NDArray[np.bool_]
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Condition:
    """Answers of a comparison.

    Parameters
    ----------
    holds : array of bool, shape (...)
        The answer for the exact values.
    decided : array of bool, shape (...)
        Whether every honest program gives the same answer.
    """

    holds: Mask
    decided: Mask

    def __invert__(self) -> Condition:
        return Condition(~self.holds, self.decided)

    def __and__(self, other: Condition) -> Condition:
        refuted = (self.decided & ~self.holds) | (other.decided & ~other.holds)
        return Condition(self.holds & other.holds, (self.decided & other.decided) | refuted)

    def __or__(self, other: Condition) -> Condition:
        return ~(~self & ~other)


@dataclass(frozen=True, eq=False)
class Way(Generic[Result]):
    """One way through a formula.

    Parameters
    ----------
    result : object
        What the formula gives on it.
    open : array of bool or True
        The elements for which an honest program may take it and no earlier way does the same.
    reasons : tuple of str
        Where it leaves the exact values' own way; empty for that one.
    """

    result: Result
    open: Mask | bool
    reasons: tuple[str, ...]


class _Trail:
    """Branches to take at the discontinuities met; the first one beyond the list."""

    def __init__(self, branches: list[int]) -> None:
        self.branches = branches
        self.counts: list[int] = []
        self.open: Mask | bool = True
        self.reasons: tuple[str, ...] = ()

    def take(self, count: int, undecided: Mask, reason: str) -> int:
        place = len(self.counts)
        self.counts.append(count)
        if place == len(self.branches):
            self.branches.append(0)
        chosen = self.branches[place]
        if chosen:
            self.open = self.open & undecided
            self.reasons += (reason,)
        return chosen


_TRAIL: ContextVar[_Trail] = ContextVar("trail")


def branch(count: int, undecided: Mask, reason: str) -> int:
    """Say which of ``count`` branches to take for the undecided elements; 0 is that of the exact values.

    Raises
    ------
    UndecidedError
        If some element is undecided, and nobody goes all the ways.
    """
    if not undecided.any():
        return 0
    trail = _TRAIL.get(None)
    if trail is None:
        raise UndecidedError(f"{reason} is undecided for {np.count_nonzero(undecided)} of {undecided.size} elements")
    return trail.take(count, undecided, reason)


def ways(run: Callable[[], Result]) -> Iterator[Way[Result]]:
    """Run a formula once for each combination of branches that is open to some element.

    Parameters
    ----------
    run : callable
        Evaluates the formula; it meets the same discontinuities whenever it takes the same branches.

    Yields
    ------
    Way
        That of the exact values first.
    """
    branches: list[int] = []
    while True:
        trail = _Trail(branches)
        token = _TRAIL.set(trail)
        try:
            result = run()
        finally:
            _TRAIL.reset(token)
        yield Way(result, trail.open, trail.reasons)
        while branches and branches[-1] + 1 == trail.counts[len(branches) - 1]:
            branches.pop()
        if not branches:
            return
        branches[-1] += 1
