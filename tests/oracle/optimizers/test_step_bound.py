"""The sharp bound on Adam's steps in every number system."""

from fractions import Fraction as F

import pytest

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.optimizers.step_bound import (
    longest_step_gradients,
    paper_step_bound,
    squared_step_bound,
    squared_step_bound_limit,
    step_bound,
    step_bound_limit,
)


def test_the_bound_is_worked_by_hand():
    # Weights 1/3, 2/3 over 3/7, 4/7: 7/27 and 7/9.
    assert squared_step_bound(F(1, 2), F(3, 4), 2) == F(28, 27)
    assert squared_step_bound_limit(F(1, 2), F(3, 4)) == F(3, 2)  # 1/4 over 1/4 * 2/3


def test_fractions_floats_and_balls_agree():
    square = squared_step_bound(F(0.9), F(0.999), 1000)
    rounded = float(exact(step_bound, 0.9, 0.999, 1000))

    # A correctly rounded root lies within half a unit, which is below 2**-51 here.
    assert abs(F(rounded) ** 2 - square) <= 2 * F(rounded) * F(1, 2**51)
    assert abs(step_bound(0.9, 0.999, 1000) - rounded) <= 1e-11  # 1 - beta2 has lost ten bits


def test_the_limit_is_above_every_step():
    limit = squared_step_bound_limit(F(9, 10), F(999, 1000))
    squares = [squared_step_bound(F(9, 10), F(999, 1000), step) for step in (1, 10, 100, 1000)]

    assert squares == sorted(squares)
    assert squares[-1] < limit
    assert float(exact(step_bound_limit, 0.9, 0.999)) > 7.27


def test_the_longest_gradients_grow_by_the_quotient_of_the_betas():
    assert longest_step_gradients(F(1, 2), F(3, 4), 3) == [F(3, 2), F(9, 4), F(27, 8)]


def test_the_paper_s_bound_has_two_halves():
    assert paper_step_bound(0.5, 0.9375) == 2.0
    assert paper_step_bound(0.9, 0.99) == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 0.5, 1), "beta1 must be in [0, 1), got beta1=1.0"),
        ((-0.5, 0.5, 1), "beta1 must be in [0, 1), got beta1=-0.5"),
        ((0.5, 0.0, 1), "beta2 must be in (0, 1), got beta2=0.0"),
        ((0.5, 1.0, 1), "beta2 must be in (0, 1), got beta2=1.0"),
        ((0.5, 0.5, 0), "step must be in [1, inf), got step=0"),
    ],
)
def test_arguments_outside_the_domain_are_refused(arguments, message):
    with pytest.raises(DomainError) as refusal:
        squared_step_bound(*arguments)

    assert str(refusal.value) == message


def test_without_a_limit_none_is_given():
    with pytest.raises(DomainError) as refusal:
        step_bound_limit(0.5, 0.25)

    assert str(refusal.value).endswith("for the bound to have a limit, got beta1=0.5 and beta2=0.25")
