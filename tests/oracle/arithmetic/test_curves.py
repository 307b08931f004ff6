"""Curves in balls and under rounding: what their printed lines would lose."""

import math
from dataclasses import replace

import flint
import numpy as np
import pytest

from oracle.arithmetic import ball_curves, curves, rounded_functions
from oracle.arithmetic.balls import balls, midpoint, working_precision
from oracle.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Precision
from oracle.arithmetic.rounding import atom, given
from oracle.bound import bound
from oracle.differentiation.activations import relu_vjp
from oracle.differentiation.layers import linear_vjp_weight
from oracle.errors import DomainError

STRICT = Precision(FLOAT64, FLOAT64, FLOAT64)
NARROW = Precision(FLOAT32, FLOAT32, FLOAT64)


def test_the_normal_distribution_keeps_its_sign_where_the_library_has_no_digits():
    with working_precision(2048):
        value = ball_curves.normal_cdf(flint.arb(-1e300))

        assert value > 0


def test_the_normal_distribution_is_continued_where_the_library_ends():
    with working_precision(256):
        inside, outside = (ball_curves.normal_cdf(flint.arb(-(2**16)) - shift) for shift in (0, 2.0**-30))
        slope = ((inside / outside).log() - 2.0**-14).abs_upper()

        # The logarithm falls by x + 1/x for each unit, and the series is cut after the square of 1/x.
        assert slope <= 2.0**-31


def test_softmax_in_balls_needs_no_range():
    with working_precision(128):
        p = curves.softmax(balls(np.array([1e4, 1e4, -1e4])))

        assert midpoint(p).tolist() == [0.5, 0.5, 0.0]


def test_the_logarithm_of_softmax_in_balls_keeps_the_digits_of_a_small_cost():
    with working_precision(128):
        logarithm = curves.log_softmax(balls(np.array([0.0, -500.0])))

        assert midpoint(logarithm)[0] == -math.exp(-500.0)


def test_a_difference_rounds_once_relative_to_what_is_left():
    a, b = given(np.array([1.0]), NARROW), given(np.array([1.0 - 2.0**-24]), NARROW)

    assert curves.difference(a, b).error[0] <= 2.0**-24 * FLOAT32.unit * 1.01 + FLOAT32.smallest_normal
    assert (a - b).error[0] >= FLOAT32.unit  # two terms that a factor may have been distributed over


def test_what_an_argument_inherits_passes_through_the_slope():
    x = atom(balls(np.array([0.0, 30.0, -30.0])), STRICT, 1e-3)
    error = curves.sigmoid(x).e

    assert 0.25e-3 <= error[0] <= 0.2501e-3
    assert (error[1:] <= 1e-14).all()


@pytest.mark.parametrize("number", [FLOAT32.largest, -FLOAT32.largest, 2.0**-149])
def test_the_ends_of_the_range_have_a_bound(number):
    x = given(np.array([number]), NARROW)

    assert curves.sigmoid(x).e[0] <= 16 * FLOAT32.unit
    assert curves.normal_cdf(x).e[0] <= 32 * FLOAT32.unit
    assert curves.tanh_argument(x).e[0] < math.inf


def test_an_exponential_that_overflows_in_float16_may_lose_the_whole_value():
    precision = Precision(FLOAT16, FLOAT16, FLOAT64)
    x = given(np.array([-11.5]), precision)

    assert curves.sigmoid(x).e[0] >= 1 / (1 + math.exp(11.5))


def test_distant_scores_cost_softmax_nothing():
    near = curves.softmax(given(np.array([[1.0, 0.0]]), NARROW)).e
    far = curves.softmax(given(np.array([[1.0, 0.0, -1e4, -3e4]]), NARROW)).e

    assert (far[0, :2] <= 1.5 * near[0]).all()


def test_an_affine_map_counts_the_bias_among_the_terms():
    x, w = given(np.ones((1, 4)), NARROW), given(np.zeros((4, 1)), NARROW)
    bias = given(np.array([1.0]), NARROW)

    assert curves.affine(x, w, bias).e[0, 0] >= 5 * FLOAT32.unit


def test_a_subnormal_number_that_may_be_read_as_zero_opens_both_branches():
    x, upstream = np.array([1e-40, 1e-40, 0.0, -1e-40, 1.0]), np.array([3.0, 0.0, 3.0, 3.0, 3.0])
    flushing = bound(relu_vjp, FLOAT32.round(x), upstream, precision=NARROW)
    gradual = bound(relu_vjp, FLOAT32.round(x), upstream, precision=replace(NARROW, flush_to_zero=False))

    assert (flushing.ratio(np.array([0.0, 0.0, 0.0, 0.0, 3.0])) <= 1).all()
    assert (flushing.ratio(np.array([3.0, 0.0, 0.0, 0.0, 3.0])) <= 1).all()
    assert gradual.ratio(np.array([0.0, 0.0, 0.0, 0.0, 3.0]))[0] > 1


def test_a_subnormal_number_that_a_product_reads_as_zero_may_have_met_a_large_one():
    tiny, large, nothing = FLOAT32.round(np.array([[1e-40]])), np.array([[1e6]]), np.zeros((1, 1))
    for arrays in ((tiny, large), (large, tiny)):
        assert bound(linear_vjp_weight, *arrays, precision=NARROW).ratio(nothing) <= 1
        assert bound(linear_vjp_weight, *arrays, precision=replace(NARROW, flush_to_zero=False)).ratio(nothing) > 1


def two_shares(p, other, v):
    """Go back through softmax with another approximation of it in each place."""
    return (p * v - other * np.sum(p * v)).astype(np.float64)


def test_the_shares_that_come_back_may_differ_in_both_places():
    scores, v = np.array([0.1, 0.7, -0.3], dtype=np.float32), np.full(3, 3.0, dtype=np.float32)
    p = np.exp(scores) / np.sum(np.exp(scores))
    other = np.nextafter(p, np.float32(1))
    shares, given_v = curves.softmax(given(scores.astype(np.float64), NARROW)), given(v.astype(np.float64), NARROW)
    ruled = curves.weighted_deviation(shares, given_v)
    missed = np.abs(two_shares(p, other, v) - ruled.x)

    assert (missed <= ruled.error).all()
    # All cotangents are equal: what cancels exactly in the printed line leaves the difference of both shares.
    assert (missed > 0).any()
    assert (np.abs(ruled.x) < 1e-15).all()


@pytest.mark.parametrize("precision", [STRICT, NARROW], ids=["balls", "floats"])
def test_no_cotangents_bring_nothing_back(precision):
    rows = given(np.array([[0.5, 2.0], [3.0, -1.0]]), precision)
    zeros = given(np.zeros((2, 2)), precision)

    assert (curves.weighted_deviation(curves.softmax(rows), zeros).error == 0).all()


def test_shares_of_values_near_the_end_of_the_range_have_no_bound():
    rows = given(np.zeros((2, 2)), NARROW)
    values = given(np.array([[FLOAT32.largest, 1.0], [1.0, 2.0]]), NARROW)

    assert np.isfinite(curves.weighted_deviation(curves.softmax(rows), values).error).tolist() == [
        [False] * 2,
        [True] * 2,
    ]


@pytest.mark.parametrize("precision", [STRICT, NARROW], ids=["balls", "floats"])
def test_rows_and_columns_change_places_with_their_errors(precision):
    x = given(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), precision) * given(np.full((2, 3), 3.0), precision)
    turned = rounded_functions.matrix_transpose(x)

    assert turned.shape == (3, 2)
    assert np.array_equal(turned.error, x.error.T)
    assert np.array_equal(turned.carrier.midpoint(turned.x), [[3.0, 12.0], [6.0, 15.0], [9.0, 18.0]])


@pytest.mark.parametrize("precision", [STRICT, NARROW], ids=["balls", "floats"])
def test_an_element_that_is_picked_costs_nothing_and_a_row_of_one_place_is_exact(precision):
    rows = given(np.array([[0.5, 2.0], [3.0, -1.0]]), precision)
    picked, ones = curves.chosen(rows, np.array([1, 0])), curves.one_hot(np.array([1, 0]), rows)

    assert picked.carrier.midpoint(picked.x).tolist() == [2.0, 3.0]
    assert ones.carrier.midpoint(ones.x).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert not picked.error.any()
    assert not ones.error.any()


@pytest.mark.parametrize("places", [[0, 2], [-1, 0]])
def test_a_place_outside_its_row_is_refused(places):
    for function in (curves.chosen, curves.one_hot):
        arguments = (np.eye(2), np.array(places))
        with pytest.raises(DomainError, match=r"places must be in \[0, 2\)"):
            function(*(arguments if function is curves.chosen else arguments[::-1]))


def test_the_slope_of_the_logistic_function_keeps_its_digits_on_both_sides():
    with working_precision(128):
        slopes = midpoint(curves.logistic_slope(balls(np.array([700.0, -700.0]))))

    assert slopes.tolist() == [math.exp(-700.0)] * 2
