"""Risks over samples, and models of layers."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from oracle.errors import DomainError
from oracle.losses.regression import loss_mse, loss_squared_error
from oracle.training.risk import composed, risk_mean, risk_sum


def squared(prediction, target):
    return (prediction - target) ** 2


def test_risks_as_worked_by_hand():
    samples = [(F(1), F(1)), (F(2), F(7))]

    assert risk_sum(squared, lambda x: 3 * x, samples) == 5  # (3 - 1)^2 + (6 - 7)^2
    assert risk_mean(squared, lambda x: 3 * x, samples) == F(5, 2)


def test_layers_act_in_their_order():
    assert composed([lambda x: x + 1, lambda x: x**2])(F(2)) == 9
    assert composed([])(F(2)) == 2


def test_a_loss_of_the_catalogue_sums_and_averages_as_torch_does():
    inputs, targets = np.array([[1.0], [2.0], [-0.5]]), np.array([[0.5], [3.0], [4.0]])
    samples = list(zip(inputs, targets, strict=True))
    outputs = 2 * torch.tensor(inputs)

    for reduction, risk, loss in (("sum", risk_sum, loss_squared_error), ("mean", risk_mean, loss_mse)):
        shown = risk(loss, lambda x: 2 * x, samples)
        assert shown == torch.nn.MSELoss(reduction=reduction)(outputs, torch.tensor(targets)).item()


def test_no_samples_have_no_mean_risk():
    with pytest.raises(DomainError) as refusal:
        risk_mean(squared, lambda x: x, [])

    assert str(refusal.value) == "size must be in [1, inf), got size=0"
    assert risk_sum(squared, lambda x: x, []) == 0
