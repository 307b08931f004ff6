r"""The chain rule: cotangents, which are rows, and what functions make of them on the way back.

Everything here runs on numbers of every kind: floats, fractions, balls and symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from oracle.arithmetic.primitives import namespace
from oracle.formula import Array

__all__ = ["backpropagated", "chain_rule", "chain_rule_rows"]


def chain_rule(upstream: Array, jacobian: Array) -> Array:
    r"""Differentiate a composition, partial derivative by partial derivative.

    .. math::

        \frac{\partial s}{\partial x_i}
            = \sum_{j=1}^M \frac{\partial s}{\partial y_j} \frac{\partial y_j}{\partial x_i}

    Parameters
    ----------
    upstream : array, shape (M,)
        :math:`\partial s / \partial y` at :math:`y = f(x)`.
    jacobian : array, shape (M, n)
        :math:`J_{ji} = \partial y_j / \partial x_i`.

    Returns
    -------
    array, shape (n,)
    """
    return namespace(jacobian).sum(upstream[:, None] * jacobian, axis=0)


def chain_rule_rows(upstream: Array, jacobian: Array) -> Array:
    r"""Differentiate a composition as a product of a row and a matrix.

    .. math::

        \frac{\partial s}{\partial x} = \frac{\partial s}{\partial y} \frac{\partial f(x)}{\partial x}

    Parameters
    ----------
    upstream : array, shape (k, M)
        Rows :math:`\partial s / \partial y`, one of each cost; a matrix of rows is a Jacobian.
    jacobian : array, shape (M, n)
        :math:`J_{ji} = \partial y_j / \partial x_i`.

    Returns
    -------
    array, shape (k, n)
        Rows :math:`\partial s / \partial x`.
    """
    return namespace(jacobian).matmul(upstream, jacobian)


def backpropagated(pullbacks: Sequence[Callable[[Any], Any]], upstream: Any) -> Any:
    r"""Carry a cotangent back through a composition.

    .. math::

        \frac{\partial s}{\partial x} = \tilde f(x, \tilde g(f(x), 1)), \qquad
        \tilde f(x, v) = v \, \frac{\partial f(x)}{\partial x}

    Parameters
    ----------
    pullbacks : sequence of callable
        :math:`\tilde f_l(x^{(l-1)}, \cdot)` of each function, in the order in which the functions are applied.
    upstream : array
        The seed: 1 for the derivative of a scalar.

    Returns
    -------
    array
        The cotangent of what the first function was applied to.
    """
    for pullback in reversed(pullbacks):
        upstream = pullback(upstream)
    return upstream
