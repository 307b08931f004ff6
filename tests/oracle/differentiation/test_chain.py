"""The chain rule on numbers of several kinds."""

from fractions import Fraction as F

import numpy as np
import pytest

from oracle.differentiation.chain import backpropagated, chain_rule, chain_rule_rows
from oracle.exact import exact

ROW, JACOBIAN = [2.0, -1.0], [[1.0, 3.0, 0.5], [4.0, 0.0, -2.0]]


@pytest.mark.parametrize("number", [float, F], ids=["floats", "fractions"])
def test_rows_and_sums_are_what_is_worked_by_hand(number):
    row = np.array([number(value) for value in ROW])
    jacobian = np.array([[number(value) for value in line] for line in JACOBIAN])

    assert chain_rule(row, jacobian).tolist() == [-2, 6, 3]
    assert chain_rule_rows(row[None], jacobian).tolist() == [[-2, 6, 3]]


def test_sums_are_rounded_once():
    row, jacobian = np.array([1.0, 1.0, 1.0]), np.array([[2.0**60], [1.0], [-(2.0**60)]])

    assert exact(chain_rule, row, jacobian).tolist() == [1.0]
    assert chain_rule(row, jacobian).tolist() == [0.0]


def test_the_last_function_is_the_first_on_the_way_back():
    seen = []

    def pullback(name):
        return lambda upstream: seen.append(name) or upstream + name

    assert backpropagated([pullback("f"), pullback("g")], "seed ") == "seed gf"
    assert seen == ["g", "f"]
    assert backpropagated([], 1.0) == 1.0
