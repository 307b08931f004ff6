r"""What comes back through activations: vector-Jacobian products :math:`\tilde f(x, v)`."""

from __future__ import annotations

from oracle.arithmetic import curves
from oracle.formula import Array, formula

__all__ = ["relu_vjp", "sigmoid_vjp", "softmax_vjp"]

_PLACE = "bourmaudnetworks, Calcul automatique du gradient du MLP"


@formula(
    "relu_vjp",
    kind="function",
    source=(_PLACE,),
    domain={},
    neighbours=(
        "relu_vjp_one_at_zero",
        "relu_vjp_leaky",
        "relu_vjp_capped",
        "relu_vjp_everywhere",
        "relu_vjp_of_modulus",
    ),
)
def relu_vjp(x: Array, upstream: Array) -> Array:
    r"""Let the cotangents of positive numbers through.

    .. math::

        \tilde f(x, v)_i = v_i \, \mathbf 1[x_i > 0]

    Parameters
    ----------
    x : array, shape (...)
        What the rectifier was applied to; finite.
    upstream : array, shape (...)
        :math:`v`, of the same shape.

    Returns
    -------
    array, shape (...)
        :math:`\tilde f(x, v)`, the cotangent of x.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    At 0, where the rectifier has no derivative, it is 0, as in every library.

    Examples
    --------
    >>> import numpy as np
    >>> relu_vjp(np.array([-2.0, 0.0, 3.0]), np.array([5.0, 5.0, 5.0])).tolist()
    [0.0, 0.0, 5.0]
    """
    return upstream * curves.positive(x)


@formula(
    "sigmoid_vjp",
    kind="function",
    source=(_PLACE,),
    domain={},
    neighbours=(
        "sigmoid_vjp_without_complement",
        "sigmoid_vjp_of_output",
        "sigmoid_vjp_of_tanh",
        "sigmoid_vjp_base_two",
        "sigmoid_vjp_steeper",
    ),
)
def sigmoid_vjp(x: Array, upstream: Array) -> Array:
    r"""Weight cotangents with the slope of the logistic function.

    .. math::

        \tilde f(x, v)_i = v_i \, \sigma(x_i) (1 - \sigma(x_i))

    Parameters
    ----------
    x : array, shape (...)
        What the logistic function was applied to; finite.
    upstream : array, shape (...)
        :math:`v`, of the same shape.

    Returns
    -------
    array, shape (...)
        :math:`\tilde f(x, v)`, the cotangent of x.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The slope is even, at most 1/4, and :math:`\sigma(x) \sigma(-x)`, which cancels nowhere. The documents draw
    the backward pass without this formula; it is the derivative of ``sigmoid``.

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid_vjp(np.array([0.0]), np.array([8.0])).tolist()
    [2.0]
    """
    return upstream * curves.logistic_slope(x)  # sigma(x) * (1 - sigma(x))


@formula(
    "softmax_vjp",
    kind="function",
    source=(_PLACE,),
    domain={},
    neighbours=(
        "softmax_vjp_diagonal",
        "softmax_vjp_unweighted",
        "softmax_vjp_plain_mean",
        "softmax_vjp_of_logarithm",
        "softmax_vjp_base_two",
        "softmax_vjp_turned",
    ),
)
def softmax_vjp(scores: Array, upstream: Array) -> Array:
    r"""Weigh cotangents, less their weighted mean, with the shares of softmax.

    .. math::

        \tilde f(s, v)_i = p_i \left( v_i - \sum_c p_c v_c \right), \qquad p = \operatorname{softmax}(s)

    Parameters
    ----------
    scores : array, shape (..., C)
        :math:`s`, a row for each sample; finite.
    upstream : array, shape (..., C)
        :math:`v`, of the same shape.

    Returns
    -------
    array, shape (..., C)
        :math:`\tilde f(s, v)`, the cotangent of the scores.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    It is :math:`v (\operatorname{diag}(p) - p p^\top)`; each row adds up to 0. The documents name it only as a
    part of the cross-entropy, whose gradient does without it.

    Examples
    --------
    >>> import numpy as np
    >>> softmax_vjp(np.array([0.0, 0.0]), np.array([8.0, 4.0])).tolist()
    [1.0, -1.0]
    """
    return curves.weighted_deviation(curves.softmax(scores), upstream)  # p * (v - sum(v * p))
