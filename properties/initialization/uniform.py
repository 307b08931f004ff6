"""Exact tests of uniform draws, none of which alarms more often than it says."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from properties.claims import Violation
from properties.subject import Floats

__all__ = ["FALSE_ALARM", "binomial_tail", "require_uniform"]

#: Probability with which uniform draws fail `require_uniform`, at most.
FALSE_ALARM = Fraction(1, 10**9)

#: Tests among which it is shared: one of the largest, the others of counts on one side of a level.
_LEVELS = (0.0, 0.5, -0.5)
_SHARE = FALSE_ALARM / (1 + len(_LEVELS))


def binomial_tail(count: int, total: int, probability: Fraction) -> Fraction:
    """Return the probability of a count at least as far from the expected one, on its side.

    Parameters
    ----------
    count : int
        Successes among independent trials.
    total : int
        Trials.
    probability : Fraction
        Of a success.

    Returns
    -------
    Fraction
        Exactly; twice the smaller of the two is a bound for both sides.
    """
    p, q = probability.numerator, probability.denominator - probability.numerator
    above = count * probability.denominator >= total * p
    counts = range(count, total + 1) if above else range(count + 1)
    term, successes = math.comb(total, counts[0]) * p ** counts[0] * q ** (total - counts[0]), 0
    for k in counts:
        successes += term
        term = term * (total - k) * p // ((k + 1) * q)
    return Fraction(successes, probability.denominator**total)


def require_uniform(draws: Floats, bound_squared: Fraction, *, unit: float) -> None:
    r"""Test whether numbers are independent draws of a uniform law that is symmetric about 0.

    None lies outside :math:`[-b, b]`, the largest modulus is not so small that uniform draws would hardly ever
    have it, and the counts above 0, b/2 and -b/2 are not so far from theirs.

    Parameters
    ----------
    draws : array of float64, shape (...)
    bound_squared : Fraction
        :math:`b^2`.
    unit : float
        Unit roundoff of the dtype, in which a program computes the bound, its double, the product with a number
        of [0, 1) and their sum; 32 of them for each draw must be less than 1.

    Raises
    ------
    Violation
        Of uniform draws with a probability of `FALSE_ALARM` at most.
    """
    numbers = np.ravel(draws)
    room = (1 + Fraction(unit)) ** 5
    largest = Fraction(float(np.max(np.abs(numbers))))
    if largest**2 > bound_squared * room**2:
        raise Violation(f"the largest modulus is {float(largest)}, above the bound", quantity="result")
    # All of n moduli are below a part t of the bound with a probability of t^n; t is taken in few digits, rounded up.
    part = Fraction(math.ceil(largest**2 * room**2 / bound_squared * 2**12), 2**12)
    if part**numbers.size < _SHARE**2:
        raise Violation(f"the largest modulus of {numbers.size} is {float(largest)}", quantity="result")
    limit = math.sqrt(bound_squared)
    # Rounded draws fall on a side of a level with a probability that is off by less than 8 units, a part of 32 of
    # a quarter: every sequence of sides is likelier by (1 + 32u)^n < 1 / (1 - 32nu) at most.
    likelier = 1 / (1 - 32 * numbers.size * Fraction(unit))
    for level in _LEVELS:
        count = int(np.sum(numbers > level * limit))
        expected = (1 - Fraction(level)) / 2
        if 2 * binomial_tail(count, numbers.size, expected) * likelier < _SHARE:
            message = f"{count} of {numbers.size} draws are above {level} of the bound, expected {float(expected)}"
            raise Violation(message, quantity="result")
