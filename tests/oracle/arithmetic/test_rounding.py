"""What values carry: the counts of every formula, and the rules of every operation.

The counts are argued from the rules, not measured: random programs rarely reach a count, so a
rule that lost one would go unnoticed by them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from oracle.arithmetic import rounded_functions as xp
from oracle.arithmetic.balls import BallArray
from oracle.arithmetic.composites import stored
from oracle.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Precision
from oracle.arithmetic.rounding import Rounded, atom, given
from oracle.arithmetic.scalars import gamma, hyperparameter
from oracle.catalogue import get
from oracle.formula import initial_state

SINGLE = Precision(FLOAT32, FLOAT32, FLOAT64)
HALF = Precision(FLOAT16, FLOAT16, FLOAT64)
U = FLOAT32.unit
TINY = FLOAT32.smallest_normal

HYPERPARAMETERS = {
    "learning_rate": 0.125,
    "momentum": 0.5,
    "alpha": 0.5,
    "dampening": 0.25,
    "beta1": 0.5,
    "beta2": 0.75,
    "eps": 0.25,
    "l2_penalty": 0.5,
    "weight_decay": 0.5,
    "schedule_multiplier": 2.0,
}


def single(*values: float) -> Rounded:
    return given(np.asarray(values), SINGLE)


def off_by(x: float, e: float) -> Rounded:
    """Make a value with an inherited error."""
    return atom(np.asarray([x]), SINGLE, e)


def scalar(value: float) -> Any:
    return hyperparameter(value, SINGLE)


def worked_out(value: Any, expected: float) -> bool:
    """Whether a bound is what was worked out by hand to first order, and no less."""
    return bool(np.all(value >= expected) and np.all(value <= expected * (1 + 2.0**-12)))


def update(name: str, param: float, steps: int = 2, precision: Precision = SINGLE) -> Rounded:
    """Return a formula's parameter before it is stored, after some steps with the gradient 0.5.

    From a parameter of zero this is the negative update itself, since adding zero rounds nothing.
    """
    rule = get(name)
    scalars = {key: hyperparameter(HYPERPARAMETERS[key], precision) for key in rule.hyperparameters}
    start, grad = given(np.asarray([param]), precision), given(np.asarray([0.5]), precision)
    state = initial_state(rule.state_type, given(np.zeros(1), precision))
    for _ in range(steps):
        result, state = rule.body(start, grad, state, **scalars)
        state = type(state)(*(kept(value) if isinstance(value, Rounded) else value for value in state))
    return result


def kept(value: Rounded) -> Rounded:
    """Return state as the next step finds it: one number."""
    return atom(value.x, value.precision, value.error)


# With a scalar's entry 1, a product 1, a division 2, a root 3, and 2 for reading state:
UPDATES = {
    "gd": 2,  # entry, product
    "sgd_l2": 2,
    "weight_decay_unscaled": 2,
    "momentum_ema": 4,  # reading 2, entry, product
    "momentum_heavy_ball": 4,
    "momentum_torch_dampening": 4,
    "momentum_nesterov": 3,  # the sum g + momentum * v 1, entry, product
    "adam": 10,  # numerator: reading 2, entry and division 3, entry and product 2; denominator: its sum 1; division 2
    "adam_l2": 10,
    "adamw": 10,
    "adam_eps_hat": 12,  # as adam, where rate and root may enter one after the other: entry and product 2 more
    "adamw_paper_scaling": 12,  # as adam, then entry and product
    "adam_bourmaud_literal_k1": 7,  # numerator: reading 2, entry and product 2; denominator: its sum 1; division 2
    "adagrad": 5,  # entry and product 2; the denominator's sum 1; division 2
    "adagrad_eps_inside": 8,  # the sum inside the root 1, and the root 3
    "rmsprop": 5,
    "rmsprop_eps_inside": 8,
    "lion": 2,  # entry, product
    "lion_literal_ct": 2,
}


@pytest.mark.parametrize("name", UPDATES)
def test_an_update_has_the_roundings_of_its_printed_formula(name: str) -> None:
    assert update(name, 0.0).r == UPDATES[name]


@pytest.mark.parametrize("name", UPDATES)
def test_a_coarser_entry_counts_once_for_every_scalar(name: str) -> None:
    entries = {"gd": 1, "sgd_l2": 1, "weight_decay_unscaled": 1, "adam_eps_hat": 3, "adamw_paper_scaling": 3}
    entries.update(dict.fromkeys(("momentum_ema", "momentum_heavy_ball", "momentum_torch_dampening"), 1))
    adaptive = ("adagrad", "adagrad_eps_inside", "rmsprop", "rmsprop_eps_inside", "adam_bourmaud_literal_k1")
    entries.update(dict.fromkeys((*adaptive, "lion", "lion_literal_ct"), 1))
    entries.update(dict.fromkeys(("momentum_nesterov",), 1), adam=2, adam_l2=2, adamw=2)
    precision = Precision(BFLOAT16, FLOAT32, FLOAT64, entry=BFLOAT16)
    coarse = BFLOAT16.unit / FLOAT32.unit

    assert update(name, 0.0, precision=precision).r == UPDATES[name] + entries[name] * (coarse - 1)


def test_a_parameter_is_one_rounding_from_its_last_sum() -> None:
    assert all(update(name, 1.0).r == 1 for name in UPDATES)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("gd", 2),
        ("sgd_l2", 3),
        ("momentum_ema", 3),  # the parameter, what the buffer kept, and what it gained
        ("momentum_heavy_ball", 3),
        ("momentum_nesterov", 4),
        ("adam", 3),
        ("adamw", 4),
        ("adamw_paper_scaling", 4),
        ("adagrad", 2),
        ("rmsprop", 2),
        ("adam_bourmaud_literal_k1", 3),
        ("lion", 3),  # the parameter twice, in its decay, and the step
    ],
)
def test_terms_are_counted_after_expansion(name: str, terms: int) -> None:
    assert update(name, 1.0).T == terms


def test_a_parameter_minus_its_update_may_cancel() -> None:
    assert update("adam", 1.0).C


def test_a_sum_of_squares_cannot_cancel() -> None:
    grad = single(3.0, -4.0)

    assert not (grad**2 + grad**2).C
    assert (grad + single(-3.0, 4.0)).C


def test_a_square_is_one_product() -> None:
    square = single(3.0) ** 2

    assert square.r == 1
    assert square.M == 9


@pytest.mark.parametrize(("exponent", "roundings"), [(1, 0), (3, 9), (12, 11)])
def test_a_higher_power_costs_its_products_or_a_pow(exponent: int, roundings: int) -> None:
    assert (single(1.5) ** exponent).r == roundings


def test_chains_remember_how_far_their_parts_may_reach() -> None:
    chain = scalar(0.125) * (single(4.0) / single(0.5))

    assert chain.H == 4 / 0.5
    assert chain.L == 8
    assert chain.A == 8
    assert chain.D == 1


def test_a_denominator_may_grow_by_what_it_is_divided_by() -> None:
    chain = scalar(0.125) * (single(4.0) / single(16.0))

    assert chain.D == 16
    assert chain.A == 8


# Operations.


def test_a_sum_charges_its_magnitude_and_not_its_value() -> None:
    assert worked_out((single(1.0) - single(1.0)).error, 2 * U)


def test_each_term_of_an_expanded_sum_pays_for_all_additions() -> None:
    total = (single(1.0) - single(0.5)) + single(8.0)

    assert total.T == 3
    assert worked_out(total.error, (1.5 + 8 + 9.5) * U)  # inner sum; 8 again, for it may enter twice; outer sum


def test_a_product_charges_its_factors_roundings_and_one() -> None:
    product = (single(2.0) - single(1.0)) * single(4.0)

    assert product.M == 12
    assert product.r == 2
    assert worked_out(product.error, 24 * U)


def test_inherited_errors_pass_through_a_product() -> None:
    product = off_by(3.0, 0.25) * off_by(-5.0, 0.5)

    assert worked_out(product.e, 3 * 0.5 + 5 * 0.25 + 0.125)
    assert product.M == 15


def test_inherited_errors_pass_through_a_division() -> None:
    ratio = off_by(3.0, 0.25) / off_by(2.0, 0.5)

    assert ratio.r == 2
    assert worked_out(ratio.e, (0.25 + 1.5 * 0.5) / 1.5)
    assert worked_out(ratio.M, 3 / 1.5)


def test_roundings_of_a_cancelling_divisor_are_relative_to_its_terms() -> None:
    difference = single(1.0) - single(0.875)
    ratio = single(1.0) / difference

    assert ratio.r == 2
    assert worked_out(ratio.e, 8 * 1.875 * U / 0.125)


def test_a_root_keeps_the_roundings_inside_for_programs_that_take_the_roots_of_factors() -> None:
    root = xp.sqrt(single(8.0) / single(2.0))

    assert root.r == 2 + 3
    assert root.M == 2


def test_a_root_of_what_may_be_zero_rises_with_the_root_of_the_error() -> None:
    assert worked_out(xp.sqrt(off_by(0.0, 1e-8)).e, 1e-4)
    assert worked_out(xp.sqrt(off_by(1e-8, 1e-8)).e, 1e-4)


def test_an_underflow_inside_a_root_is_charged_before_the_root() -> None:
    root = xp.sqrt(single(2.0**-100) * single(2.0**-30))

    assert root.e >= np.sqrt(2.0**-130 + TINY) - 2.0**-65


def test_moduli_and_signs_cost_nothing() -> None:
    value = single(2.0) * single(3.0)

    assert abs(-value).r == value.r
    assert abs(-value).x == 6
    assert (-value).error == value.error


def test_state_costs_two_more_when_it_is_read_and_none_when_it_is_kept() -> None:
    state = stored(single(2.0))

    assert (state * single(1.0)).r == 3
    assert (state + single(1.0)).e >= gamma(2, U) * 2
    assert state.error == 0
    assert xp.maximum(state, single(1.0)).reading == state.reading


def test_a_larger_one_keeps_its_own_error_when_nobody_doubts_that_it_is_larger() -> None:
    assert worked_out(xp.maximum(off_by(3.0, 0.25), off_by(2.0, 0.5)).e, 0.25)
    assert worked_out(xp.minimum(off_by(3.0, 0.25), off_by(2.0, 0.5)).e, 0.5)


def test_the_larger_of_two_that_may_change_places_has_the_larger_error() -> None:
    assert worked_out(xp.maximum(off_by(3.0, 0.25), off_by(2.5, 0.5)).e, 0.5)


def test_a_clipped_value_is_exact_inside_and_the_cast_threshold_outside() -> None:
    clipped = xp.maximum(-scalar(0.3), xp.minimum(scalar(0.3), single(0.25, 2.0)))

    assert clipped.error[0] == 0
    assert worked_out(clipped.error[1], 0.3 * U)


def test_passing_a_subnormal_number_on_may_flush_it() -> None:
    small = single(TINY / 4)

    assert worked_out(xp.maximum(small, single(0.0)).e, TINY)
    assert worked_out((small + single(0.0)).e, TINY)
    assert (given(np.asarray([2.0**-20]), HALF) + given(np.zeros(1), HALF)).e == 0


def test_a_sum_of_elements_charges_one_addition_less_than_it_has_terms() -> None:
    assert worked_out(xp.sum(single(1.0, -2.0, 3.0)).error, 2 * 6 * U)


def test_a_reduction_accumulates_in_float32_and_rounds_to_the_half_format_once() -> None:
    values = given(np.asarray([1.0, 2.0, 3.0]), Precision(BFLOAT16, BFLOAT16, FLOAT64))

    relative = xp.sum(values).error / 6

    assert 2 * U + 2.0**-8 < relative < 3 * 2.0**-8 / 2


def test_a_norm_of_two_elements_costs_six_roundings_and_a_half() -> None:
    norm = xp.linalg.vector_norm(single(3.0, -4.0))

    assert norm.x == 5
    assert norm.shape == ()
    assert worked_out(norm.error, 6.5 * 5 * U)


def test_the_norm_of_nothing_is_exactly_zero() -> None:
    assert xp.linalg.vector_norm(single()).error == 0
    assert xp.linalg.vector_norm(single(0.0, 0.0)).error == 0


def test_a_norm_inherits_the_norm_of_the_errors() -> None:
    norm = xp.linalg.vector_norm(stored(off_by(3.0, 0.5)))

    assert norm.error >= 0.5


# Exact zeros.


def test_a_product_with_an_exact_zero_is_an_exact_zero() -> None:
    product = (single(2.0) - single(1.0)) * single(0.0)

    assert product.is_zero.all()
    assert product.error == 0


def test_a_zero_scalar_is_an_exact_zero() -> None:
    assert (scalar(0.0) * single(3.0)).error == 0
    assert (scalar(0.0) * single(3.0)).is_zero.all()


def test_adding_an_exact_zero_rounds_nothing() -> None:
    value = single(2.0) * single(3.0)

    assert (value + single(0.0)).r == value.r
    assert (single(0.0) + value).r == value.r
    assert (single(3.0) - single(0.0)).error == 0


def test_a_scalar_that_is_added_to_zero_still_rounds() -> None:
    epsilon = single(0.0) + scalar(1e-8)

    assert epsilon.r == 2  # to the entry format, and to the array's


def test_an_exact_zero_over_what_is_not_zero_is_exact() -> None:
    assert (single(0.0) / single(3.0)).error == 0


def test_an_exact_zero_times_what_may_be_infinite_has_no_bound() -> None:
    assert (single(0.0) * (single(1.0) / off_by(1.0, 2.0))).error == np.inf


def test_an_exact_zero_keeps_the_range_of_its_chain() -> None:
    zero, tiny = given(np.zeros(1), HALF), hyperparameter(2.0**-16, HALF)
    chain = zero * (hyperparameter(1.0, HALF) / (zero + tiny))  # 1 / tiny leaves the format: 0 * inf

    assert chain.error == np.inf


# No bound.


def test_a_divisor_that_may_be_zero_leaves_no_bound() -> None:
    assert (single(1.0) / off_by(1.0, 1.5)).error == np.inf
    assert (single(1.0) / single(0.0)).error == np.inf


def test_a_partial_product_out_of_range_leaves_no_bound() -> None:
    large, small = 2.0**10, 2.0**-10
    product = given(np.asarray([large]), HALF) * given(np.asarray([large]), HALF) * given(np.asarray([small]), HALF)

    assert product.x == large
    assert product.error == np.inf


def test_a_denominator_that_may_leave_the_range_leaves_no_bound() -> None:
    step = hyperparameter(2.0**-8, HALF) * (given(np.ones(1), HALF) / given(np.asarray([2.0**9]), HALF))

    assert step.error == np.inf  # a program may divide the denominator by the scalar


def test_a_scalar_that_enters_as_infinity_leaves_no_bound() -> None:
    precision = Precision(FLOAT16, FLOAT32, FLOAT64, entry=FLOAT16)

    assert (hyperparameter(1e5, precision) * given(np.asarray([1e-3]), precision)).error == np.inf
    assert np.isfinite((hyperparameter(1e3, precision) * given(np.asarray([1e-3]), precision)).error)


def test_squares_out_of_range_leave_no_norm() -> None:
    assert xp.linalg.vector_norm(given(np.asarray([300.0]), HALF)).error == np.inf


def test_no_bound_stays_no_bound() -> None:
    nothing = single(1.0) / single(0.0)

    for value in (nothing + nothing, nothing * nothing, xp.sqrt(abs(nothing)), stored(nothing), nothing - nothing):
        assert value.error == np.inf


# Comparisons.


def test_a_comparison_is_decided_if_the_errors_leave_no_doubt() -> None:
    left, right = off_by(1.0, 0.25), single(1.5)

    assert (left < right).decided.all()
    assert (left < right).holds.all()
    assert not (left < 1.125).decided.any()


def test_exact_ties_are_decided() -> None:
    tie = single(1.0) == single(1.0)

    assert tie.decided.all()
    assert tie.holds.all()


def test_a_refuted_half_decides_a_conjunction() -> None:
    open_question, refuted = off_by(1.0, 1.0) > 0.5, single(1.0) > 2

    assert (open_question & refuted).decided.all()
    assert not (open_question | refuted).decided.any()


def test_a_decided_choice_is_the_chosen_value() -> None:
    chosen = xp.where(single(1.0, -1.0) > 0, off_by(2.0, 0.25), 3)

    assert chosen.x.tolist() == [2, 3]
    assert worked_out(chosen.error[0], 0.25)
    assert chosen.error[1] == 0


# Carriers.


@pytest.mark.parametrize("name", UPDATES)
def test_balls_and_float64_count_the_same(name: str) -> None:
    double = Precision(FLOAT64, FLOAT64, FLOAT64)
    with_balls, with_floats = update(name, 0.0, precision=double), update(name, 0.0)

    assert isinstance(with_balls.x, BallArray)
    assert isinstance(with_floats.x, np.ndarray)
    assert with_balls.r == with_floats.r
    for field in "HLAD":
        assert np.max(np.abs(np.log(getattr(with_balls, field) / getattr(with_floats, field)))) < 1e-12


def test_the_float64_reference_charges_its_own_rounding() -> None:
    third = single(1.0) / single(3.0)

    assert third.e >= 2.0**-53 / 3


def test_the_ball_reference_is_as_good_as_exact() -> None:
    double = Precision(FLOAT64, FLOAT64, FLOAT64)
    third = given(np.ones(1), double) / given(np.asarray([3.0]), double)

    assert third.e == 0


def test_an_array_refuses_what_is_no_number() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        single(1.0) + "1"
