"""A fully connected layer, and what comes back through it."""

from __future__ import annotations

from typing import Any, NamedTuple

from oracle.arithmetic.primitives import namespace
from oracle.formula import Array

__all__ = ["LinearGradients", "linear", "linear_vjp"]


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


def linear_vjp(x: Array, weight: Array, upstream: Array) -> LinearGradients:
    r"""Carry cotangents back through `linear`.

    .. math::

        \tilde x = v W, \qquad \frac{\partial s}{\partial W} = \sum_n v_n^\top x_n^\top,
        \qquad \frac{\partial s}{\partial b} = \sum_n v_n

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
    xp = namespace(x, weight, upstream)
    return LinearGradients(
        x=xp.matmul(upstream, weight),
        weight=xp.matmul(xp.matrix_transpose(upstream), x),
        bias=xp.sum(upstream, axis=0),
    )
