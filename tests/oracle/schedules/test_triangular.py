"""The triangular schedule."""

from fractions import Fraction

import pytest
import torch

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.schedules.triangular import schedule_triangular


def rate(step, half=5, low=0.25, high=1.0):
    return float(exact(schedule_triangular, step, init_value=low, peak_value=high, half_cycle_steps=half))


def test_the_rate_is_worked_by_hand():
    assert [rate(step, half=3) for step in range(8)] == [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.5]


@pytest.mark.parametrize("half", [1, 3, 5, 6, 7])
def test_the_rate_is_the_rounded_fraction_of_a_distance(half):
    # The distance to the nearest end of a cycle, without any floor function.
    low, high = 0.1, 0.3
    for step in range(6 * half + 1):
        distance = min(abs(step - 2 * half * cycle) for cycle in range(4))
        expected = Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction(distance, half)

        assert rate(step, half, low, high) == float(expected)


def test_the_mean_of_a_cycle_is_that_of_its_levels():
    assert sum(Fraction(rate(step, half=6)) for step in range(12)) == 12 * Fraction(5, 8)


def test_equal_levels_are_kept():
    assert {rate(step, low=0.3, high=0.3) for step in range(20)} == {0.3}


def test_the_millionth_cycle_is_exact():
    assert rate(10 * 10**6 + 2) == rate(2)


def test_the_rates_are_those_of_torch():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, 0.25, 1.0, 5, cycle_momentum=False)
    for step in range(31):
        assert abs(optimizer.param_groups[0]["lr"] - rate(step)) <= 2.0**-50
        optimizer.step()
        scheduler.step()


def test_half_a_cycle_without_steps_is_refused():
    with pytest.raises(DomainError, match=r"half_cycle_steps must be in \[1, inf\), got half_cycle_steps=0"):
        rate(0, half=0)
