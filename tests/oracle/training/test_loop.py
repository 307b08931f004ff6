"""Updates whose gradients are taken where they start."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from oracle.errors import DomainError, ShapeError
from oracle.optimizers.descent import gd
from oracle.optimizers.momentum import momentum_heavy_ball
from oracle.training.loop import trained


def test_gradients_are_taken_at_the_parameters_of_the_moment():
    path, _ = trained(
        gd, F(8), [lambda x: x, lambda x: x - 2, lambda x: 0 * x], hyperparameters={"learning_rate": F(1, 2)}
    )

    assert path == [4, 3, 3]


def test_memory_is_carried_and_a_run_can_be_continued():
    values = {"learning_rate": F(1, 4), "momentum": F(1, 2)}
    slopes = [lambda x: 2 * x] * 4
    whole, end = trained(momentum_heavy_ball, F(8), slopes, hyperparameters=values)
    first, state = trained(momentum_heavy_ball, F(8), slopes[:2], hyperparameters=values)
    second, last = trained(momentum_heavy_ball, first[-1], slopes[2:], state, hyperparameters=values)

    assert whole == first + second == [4, 0, -2, -2]
    assert end == last


def test_every_step_may_have_its_own_hyperparameters():
    rates = [{"learning_rate": F(1, 2)}, {"learning_rate": F(1, 4)}]

    assert trained(gd, F(8), [lambda x: x] * 2, hyperparameters=rates)[0] == [4, 3]


def test_torch_trains_alike():
    param = torch.tensor([8.0, -4.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([param], lr=0.25, momentum=0.5)
    path, _ = trained(
        momentum_heavy_ball,
        np.array([8.0, -4.0]),
        [lambda x: 2 * x] * 4,
        hyperparameters={"learning_rate": 0.25, "momentum": 0.5},
    )

    for expected in path:
        optimizer.zero_grad()
        (param**2).sum().backward()
        optimizer.step()
        assert param.tolist() == expected.tolist()


def test_without_gradients_nothing_moves():
    path, state = trained(momentum_heavy_ball, np.array([1.0]), [], hyperparameters={"learning_rate": 1.0})

    assert path == []
    assert state.momentum_buffer.tolist() == [0.0]


def test_as_many_steps_are_needed_as_gradients():
    with pytest.raises(ShapeError) as refusal:
        trained(gd, F(1), [lambda x: x], hyperparameters=[])

    assert str(refusal.value) == "gradients and hyperparameters must have equal length, got 1 and 0"


def test_a_negative_learning_rate_is_refused():
    with pytest.raises(DomainError) as refusal:
        trained(gd, 1.0, [lambda x: x], hyperparameters={"learning_rate": -1.0})

    assert str(refusal.value) == "learning_rate must be in [0, inf), got learning_rate=-1.0"
