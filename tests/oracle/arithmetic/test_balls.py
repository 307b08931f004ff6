from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx

from oracle.arithmetic.balls import (
    BallArray,
    abs_lower,
    abs_upper,
    balls,
    midpoint,
    rounded_ends,
    to_float,
    working_precision,
)
from oracle.errors import UndecidedError
from tests.helpers.hostile import hostile
from tests.helpers.mp import nearest_float

XP = BallArray.namespace


def around(middle: float, radius: float) -> BallArray:
    return BallArray(arb(middle, radius))


def holds(ball: BallArray, number: Fraction | int) -> bool:
    fraction = Fraction(number)
    with working_precision(256):
        return bool((ball * fraction.denominator).elements.item().contains(arb(fraction.numerator)))


def test_the_precision_is_restored_after_the_block_and_after_an_error():
    before = ctx.prec

    with working_precision(999):
        within = ctx.prec
    after = ctx.prec
    with pytest.raises(UndecidedError), working_precision(999):
        bool(around(0.0, 1.0) > 0.0)

    assert (within, after, ctx.prec) == (999, before, before)


def test_a_ball_of_a_float_is_exact_and_not_the_decimal():
    ball = balls(0.1).elements.item()

    assert ball.is_exact()
    assert ball == arb(3602879701896397) / 2**55


def test_floats_leave_as_they_entered(draws):
    numbers = hostile(np.random.default_rng(0), draws(1_000, 100_000))

    values, decided = to_float(balls(numbers))

    assert decided.all()
    assert np.array_equal(values, numbers)


def test_exact_balls_round_to_nearest_in_every_binade(draws):
    rng = np.random.default_rng(1)
    cases = []
    for _ in range(draws(2_000, 200_000)):
        odd = int(rng.integers(2**60)) | 1
        tie = (2 * int(rng.integers(2**53)) + 1) * 2 ** int(rng.integers(0, 2))
        mantissa = int(rng.choice([-1, 1])) * int(rng.choice([odd, tie]))
        cases.append((mantissa, int(rng.integers(-1140, 1000))))

    with working_precision(4096):
        values, decided = to_float(BallArray.wrap([arb(m) * arb(2) ** e for m, e in cases]))

    assert decided.all()
    assert values.tobytes() == np.array([nearest_float(m, e) for m, e in cases]).tobytes()


@pytest.mark.parametrize(
    ("mantissa", "exponent", "rounded"),
    [
        (1, -1075, 0.0),
        (-1, -1075, -0.0),
        (3, -1075, 2.0**-1073),
        (2**54 - 1, 970, np.inf),
        (2**55 - 3, 969, np.finfo(float).max),
        (1, 5000, np.inf),
        (-1, 5000, -np.inf),
        (0, 0, 0.0),
    ],
)
def test_the_ends_of_the_range_round_as_ieee_754_says(mantissa, exponent, rounded):
    with working_precision(128):
        value, decided = to_float(BallArray(arb(mantissa) * arb(2) ** exponent))

    assert decided
    assert value.tobytes() == np.float64(rounded).tobytes()


def test_a_ball_around_a_midpoint_or_around_zero_is_undecided():
    with working_precision(128):
        tie = arb(1 + 2.0**-52) + arb(2.0**-53, 2.0**-100)
        undecided = BallArray.wrap([tie, arb(0, 2.0**-1000)])

        low, high = rounded_ends(undecided)
        _, decided = to_float(undecided)

    assert (low[0], high[0]) == (1 + 2.0**-52, 1 + 2.0**-51)
    assert decided.tolist() == [False, False]


def test_a_ball_that_says_nothing_is_undecided_and_unbounded():
    nothing = balls(1.0) / 0.0

    values, decided = to_float(nothing)

    assert not decided
    assert np.isnan(values)
    assert np.isnan(midpoint(nothing))
    assert (abs_lower(nothing), abs_upper(nothing)) == (0.0, np.inf)


def test_magnitudes_are_bounded_outward(draws):
    rng = np.random.default_rng(2)
    tops, units = hostile(rng, draws(500, 50_000)), hostile(rng, draws(500, 50_000))
    with working_precision(128):
        ratio = balls(tops) / balls(np.where(units == 0, 3.0, units))

        below, above = abs_lower(ratio), abs_upper(ratio)

        assert all(arb(low) <= abs(ball) for low, ball in zip(below, ratio.elements, strict=True))
        assert all(arb(high) >= abs(ball) for high, ball in zip(above, ratio.elements, strict=True))
    assert np.any(below < above)
    with np.errstate(over="ignore"):
        assert np.all(np.nextafter(below, np.inf) >= above)


@pytest.mark.parametrize("exponent", range(-4, 12))
def test_powers_of_a_ball_around_zero_stay_finite_and_even_ones_stay_above_it(exponent):
    with working_precision(128):
        power = around(0.0, 0.5) ** exponent
        exact = balls(3.0) ** exponent

    finite = power.elements.item().is_finite()
    assert finite == (exponent >= 0)
    assert not finite or holds(power, Fraction(1, 2) ** exponent)
    assert not finite or holds(power, Fraction(-1, 2) ** exponent)
    assert exponent % 2 or not finite or not power.elements.item().lower() < 0
    assert holds(exact, Fraction(3) ** exponent)


def test_the_root_of_a_ball_that_reaches_below_zero_by_rounding_starts_at_zero():
    with working_precision(128):
        root = XP.sqrt((around(0.0, 1e-20) ** 2) * 0.1)

    assert holds(root, 0)
    assert root.elements.item() < 2e-20


def test_a_negative_number_has_no_root():
    assert np.isnan(midpoint(XP.sqrt(balls(-1.0))))


def test_the_norm_is_exact_where_it_is_a_whole_number_and_where_it_is_zero():
    with working_precision(128):
        norms = [XP.linalg.vector_norm(balls(np.array(x))) for x in ([3.0, 4.0], [[2.0, 3.0], [6.0, 0.0]], [0.0, 0.0])]

    assert [float(norm.elements.item()) for norm in norms] == [5.0, 7.0, 0.0]
    assert all(norm.elements.item().is_exact() and norm.shape == () for norm in norms)


def test_comparisons_have_three_answers():
    x = BallArray([arb(0), arb(1, 0.5), arb(3)])

    answer = x >= 1.0

    assert answer.certain.tolist() == [False, False, True]
    assert answer.impossible.tolist() == [True, False, False]


def test_equality_is_certain_only_between_exact_balls():
    same = around(0.0, 0.5) == around(0.0, 0.5)

    assert (bool(same.certain), bool(same.impossible)) == (False, False)
    assert balls(0.5) == 0.5
    assert balls(0.5) != 0.25


def test_an_undecided_comparison_is_no_boolean():
    with pytest.raises(UndecidedError, match="cannot tell with 53 bits"), working_precision(53):
        bool(around(1.0, 0.5) > 1.0)


def test_where_takes_the_hull_of_both_choices_if_undecided():
    x = BallArray([arb(0), arb(1, 0.5), arb(3)])

    chosen = XP.where(x >= 1.0, 10.0, balls(np.array([20.0, 20.0, 20.0])))

    assert midpoint(chosen)[[0, 2]].tolist() == [20.0, 10.0]
    assert holds(chosen[1], 10)
    assert holds(chosen[1], 20)
    assert midpoint(XP.where(np.array([True, False, True]), x, 7.0)).tolist() == [0.0, 7.0, 3.0]


def test_zero_over_zero_is_zero_only_if_both_are_certainly_zero():
    zero, wide = balls(0.0), around(0.0, 1e-30)

    assert (XP.quotient(zero, zero) == 0).certain
    assert not XP.quotient(wide, zero).elements.item().is_finite()
    assert not XP.quotient(zero, wide).elements.item().is_finite()
    assert not XP.quotient(balls(1.0), zero).elements.item().is_finite()


@pytest.mark.parametrize("name", ["exp", "tanh", "erf", "cos", "sign"])
def test_functions_enclose_their_values_over_the_whole_ball(name):
    function = getattr(XP, name)
    with working_precision(128):
        whole = function(around(0.25, 0.5)).elements.item()
        inside = [function(balls(x)).elements.item() for x in np.linspace(-0.25, 0.75, 9)]

    assert all(whole.contains(value) for value in inside)


def test_extrema_of_overlapping_balls_enclose_both_outcomes():
    largest = XP.maximum(around(0.0, 1.0), 0.5)
    smallest = XP.minimum(around(0.0, 1.0), 0.5)

    assert holds(largest, Fraction(1, 2))
    assert holds(largest, 1)
    assert holds(smallest, -1)
    assert holds(smallest, Fraction(1, 2))
