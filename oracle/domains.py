"""Intervals in which arguments must lie."""

from __future__ import annotations

import math
from dataclasses import dataclass

from oracle.errors import DomainError

__all__ = ["Domain", "at_least", "closed", "greater_than", "half_open"]


@dataclass(frozen=True)
class Domain:
    """An interval of finite real numbers.

    Parameters
    ----------
    low, high : float
        End points; ``inf`` as ``high`` leaves the interval unbounded above.
    low_open, high_open : bool
        Whether the end point itself is excluded.
    """

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: float) -> bool:
        """Whether ``value`` is a finite number of the interval."""
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return math.isfinite(value) and above and below

    def __str__(self) -> str:
        left = "(" if self.low_open else "["
        right = ")" if self.high_open or math.isinf(self.high) else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"

    def require(self, name: str, value: float) -> None:
        """Raise if ``value`` lies outside.

        Raises
        ------
        DomainError
            Naming the argument, the domain and the value.
        """
        if value not in self:
            raise DomainError(f"{name} must be in {self}, got {name}={value!r}")


def at_least(low: float) -> Domain:
    """All finite numbers from ``low`` on."""
    return Domain(low, math.inf)


def greater_than(low: float) -> Domain:
    """All finite numbers above ``low``."""
    return Domain(low, math.inf, low_open=True)


def closed(low: float, high: float) -> Domain:
    """The interval with both of its end points."""
    return Domain(low, high)


def half_open(low: float, high: float) -> Domain:
    """The interval with ``low`` and without ``high``."""
    return Domain(low, high, high_open=True)
