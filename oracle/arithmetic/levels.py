"""What schedules are written with: levels, and how much of the way from one to another a step has gone.

Steps and lengths are integers in every number system, and so their quotients are fractions, which no
number system rounds. Only where a fraction meets a level does it become a number of the level's system.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from oracle.arithmetic.primitives import namespace

__all__ = ["cosine", "inverse_root", "level", "rational_root", "root", "stepwise"]


def level(low: Any, high: Any, weight: Any, *, turns: int = 0) -> Any:
    r"""Go a part of the way from one level to another: :math:`a + (b - a) w`.

    Parameters
    ----------
    low, high : scalar
    weight : Fraction or scalar
        How much of the way.
    turns : int
        Turns, rounded up, that a program may have subtracted from a rounded quotient to get the weight.
    """
    rule = getattr(namespace(low, high), "level", None)
    if rule is not None:
        return rule(low, high, weight, turns)
    if isinstance(weight, Fraction):
        # In this order a quotient that is a number of the system is found exactly, and with it every tie.
        return low + (high - low) * weight.numerator / weight.denominator
    return low + (high - low) * weight


def cosine(turn: Fraction, like: Any, *, turns: int = 0) -> Any:
    r"""Cosine of a part of half a turn, :math:`\cos(\pi x)`, as a number of the system of ``like``.

    Parameters
    ----------
    turn : Fraction
    like : scalar
    turns : int
        As in `level`.
    """
    rule = getattr(namespace(like), "cosine", None)
    return math.cos(math.pi * turn) if rule is None else rule(turn, like, turns)


def rational_root(ratio: Fraction) -> Fraction | None:
    """Square root of a fraction, if it is one."""
    numerator, denominator = math.isqrt(ratio.numerator), math.isqrt(ratio.denominator)
    found = Fraction(numerator, denominator)
    return found if found**2 == ratio else None


def root(ratio: Fraction, like: Any) -> Any:
    """Square root of a fraction, as a weight for levels of the system of ``like``."""
    rule = getattr(namespace(like), "root", None)
    return math.sqrt(ratio) if rule is None else rule(ratio, like)


def inverse_root(x: Any) -> Any:
    r"""Inverse root :math:`x^{-1/2}` of a positive scalar."""
    xp = namespace(x)
    rule = getattr(xp, "inverse_root", None)
    return 1 / xp.sqrt(x) if rule is None else rule(x)


def stepwise(rate: Any, step: int, *levels: Any) -> Any:
    """Reach a rate by ``step`` updates of the rate before, between these levels; the rate itself but for rounding."""
    rule = getattr(namespace(rate), "stepwise", None)
    return rate if rule is None else rule(rate, step, levels)
