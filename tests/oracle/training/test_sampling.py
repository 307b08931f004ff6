"""Enumerations of draws, and moments over them."""

from fractions import Fraction as F
from math import comb

import numpy as np
import pytest
import sympy

from oracle.arithmetic.symbols import symbol_array
from oracle.errors import DomainError, ShapeError
from oracle.training.sampling import (
    covariance,
    expectation,
    minibatch_variance_with_replacement,
    minibatch_variance_without_replacement,
    total_variance,
    with_replacement,
    without_replacement,
)


def test_all_draws_are_enumerated():
    assert len(set(with_replacement(3, 4))) == 3**4
    assert len(set(without_replacement(6, 2))) == comb(6, 2)
    assert list(without_replacement(2, 2)) == [(0, 1)]


def test_moments_as_worked_by_hand():
    assert expectation([F(1), F(2), F(6)]) == 3
    assert total_variance([F(1), F(2), F(6)]) == F(14, 3)  # (4 + 1 + 9) / 3
    assert covariance([F(1), F(2), F(6)], [F(1), F(0), F(0)]) == F(-2, 3)


def test_the_variance_of_vectors_is_the_sum_of_those_of_their_coordinates():
    outcomes = [np.array([F(0), F(1)], dtype=object), np.array([F(2), F(5)], dtype=object)]

    assert total_variance(outcomes) == 1 + 4
    assert covariance(outcomes, outcomes[::-1]).tolist() == [-1, -4]


@pytest.mark.parametrize(
    ("outcomes", "variance"),
    [([0.0, 3.0, 3.0], 2.0), ([np.array([0.0, 1.0]), np.array([2.0, 5.0])], 5.0)],
    ids=["floats", "arrays"],
)
def test_moments_are_taken_of_floats(outcomes, variance):
    assert total_variance(outcomes) == variance


def test_moments_are_taken_of_symbols():
    x = symbol_array("x")
    variance = total_variance([x, -x]).elements.item()

    assert variance == sympy.Symbol("x") ** 2


def test_variances_of_means_as_worked_by_hand():
    assert minibatch_variance_with_replacement(F(6), 4) == F(3, 2)
    assert minibatch_variance_without_replacement(F(6), 4, 5) == F(3, 8)  # 6 / 4 * 1 / 4
    assert minibatch_variance_without_replacement(F(6), 5, 5) == 0
    assert minibatch_variance_without_replacement(F(6), 1, 5) == 6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: with_replacement(0, 1), "count must be in [1, inf), got count=0"),
        (lambda: with_replacement(2, 0), "size must be in [1, inf), got size=0"),
        (lambda: without_replacement(2, 3), "size must be in [1, 2], got size=3"),
        (lambda: without_replacement(-1, 1), "count must be in [1, inf), got count=-1"),
        (lambda: minibatch_variance_with_replacement(1, -1), "size must be in [1, inf), got size=-1"),
        (lambda: minibatch_variance_without_replacement(1, 1, 1), "count must be in [2, inf), got count=1"),
        (lambda: minibatch_variance_without_replacement(1, 4, 3), "size must be in [1, 3], got size=4"),
    ],
)
def test_impossible_draws_are_refused(call, message):
    with pytest.raises(DomainError) as refusal:
        call()

    assert str(refusal.value) == message


@pytest.mark.parametrize("moment", [expectation, total_variance])
def test_no_outcomes_have_no_moments(moment):
    with pytest.raises(DomainError) as refusal:
        moment([])

    assert str(refusal.value) == "size must be in [1, inf), got size=0"


def test_quantities_of_different_outcomes_are_refused():
    with pytest.raises(ShapeError) as refusal:
        covariance([F(1)], [F(1), F(2)])

    assert str(refusal.value) == "left and right must have equal length, got 1 and 2"
