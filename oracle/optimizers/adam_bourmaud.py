"""Adam as one document prints it: the corrected averages are what the next step starts from."""

from __future__ import annotations

from oracle.arithmetic.primitives import bias_correction, interpolated, namespace, quotient, stored
from oracle.formula import Array, Scalar, formula
from oracle.optimizers.adam import ADAM_DOMAIN, ADAM_DRAW, AdamState

__all__ = ["adam_bourmaud_literal_k1"]


@formula(
    "adam_bourmaud_literal_k1",
    source=("bourmaudnetworks, Adam: A Method for Stochastic Optimization, as printed, counting from 1",),
    domain=ADAM_DOMAIN,
    draw=ADAM_DRAW,
    neighbours=(
        "adam",
        "adam_eps_hat",
        "adam_without_correction",
        "adam_bourmaud_literal_k1_first_uncorrected",
        "adam_bourmaud_literal_k1_second_uncorrected",
        "adam_bourmaud_literal_k1_correction_multiplied",
        "adam_bourmaud_literal_k1_step_from_two",
        "adam_bourmaud_literal_k1_betas_swapped",
        "adam_bourmaud_literal_k1_betas_shared",
        "adam_bourmaud_literal_k1_eps_inside",
        "adam_bourmaud_literal_k1_without_eps",
        "adam_bourmaud_literal_k1_without_root",
        "adam_bourmaud_literal_k1_second_of_modulus",
        "adam_bourmaud_literal_k1_ascent",
        "adam_bourmaud_literal_k1_rate_off",
    ),
    state_type=AdamState,
)
def adam_bourmaud_literal_k1(
    param: Array,
    grad: Array,
    state: AdamState,
    *,
    learning_rate: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    eps: Scalar,
) -> tuple[Array, AdamState]:
    r"""Move the parameters by one Adam step whose corrected averages are what the next step starts from.

    .. math::

        m_{k+1} &= \frac{1}{1 - \beta_1^k} \big( \beta_1 m_k + (1 - \beta_1) g_{k+1} \big) \\
        v_{k+1} &= \frac{1}{1 - \beta_2^k} \big( \beta_2 v_k + (1 - \beta_2) g_{k+1}^2 \big) \\
        \theta_{k+1} &= \theta_k - \eta \frac{m_{k+1}}{\sqrt{v_{k+1}} + \epsilon}, \qquad k = 1, 2, \dots

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_k` and :math:`g_{k+1}`; finite; the rule is elementwise.
    state : AdamState
        :math:`k - 1 \ge 0` completed updates, :math:`m_k` and :math:`v_k \ge 0`.
    learning_rate, eps : scalar
        :math:`\eta \ge 0`, and :math:`\epsilon \ge 0` added outside the root.
    beta1, beta2 : scalar
        Decay rates in :math:`[0, 1]`.

    Returns
    -------
    param, state : array, AdamState
        :math:`\theta_{k+1}`, and :math:`k`, :math:`m_{k+1}`, :math:`v_{k+1}`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    Nobody should run this: each correction multiplies all those before, so that the moments leave
    the range of the gradients by factors of up to :math:`\prod_k (1 - \beta^k)^{-1}`, which is
    beyond :math:`10^{700}` for :math:`\beta_2 = 0.999`. The first update alone is Adam's, and every
    update without betas. The slide leaves :math:`m_1`, :math:`v_1` and the first :math:`k` open:
    zeros and 1 here; from :math:`k = 0` the first update would divide by 0.

    With corrected values kept apart from the averages the slide's rule is ``adam`` itself.

    Wherever a quotient is 0/0 it is 0.

    Examples
    --------
    >>> import numpy as np
    >>> state = AdamState(0, np.zeros(1), np.zeros(1))
    >>> for _ in range(2):
    ...     _, state = adam_bourmaud_literal_k1(
    ...         np.zeros(1), np.ones(1), state, learning_rate=1.0, beta1=0.5, beta2=0.5, eps=1.0
    ...     )
    >>> state.exp_avg  # (1 + 1) / 2 over 1 - 1 / 4
    array([1.33333333])
    """
    xp = namespace(param, grad)
    step = state.step + 1
    average = interpolated(beta1, state.exp_avg, grad)  # beta1 * m + (1 - beta1) * g
    average_sq = interpolated(beta2, state.exp_avg_sq, grad**2)

    exp_avg = stored(quotient(average, bias_correction(beta1, step)))
    exp_avg_sq = stored(quotient(average_sq, bias_correction(beta2, step)))
    update = quotient(learning_rate * exp_avg, xp.sqrt(exp_avg_sq) + eps)
    return param - update, AdamState(step, exp_avg, exp_avg_sq)
