"""The constant schedule, and the conditions of the theorem on decreasing steps."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.schedules.constant import schedule_constant
from oracle.schedules.triangular import schedule_triangular
from oracle.schedules.warmup import schedule_classic_warmup

T = sympy.Symbol("t", integer=True, positive=True)


def test_every_step_has_the_rate_given():
    assert {schedule_constant(step, init_value=0.3) for step in range(1000)} == {0.3}


def test_the_exact_value_is_the_float_given():
    assert exact(schedule_constant, 7, init_value=0.1) == 0.1


def test_the_rate_is_that_of_torch():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    for step in range(5):
        assert optimizer.param_groups[0]["lr"] == schedule_constant(step, init_value=0.3)
        optimizer.step()
        scheduler.step()


def test_a_negative_rate_is_refused():
    with pytest.raises(DomainError, match=r"init_value must be in \[0, inf\), got init_value=-1\.0"):
        schedule_constant(0, init_value=-1.0)


@pytest.mark.parametrize(("step", "message"), [(-1, r"step must be in \[0, inf\)"), (0.5, "step must be a whole")])
def test_a_step_that_counts_nothing_is_refused(step, message):
    with pytest.raises(DomainError, match=message):
        schedule_constant(step, init_value=1.0)


# -- Decreasing steps: the sum of the rates must diverge, and the sum of their squares converge -------------------------


@pytest.mark.parametrize(
    ("power", "rates_diverge", "squares_converge"),
    [
        (Fraction(1, 4), True, False),
        (Fraction(1, 2), True, False),
        (Fraction(3, 4), True, True),
        (Fraction(1), True, True),
        (Fraction(5, 4), False, True),
    ],
)
def test_a_power_of_the_step_fulfils_both_conditions_between_one_half_and_one(power, rates_diverge, squares_converge):
    rate = T ** -sympy.Rational(power)

    assert bool(sympy.Sum(rate, (T, 1, sympy.oo)).is_convergent()) is not rates_diverge
    assert bool(sympy.Sum(rate**2, (T, 1, sympy.oo)).is_convergent()) is squares_converge


@pytest.mark.parametrize("power", [Fraction(1, 4), Fraction(1, 2), Fraction(1)])
def test_the_squares_are_outweighed_by_the_rates_up_to_the_power_one(power):
    # What the conclusion of the theorem needs: the ratio of both sums tends to 0.
    steps = np.arange(1, 2**20 + 1, dtype=np.float64)
    rates = steps ** -float(power)
    ratio = np.cumsum(rates**2) / np.cumsum(rates)

    assert ratio[2**20 - 1] < ratio[2**16 - 1] < ratio[2**10 - 1] < ratio[2**4 - 1]


def test_a_floor_fails_the_second_condition():
    floor = 0.25
    squares = [
        schedule_classic_warmup(step, peak_value=1.0, end_value=floor, warmup_steps=4) ** 2 for step in range(1, 500)
    ]

    assert all(square >= floor**2 for square in squares)  # whose sum exceeds every number


def test_the_tail_of_the_classic_schedule_is_that_of_the_inverse_root():
    tail = [schedule_classic_warmup(4 * 4**k, peak_value=1.0, end_value=0.0, warmup_steps=4) for k in range(8)]

    assert tail == [0.5**k for k in range(8)]


def test_cyclic_schedules_are_not_monotone():
    rates = [schedule_triangular(step, init_value=0.0, peak_value=1.0, half_cycle_steps=2) for step in range(6)]

    assert np.sign(np.diff(rates)).tolist() == [1, 1, -1, -1, 1]
