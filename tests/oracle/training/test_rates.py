"""The choice of a learning rate."""

from fractions import Fraction as F

import pytest
import sympy

from oracle.errors import DomainError, ShapeError
from oracle.training.rates import (
    grid_search,
    lr_range_test,
    lr_range_test_linear_axis,
    range_test_factor,
    range_test_rates,
)


def test_the_first_of_the_best_rates_is_kept():
    assert grid_search([F(1), F(2), F(4)], lambda rate: abs(rate - 3)) == (2, 1)


def test_every_rate_is_tried_once():
    tried = []

    def final_loss(rate):
        tried.append(rate)
        return -rate

    assert grid_search([3, 1, 2], final_loss) == (3, -3)
    assert tried == [3, 1, 2]


def test_rates_of_a_range_test_as_worked_by_hand():
    assert range_test_rates(F(1, 8), F(4), 4) == [F(1, 8), F(1, 2), 2, 8]
    assert range_test_factor(0.5, 8.0, 3) == 4.0
    assert range_test_factor(sympy.Rational(1, 8), sympy.Integer(1), 3) == 2 * sympy.sqrt(2)


def test_the_two_axes_choose_different_rates():
    rates, losses = range_test_rates(F(1), F(10), 5), [9, 8, 2, 1, 50]

    assert lr_range_test(rates, losses) == 10  # down by 6
    assert lr_range_test_linear_axis(rates, losses) == 1  # down by 1/9 for each unit, against 6/90


def test_a_loss_that_only_rises_has_its_gentlest_rise_kept():
    assert lr_range_test([1, 2, 4], [1, 3, 4]) == 2


@pytest.mark.parametrize("rule", [lr_range_test, lr_range_test_linear_axis])
def test_every_rate_needs_a_loss(rule):
    with pytest.raises(ShapeError) as refusal:
        rule([1, 2], [1, 2, 3])

    assert str(refusal.value) == "rates and losses must have equal length, got 2 and 3"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grid_search([], abs), "rates must be in [1, inf), got rates=0"),
        (lambda: range_test_factor(1.0, 2.0, 1), "count must be in [2, inf), got count=1"),
        (lambda: range_test_factor(0.0, 2.0, 3), "first must be in (0, inf), got first=0.0"),
        (lambda: range_test_factor(2.0, 2.0, 3), "last must be in (2, inf), got last=2.0"),
        (lambda: range_test_rates(F(-1), F(2), 3), "first must be in (0, inf), got first=Fraction(-1, 1)"),
        (lambda: range_test_rates(1.0, 1.0, 3), "factor must be in (1, inf), got factor=1.0"),
        (lambda: range_test_rates(1.0, 2.0, 0), "count must be in [2, inf), got count=0"),
        (lambda: lr_range_test([1], [1]), "rates must be in [2, inf), got rates=1"),
    ],
)
def test_arguments_outside_the_domain_are_refused(call, message):
    with pytest.raises(DomainError) as refusal:
        call()

    assert str(refusal.value) == message
