"""The conditions on decreasing steps."""

from fractions import Fraction as F

import pytest

from oracle.schedules.conditions import condensed, decreasing_steps_allowed, noise_share, power_rate


def test_a_power_of_the_step_is_worked_by_hand():
    assert [power_rate(step, init_value=F(3), exponent=2) for step in (0, 1, 2)] == [3, F(3, 4), F(1, 3)]


@pytest.mark.parametrize(
    ("rates", "allowed"),
    [
        ([F(1, 2), F(1, 2), F(1, 4)], True),
        ([F(1, 2), F(1, 4), F(1, 2)], False),
        ([F(3, 4), F(1, 2)], False),
        ([F(1, 2), F(0)], False),
    ],
    ids=["non-increasing", "increasing", "too long", "zero"],
)
def test_rates_are_positive_at_most_the_inverse_smoothness_and_never_increase(rates, allowed):
    assert decreasing_steps_allowed(rates, 2) is allowed


def test_the_noise_keeps_the_share_of_a_constant_rate():
    assert noise_share([F(1, 3)] * 7) == F(1, 3)


def test_the_sums_of_the_harmonic_series_lie_between_the_condensed_ones():
    low, high = condensed(lambda t: F(1, t), 6)
    sums = [sum(F(1, t) for t in range(2, 2**n + 1)) for n in range(1, 7)]

    assert all(a <= s <= b for a, s, b in zip(low, sums, high, strict=True))
    assert (low[-1], high[-1]) == (3, 6)
