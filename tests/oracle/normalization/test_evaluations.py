"""A variance in one pass: the same on paper and in exact arithmetic, and a bound of its own."""

import numpy as np
import pytest
import sympy

from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision, precision_models
from oracle.arithmetic.primitives import evaluated, variance
from oracle.arithmetic.rounding import given
from oracle.arithmetic.symbols import symbol_array
from oracle.bound import bound
from oracle.catalogue import FORMULAS
from oracle.exact import exact

VARIED = [formula for formula in FORMULAS if "one_pass" in formula.evaluations]
NARROW = Precision(FLOAT32, FLOAT32, FLOAT64)

every_formula = pytest.mark.parametrize("formula", VARIED, ids=lambda formula: formula.id)


def in_one_pass(formula):
    return formula.programs["one_pass"]


def arguments(formula, offset=0.0):
    x = offset + np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [2.0, 0.0, -0.75]])
    others = (np.array([2.0, -0.5, 1.5]), np.array([0.25, 3.0, 1.0]))[: len(formula.arrays) - 1]
    return (x, *others), dict.fromkeys(formula.hyperparameters, 0.25)


def test_every_formula_with_a_variance_has_the_evaluation():
    assert [formula.id for formula in VARIED] == [
        "standardize_feature",
        "batch_norm",
        "batch_norm_running_variance",
        "batch_norm_running_variance_biased",
        "layer_norm",
    ]


@every_formula
def test_it_is_the_formula_on_paper(formula):
    arrays = [symbol_array(f"{name}0 {name}1 {name}2", real=True) for name in formula.arrays]
    values = {name: symbol_array(name, positive=True) for name in formula.hyperparameters}
    printed, other = (record.body(*arrays, **values) for record in (formula, in_one_pass(formula)))
    numbers = {
        symbol: sympy.Rational(5 * place % 11 + 1, 3)
        for place, symbol in enumerate(
            sorted(set().union(*(element.free_symbols for element in printed.elements.flat)), key=str)
        )
    }

    for one, two in zip(printed.elements.flat, other.elements.flat, strict=True):
        assert one != two
        assert sympy.simplify(one - two) == 0
        assert sympy.simplify(one.subs(numbers)) == sympy.simplify(two.subs(numbers))


@every_formula
def test_its_exact_values_are_the_formula_s(formula):
    arrays, values = arguments(formula, 0.1)
    printed, other = (exact(record, *arrays, **values) for record in (formula, in_one_pass(formula)))

    assert printed.tolist() == other.tolist()


@every_formula
def test_its_bound_is_finite_a_million_spreads_from_zero_and_far_wider_than_that_of_two_passes(formula):
    arrays, values = arguments(formula, 1e6)
    precision = precision_models("float64")[0]
    printed, other = (
        bound(record, *arrays, precision=precision, **values) for record in (formula, in_one_pass(formula))
    )

    assert other.bounded.all()
    assert (other.error > 1e3 * printed.error).all()
    # Of sixteen digits four are left, or a little more.
    assert (other.error < 0.1 * np.max(np.abs(other.midpoint))).all()


def test_its_bound_near_zero_is_no_wider_than_a_few_times_that_of_two_passes():
    x = given(np.array([[1.0, -2.0, 0.5]]), NARROW)
    printed = variance(x, axis=-1).error
    with evaluated("one_pass"):
        other = variance(x, axis=-1).error

    assert (printed < other).all()
    assert (other < 4 * printed).all()


def test_where_the_difference_may_be_negative_a_norm_has_no_bound():
    formula = in_one_pass(next(formula for formula in VARIED if formula.id == "layer_norm"))
    arrays, values = arguments(formula, 1e4)
    expected = bound(formula, *arrays, precision=NARROW, **values)

    assert not expected.bounded.any()


def test_it_ends_with_its_block():
    x = given(np.array([[300.0, 301.0, 302.0]]), NARROW)
    before = variance(x, axis=-1).error
    with evaluated("one_pass"):
        inside = variance(x, axis=-1).error

    assert (inside > 10 * before).all()
    assert variance(x, axis=-1).error.tolist() == before.tolist()


def test_squares_past_the_range_have_no_bound():
    with evaluated("one_pass"):
        assert not np.isfinite(variance(given(np.array([1e20, 1.0]), NARROW), axis=0).error).any()
        assert np.isfinite(
            variance(given(np.array([1e18, 1.0]), Precision(FLOAT64, FLOAT64, FLOAT64)), axis=0).error
        ).all()
