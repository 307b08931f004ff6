"""Exact tails of the binomial distribution, by which the number of kept units is judged."""

from __future__ import annotations

from typing import Any

__all__ = ["binomial_tails"]


def binomial_tails(successes: int, trials: int, chance: Any) -> tuple[Any, Any]:
    r"""Return how likely at most, and at least, so many successes are.

    .. math::

        P(X \le k) = \sum_{j=0}^{k} \binom{n}{j} q^j (1 - q)^{n - j}, \qquad
        P(X \ge k) = \sum_{j=k}^{n} \binom{n}{j} q^j (1 - q)^{n - j}

    Parameters
    ----------
    successes, trials : int
        :math:`0 \le k \le n`.
    chance : number
        :math:`q \in [0, 1)`, a number of any system: a fraction gives the exact tails, a ball encloses them.

    Returns
    -------
    low, high : number
        :math:`P(X \le k)` and :math:`P(X \ge k)`, which share the term of :math:`k`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> binomial_tails(1, 3, Fraction(1, 2))
    (Fraction(1, 2), Fraction(7, 8))
    """
    odds = chance / (1 - chance)
    term = (1 - chance) ** trials
    low = high = 0 * term
    for count in range(trials + 1):
        if count <= successes:
            low = low + term
        if count >= successes:
            high = high + term
        term = term * (trials - count) / (count + 1) * odds
    return low, high
