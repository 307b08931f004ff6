"""Adam: bias-corrected moving averages of the gradient and of its square."""

from __future__ import annotations

from typing import NamedTuple

from oracle.arithmetic.primitives import bias_correction, moving_average, namespace, quotient
from oracle.domains import at_least, closed, greater_than, half_open
from oracle.formula import Array, Scalar, formula

__all__ = ["AdamState", "adam", "adam_eps_hat", "adam_l2"]

ADAM_DOMAIN = {"learning_rate": at_least(0), "beta1": closed(0, 1), "beta2": closed(0, 1), "eps": at_least(0)}
ADAM_DRAW = {"beta1": half_open(0, 1), "beta2": half_open(0, 1), "eps": greater_than(0)}


class AdamState(NamedTuple):
    """What Adam remembers; arrays have the parameter's shape and start at zero."""

    step: int  # completed updates, so 0 before the first
    exp_avg: Array  # m, moving average of the gradient
    exp_avg_sq: Array  # v, moving average of the squared gradient


@formula(
    "adam",
    source=(
        "lopesquintas2024updates, Adam : combiner AdaGrad et RMSProp",
        "kingma2015adam, Algorithm 1",
    ),
    domain=ADAM_DOMAIN,
    draw=ADAM_DRAW,
    neighbours=(
        "adam_eps_hat",
        "adam_eps_inside",
        "adam_without_eps",
        "adam_eps_maximum",
        "adam_without_correction",
        "adam_first_uncorrected",
        "adam_second_uncorrected",
        "adam_correction_multiplied",
        "adam_step_from_two",
        "adam_step_lagging",
        "adam_betas_swapped",
        "adam_betas_shared",
        "adam_first_unnormalised",
        "adam_second_unnormalised",
        "adam_second_of_modulus",
        "adam_second_of_average",
        "adam_first_lagged",
        "adam_second_lagged",
        "adam_without_root",
        "adam_nesterov",
        "adam_amsgrad",
        "adam_ascent",
        "adam_rate_off",
    ),
    state_type=AdamState,
)
def adam(
    param: Array,
    grad: Array,
    state: AdamState,
    *,
    learning_rate: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    eps: Scalar,
) -> tuple[Array, AdamState]:
    r"""Move the parameters by one bias-corrected Adam step.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \hat m_t &= \frac{m_t}{1 - \beta_1^t} \\
        \hat v_t &= \frac{v_t}{1 - \beta_2^t} \\
        \theta_t &= \theta_{t-1} - \eta \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : AdamState
        :math:`t - 1 \ge 0`, :math:`m_{t-1}` and :math:`v_{t-1} \ge 0`.
    learning_rate, eps : scalar
        :math:`\eta \ge 0`, and :math:`\epsilon \ge 0` added outside the root.
    beta1, beta2 : scalar
        Decay rates in :math:`[0, 1]`.

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
    Wherever a quotient is 0/0 it is 0: nothing moves where all gradients were 0, even without
    epsilon, nor at :math:`\beta_1 = 1`. A nonzero average over a denominator of 0
    (:math:`\epsilon = 0` with :math:`\beta_2` 0 or 1) is a pole.

    Kingma and Ba also print a cheaper order of the same products, whose epsilon acts as
    :math:`\epsilon / \sqrt{1 - \beta_2^t}`: the formula ``adam_eps_hat``.

    Examples
    --------
    >>> import numpy as np
    >>> start = AdamState(0, np.zeros(2), np.zeros(2))
    >>> param, _ = adam(
    ...     np.array([1.0, 1.0]), np.array([3.0, -3.0]), start, learning_rate=1.0, beta1=0.5, beta2=0.5, eps=1.0
    ... )
    >>> param
    array([0.25, 1.75])
    """
    xp = namespace(param, grad)
    step = state.step + 1
    exp_avg = moving_average(beta1, state.exp_avg, grad)  # beta1 * m + (1 - beta1) * g
    exp_avg_sq = moving_average(beta2, state.exp_avg_sq, grad**2)

    exp_avg_hat = quotient(exp_avg, bias_correction(beta1, step))  # m / (1 - beta1**t)
    exp_avg_sq_hat = quotient(exp_avg_sq, bias_correction(beta2, step))
    update = quotient(learning_rate * exp_avg_hat, xp.sqrt(exp_avg_sq_hat) + eps)
    return param - update, AdamState(step, exp_avg, exp_avg_sq)


@formula(
    "adam_eps_hat",
    source=("kingma2015adam, Section 2",),
    domain=ADAM_DOMAIN,
    draw=ADAM_DRAW,
    neighbours=(
        "adam",
        "adam_eps_inside",
        "adam_without_eps",
        "adam_eps_hat_without_correction",
        "adam_eps_hat_first_uncorrected",
        "adam_eps_hat_step_from_two",
        "adam_eps_hat_step_lagging",
        "adam_eps_hat_betas_swapped",
        "adam_eps_hat_second_of_modulus",
        "adam_eps_hat_nesterov",
        "adam_eps_hat_amsgrad",
        "adam_eps_hat_rate_off",
    ),
    state_type=AdamState,
)
def adam_eps_hat(
    param: Array,
    grad: Array,
    state: AdamState,
    *,
    learning_rate: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    eps: Scalar,
) -> tuple[Array, AdamState]:
    r"""Move the parameters by one Adam step whose epsilon is added before the bias correction.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \theta_t &= \theta_{t-1} - \eta \sqrt{1 - \beta_2^t}
            \frac{m_t / (1 - \beta_1^t)}{\sqrt{v_t} + \hat\epsilon}

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : AdamState
        :math:`t - 1 \ge 0`, :math:`m_{t-1}` and :math:`v_{t-1} \ge 0`.
    learning_rate, eps : scalar
        :math:`\eta \ge 0`, and :math:`\hat\epsilon \ge 0` added outside the root.
    beta1, beta2 : scalar
        Decay rates in :math:`[0, 1]`.

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
    This is ``adam`` with :math:`\epsilon = \hat\epsilon / \sqrt{1 - \beta_2^t}`: at
    :math:`\beta_2 = 0.999` the first step feels 31.6 times the epsilon, late steps once.
    Wherever a quotient is 0/0 it is 0; at :math:`\beta_1 = 1` or :math:`\beta_2 = 1` nothing moves.

    Examples
    --------
    >>> import numpy as np
    >>> start = AdamState(0, np.zeros(2), np.zeros(2))
    >>> param, _ = adam_eps_hat(
    ...     np.array([1.0, 1.0]), np.array([2.0, -2.0]), start, learning_rate=1.0, beta1=0.5, beta2=0.75, eps=1.0
    ... )
    >>> param
    array([0.5, 1.5])
    """
    xp = namespace(param, grad)
    step = state.step + 1
    exp_avg = moving_average(beta1, state.exp_avg, grad)  # beta1 * m + (1 - beta1) * g
    exp_avg_sq = moving_average(beta2, state.exp_avg_sq, grad**2)

    root = namespace(beta2).sqrt(bias_correction(beta2, step))  # sqrt(1 - beta2**t)
    exp_avg_hat = quotient(exp_avg, bias_correction(beta1, step))
    update = quotient(learning_rate * root * exp_avg_hat, xp.sqrt(exp_avg_sq) + eps)
    return param - update, AdamState(step, exp_avg, exp_avg_sq)


@formula(
    "adam_l2",
    source=("lopesquintas2024updates, Problème de la régularisation", "loshchilov2019decoupled, Algorithm 2"),
    domain={**ADAM_DOMAIN, "l2_penalty": at_least(0)},
    draw=ADAM_DRAW,
    neighbours=(
        "adam",
        "adamw",
        "adamw_paper_scaling",
        "adamw_decay_inside",
        "adam_l2_decay_doubled",
        "adam_l2_decay_grows",
        "adam_l2_second_undecayed",
        "adam_l2_eps_hat",
        "adam_l2_eps_inside",
        "adam_l2_without_correction",
        "adam_l2_step_from_two",
        "adam_l2_betas_swapped",
        "adam_l2_amsgrad",
        "adam_l2_rate_off",
    ),
    state_type=AdamState,
)
def adam_l2(
    param: Array,
    grad: Array,
    state: AdamState,
    *,
    learning_rate: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    eps: Scalar,
    l2_penalty: Scalar,
) -> tuple[Array, AdamState]:
    r"""Move the parameters by one Adam step on the loss plus half their squared norm.

    .. math::

        g_t &= \nabla \mathcal{L}(\theta_{t-1}) + \lambda \theta_{t-1} \\
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \theta_t &= \theta_{t-1} - \eta \,
            \frac{m_t / (1 - \beta_1^t)}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`\nabla \mathcal{L}(\theta_{t-1})`, without the penalty; finite.
    state : AdamState
        :math:`t - 1 \ge 0`, :math:`m_{t-1}` and :math:`v_{t-1} \ge 0`.
    learning_rate, eps : scalar
        :math:`\eta \ge 0`, and :math:`\epsilon \ge 0` added outside the root.
    beta1, beta2 : scalar
        Decay rates in :math:`[0, 1]`.
    l2_penalty : scalar
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
    The root divides the penalty as well, so that it no longer decays: with a loss gradient of 0
    and no epsilon the first step is :math:`-\eta \operatorname{sign}(\theta_0)` whatever
    :math:`\lambda > 0`. The formula ``adamw`` keeps the decay out of the moments.

    Examples
    --------
    >>> import numpy as np
    >>> start = AdamState(0, np.zeros(2), np.zeros(2))
    >>> param, _ = adam_l2(
    ...     np.array([2.0, -4.0]),
    ...     np.zeros(2),
    ...     start,
    ...     learning_rate=1.0,
    ...     beta1=0.5,
    ...     beta2=0.5,
    ...     eps=0.0,
    ...     l2_penalty=0.5,
    ... )
    >>> param
    array([ 1., -3.])
    """
    penalised = grad + l2_penalty * param
    moved: tuple[Array, AdamState] = adam.body(
        param, penalised, state, learning_rate=learning_rate, beta1=beta1, beta2=beta2, eps=eps
    )
    return moved
