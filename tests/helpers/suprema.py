"""Proofs that a function of one number stays below a level on an interval, in ball arithmetic."""

from __future__ import annotations

from collections.abc import Callable

from flint import arb, ctx

__all__ = ["at_most", "between", "changes_sign"]

Curve = Callable[[arb], arb]


def between(low: float, high: float) -> arb:
    """The ball around an interval."""
    return arb(low).union(arb(high))


def at_most(curve: Curve, slope: Curve, low: float, high: float, level: object, *, depth: int = 40) -> bool:
    """Whether a curve stays at or below a level: proved on parts of the interval, by the mean value theorem.

    Parameters
    ----------
    curve, slope : callable
        The function and its derivative, of balls.
    low, high : float
    level : number or str
        A decimal stands for itself.
    depth : int
        How often a part may be halved.

    Returns
    -------
    bool
        False as soon as some part lies certainly above, or is too small to be halved again.
    """
    with_precision = ctx.prec
    ctx.prec = 128
    try:
        top, parts = arb(level), [(low, high, depth)]
        while parts:
            left, right, rest = parts.pop()
            middle = (left + right) / 2
            part = between(left, right)
            if curve(arb(middle)) + slope(part) * (part - middle) <= top:
                continue
            if rest == 0 or curve(arb(middle)) > top:
                return False
            parts += [(left, middle, rest - 1), (middle, right, rest - 1)]
        return True
    finally:
        ctx.prec = with_precision


def changes_sign(curve: Curve, digits: str) -> bool:
    """Whether a curve has a root where a decimal says, within half a unit of its last digit."""
    with_precision = ctx.prec
    ctx.prec = 192
    try:
        half = arb(10) ** -len(digits.partition(".")[2]) / 2
        left, right = curve(arb(digits) - half), curve(arb(digits) + half)
        return bool((left < 0 and right > 0) or (left > 0 and right < 0))
    finally:
        ctx.prec = with_precision
