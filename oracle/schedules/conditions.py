"""The conditions on decreasing steps, and finite sums that decide them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = ["condensed", "decreasing_steps_allowed", "noise_share", "power_rate"]


def power_rate(step: int, *, init_value: Any, exponent: Any) -> Any:
    r"""Rate that falls with a power of the step: :math:`\eta_t = \eta_0 (t + 1)^{-q}`.

    Parameters
    ----------
    step : int
        :math:`t \ge 0`.
    init_value, exponent : number
        :math:`\eta_0 \ge 0` and :math:`q`.

    References
    ----------
    .. [1] lopesquintas2026complements, Il faut un échéancier pour SGD

    Examples
    --------
    >>> [power_rate(step, init_value=1.0, exponent=1) for step in (0, 1, 3)]
    [1.0, 0.5, 0.25]
    """
    return init_value / (step + 1) ** exponent


def decreasing_steps_allowed(rates: Sequence[Any], smoothness: Any) -> bool:
    r"""Whether finitely many rates fulfil :math:`\eta_t \in (0, 1 / \beta]` and never increase.

    Parameters
    ----------
    rates : sequence of number
        :math:`\eta_0, \eta_1, \dots`
    smoothness : number
        :math:`\beta > 0`.

    Examples
    --------
    >>> decreasing_steps_allowed([0.5, 0.5, 0.25], 2.0), decreasing_steps_allowed([0.25, 0.5], 2.0)
    (True, False)
    """
    inside = all(rate > 0 and rate * smoothness <= 1 for rate in rates)
    return inside and all(later <= rate for rate, later in itertools.pairwise(rates))


def noise_share(rates: Iterable[Any]) -> Any:
    r"""Weight of the noise in the theorem's bound: :math:`\sum_t \eta_t^2 / \sum_t \eta_t`.

    Parameters
    ----------
    rates : iterable of number
        :math:`\eta_0, \dots, \eta_{T-1}`, not all zero.

    Examples
    --------
    >>> noise_share([1.0, 0.5, 0.5])
    0.75
    """
    kept = list(rates)
    return sum(rate**2 for rate in kept) / sum(kept)


def condensed(term: Callable[[int], Any], doublings: int) -> tuple[list[Any], list[Any]]:
    r"""Enclose the sums of a non-increasing sequence between those of its condensed one.

    .. math::

        \tfrac{1}{2} \sum_{k=1}^{n} 2^k a_{2^k} \;\le\; \sum_{t=2}^{2^n} a_t \;\le\;
            \sum_{k=0}^{n-1} 2^k a_{2^k}

    Parameters
    ----------
    term : callable
        :math:`a_t \ge 0`, non-increasing in :math:`t \ge 1`.
    doublings : int
        The largest :math:`n`, at least 1.

    Returns
    -------
    low, high : list of number
        Both sides for 1, 2, ..., that many doublings: the sums diverge if ``low`` does, and converge if ``high`` does.

    Examples
    --------
    >>> from fractions import Fraction
    >>> condensed(lambda t: Fraction(1, t), 3)
    ([Fraction(1, 2), Fraction(1, 1), Fraction(3, 2)], [Fraction(1, 1), Fraction(2, 1), Fraction(3, 1)])
    """
    weighted = [2**doubling * term(2**doubling) for doubling in range(doublings + 1)]
    return (
        [sum(weighted[1 : count + 1]) / 2 for count in range(1, doublings + 1)],
        [sum(weighted[:count]) for count in range(1, doublings + 1)],
    )
