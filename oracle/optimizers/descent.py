"""Gradient descent, bare and with the two scalings of weight decay."""

from __future__ import annotations

from oracle.arithmetic.primitives import decayed
from oracle.domains import at_least, half_open
from oracle.formula import Array, NoState, Scalar, formula

__all__ = ["gd", "sgd_l2", "weight_decay_unscaled"]


@formula(
    "gd",
    source=(
        "lopesquintas2024updates, Quel schéma d'optimisation choisir, Méthode",
        "bourmaudnetworks, Descente de gradient",
    ),
    domain={"learning_rate": at_least(0)},
    neighbours=(
        "gd_ascent",
        "gd_sign",
        "gd_lagged",
        "gd_accumulating",
        "gd_hidden_momentum",
        "gd_hidden_decay",
        "gd_rate_off",
    ),
)
def gd(param: Array, grad: Array, state: NoState, *, learning_rate: Scalar) -> tuple[Array, NoState]:
    r"""Move the parameters against the gradient.

    .. math::

        \theta_t = \theta_{t-1} - \eta_t g_t

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t = \nabla \mathcal{L}(\theta_{t-1})`; finite.
    state : NoState
        Nothing is remembered.
    learning_rate : scalar
        :math:`\eta_t \ge 0`.

    Returns
    -------
    param, state : array, NoState
        :math:`\theta_t`.

    Raises
    ------
    DomainError
        If the learning rate lies outside the domain above.

    Notes
    -----
    Stochastic descent is the same rule fed with the gradient of a batch.

    Examples
    --------
    >>> gd(5.0, 2.0, NoState(), learning_rate=0.5)
    (4.0, NoState())
    """
    return param - learning_rate * grad, state


@formula(
    "sgd_l2",
    source=("lopesquintas2024updates, Problème de la régularisation",),
    domain={"learning_rate": at_least(0), "l2_penalty": at_least(0)},
    neighbours=(
        "gd",
        "weight_decay_unscaled",
        "sgd_l2_rate_squared",
        "sgd_l2_decay_after",
        "sgd_l2_decay_grows",
        "sgd_l2_decay_doubled",
        "sgd_l2_decay_l1",
        "sgd_l2_ascent",
        "sgd_l2_rate_off",
    ),
)
def sgd_l2(
    param: Array, grad: Array, state: NoState, *, learning_rate: Scalar, l2_penalty: Scalar
) -> tuple[Array, NoState]:
    r"""Descend the loss plus half the squared norm of the parameters.

    .. math::

        \mathcal{L}_\lambda(\theta) &= \mathcal{L}(\theta) + \frac{\lambda}{2} \lVert \theta \rVert_2^2 \\
        \theta_t &= \theta_{t-1} - \eta_t \lambda \theta_{t-1} - \eta_t g_t

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t = \nabla \mathcal{L}(\theta_{t-1})`, without the penalty; finite.
    state : NoState
        Nothing is remembered.
    learning_rate, l2_penalty : scalar
        :math:`\eta_t \ge 0` and :math:`\lambda \ge 0`.

    Returns
    -------
    param, state : array, NoState
        :math:`\theta_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    For plain descent, and for it alone, the penalty is the same as a decay of
    :math:`\eta_t \lambda \theta_{t-1}` beside the step.

    Examples
    --------
    >>> sgd_l2(5.0, 2.0, NoState(), learning_rate=0.5, l2_penalty=0.25)
    (3.375, NoState())
    """
    return decayed(param, learning_rate, l2_penalty) - learning_rate * grad, state


@formula(
    "weight_decay_unscaled",
    source=("bourmaudnetworks, Weight decay", "hanson1988biases, weight decay", "loshchilov2019decoupled, Equation 1"),
    domain={"learning_rate": at_least(0), "weight_decay": half_open(0, 1)},
    neighbours=(
        "gd",
        "sgd_l2",
        "sgd_l2_rate_squared",
        "weight_decay_unscaled_decay_after",
        "weight_decay_unscaled_decay_grows",
        "weight_decay_unscaled_decay_doubled",
        "weight_decay_unscaled_decay_l1",
        "weight_decay_unscaled_ascent",
        "weight_decay_unscaled_rate_off",
    ),
)
def weight_decay_unscaled(
    param: Array, grad: Array, state: NoState, *, learning_rate: Scalar, weight_decay: Scalar
) -> tuple[Array, NoState]:
    r"""Descend and shrink the parameters by a factor that ignores the learning rate.

    .. math::

        \theta_t = \theta_{t-1} - \lambda \theta_{t-1} - \eta_t g_t

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t = \nabla \mathcal{L}(\theta_{t-1})`; finite.
    state : NoState
        Nothing is remembered.
    learning_rate, weight_decay : scalar
        :math:`\eta_t \ge 0` and :math:`0 \le \lambda < 1`.

    Returns
    -------
    param, state : array, NoState
        :math:`\theta_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    At a constant learning rate this is ``sgd_l2`` with the penalty :math:`\lambda / \eta`; when
    the learning rate varies no single penalty reproduces it.

    Examples
    --------
    >>> weight_decay_unscaled(5.0, 2.0, NoState(), learning_rate=0.5, weight_decay=0.25)
    (2.75, NoState())
    """
    return decayed(param, 1, weight_decay) - learning_rate * grad, state
