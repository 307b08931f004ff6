"""What gradient descent promises on smooth losses."""

from fractions import Fraction as F

import pytest

from oracle.errors import DomainError
from oracle.training.guarantees import descent_bound, gd_contraction, gd_convex_bound, gd_optimal_rate


def test_the_descent_bound_as_worked_by_hand():
    assert descent_bound(F(5), F(4), learning_rate=F(1, 2), smoothness=F(3)) == F(9, 2)  # 5 - 1/2 * 1/4 * 4
    assert descent_bound(F(5), F(4), learning_rate=F(0), smoothness=F(3)) == 5


def test_the_contraction_as_worked_by_hand():
    assert gd_contraction(F(1, 4), convexity=F(1), smoothness=F(3)) == F(3, 4)
    assert gd_contraction(F(3, 5), convexity=F(1), smoothness=F(3)) == F(4, 5)


def test_the_best_rate_as_worked_by_hand():
    assert gd_optimal_rate(convexity=F(1), smoothness=F(4)) == F(2, 5)
    assert gd_contraction(F(2, 5), convexity=F(1), smoothness=F(4)) == F(3, 5)


def test_the_bound_for_convex_losses_as_worked_by_hand():
    assert gd_convex_bound(F(9), step_length=F(1), smoothness=F(2), steps=1) == 3
    assert gd_convex_bound(F(9), step_length=F(1, 2), smoothness=F(2), steps=0) == 9  # half the smoothness: no step


def test_the_bounds_run_on_floats():
    assert descent_bound(5.0, 4.0, learning_rate=0.5, smoothness=3.0) == 4.5
    assert gd_convex_bound(9.0, step_length=1.0, smoothness=2.0, steps=1) == 3.0


def test_a_negative_number_of_steps_is_refused():
    with pytest.raises(DomainError) as refusal:
        gd_convex_bound(1.0, step_length=1.0, smoothness=1.0, steps=-1)

    assert str(refusal.value) == "steps must be in [0, inf), got steps=-1"
