"""Descent along the gradient of a part of the samples."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy

from oracle.errors import DomainError
from oracle.training.stochastic import sgd, sgd_bourmaud_sum, sgd_minibatch_mean

GRADIENTS = [lambda x: x, lambda x: 3 * x, lambda x: x - 2]
RULES = [(sgd, 0), (sgd_minibatch_mean, (0,)), (sgd_bourmaud_sum, (0,))]


def test_the_three_rules_as_worked_by_hand():
    assert sgd(F(4), GRADIENTS, 2, learning_rate=F(1, 2)) == 3
    assert sgd_minibatch_mean(F(4), GRADIENTS, (1, 2), learning_rate=F(1, 2)) == F(1, 2)  # 4 - 14 / 4
    assert sgd_bourmaud_sum(F(4), GRADIENTS, (1, 2), learning_rate=F(1, 2)) == -3
    assert sgd_minibatch_mean(F(4), GRADIENTS, (1, 1, 2), learning_rate=F(3, 26)) == 3


@pytest.mark.parametrize(("rule", "batch"), RULES)
def test_one_rule_runs_in_every_number_system(rule, batch):
    x, rate = sympy.symbols("x eta")

    assert rule(np.array([4.0, -2.0]), GRADIENTS, batch, learning_rate=0.5).tolist() == [2.0, -1.0]
    assert rule(4.0, GRADIENTS, batch, learning_rate=0.5) == 2.0
    assert sympy.expand(rule(x, GRADIENTS, batch, learning_rate=rate) - x + rate * x) == 0


@pytest.mark.parametrize(("rule", "batch"), [(sgd, 3), (sgd_minibatch_mean, (0, 3)), (sgd_bourmaud_sum, (3,))])
def test_a_sample_that_does_not_exist_is_refused(rule, batch):
    with pytest.raises(DomainError) as refusal:
        rule(F(1), GRADIENTS, batch, learning_rate=F(1))

    assert str(refusal.value) == "index must be in [0, 2], got index=3"


@pytest.mark.parametrize(("rule", "batch"), RULES)
def test_a_negative_learning_rate_is_refused(rule, batch):
    with pytest.raises(DomainError) as refusal:
        rule(1.0, GRADIENTS, batch, learning_rate=-0.5)

    assert str(refusal.value) == "learning_rate must be in [0, inf), got learning_rate=-0.5"


def test_an_empty_batch_has_no_mean_and_its_sum_moves_nothing():
    with pytest.raises(DomainError) as refusal:
        sgd_minibatch_mean(F(1), GRADIENTS, (), learning_rate=F(1))

    assert str(refusal.value) == "size must be in [1, inf), got size=0"
    assert sgd_bourmaud_sum(F(1), GRADIENTS, (), learning_rate=F(1)) == 1
