"""Losses of regression."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.symbols import symbol_array
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.losses.regression import loss_l1, loss_mse, loss_squared_error

S, Y = np.array([0.1, -2.0, 3.5]), np.array([0.3, 1.0, 3.5])
ALL = (loss_squared_error, loss_mse, loss_l1)


def test_residuals_of_two_and_three_cost_what_is_worked_by_hand():
    prediction, target = np.array([1.0, 2.0]), np.array([3.0, 5.0])

    assert [float(formula(prediction, target)) for formula in ALL] == [13.0, 6.5, 5.0]


def test_exact_values_are_those_of_fractions():
    residuals = [F(y) - F(s) for s, y in zip(S.tolist(), Y.tolist(), strict=True)]
    total = sum(residual**2 for residual in residuals)

    assert float(exact(loss_squared_error, S, Y)) == float(total)
    assert float(exact(loss_mse, S, Y)) == float(total / 3)
    assert float(exact(loss_l1, S, Y)) == float(sum(map(abs, residuals)))


def test_the_gradient_of_the_squared_error_is_twice_the_residual():
    s, y = symbol_array("s0 s1", real=True), symbol_array("y0 y1", real=True)
    loss = loss_squared_error.body(s, y).elements.item()

    assert all(
        sympy.expand(sympy.diff(loss, a) - 2 * (a - b)) == 0 for a, b in zip(s.elements, y.elements, strict=True)
    )


def test_a_constant_prediction_costs_the_variance_and_the_squared_bias():
    constant = np.full(3, 0.5)
    expected = np.var(Y) + (0.5 - np.mean(Y)) ** 2

    assert abs(float(exact(loss_mse, constant, Y)) - expected) <= 8 * 2.0**-53 * expected


def test_norms_are_ordered():
    square, modulus = float(exact(loss_squared_error, S, Y)), float(exact(loss_l1, S, Y))

    assert modulus**2 / 3 <= square <= modulus**2


def test_torch_agrees_within_a_few_roundings():
    functional = torch.nn.functional
    theirs = (
        functional.mse_loss(torch.tensor(S), torch.tensor(Y), reduction="sum"),
        functional.mse_loss(torch.tensor(S), torch.tensor(Y)),
        functional.l1_loss(torch.tensor(S), torch.tensor(Y), reduction="sum"),
    )
    for formula, value in zip(ALL, theirs, strict=True):
        expected = float(exact(formula, S, Y))

        assert abs(float(value) - expected) <= 8 * 2.0**-53 * expected


@pytest.mark.parametrize("formula", ALL, ids=lambda formula: formula.id)
def test_a_number_that_is_not_finite_is_refused(formula):
    with pytest.raises(DomainError, match="target must be finite"):
        exact(formula, S, np.array([0.0, np.inf, 0.0]))
