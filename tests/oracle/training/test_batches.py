"""Sums and means of batches, and what they leave out."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy

from oracle.arithmetic.symbols import symbol_array
from oracle.errors import DomainError
from oracle.training.batches import batch_mean, batch_sum, centred_noise, chosen, left_out

TERMS = [F(1), F(2), F(4), F(9)]


def test_sums_and_means_as_worked_by_hand():
    assert batch_sum(TERMS) == 16
    assert batch_mean(TERMS) == 4
    assert left_out(TERMS, (0, 3)) == 6
    assert centred_noise(TERMS, (0, 3)) == 1


def test_a_sample_may_be_drawn_twice():
    assert chosen(TERMS, (3, 3, 0)) == [9, 9, 1]
    assert batch_mean(chosen(TERMS, (3, 3, 0))) == F(19, 3)


def test_nothing_is_left_out_of_everything_and_everything_of_nothing():
    assert left_out(TERMS, range(4)) == 0
    assert left_out(TERMS, ()) == 16
    assert batch_sum([]) == 0


@pytest.mark.parametrize(
    ("terms", "mean"),
    [
        ([1.0, 2.0], 1.5),
        ([np.array([1.0, 2.0]), np.array([3.0, -2.0])], [2.0, 0.0]),
        ([sympy.Symbol("x"), 3 * sympy.Symbol("x")], 2 * sympy.Symbol("x")),
    ],
    ids=["floats", "arrays", "expressions"],
)
def test_a_mean_is_taken_in_every_number_system(terms, mean):
    shown = batch_mean(terms)

    assert (shown.tolist() if isinstance(shown, np.ndarray) else shown) == mean


def test_arrays_of_symbols_add_up():
    grads = symbol_array("g1:4")

    assert batch_sum([grads[0], grads[1]]).elements.item() == sympy.sympify("g1 + g2")


@pytest.mark.parametrize("function", [chosen, left_out, centred_noise])
@pytest.mark.parametrize("index", [-1, 4])
def test_a_sample_that_does_not_exist_is_refused(function, index):
    with pytest.raises(DomainError) as refusal:
        function(TERMS, (0, index))

    assert str(refusal.value) == f"index must be in [0, 3], got index={index}"


def test_an_empty_batch_has_no_mean():
    with pytest.raises(DomainError) as refusal:
        batch_mean([])

    assert str(refusal.value) == "size must be in [1, inf), got size=0"
