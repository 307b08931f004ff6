"""Descent along a velocity: the average of the documents, and the sums of Polyak and of torch."""

from __future__ import annotations

from typing import NamedTuple

from oracle.arithmetic.primitives import moving_average, stored
from oracle.domains import at_least, closed, half_open
from oracle.formula import Array, Scalar, formula

__all__ = [
    "DampenedState",
    "MomentumState",
    "momentum_ema",
    "momentum_heavy_ball",
    "momentum_nesterov",
    "momentum_torch_dampening",
]


class MomentumState(NamedTuple):
    """What a rule with momentum remembers; the buffer has the parameter's shape and starts at zero."""

    momentum_buffer: Array  # v, the velocity


class DampenedState(NamedTuple):
    """What dampened momentum remembers; the buffer has the parameter's shape."""

    step: int  # completed updates, so 0 before the first
    momentum_buffer: Array  # b


@formula(
    "momentum_ema",
    source=(
        "lopesquintas2024updates, Avec momentum, Equation 1",
        "bourmaudnetworks, SGD avec moment",
    ),
    domain={"learning_rate": at_least(0), "momentum": closed(0, 1)},
    draw={"momentum": half_open(0, 1)},
    neighbours=(
        "gd",
        "momentum_heavy_ball",
        "momentum_nesterov",
        "momentum_ema_first_gradient",
        "momentum_ema_nesterov",
        "momentum_ema_lagged",
        "momentum_ema_corrected",
        "momentum_ema_rate_inside",
        "momentum_ema_ascent",
        "momentum_ema_rate_off",
    ),
    state_type=MomentumState,
)
def momentum_ema(
    param: Array, grad: Array, state: MomentumState, *, learning_rate: Scalar, momentum: Scalar
) -> tuple[Array, MomentumState]:
    r"""Move the parameters along a moving average of the gradients.

    .. math::

        v_t &= \gamma_t v_{t-1} + (1 - \gamma_t) g_t \\
        \theta_t &= \theta_{t-1} - \eta_t v_t

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : MomentumState
        :math:`v_{t-1}`, with :math:`v_0 = 0`.
    learning_rate : scalar
        :math:`\eta_t \ge 0`.
    momentum : scalar
        :math:`\gamma_t` in :math:`[0, 1]`; at 1 nothing moves.

    Returns
    -------
    param, state : array, MomentumState
        :math:`\theta_t` and :math:`v_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    At constant :math:`\eta` and :math:`\gamma` these are the parameters of
    ``momentum_heavy_ball`` with the learning rate :math:`\eta (1 - \gamma)`.

    Examples
    --------
    >>> momentum_ema(5.0, 2.0, MomentumState(4.0), learning_rate=0.5, momentum=0.75)
    (3.25, MomentumState(momentum_buffer=3.5))
    """
    velocity = moving_average(momentum, state.momentum_buffer, grad)  # momentum * v + (1 - momentum) * g
    return param - learning_rate * velocity, MomentumState(velocity)


@formula(
    "momentum_heavy_ball",
    source=("polyak1964speeding, the two-step method", "sutskever2013initialization, Equations 1 and 2"),
    domain={"learning_rate": at_least(0), "momentum": closed(0, 1)},
    draw={"momentum": half_open(0, 1)},
    neighbours=(
        "gd",
        "momentum_ema",
        "momentum_nesterov",
        "momentum_ema_first_gradient",
        "momentum_heavy_ball_lagged",
        "momentum_heavy_ball_corrected",
        "momentum_heavy_ball_rate_inside",
        "momentum_heavy_ball_ascent",
        "momentum_heavy_ball_rate_off",
    ),
    state_type=MomentumState,
)
def momentum_heavy_ball(
    param: Array, grad: Array, state: MomentumState, *, learning_rate: Scalar, momentum: Scalar
) -> tuple[Array, MomentumState]:
    r"""Move the parameters along a decaying sum of the gradients.

    .. math::

        v_t &= \gamma v_{t-1} + g_t \\
        \theta_t &= \theta_{t-1} - \eta v_t

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : MomentumState
        :math:`v_{t-1}`, with :math:`v_0 = 0`.
    learning_rate : scalar
        :math:`\eta \ge 0`.
    momentum : scalar
        :math:`\gamma` in :math:`[0, 1]`; at 1 the gradients add up undiminished.

    Returns
    -------
    param, state : array, MomentumState
        :math:`\theta_t` and :math:`v_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    Sutskever and others keep :math:`-\eta v_t` as the state. That is the same path while
    :math:`\eta` is constant, and the dialect ``momentum_heavy_ball_rate_inside`` when it is not.

    Examples
    --------
    >>> momentum_heavy_ball(5.0, 2.0, MomentumState(4.0), learning_rate=0.5, momentum=0.75)
    (2.5, MomentumState(momentum_buffer=5.0))
    """
    velocity = stored(momentum * state.momentum_buffer + grad)
    return param - learning_rate * velocity, MomentumState(velocity)


@formula(
    "momentum_torch_dampening",
    source=("pytorchsgd, Algorithm with dampening",),
    domain={"learning_rate": at_least(0), "momentum": closed(0, 1), "dampening": closed(0, 1)},
    draw={"momentum": half_open(0, 1)},
    neighbours=(
        "gd",
        "momentum_ema",
        "momentum_heavy_ball",
        "momentum_torch_dampening_first_damped",
        "momentum_torch_dampening_nesterov",
        "momentum_torch_dampening_lagged",
        "momentum_torch_dampening_rate_inside",
        "momentum_torch_dampening_ascent",
        "momentum_torch_dampening_rate_off",
    ),
    state_type=DampenedState,
)
def momentum_torch_dampening(
    param: Array, grad: Array, state: DampenedState, *, learning_rate: Scalar, momentum: Scalar, dampening: Scalar
) -> tuple[Array, DampenedState]:
    r"""Move the parameters along a decaying sum of dampened gradients, the first one undamped.

    .. math::

        b_1 &= g_1 \\
        b_t &= \mu b_{t-1} + (1 - \tau) g_t, \quad t > 1 \\
        \theta_t &= \theta_{t-1} - \eta b_t

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : DampenedState
        :math:`t - 1 \ge 0` and :math:`b_{t-1}`.
    learning_rate : scalar
        :math:`\eta \ge 0`.
    momentum, dampening : scalar
        :math:`\mu` and :math:`\tau` in :math:`[0, 1]`.

    Returns
    -------
    param, state : array, DampenedState
        :math:`\theta_t`, and :math:`t` and :math:`b_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    Because the first gradient enters whole, :math:`\tau = \mu` is not ``momentum_ema``: the
    first step is :math:`1 / (1 - \mu)` times as long.

    Examples
    --------
    >>> hyperparameters = {"learning_rate": 0.5, "momentum": 0.75, "dampening": 0.5}
    >>> momentum_torch_dampening(5.0, 2.0, DampenedState(0, 0.0), **hyperparameters)
    (4.0, DampenedState(step=1, momentum_buffer=2.0))
    >>> momentum_torch_dampening(4.0, 2.0, DampenedState(1, 2.0), **hyperparameters)
    (2.75, DampenedState(step=2, momentum_buffer=2.5))
    """
    step = state.step + 1
    buffer = stored(grad if step == 1 else momentum * state.momentum_buffer + (1 - dampening) * grad)
    return param - learning_rate * buffer, DampenedState(step, buffer)


@formula(
    "momentum_nesterov",
    source=(
        "nesterov1983method, the accelerated method",
        "sutskever2013initialization, Equations 3 and 4",
        "pytorchsgd, nesterov",
    ),
    domain={"learning_rate": at_least(0), "momentum": closed(0, 1)},
    draw={"momentum": half_open(0, 1)},
    neighbours=(
        "gd",
        "momentum_ema",
        "momentum_heavy_ball",
        "momentum_nesterov_ahead_undamped",
        "momentum_heavy_ball_lagged",
        "momentum_ema_nesterov",
        "momentum_nesterov_corrected",
        "momentum_nesterov_rate_inside",
        "momentum_nesterov_ascent",
        "momentum_nesterov_rate_off",
    ),
    state_type=MomentumState,
)
def momentum_nesterov(
    param: Array, grad: Array, state: MomentumState, *, learning_rate: Scalar, momentum: Scalar
) -> tuple[Array, MomentumState]:
    r"""Move the parameters along the velocity that the same gradient would give once more.

    .. math::

        v_t &= \gamma v_{t-1} + g_t \\
        \theta_t &= \theta_{t-1} - \eta (g_t + \gamma v_t)

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : MomentumState
        :math:`v_{t-1}`, with :math:`v_0 = 0`.
    learning_rate : scalar
        :math:`\eta \ge 0`.
    momentum : scalar
        :math:`\gamma` in :math:`[0, 1]`.

    Returns
    -------
    param, state : array, MomentumState
        :math:`\theta_t` and :math:`v_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    The gradient is taken at the parameters that are kept, which are Nesterov's look-ahead
    points :math:`\theta + \gamma (-\eta v)`; the path of his iterates lies one such step behind. That holds at
    constant momentum: where it varies, torch's velocity keeps :math:`\gamma_t` of itself as printed here, and
    Nesterov's :math:`\gamma_{t-1}` (``oracle.optimizers.accelerated``).

    Examples
    --------
    >>> momentum_nesterov(5.0, 2.0, MomentumState(4.0), learning_rate=0.5, momentum=0.75)
    (2.125, MomentumState(momentum_buffer=5.0))
    """
    velocity = stored(momentum * state.momentum_buffer + grad)
    return param - learning_rate * (grad + momentum * velocity), MomentumState(velocity)
