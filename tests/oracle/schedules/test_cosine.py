"""The cosine schedules."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.schedules.cosine import cycle_of, schedule_cosine_restarts, schedule_cosine_to_10pct

#: The cosine of these parts of half a turn is rational.
RATIONAL = {
    Fraction(0): 1,
    Fraction(1, 3): Fraction(3, 4),
    Fraction(1, 2): Fraction(1, 2),
    Fraction(2, 3): Fraction(1, 4),
}


def restarts(step, *, info=False, **changes):
    values = {"peak_value": 1.0, "end_value": 0.0, "cycle_steps": 6, "cycle_growth": 1, **changes}
    return exact(schedule_cosine_restarts, step, info=info, **values)


def to_tenth(step, peak_value=1.0, decay_steps=6):
    return exact(schedule_cosine_to_10pct, step, peak_value=peak_value, decay_steps=decay_steps)


# -- schedule_cosine_restarts ----------------------------------------------------------------------------------------


def test_the_rates_of_a_cycle_are_worked_by_hand():
    root = float(mpmath.sqrt(3))
    expected = [1.0, (2 + root) / 4, 0.75, 0.5, 0.25, (2 - root) / 4, 1.0]

    assert [abs(restarts(step) - rate) <= 2.0**-53 for step, rate in enumerate(expected)] == [True] * 7
    assert [float(restarts(step)) for step in (0, 2, 3, 4)] == [1.0, 0.75, 0.5, 0.25]


@pytest.mark.parametrize("part", RATIONAL)
def test_the_rational_parts_of_a_cycle_are_decided_at_once_ties_included(part, draws):
    rng, ties = np.random.default_rng(part.denominator + part.numerator), 0
    for _ in range(draws(300, 30_000)):
        peak, end = (float(rng.integers(2**52, 2**53) * 2.0 ** -int(rng.integers(52, 60))) for _ in range(2))
        rate, decisions = restarts(int(6 * part), peak_value=peak, end_value=end, info=True)
        value = Fraction(end) + (Fraction(peak) - Fraction(end)) * RATIONAL[part]

        assert rate == float(value)
        assert decisions == (128, 0)
        ulp = Fraction(float(np.spacing(float(value))))
        ties += (value / ulp).denominator == 2
    assert part == 0 or ties > draws(20, 2_000)


def test_a_cosine_in_floats_misses_values_that_are_exact_here():
    rng, missed = np.random.default_rng(0), 0
    for _ in range(300):
        peak = float(rng.integers(2**52, 2**53)) * 2.0**-53
        missed += bool(restarts(2, peak_value=peak) != peak * np.cos(np.pi / 6) ** 2)

    assert missed > 20


def test_an_irrational_rate_is_rounded_correctly():
    with mpmath.workprec(300):
        expected = float(mpmath.mpf(0.1) + (mpmath.mpf(0.3) - mpmath.mpf(0.1)) * mpmath.cos(mpmath.pi / 14) ** 2)

    assert restarts(1, peak_value=0.3, end_value=0.1, cycle_steps=7) == expected


@pytest.mark.parametrize("growth", [1, 2, 3, 10])
def test_cycles_start_where_their_geometric_sum_ends(growth):
    starts = [7 * (growth**i - 1) // (growth - 1) if growth > 1 else 7 * i for i in range(5)]
    for number, start in enumerate(starts):
        assert cycle_of(start, 7, growth) == (number, start, 7 * growth**number)
        assert restarts(start, cycle_steps=7, cycle_growth=growth) == 1.0
        assert start == 0 or restarts(start - 1, cycle_steps=7, cycle_growth=growth) < 0.06


def test_the_mean_of_a_cycle_is_known():
    # Over the steps that the libraries take, without the last level: the lower half, and half of one step more.
    rates = [Fraction(float(restarts(step))) for step in range(6)]

    assert abs(sum(rates) / 6 - Fraction(7, 12)) <= Fraction(1, 2**53)


def test_the_rate_is_a_square_of_a_cosine():
    for step in range(6):
        square = np.cos(np.pi * step / 12) ** 2

        assert abs(restarts(step) - square) <= 2.0**-52


@pytest.mark.parametrize("growth", [1, 2])
def test_the_rates_are_those_of_torch(growth):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 6, growth, eta_min=0.25)
    for step in range(44):
        expected = restarts(step, end_value=0.25, cycle_growth=growth)
        assert abs(optimizer.param_groups[0]["lr"] - expected) <= 2.0**-51
        optimizer.step()
        scheduler.step()


def test_a_cycle_that_shrinks_is_refused():
    with pytest.raises(DomainError, match=r"cycle_growth must be in \[1, inf\), got cycle_growth=0"):
        restarts(1, cycle_growth=0)


# -- schedule_cosine_to_10pct ----------------------------------------------------------------------------------------


def test_the_end_is_a_tenth_and_the_middle_eleven_twentieths():
    assert [float(to_tenth(step)) for step in (0, 3, 6, 7, 600)] == [1.0, 0.55, 0.1, 0.1, 0.1]


def test_the_tenth_is_that_of_the_fraction():
    for peak in (0.3, 0.7, 1e-3):
        assert to_tenth(6, peak) == float(Fraction(peak) / 10)


def test_halves_of_the_wave_mirror_each_other():
    for step in range(1, 7):
        assert abs(to_tenth(step) + to_tenth(6 - step) - 1.1) <= 2.0**-52


def test_the_schedule_is_one_cycle_of_the_restarts():
    for step in range(6):
        assert abs(to_tenth(step) - restarts(step, end_value=0.1)) <= 2.0**-53


def test_the_rates_of_a_training_are_those_of_torch():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 6, eta_min=0.1)
    for step in range(7):
        assert abs(optimizer.param_groups[0]["lr"] - to_tenth(step)) <= 2.0**-50
        optimizer.step()
        scheduler.step()


def test_a_training_without_steps_is_refused():
    with pytest.raises(DomainError, match=r"decay_steps must be in \[1, inf\), got decay_steps=0"):
        to_tenth(0, decay_steps=0)
