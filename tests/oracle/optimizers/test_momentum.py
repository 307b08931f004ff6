"""Momentum as an average, as Polyak's sum, as torch dampens it, and Nesterov's."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.symbols import symbol_array
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.formula import NoState, initial_state
from oracle.optimizers.descent import gd
from oracle.optimizers.momentum import (
    DampenedState,
    MomentumState,
    momentum_ema,
    momentum_heavy_ball,
    momentum_nesterov,
    momentum_torch_dampening,
)
from oracle.trajectory import trajectory
from tests.helpers.foreign import assert_within, torch_path

GRADS = [F(1), F(2), F(-3), F(1, 7)]
ARRAYS = [np.array([1.0, -2.0]), np.array([0.5, 0.25]), np.array([-3.0, 0.0]), np.array([0.1, 7.0])]


def rational_path(formula, grads, start=F(0), **hyperparameters):
    param, state, path = start, initial_state(formula.state_type, F(0)), []
    for grad in grads:
        param, state = formula(param, grad, state, **hyperparameters)
        path.append(param)
    return path, state


def symbolic(names):
    return [symbol_array(name) for name in names.split()]


def vanishes(difference):
    return sympy.expand(difference.elements.item()) == 0


def test_momentum_ema_gives_the_golden_values():
    hyperparameters = {"learning_rate": 0.1, "momentum": 0.9}
    grads = [np.array(g) for g in (1.0, 2.0, -3.0, 0.0)]
    velocities = []
    for count in range(1, 5):
        path, state = exact(trajectory(momentum_ema), np.array(0.0), grads[:count], hyperparameters=hyperparameters)
        velocities.append(float(state.momentum_buffer))

    # The golden values are decimals; the hyperparameters the floats next to them, hence one more rounding.
    assert np.abs(np.array(path) - [-0.01, -0.039, -0.0351, -0.03159]).max() <= 2.0**-53
    assert np.abs(np.array(velocities) - [0.1, 0.29, -0.039, -0.0351]).max() <= 2.0**-53


def test_the_velocity_of_momentum_ema_is_an_unrolled_weighted_sum():
    factor = F(9, 10)
    _, state = rational_path(momentum_ema, GRADS, learning_rate=F(1, 10), momentum=factor)

    assert state.momentum_buffer == sum((1 - factor) * factor ** (4 - i) * g for i, g in enumerate(GRADS, start=1))


def test_the_velocity_is_an_unrolled_sum_when_momentum_varies():
    factors = [F(1, 2), F(1, 3), F(0), F(3, 4)]
    state = MomentumState(F(5))
    for factor, grad in zip(factors, GRADS, strict=True):
        _, state = momentum_ema(F(0), grad, state, learning_rate=F(1), momentum=factor)
    later = [F(1, 3) * 0 * F(3, 4), 0 * F(3, 4), F(3, 4), F(1)]

    assert state.momentum_buffer == sum(
        (1 - factor) * weight * grad for factor, weight, grad in zip(factors, later, GRADS, strict=True)
    )


def test_a_constant_gradient_gives_the_closed_form_of_momentum_ema():
    factor, rate, grad, steps = F(3, 5), F(1, 4), F(2), 6
    path, state = rational_path(momentum_ema, [grad] * steps, learning_rate=rate, momentum=factor)

    assert state.momentum_buffer == (1 - factor**steps) * grad
    assert path[-1] == -rate * grad * (steps - factor * (1 - factor**steps) / (1 - factor))


def test_momentum_ema_without_momentum_is_gd_and_with_all_of_it_does_not_move():
    without, _ = rational_path(momentum_ema, GRADS, learning_rate=F(1, 3), momentum=F(0))
    plain, _ = rational_path(gd, GRADS, learning_rate=F(1, 3))
    still, _ = rational_path(momentum_ema, GRADS, learning_rate=F(1, 3), momentum=F(1))

    assert without == plain
    assert still == [0, 0, 0, 0]


def test_heavy_ball_is_the_average_with_a_smaller_learning_rate():
    start, rate, factor = symbolic("theta eta gamma")
    average, ball = start, start
    averaged, summed = MomentumState(0 * start), MomentumState(0 * start)
    for grad in symbolic("g1 g2 g3"):
        average, averaged = momentum_ema.body(average, grad, averaged, learning_rate=rate, momentum=factor)
        ball, summed = momentum_heavy_ball.body(ball, grad, summed, learning_rate=rate * (1 - factor), momentum=factor)

        assert vanishes(average - ball)
        assert vanishes(averaged.momentum_buffer - (1 - factor) * summed.momentum_buffer)


def test_a_penalty_propagates_through_the_velocity():
    w, v, grad, rate, beta, penalty = symbolic("w v g eta beta lambda")
    fed, _ = momentum_ema.body(w, grad + penalty * w, MomentumState(v), learning_rate=rate, momentum=beta)
    printed = w - rate * beta * v - rate * (1 - beta) * grad - rate * (1 - beta) * penalty * w

    assert vanishes(fed - printed)


def test_with_momentum_a_penalty_is_not_decoupled_decay():
    w, grad, rate, beta, penalty = symbolic("w g eta beta lambda")
    still = MomentumState(0 * w)
    coupled, _ = momentum_ema.body(w, grad + penalty * w, still, learning_rate=rate, momentum=beta)
    step, _ = momentum_ema.body(w, grad, still, learning_rate=rate, momentum=beta)
    decoupled = step - rate * penalty * w

    # The first decay factors are 1 - eta (1 - beta) lambda and 1 - eta lambda.
    assert vanishes(coupled - decoupled - rate * beta * penalty * w)
    assert not vanishes(coupled - decoupled)


def test_heavy_ball_moves_as_worked_by_hand():
    path, state = rational_path(momentum_heavy_ball, [F(1), F(2)], learning_rate=F(1, 2), momentum=F(1, 2))

    assert path == [F(-1, 2), F(-7, 4)]  # v = 1, then 0.5 + 2
    assert state == MomentumState(F(5, 2))


def test_the_heavy_ball_is_polyak_s_two_step_recurrence():
    rate, factor = F(1, 3), F(2, 5)
    path, _ = rational_path(momentum_heavy_ball, GRADS, learning_rate=rate, momentum=factor)
    points = [F(0), F(0), *path]

    for before, here, after, grad in zip(points, points[1:], points[2:], GRADS, strict=False):
        assert after == here - rate * grad + factor * (here - before)


def test_undampened_torch_momentum_is_the_heavy_ball():
    plain, _ = rational_path(momentum_heavy_ball, GRADS, learning_rate=F(1, 3), momentum=F(2, 5))
    dampened, _ = rational_path(
        momentum_torch_dampening, GRADS, learning_rate=F(1, 3), momentum=F(2, 5), dampening=F(0)
    )

    assert dampened == plain


def test_dampening_spares_the_first_gradient():
    dampened, state = rational_path(
        momentum_torch_dampening, [F(1)] * 3, learning_rate=F(1), momentum=F(9, 10), dampening=F(9, 10)
    )
    average, _ = rational_path(momentum_ema, [F(1)] * 3, learning_rate=F(1), momentum=F(9, 10))

    assert dampened == [-1, -2, -3]
    assert average == [F(-1, 10), F(-29, 100), F(-561, 1000)]
    assert state == DampenedState(3, 1)


def test_the_dampened_buffer_is_an_unrolled_sum_with_a_whole_first_gradient():
    factor, dampening = F(2, 5), F(1, 4)
    _, state = rational_path(momentum_torch_dampening, GRADS, learning_rate=F(1), momentum=factor, dampening=dampening)
    tail = sum((1 - dampening) * factor ** (3 - i) * grad for i, grad in enumerate(GRADS[1:], start=1))

    assert state.momentum_buffer == factor**3 * GRADS[0] + tail


def test_nesterov_moves_as_worked_by_hand():
    path, state = rational_path(momentum_nesterov, [F(1), F(2)], learning_rate=F(1, 2), momentum=F(1, 2))

    assert path == [F(-3, 4), F(-19, 8)]  # 1 + 0.5 * 1, then 2 + 0.5 * 2.5
    assert state == MomentumState(F(5, 2))


def test_nesterov_s_look_ahead_points_are_the_parameters():
    rate, factor, curvature = F(1, 10), F(3, 5), F(4)
    theta, velocity, points = F(1), F(0), []
    for _ in range(4):  # Sutskever and others: the gradient is taken after the momentum's move
        velocity = factor * velocity - rate * curvature * (theta + factor * velocity)
        theta = theta + velocity
        points.append(theta + factor * velocity)
    param, state, path = F(1), MomentumState(F(0)), []
    for _ in range(4):
        param, state = momentum_nesterov(param, curvature * param, state, learning_rate=rate, momentum=factor)
        path.append(param)

    assert path == points


@pytest.mark.parametrize(
    ("formula", "options", "hyperparameters"),
    [
        (momentum_ema, {"lr": 0.1 * 0.25, "momentum": 0.75}, {"momentum": 0.75}),
        (momentum_heavy_ball, {"lr": 0.1, "momentum": 0.75}, {"momentum": 0.75}),
        (momentum_nesterov, {"lr": 0.1, "momentum": 0.75, "nesterov": True}, {"momentum": 0.75}),
        (
            momentum_torch_dampening,
            {"lr": 0.1, "momentum": 0.75, "dampening": 0.3},
            {"momentum": 0.75, "dampening": 0.3},
        ),
    ],
)
def test_the_path_agrees_with_torch_within_eight_roundings_a_step(formula, options, hyperparameters):
    hyperparameters = {"learning_rate": 0.1, **hyperparameters}
    start = np.array([3.0, -1.0])
    path, _ = exact(trajectory(formula), start, ARRAYS, hyperparameters=hyperparameters)

    assert_within(torch_path(torch.optim.SGD, start, ARRAYS, **options), path, roundings=8)


@pytest.mark.parametrize(
    ("formula", "options", "dampened"),
    [
        (momentum_ema, {}, True),
        (momentum_heavy_ball, {}, False),
        (momentum_nesterov, {"nesterov": True}, False),
        (momentum_torch_dampening, {}, True),
    ],
)
def test_the_path_agrees_with_torch_while_the_momentum_varies(formula, options, dampened):
    start, momenta = np.array([3.0, -1.0]), [0.5, 0.875, 0.125, 0.25]
    tensor = torch.nn.Parameter(torch.tensor(start))
    optimizer = torch.optim.SGD([tensor], lr=0.1, momentum=0.5, foreach=False, **options)
    if formula is momentum_ema:  # torch's first buffer is a whole gradient, unless there is one already
        optimizer.state[tensor]["momentum_buffer"] = torch.zeros(2, dtype=torch.float64)
    path, hyperparameters = [], []
    for momentum, grad in zip(momenta, ARRAYS, strict=True):
        optimizer.param_groups[0].update(momentum=momentum, dampening=momentum if dampened else 0.0)
        tensor.grad = torch.tensor(grad)
        optimizer.step()
        path.append(tensor.detach().numpy().copy())
        values = {"learning_rate": 0.1, "momentum": momentum, "dampening": momentum}
        hyperparameters.append({name: values[name] for name in formula.hyperparameters})
    expected, _ = exact(trajectory(formula), start, ARRAYS, hyperparameters=hyperparameters)

    assert_within(path, expected, roundings=8)


@pytest.mark.parametrize("formula", [momentum_ema, momentum_heavy_ball, momentum_nesterov, momentum_torch_dampening])
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("learning_rate", -1.0, "learning_rate must be in [0, inf), got learning_rate=-1.0"),
        ("momentum", -0.1, "momentum must be in [0, 1], got momentum=-0.1"),
        ("momentum", 1.5, "momentum must be in [0, 1], got momentum=1.5"),
        ("momentum", float("nan"), "momentum must be in [0, 1], got momentum=nan"),
    ],
)
def test_arguments_outside_the_domain_are_refused(formula, name, value, message):
    arguments = {**dict.fromkeys(formula.hyperparameters, 0.5), name: value}
    with pytest.raises(DomainError) as refusal:
        formula(1.0, 1.0, initial_state(formula.state_type, 0.0), **arguments)

    assert str(refusal.value) == message


def test_dampening_outside_its_domain_is_refused():
    with pytest.raises(DomainError) as refusal:
        momentum_torch_dampening(1.0, 1.0, NoState(), learning_rate=0.1, momentum=0.9, dampening=1.1)

    assert str(refusal.value) == "dampening must be in [0, 1], got dampening=1.1"


@pytest.mark.parametrize("edge", [0.0, 1.0])
@pytest.mark.parametrize("formula", [momentum_ema, momentum_heavy_ball, momentum_nesterov, momentum_torch_dampening])
def test_the_ends_of_the_domain_are_inside(formula, edge):
    arguments = dict.fromkeys(formula.hyperparameters, edge)
    param, _ = formula(1.0, 1.0, initial_state(formula.state_type, 0.0), **arguments)

    assert np.isfinite(param)
