"""AdamW: Adam beside a weight decay that stays out of the moments."""

from __future__ import annotations

from oracle.arithmetic.primitives import bias_correction, decayed, moving_average, namespace, quotient
from oracle.domains import at_least
from oracle.formula import Array, Scalar, formula
from oracle.optimizers.adam import ADAM_DOMAIN, ADAM_DRAW, AdamState

__all__ = ["adamw", "adamw_paper_scaling"]


@formula(
    "adamw",
    source=("lopesquintas2024updates, Problème de la régularisation", "loshchilov2019decoupled, Algorithm 2"),
    domain={**ADAM_DOMAIN, "weight_decay": at_least(0)},
    draw=ADAM_DRAW,
    neighbours=(
        "adam",
        "adam_l2",
        "adamw_paper_scaling",
        "adamw_decay_after",
        "adamw_rate_squared",
        "adamw_decay_inside",
        "adamw_decay_doubled",
        "adamw_decay_grows",
        "adamw_eps_hat",
        "adamw_eps_inside",
        "adamw_without_eps",
        "adamw_eps_maximum",
        "adamw_without_correction",
        "adamw_first_uncorrected",
        "adamw_second_uncorrected",
        "adamw_step_from_two",
        "adamw_step_lagging",
        "adamw_betas_swapped",
        "adamw_betas_shared",
        "adamw_nesterov",
        "adamw_amsgrad",
        "adamw_ascent",
        "adamw_rate_off",
    ),
    state_type=AdamState,
)
def adamw(
    param: Array,
    grad: Array,
    state: AdamState,
    *,
    learning_rate: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    eps: Scalar,
    weight_decay: Scalar,
) -> tuple[Array, AdamState]:
    r"""Move the parameters by one Adam step and shrink them beside it.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \hat m_t &= \frac{m_t}{1 - \beta_1^t} \\
        \hat v_t &= \frac{v_t}{1 - \beta_2^t} \\
        \theta_t &= \theta_{t-1} - \eta_t \lambda \theta_{t-1}
            - \eta_t \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : AdamState
        :math:`t - 1 \ge 0`, :math:`m_{t-1}` and :math:`v_{t-1} \ge 0`.
    learning_rate, eps : scalar
        :math:`\eta_t \ge 0`, and :math:`\epsilon \ge 0` added outside the root.
    beta1, beta2 : scalar
        Decay rates in :math:`[0, 1]`.
    weight_decay : scalar
        :math:`\lambda \ge 0`.

    Returns
    -------
    param, state : array, AdamState
        :math:`\theta_t`, and :math:`t`, :math:`m_t`, :math:`v_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    The documents name AdamW without printing it; this is the form of their weight decay
    :math:`\eta_t \lambda \theta` and of every library. The paper multiplies the decay by its
    schedule alone: ``adamw_paper_scaling``. Wherever a quotient is 0/0 it is 0, as in ``adam``.

    Examples
    --------
    >>> import numpy as np
    >>> start = AdamState(0, np.zeros(2), np.zeros(2))
    >>> param, _ = adamw(
    ...     np.array([1.0, 1.0]),
    ...     np.array([3.0, -3.0]),
    ...     start,
    ...     learning_rate=1.0,
    ...     beta1=0.5,
    ...     beta2=0.5,
    ...     eps=1.0,
    ...     weight_decay=0.25,
    ... )
    >>> param
    array([0. , 1.5])
    """
    xp = namespace(param, grad)
    step = state.step + 1
    exp_avg = moving_average(beta1, state.exp_avg, grad)  # beta1 * m + (1 - beta1) * g
    exp_avg_sq = moving_average(beta2, state.exp_avg_sq, grad**2)

    exp_avg_hat = quotient(exp_avg, bias_correction(beta1, step))  # m / (1 - beta1**t)
    exp_avg_sq_hat = quotient(exp_avg_sq, bias_correction(beta2, step))
    update = quotient(learning_rate * exp_avg_hat, xp.sqrt(exp_avg_sq_hat) + eps)
    param = decayed(param, learning_rate, weight_decay)  # param - learning_rate * weight_decay * param
    return param - update, AdamState(step, exp_avg, exp_avg_sq)


@formula(
    "adamw_paper_scaling",
    source=("loshchilov2019decoupled, Algorithm 2, line 12",),
    domain={**ADAM_DOMAIN, "weight_decay": at_least(0), "schedule_multiplier": at_least(0)},
    draw=ADAM_DRAW,
    neighbours=(
        "adam",
        "adam_l2",
        "adamw",
        "adamw_paper_scaling_decay_unscaled",
        "adamw_paper_scaling_decay_after",
        "adamw_paper_scaling_decay_inside",
        "adamw_paper_scaling_decay_doubled",
        "adamw_paper_scaling_decay_grows",
        "adamw_paper_scaling_multiplier_absent",
        "adamw_paper_scaling_eps_hat",
        "adamw_paper_scaling_eps_inside",
        "adamw_paper_scaling_without_correction",
        "adamw_paper_scaling_step_from_two",
        "adamw_paper_scaling_betas_swapped",
        "adamw_paper_scaling_amsgrad",
        "adamw_paper_scaling_rate_off",
    ),
    state_type=AdamState,
)
def adamw_paper_scaling(
    param: Array,
    grad: Array,
    state: AdamState,
    *,
    learning_rate: Scalar,
    schedule_multiplier: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    eps: Scalar,
    weight_decay: Scalar,
) -> tuple[Array, AdamState]:
    r"""Move the parameters by one Adam step and shrink them at a rate of the schedule alone.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \hat m_t &= \frac{m_t}{1 - \beta_1^t} \\
        \hat v_t &= \frac{v_t}{1 - \beta_2^t} \\
        \theta_t &= \theta_{t-1} - \eta_t \left(
            \frac{\alpha \hat m_t}{\sqrt{\hat v_t} + \epsilon} + \lambda \theta_{t-1} \right)

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : AdamState
        :math:`t - 1 \ge 0`, :math:`m_{t-1}` and :math:`v_{t-1} \ge 0`.
    learning_rate, eps : scalar
        :math:`\alpha \ge 0`, and :math:`\epsilon \ge 0` added outside the root.
    schedule_multiplier : scalar
        :math:`\eta_t \ge 0`, which scales the step and the decay.
    beta1, beta2 : scalar
        Decay rates in :math:`[0, 1]`.
    weight_decay : scalar
        :math:`\lambda \ge 0`.

    Returns
    -------
    param, state : array, AdamState
        :math:`\theta_t`, and :math:`t`, :math:`m_t`, :math:`v_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    The same as ``adamw`` with the learning rate :math:`\eta_t \alpha` and the decay
    :math:`\lambda / \alpha`. Wherever a quotient is 0/0 it is 0, as in ``adam``.

    Examples
    --------
    >>> import numpy as np
    >>> start = AdamState(0, np.zeros(2), np.zeros(2))
    >>> param, _ = adamw_paper_scaling(
    ...     np.array([1.0, 1.0]),
    ...     np.array([3.0, -3.0]),
    ...     start,
    ...     learning_rate=1.0,
    ...     schedule_multiplier=0.5,
    ...     beta1=0.5,
    ...     beta2=0.5,
    ...     eps=1.0,
    ...     weight_decay=0.25,
    ... )
    >>> param
    array([0.5 , 1.25])
    """
    xp = namespace(param, grad)
    step = state.step + 1
    exp_avg = moving_average(beta1, state.exp_avg, grad)  # beta1 * m + (1 - beta1) * g
    exp_avg_sq = moving_average(beta2, state.exp_avg_sq, grad**2)

    exp_avg_hat = quotient(exp_avg, bias_correction(beta1, step))  # m / (1 - beta1**t)
    exp_avg_sq_hat = quotient(exp_avg_sq, bias_correction(beta2, step))
    update = quotient(learning_rate * exp_avg_hat, xp.sqrt(exp_avg_sq_hat) + eps)
    param = decayed(param, schedule_multiplier, weight_decay)  # param - schedule_multiplier * weight_decay * param
    return param - schedule_multiplier * update, AdamState(step, exp_avg, exp_avg_sq)
