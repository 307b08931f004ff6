"""A fully connected layer, and what comes back through it."""

from __future__ import annotations

from typing import Any, NamedTuple

from oracle.arithmetic.primitives import namespace
from oracle.formula import Array, formula

__all__ = ["LinearGradients", "linear", "linear_vjp", "linear_vjp_bias", "linear_vjp_input", "linear_vjp_weight"]

_PLACE = "bourmaudnetworks, Calcul automatique du gradient du MLP"


class LinearGradients(NamedTuple):
    """Gradients with respect to what a layer takes."""

    x: Any
    weight: Any
    bias: Any


def linear(x: Array, weight: Array, bias: Array) -> Array:
    r"""Map samples, :math:`y = W x + b` each.

    Parameters
    ----------
    x : array, shape (N, n)
        Samples in rows.
    weight : array, shape (m, n)
        :math:`W`.
    bias : array, shape (m,)
        :math:`b`.

    Returns
    -------
    array, shape (N, m)

    Examples
    --------
    >>> import numpy as np
    >>> linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([5.0])).tolist()
    [[16.0]]
    """
    xp = namespace(x, weight, bias)
    return xp.matmul(x, xp.matrix_transpose(weight)) + bias


@formula(
    "linear_vjp_input",
    kind="function",
    source=(_PLACE,),
    domain={},
    neighbours=(
        "linear_vjp_input_averaged",
        "linear_vjp_input_turned",
        "linear_vjp_input_doubled",
        "linear_vjp_input_mixed",
        "linear_vjp_input_clipped",
    ),
)
def linear_vjp_input(weight: Array, upstream: Array) -> Array:
    r"""Carry cotangents back through a linear map, to what it was applied to.

    .. math::

        \tilde x_n = v_n W

    Parameters
    ----------
    weight : array, shape (m, n)
        :math:`W` of the layer :math:`y = W x + b`; finite.
    upstream : array, shape (N, m)
        :math:`v`, a row for each sample.

    Returns
    -------
    array, shape (N, n)
        The cotangent of each sample.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    It depends neither on the samples nor on the bias, and each row is computed by itself.

    Examples
    --------
    >>> import numpy as np
    >>> linear_vjp_input(np.array([[3.0, 4.0]]), np.array([[10.0]])).tolist()
    [[30.0, 40.0]]
    """
    return namespace(weight, upstream).matmul(upstream, weight)


@formula(
    "linear_vjp_weight",
    kind="function",
    source=(_PLACE,),
    domain={},
    neighbours=(
        "linear_vjp_weight_averaged",
        "linear_vjp_weight_turned",
        "linear_vjp_weight_doubled",
        "linear_vjp_weight_mixed",
        "linear_vjp_weight_clipped",
    ),
)
def linear_vjp_weight(x: Array, upstream: Array) -> Array:
    r"""Carry cotangents back through a linear map, to its matrix.

    .. math::

        \frac{\partial s}{\partial W} = \sum_n v_n^\top x_n^\top

    Parameters
    ----------
    x : array, shape (N, n)
        Samples in rows, which the layer :math:`y = W x + b` was applied to; finite.
    upstream : array, shape (N, m)
        :math:`v`, a row for each sample.

    Returns
    -------
    array, shape (m, n)
        The derivative by each weight.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    Samples are added up: whether the cost is a mean is for the cotangents to know. That of one sample has rank one.

    Examples
    --------
    >>> import numpy as np
    >>> linear_vjp_weight(np.array([[1.0, 2.0]]), np.array([[10.0]])).tolist()
    [[10.0, 20.0]]
    """
    xp = namespace(x, upstream)
    return xp.matmul(xp.matrix_transpose(upstream), x)


@formula(
    "linear_vjp_bias",
    kind="function",
    source=(_PLACE,),
    domain={},
    neighbours=(
        "linear_vjp_bias_averaged",
        "linear_vjp_bias_turned",
        "linear_vjp_bias_doubled",
        "linear_vjp_bias_mixed",
        "linear_vjp_bias_clipped",
    ),
)
def linear_vjp_bias(upstream: Array) -> Array:
    r"""Carry cotangents back through a linear map, to its bias.

    .. math::

        \frac{\partial s}{\partial b} = \sum_n v_n

    Parameters
    ----------
    upstream : array, shape (N, m)
        :math:`v`, a row for each sample; finite.

    Returns
    -------
    array, shape (m,)
        The derivative by each bias.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    ``linear_vjp_weight`` of samples that are 1.

    Examples
    --------
    >>> import numpy as np
    >>> linear_vjp_bias(np.array([[10.0, 1.0], [20.0, 2.0]])).tolist()
    [30.0, 3.0]
    """
    return namespace(upstream).sum(upstream, axis=0)


def linear_vjp(x: Array, weight: Array, upstream: Array) -> LinearGradients:
    r"""Carry cotangents back through `linear`, to all that it takes.

    Parameters
    ----------
    x : array, shape (N, n)
    weight : array, shape (m, n)
    upstream : array, shape (N, m)
        :math:`v`, a row for each sample.

    Returns
    -------
    LinearGradients
        Of the shapes of x, weight and bias.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight, upstream = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([[10.0]])
    >>> [gradient.tolist() for gradient in linear_vjp(x, weight, upstream)]
    [[[30.0, 40.0]], [[10.0, 20.0]], [10.0]]
    """
    return LinearGradients(
        x=linear_vjp_input.body(weight, upstream),
        weight=linear_vjp_weight.body(x, upstream),
        bias=linear_vjp_bias.body(upstream),
    )
