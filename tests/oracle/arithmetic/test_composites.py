"""Composite primitives bound all the ways in which programs compute a line; worked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from oracle.arithmetic import rounded_functions as xp
from oracle.arithmetic.composites import decayed, interpolated, moving_average, quotient, rescaled, stored
from oracle.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Precision
from oracle.arithmetic.rounding import Rounded, atom, given
from oracle.arithmetic.scalars import hyperparameter

SINGLE = Precision(FLOAT32, FLOAT32, FLOAT64)
MIXED = Precision(BFLOAT16, FLOAT32, FLOAT64)
HALF = Precision(FLOAT16, FLOAT16, FLOAT64)
COARSE = Precision(BFLOAT16, FLOAT32, FLOAT64, entry=BFLOAT16)
U = FLOAT32.unit


def single(*values: float) -> Rounded:
    return given(np.asarray(values), SINGLE)


def scalar(value: float, precision: Precision = SINGLE) -> Any:
    return hyperparameter(value, precision)


def worked_out(value: Any, expected: float) -> bool:
    """Whether a bound is what was worked out by hand to first order, and no less."""
    return bool(np.all(value >= expected) and np.all(value <= expected * (1 + 2.0**-12)))


# stored


def test_storing_rounds_only_where_the_storage_is_narrower() -> None:
    narrow, wide = given(np.asarray([3.0]), MIXED) * 5, single(3.0) * 5

    assert worked_out(stored(narrow).error, 15 * (2.0**-8 + U))
    assert worked_out(stored(wide).error, 15 * U)


def test_an_input_passed_on_is_a_number_of_the_storage_format_already() -> None:
    assert stored(given(np.asarray([3.0, 0.0]), MIXED)).error.tolist() == [0, 0]


def test_what_the_storage_format_cannot_hold_has_no_bound() -> None:
    precision = Precision(FLOAT16, FLOAT32, FLOAT64)
    square = given(np.asarray([300.0, 200.0]), precision) ** 2

    assert np.isfinite(stored(square).error).tolist() == [False, True]


# interpolated


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.9])
def test_what_lies_between_costs_what_an_average_costs_that_is_not_stored(beta: float) -> None:
    for precision in (SINGLE, MIXED):
        average, new = (given(np.asarray([value, 0.0]), precision) for value in (3.0, -1.25))
        between, kept = (rule(scalar(beta, precision), average, new) for rule in (interpolated, moving_average))
        storage = np.abs(kept.x) * precision.rounding_to(precision.storage)[0]

        assert (between.x == kept.x).all()
        assert worked_out(kept.error[0], between.error[0] + storage[0])
        assert between.error[1] == kept.error[1] == 0
        assert between.reading == 0


def test_what_lies_between_reads_the_average_that_is_kept() -> None:
    average = stored(single(3.0))
    between = interpolated(scalar(0.5), average, single(0.0))

    assert average.reading == 2
    # Two to read, halved; a difference rounded relative to m, times the rest; and the sum.
    assert worked_out(between.error, (2 * 0.5 + 3 * 0.5 + 0.5) * 3 * U)


# moving_average


def test_an_average_of_both_terms_bounds_every_form() -> None:
    average = moving_average(scalar(0.25), single(2.0), single(-3.0))
    old = 3 * 0.75 + 0.25  # a difference rounded relative to m, times the rest; and the sum
    new = 4 * 0.75  # entry, difference, product, sum

    assert average.x == 0.25 * 2 - 0.75 * 3
    assert worked_out(average.error, (old * 2 + new * 3) * U)


def test_an_average_with_a_large_beta_is_two_products_and_a_sum() -> None:
    average = moving_average(scalar(0.75), single(2.0), single(-3.0))

    assert worked_out(average.error, (3 * 0.75 * 2 + 4 * 0.25 * 3) * U)


def test_an_average_without_memory_still_remembers_in_its_difference_form() -> None:
    assert worked_out(moving_average(scalar(0.0), single(8.0), single(1.0)).error, (3 * 8 + 4) * U)


def test_terms_that_are_exactly_zero_drop_out_of_an_average() -> None:
    assert worked_out(moving_average(scalar(0.75), single(0.0), single(3.0)).error, 4 * 0.25 * 3 * U)
    assert worked_out(moving_average(scalar(0.75), single(2.0), single(0.0)).error, 3 * 0.75 * 2 * U)
    assert moving_average(scalar(0.75), single(0.0), single(0.0)).error == 0


def test_an_average_that_takes_nothing_in_stays_exactly_zero() -> None:
    assert moving_average(scalar(1.0), single(0.0), single(3.0)).error == 0


def test_an_average_inherits_the_errors_of_both_terms() -> None:
    m, g = (atom(np.asarray([x]), SINGLE, e) for x, e in ((2.0, 0.125), (3.0, 0.0625)))

    assert worked_out(moving_average(scalar(0.5), m, g).error, 0.5 * 0.125 + 0.5 * 0.0625)


def test_an_average_inherits_the_error_of_its_weights() -> None:
    narrow = Precision(FLOAT32, FLOAT32, FLOAT32)
    average = moving_average(
        hyperparameter(0.999, narrow), given(np.asarray([0.0]), narrow), given(np.asarray([1.0]), narrow)
    )

    assert average.error >= abs(float(np.float32(1) - np.float32(0.999)) - 0.001)


def test_an_unnormalised_sum_out_of_range_leaves_no_bound() -> None:
    beta = scalar(0.999, HALF)
    averages = [moving_average(beta, given(np.zeros(1), HALF), given(np.asarray([g]), HALF)) for g in (16.0, 40000.0)]

    assert np.isfinite(averages[0].error)
    assert averages[1].error == np.inf


def test_an_average_does_not_pay_for_reading_itself() -> None:
    once = moving_average(scalar(0.75), single(2.0), single(1.0))

    assert moving_average(scalar(0.75), once, single(0.0)).error < 2 * once.error + 3 * 0.75 * 1.75 * U


def test_an_average_of_an_average_pays_for_reading_the_other() -> None:
    once = stored(single(1.0))

    assert worked_out(moving_average(scalar(0.75), single(0.0), once).error, (2 + 4) * 0.25 * U)


# decayed


def test_a_decay_bounds_the_factor_and_the_difference() -> None:
    shrunk = decayed(single(4.0), scalar(0.5), scalar(0.5))

    assert shrunk.x == 3
    assert (shrunk.M, shrunk.r, shrunk.T) == (3, 2, 2)
    assert worked_out(shrunk.e, 5 * 0.25 * 4 * U)
    assert worked_out(shrunk.error, (5 + 2 * 3) * U)


def test_a_decay_to_zero_keeps_the_error_of_what_was_subtracted() -> None:
    gone = decayed(single(4.0), scalar(2.0), scalar(0.5))

    assert gone.x == 0
    assert worked_out(gone.error, 5 * 4 * U)


@pytest.mark.parametrize(("rate", "decay"), [(0.0, 0.5), (0.5, 0.0)])
def test_no_decay_leaves_the_parameter_exactly_alone(rate: float, decay: float) -> None:
    assert decayed(single(4.0), scalar(rate), scalar(decay)).error == 0


def test_an_exact_zero_does_not_decay() -> None:
    assert decayed(single(0.0), scalar(0.5), scalar(0.5)).error == 0


def test_a_decay_by_a_plain_number_is_exact_in_it() -> None:
    assert worked_out(decayed(single(4.0), 1, scalar(0.25)).error, (5 + 2 * 3) * U)


def test_both_scalars_of_a_decay_may_enter_by_themselves() -> None:
    entry = COARSE.entry_roundings
    gone = decayed(given(np.asarray([4.0]), COARSE), scalar(2.0, COARSE), scalar(0.5, COARSE))

    assert gone.e >= 2 * entry * 4 * U


def test_a_term_beside_a_decay_pays_for_the_parenthesis_that_it_may_stand_in() -> None:
    precision = Precision(BFLOAT16, BFLOAT16, FLOAT64)
    param, grad, rate, penalty = -0.0037384033203125, 1.0, 1.0272636746457318, 0.6013677166315352
    theta, g, eta, decay = (ml_dtypes.bfloat16(x) for x in (param, grad, rate, penalty))
    honest = float(theta - eta * (g + decay * theta))
    start, step = given(np.asarray([param]), precision), given(np.asarray([grad]), precision)
    shrunk = decayed(start, scalar(rate, precision), scalar(penalty, precision))
    update = scalar(rate, precision) * step

    def ratio(result: Rounded) -> float:
        return float(abs(honest - result.x[0]) / result.error[0])

    assert ratio(shrunk - update) < 1
    assert ratio(replace(shrunk, T=1) - update) > 1


# quotient


def test_a_quotient_of_exact_zeros_is_zero_and_has_no_bound() -> None:
    ratio = quotient(single(0.0, 0.0), single(0.0, 2.0))

    assert ratio.x.tolist() == [0, 0]
    assert ratio.error.tolist() == [np.inf, 0]


def test_a_quotient_is_a_division_elsewhere() -> None:
    ratio = quotient(single(3.0), single(2.0))

    assert ratio.x == 1.5
    assert ratio.r == 2


def test_a_quotient_of_scalars_is_a_scalar() -> None:
    assert quotient(scalar(1.0), scalar(4.0)).x == 0.25


# rescaled


def clipped(grad: Rounded, max_norm: float) -> Rounded:
    return rescaled(grad, scalar(max_norm, grad.precision), xp.linalg.vector_norm(grad))


def test_a_gradient_that_fits_rounds_four_times() -> None:
    result = clipped(single(3.0, -4.0), 10.0)

    assert result.x.tolist() == [3, -4]
    assert worked_out(result.error[0], 4 * 3 * U)
    assert worked_out(result.error[1], 4 * 4 * U)


def test_a_gradient_that_is_shortened_inherits_the_error_of_the_ratio() -> None:
    result = clipped(single(3.0, -4.0), 2.5)
    ratio = 0.5 * (6.5 + 3) * U  # the norm's 6.5; the threshold's entry and the division

    assert result.x.tolist() == [1.5, -2]
    assert worked_out(result.error[0], 3 * (ratio + 4 * 0.5 * U))


def test_at_the_threshold_both_branches_are_inside() -> None:
    result = clipped(single(3.0, -4.0), 5.0)

    assert result.x.tolist() == [3, -4]
    assert worked_out(result.error[0], 3 * ((6.5 + 3) + 4) * U)


def test_a_zero_gradient_stays_exactly_zero() -> None:
    assert clipped(single(0.0, 0.0), 1.0).error.tolist() == [0, 0]
    assert clipped(single(0.0, 4.0), 1.0).error[0] == 0


def test_a_zero_gradient_and_no_room_have_no_bound() -> None:
    assert clipped(single(0.0, 0.0), 0.0).error.tolist() == [np.inf, np.inf]


def test_no_room_shortens_to_exact_zeros_but_for_underflow() -> None:
    result = clipped(single(3.0, 4.0), 0.0)

    assert result.x.tolist() == [0, 0]
    assert np.all(result.error <= 32 * FLOAT32.smallest_normal)


def test_partial_products_of_a_clip_may_leave_the_range() -> None:
    grad = given(np.asarray([200.0]), HALF)

    assert rescaled(grad, scalar(1000.0, HALF), given(np.asarray(200.0), HALF)).error == np.inf


def test_a_tiny_norm_may_lose_a_partial_product() -> None:
    tiny = given(np.asarray([2.0**-20]), HALF)

    assert clipped(tiny, 1.0).error >= HALF.underflow
