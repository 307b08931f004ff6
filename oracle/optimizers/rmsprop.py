"""RMSProp: every coordinate has a rate that follows the size of its recent gradients."""

from __future__ import annotations

from typing import NamedTuple

from oracle.arithmetic.primitives import moving_average, namespace, quotient
from oracle.domains import at_least, closed, greater_than, half_open
from oracle.formula import Array, Scalar, formula

__all__ = ["RMSpropState", "rmsprop", "rmsprop_eps_inside"]

_DOMAIN = {"learning_rate": at_least(0), "alpha": closed(0, 1), "eps": at_least(0)}
_DRAW = {"alpha": half_open(0, 1), "eps": greater_than(0)}


class RMSpropState(NamedTuple):
    """What RMSProp remembers; the array has the parameter's shape and starts at zero."""

    square_avg: Array  # v, moving average of the squared gradient


@formula(
    "rmsprop",
    source=(
        "lopesquintas2024updates, RMSProp : deuxième réponse",
        "tieleman2012rmsprop, slide 29, without epsilon",
    ),
    domain=_DOMAIN,
    draw=_DRAW,
    neighbours=(
        "rmsprop_eps_inside",
        "adagrad",
        "rmsprop_without_eps",
        "rmsprop_eps_maximum",
        "rmsprop_without_root",
        "rmsprop_lagged",
        "rmsprop_without_weights",
        "rmsprop_weights_swapped",
        "rmsprop_corrected",
        "rmsprop_of_modulus",
        "rmsprop_centered",
        "rmsprop_memoryless",
        "rmsprop_ascent",
        "rmsprop_rate_off",
    ),
    state_type=RMSpropState,
)
def rmsprop(
    param: Array, grad: Array, state: RMSpropState, *, learning_rate: Scalar, alpha: Scalar, eps: Scalar
) -> tuple[Array, RMSpropState]:
    r"""Move the parameters by the gradient over the root of a moving average of its square.

    .. math::

        v_t &= \alpha v_{t-1} + (1 - \alpha) g_t^2 \\
        \theta_t &= \theta_{t-1} - \eta \frac{g_t}{\sqrt{v_t} + \epsilon}

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : RMSpropState
        :math:`v_{t-1} \ge 0`.
    learning_rate, eps : scalar
        :math:`\eta \ge 0`, and :math:`\epsilon \ge 0` added outside the root.
    alpha : scalar
        Memory of past gradients, in :math:`[0, 1]`.

    Returns
    -------
    param, state : array, RMSpropState
        :math:`\theta_t`, and :math:`v_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    Nothing corrects the bias of the average towards its start: the first step has the length
    :math:`\eta / \sqrt{1 - \alpha}` if epsilon is small. Where a quotient is 0/0 it is 0; a
    gradient over a denominator of 0 (:math:`\epsilon = 0` with :math:`\alpha = 1`) is a pole.

    Slides and libraries disagree about the place of epsilon; inside the root it gives the formula
    ``rmsprop_eps_inside``.

    Examples
    --------
    >>> import numpy as np
    >>> start = RMSpropState(np.zeros(2))
    >>> param, state = rmsprop(np.zeros(2), np.array([2.0, -6.0]), start, learning_rate=1.0, alpha=0.75, eps=1.0)
    >>> param, state.square_avg
    (array([-1. ,  1.5]), array([1., 9.]))
    """
    xp = namespace(param, grad)
    square_avg = moving_average(alpha, state.square_avg, grad**2)  # alpha * v + (1 - alpha) * g**2
    update = quotient(learning_rate * grad, xp.sqrt(square_avg) + eps)
    return param - update, RMSpropState(square_avg)


@formula(
    "rmsprop_eps_inside",
    source=("lopesquintas2024complements, RMSProp : deuxième réponse",),
    domain=_DOMAIN,
    draw=_DRAW,
    neighbours=(
        "rmsprop",
        "adagrad_eps_inside",
        "rmsprop_without_eps",
        "rmsprop_eps_inside_lagged",
        "rmsprop_eps_inside_without_weights",
        "rmsprop_eps_inside_weights_swapped",
        "rmsprop_eps_inside_corrected",
        "rmsprop_eps_inside_of_modulus",
        "rmsprop_eps_inside_centered",
        "rmsprop_eps_inside_memoryless",
        "rmsprop_eps_inside_ascent",
        "rmsprop_eps_inside_rate_off",
    ),
    state_type=RMSpropState,
)
def rmsprop_eps_inside(
    param: Array, grad: Array, state: RMSpropState, *, learning_rate: Scalar, alpha: Scalar, eps: Scalar
) -> tuple[Array, RMSpropState]:
    r"""Move the parameters by the gradient over the root of a moving average of its square and epsilon.

    .. math::

        v_t &= \alpha v_{t-1} + (1 - \alpha) g_t^2 \\
        \theta_t &= \theta_{t-1} - \eta \frac{g_t}{\sqrt{v_t + \epsilon}}

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : RMSpropState
        :math:`v_{t-1} \ge 0`.
    learning_rate, eps : scalar
        :math:`\eta \ge 0`, and :math:`\epsilon \ge 0` added inside the root.
    alpha : scalar
        Memory of past gradients, in :math:`[0, 1]`.

    Returns
    -------
    param, state : array, RMSpropState
        :math:`\theta_t`, and :math:`v_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    Epsilon has the unit of a squared gradient here. With :math:`\epsilon` inside no step is shorter
    than with :math:`\sqrt\epsilon` outside, nor longer than :math:`\sqrt 2` times that.

    Examples
    --------
    >>> import numpy as np
    >>> start = RMSpropState(np.zeros(1))
    >>> param, _ = rmsprop_eps_inside(np.zeros(1), np.array([2.0]), start, learning_rate=1.0, alpha=0.75, eps=3.0)
    >>> param
    array([-1.])
    """
    xp = namespace(param, grad)
    square_avg = moving_average(alpha, state.square_avg, grad**2)
    update = quotient(learning_rate * grad, xp.sqrt(square_avg + eps))
    return param - update, RMSpropState(square_avg)
