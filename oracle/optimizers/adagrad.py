"""AdaGrad: every coordinate has a rate that falls with the squares of all its gradients."""

from __future__ import annotations

from typing import NamedTuple

from oracle.arithmetic.primitives import namespace, quotient, stored
from oracle.domains import at_least, greater_than
from oracle.formula import Array, Scalar, formula

__all__ = ["AdagradState", "adagrad", "adagrad_eps_inside"]

_DOMAIN = {"learning_rate": at_least(0), "eps": at_least(0)}
_DRAW = {"eps": greater_than(0)}


class AdagradState(NamedTuple):
    """What AdaGrad remembers; the array has the parameter's shape and starts at zero."""

    sum: Array  # G, sum of all squared gradients


@formula(
    "adagrad",
    source=(
        "lopesquintas2024updates, AdaGrad : une première réponse",
        "duchi2011adaptive, Section 1.1, diagonal matrices",
    ),
    domain=_DOMAIN,
    draw=_DRAW,
    neighbours=(
        "adagrad_eps_inside",
        "adagrad_forgetting",
        "adagrad_without_eps",
        "adagrad_eps_maximum",
        "adagrad_without_root",
        "adagrad_lagged",
        "adagrad_mean",
        "adagrad_of_modulus",
        "adagrad_initial_tenth",
        "adagrad_memoryless",
        "adagrad_ascent",
        "adagrad_rate_off",
    ),
    state_type=AdagradState,
)
def adagrad(
    param: Array, grad: Array, state: AdagradState, *, learning_rate: Scalar, eps: Scalar
) -> tuple[Array, AdagradState]:
    r"""Move the parameters by the gradient over the root of the sum of all its squares.

    .. math::

        G_t &= G_{t-1} + g_t^2 \\
        \theta_t &= \theta_{t-1} - \eta \frac{g_t}{\sqrt{G_t} + \epsilon}

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : AdagradState
        :math:`G_{t-1} \ge 0`.
    learning_rate, eps : scalar
        :math:`\eta \ge 0`, and :math:`\epsilon \ge 0` added outside the root.

    Returns
    -------
    param, state : array, AdagradState
        :math:`\theta_t`, and :math:`G_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    Where all gradients were 0 the quotient 0/0 is 0: nothing moves, even without epsilon.

    Some libraries add epsilon inside the root, the formula ``adagrad_eps_inside``; some start the
    sum at 0.1, which is another rule.

    Examples
    --------
    >>> import numpy as np
    >>> start = AdagradState(np.array([16.0, 0.0]))
    >>> param, state = adagrad(np.zeros(2), np.array([3.0, -1.0]), start, learning_rate=1.0, eps=1.0)
    >>> param, state.sum
    (array([-0.5,  0.5]), array([25.,  1.]))
    """
    xp = namespace(param, grad)
    sum = stored(state.sum + grad**2)
    update = quotient(learning_rate * grad, xp.sqrt(sum) + eps)
    return param - update, AdagradState(sum)


@formula(
    "adagrad_eps_inside",
    source=("kerasadagrad, epsilon", "duchi2011adaptive, Section 1.1, which adds epsilon outside"),
    domain=_DOMAIN,
    draw=_DRAW,
    neighbours=(
        "adagrad",
        "adagrad_eps_inside_forgetting",
        "adagrad_without_eps",
        "adagrad_eps_inside_lagged",
        "adagrad_eps_inside_mean",
        "adagrad_eps_inside_of_modulus",
        "adagrad_eps_inside_initial_tenth",
        "adagrad_eps_inside_memoryless",
        "adagrad_eps_inside_ascent",
        "adagrad_eps_inside_rate_off",
    ),
    state_type=AdagradState,
)
def adagrad_eps_inside(
    param: Array, grad: Array, state: AdagradState, *, learning_rate: Scalar, eps: Scalar
) -> tuple[Array, AdagradState]:
    r"""Move the parameters by the gradient over the root of the sum of all its squares and epsilon.

    .. math::

        G_t &= G_{t-1} + g_t^2 \\
        \theta_t &= \theta_{t-1} - \eta \frac{g_t}{\sqrt{G_t + \epsilon}}

    Parameters
    ----------
    param, grad : array, shape (...)
        :math:`\theta_{t-1}` and :math:`g_t`; finite; the rule is elementwise.
    state : AdagradState
        :math:`G_{t-1} \ge 0`.
    learning_rate, eps : scalar
        :math:`\eta \ge 0`, and :math:`\epsilon \ge 0` added inside the root.

    Returns
    -------
    param, state : array, AdagradState
        :math:`\theta_t`, and :math:`G_t`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    Where all gradients were 0 the quotient 0/0 is 0.

    Examples
    --------
    >>> import numpy as np
    >>> start = AdagradState(np.zeros(2))
    >>> param, _ = adagrad_eps_inside(np.zeros(2), np.array([1.0, -1.0]), start, learning_rate=1.0, eps=3.0)
    >>> param
    array([-0.5,  0.5])
    """
    xp = namespace(param, grad)
    sum = stored(state.sum + grad**2)
    update = quotient(learning_rate * grad, xp.sqrt(sum + eps))
    return param - update, AdagradState(sum)
