"""Gradient descent and its two weight decays."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.formula import NoState
from oracle.optimizers.descent import gd, sgd_l2, weight_decay_unscaled
from oracle.trajectory import trajectory
from tests.helpers.foreign import assert_within, torch_path

GRADS = [np.array([1.0, -2.0]), np.array([0.5, 0.25]), np.array([-3.0, 0.0])]


def test_gd_moves_as_worked_by_hand():
    param, state = gd(np.array([3.0, -1.0]), np.array([2.0, 4.0]), NoState(), learning_rate=0.25)

    assert param.tolist() == [2.5, -2.0]
    assert state == NoState()


def test_gd_is_additive_in_its_gradients():
    rates = [F(1, 2), F(1, 3), F(1, 7)]
    grads = [F(5), F(-2, 3), F(1, 9)]
    param = F(1)
    for rate, grad in zip(rates, grads, strict=True):
        param, _ = gd(param, grad, NoState(), learning_rate=rate)

    assert param == 1 - sum(rate * grad for rate, grad in zip(rates, grads, strict=True))


def test_gd_contracts_a_quadratic_by_the_same_factor_every_step():
    param, curvature, rate = F(7), F(3), F(1, 5)
    for _ in range(4):
        param, _ = gd(param, curvature * param, NoState(), learning_rate=rate)

    assert param == 7 * (1 - rate * curvature) ** 4


def test_gd_agrees_with_torch_within_two_roundings_a_step():
    path, _ = exact(trajectory(gd), np.array([3.0, -1.0]), GRADS, hyperparameters={"learning_rate": 0.1})

    assert_within(torch_path(torch.optim.SGD, np.array([3.0, -1.0]), GRADS, lr=0.1), path, roundings=2)


def test_sgd_l2_moves_as_worked_by_hand():
    param, _ = sgd_l2(np.array([4.0]), np.array([1.0]), NoState(), learning_rate=0.5, l2_penalty=0.25)

    assert param.tolist() == [3.0]  # 4 - 0.5 * (1 + 0.25 * 4)


def test_without_gradient_sgd_l2_shrinks_by_the_product_of_its_factors():
    rates = [F(1, 2), F(1, 3), F(3, 2)]
    param = F(5)
    for rate in rates:
        param, _ = sgd_l2(param, F(0), NoState(), learning_rate=rate, l2_penalty=F(1, 4))

    assert param == 5 * (1 - rates[0] / 4) * (1 - rates[1] / 4) * (1 - rates[2] / 4)


def test_sgd_l2_agrees_with_torch_within_five_roundings_a_step():
    hyperparameters = {"learning_rate": 0.1, "l2_penalty": 0.3}
    path, _ = exact(trajectory(sgd_l2), np.array([3.0, -1.0]), GRADS, hyperparameters=hyperparameters)

    assert_within(
        torch_path(torch.optim.SGD, np.array([3.0, -1.0]), GRADS, lr=0.1, weight_decay=0.3), path, roundings=5
    )


def test_weight_decay_unscaled_moves_as_worked_by_hand():
    hyperparameters = {"learning_rate": 0.5, "weight_decay": 0.25}
    param, _ = weight_decay_unscaled(np.array([4.0]), np.array([1.0]), NoState(), **hyperparameters)

    assert param.tolist() == [2.5]  # 4 - 0.5 * 1 - 0.25 * 4


def test_without_gradient_unscaled_decay_ignores_the_learning_rate():
    param = F(5)
    for rate in (F(1), F(1, 10), F(0)):
        param, _ = weight_decay_unscaled(param, F(0), NoState(), learning_rate=rate, weight_decay=F(1, 4))

    assert param == 5 * F(3, 4) ** 3


def test_unscaled_decay_agrees_with_a_torch_penalty_divided_by_the_rate_within_five_roundings_a_step():
    hyperparameters = {"learning_rate": 0.5, "weight_decay": 0.125}
    path, _ = exact(trajectory(weight_decay_unscaled), np.array([3.0, -1.0]), GRADS, hyperparameters=hyperparameters)

    assert_within(
        torch_path(torch.optim.SGD, np.array([3.0, -1.0]), GRADS, lr=0.5, weight_decay=0.25), path, roundings=5
    )


@pytest.mark.parametrize(
    ("formula", "arguments", "message"),
    [
        (gd, {"learning_rate": -0.5}, "learning_rate must be in [0, inf), got learning_rate=-0.5"),
        (gd, {"learning_rate": float("inf")}, "learning_rate must be in [0, inf), got learning_rate=inf"),
        (sgd_l2, {"learning_rate": 0.1, "l2_penalty": -1.0}, "l2_penalty must be in [0, inf), got l2_penalty=-1.0"),
        (
            weight_decay_unscaled,
            {"learning_rate": 0.1, "weight_decay": 1.0},
            "weight_decay must be in [0, 1), got weight_decay=1.0",
        ),
        (
            weight_decay_unscaled,
            {"learning_rate": 0.1, "weight_decay": -0.1},
            "weight_decay must be in [0, 1), got weight_decay=-0.1",
        ),
    ],
)
def test_arguments_outside_the_domain_are_refused(formula, arguments, message):
    with pytest.raises(DomainError) as refusal:
        formula(1.0, 1.0, NoState(), **arguments)

    assert str(refusal.value) == message


@pytest.mark.parametrize("formula", [gd, sgd_l2, weight_decay_unscaled])
def test_zero_is_inside_every_domain_and_moves_nothing(formula):
    param, _ = formula(3.0, 2.0, NoState(), **dict.fromkeys(formula.hyperparameters, 0.0))

    assert param == 3.0
