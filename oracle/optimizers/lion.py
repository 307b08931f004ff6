"""Lion: steps of one length, in the direction that an average and the gradient agree on."""

from __future__ import annotations

from typing import NamedTuple

from oracle.arithmetic.primitives import decayed, interpolated, moving_average, namespace
from oracle.domains import at_least, closed, half_open
from oracle.formula import Array, Scalar, formula

__all__ = ["LionLiteralState", "LionState", "lion", "lion_literal_ct"]

_DOMAIN = {"learning_rate": at_least(0), "beta1": closed(0, 1), "beta2": closed(0, 1), "weight_decay": at_least(0)}
_DRAW = {"beta1": half_open(0, 1), "beta2": half_open(0, 1)}


class LionState(NamedTuple):
    """What Lion remembers; the array has the parameter's shape and starts at zero."""

    exp_avg: Array  # m, moving average of the gradient


class LionLiteralState(NamedTuple):
    """What Lion remembers if it is a step late; arrays have the parameter's shape and start at zero."""

    exp_avg: Array  # m, moving average of the gradient
    direction: Array  # c, of which the next step takes the sign


@formula(
    "lion",
    source=("lopesquintas2024updates, Optimizer Lion", "chen2023symbolic, Algorithm 2"),
    domain=_DOMAIN,
    draw=_DRAW,
    neighbours=(
        "lion_literal_ct",
        "lion_betas_swapped",
        "lion_betas_shared",
        "lion_of_average",
        "lion_of_previous",
        "lion_of_gradient",
        "lion_unsigned",
        "lion_sign_of_zero_is_one",
        "lion_average_unnormalised",
        "lion_decay_unscaled",
        "lion_decay_absent",
        "lion_decay_l2",
        "lion_decay_after",
        "lion_decay_doubled",
        "lion_decay_grows",
        "lion_ascent",
        "lion_rate_off",
    ),
    state_type=LionState,
)
def lion(
    param: Array,
    grad: Array,
    state: LionState,
    *,
    learning_rate: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    weight_decay: Scalar,
) -> tuple[Array, LionState]:
    r"""Move every coordinate by the learning rate, along the sign of an interpolated gradient.

    .. math::

        c_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        m_t &= \beta_2 m_{t-1} + (1 - \beta_2) g_t \\
        \theta_t &= \theta_{t-1} - \eta (\operatorname{sign}(c_t) + \lambda \theta_{t-1})

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : LionState
        :math:`m_{t-1}`.
    learning_rate, weight_decay : scalar
        :math:`\eta \ge 0`, :math:`\lambda \ge 0`; the decay is scaled by the rate.
    beta1, beta2 : scalar
        In :math:`[0, 1]`: what the direction and what the average keep of the past.

    Returns
    -------
    param, state : array, LionState
        :math:`\theta_t`, and :math:`m_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    The sign of 0 is 0. The slide prints the sign of :math:`c_{t-1}`, which the step has not met
    yet: the formula ``lion_literal_ct``.

    Where rounding leaves the sign of :math:`c_t` undecided a program may take any of the three; the
    average does not depend on it.

    Examples
    --------
    >>> import numpy as np
    >>> start = LionState(np.zeros(3))
    >>> options = {"learning_rate": 0.25, "beta1": 0.5, "beta2": 0.75, "weight_decay": 2.0}
    >>> param, state = lion(np.ones(3), np.array([8.0, 0.0, -0.5]), start, **options)
    >>> param, state.exp_avg
    (array([0.25, 0.5 , 0.75]), array([ 2.   ,  0.   , -0.125]))
    """
    xp = namespace(param, grad)
    direction = interpolated(beta1, state.exp_avg, grad)  # beta1 * m + (1 - beta1) * g
    exp_avg = moving_average(beta2, state.exp_avg, grad)
    update = learning_rate * xp.sign(direction)
    return decayed(param, learning_rate, weight_decay) - update, LionState(exp_avg)


@formula(
    "lion_literal_ct",
    source=("lopesquintas2024updates, Optimizer Lion, as printed, with nothing before the first direction",),
    domain=_DOMAIN,
    draw=_DRAW,
    neighbours=(
        "lion",
        "lion_literal_ct_betas_swapped",
        "lion_literal_ct_betas_shared",
        "lion_of_previous",
        "lion_literal_ct_unsigned",
        "lion_literal_ct_sign_of_zero_is_one",
        "lion_literal_ct_decay_unscaled",
        "lion_literal_ct_decay_absent",
        "lion_literal_ct_decay_after",
        "lion_literal_ct_ascent",
        "lion_literal_ct_rate_off",
    ),
    state_type=LionLiteralState,
)
def lion_literal_ct(
    param: Array,
    grad: Array,
    state: LionLiteralState,
    *,
    learning_rate: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    weight_decay: Scalar,
) -> tuple[Array, LionLiteralState]:
    r"""Move like Lion, along the direction of the step before.

    .. math::

        c_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        m_t &= \beta_2 m_{t-1} + (1 - \beta_2) g_t \\
        \theta_t &= \theta_{t-1} - \eta (\operatorname{sign}(c_{t-1}) + \lambda \theta_{t-1})

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : LionLiteralState
        :math:`m_{t-1}` and :math:`c_{t-1}`.
    learning_rate, weight_decay : scalar
        :math:`\eta \ge 0`, :math:`\lambda \ge 0`; the decay is scaled by the rate.
    beta1, beta2 : scalar
        In :math:`[0, 1]`: what the direction and what the average keep of the past.

    Returns
    -------
    param, state : array, LionLiteralState
        :math:`\theta_t`, and :math:`m_t`, :math:`c_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    Without decay and under gradients that do not depend on the parameters it is Lion one step late:
    the first step goes nowhere.

    Examples
    --------
    >>> import numpy as np
    >>> start = LionLiteralState(np.zeros(1), np.array([-1.0]))
    >>> options = {"learning_rate": 0.25, "beta1": 0.5, "beta2": 0.75, "weight_decay": 2.0}
    >>> param, state = lion_literal_ct(np.ones(1), np.array([8.0]), start, **options)
    >>> param, state.direction
    (array([0.75]), array([4.]))
    """
    xp = namespace(param, grad)
    direction = moving_average(beta1, state.exp_avg, grad)  # kept until the next step
    exp_avg = moving_average(beta2, state.exp_avg, grad)
    update = learning_rate * xp.sign(state.direction)
    return decayed(param, learning_rate, weight_decay) - update, LionLiteralState(exp_avg, direction)
