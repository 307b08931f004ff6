"""The forward and the backward pass of a network of fully connected layers with rectifiers between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from oracle.activations.relu import relu
from oracle.differentiation.activations import relu_vjp
from oracle.differentiation.layers import LinearGradients, linear, linear_vjp
from oracle.formula import Array

__all__ = ["Layer", "Pass", "mlp_forward", "mlp_forward_backward"]


class Layer(NamedTuple):
    """Parameters of a fully connected layer, :math:`y = W x + b`."""

    weight: Any
    bias: Any


class Pass(NamedTuple):
    """What a forward and a backward pass give: the outputs, and gradients of each layer, the first one first."""

    output: Any
    gradients: tuple[LinearGradients, ...]


def mlp_forward(x: Array, layers: Sequence[Layer]) -> list[Array]:
    r"""Apply layers, with a rectifier before each but the first.

    .. math::

        x^{(l)} = f_l(x^{(l-1)}; \theta^{(l)}), \qquad l = 1, \dots, L

    Parameters
    ----------
    x : array, shape (N, n)
        Samples in rows.
    layers : sequence of Layer

    Returns
    -------
    list of array
        What each layer returned, the output last.
    """
    returned: list[Array] = []
    for layer in layers:
        taken = relu.body(returned[-1]) if returned else x
        returned.append(linear(taken, layer.weight, layer.bias))
    return returned


def mlp_forward_backward(x: Array, layers: Sequence[Layer], cost_gradient: Callable[[Array], Array]) -> Pass:
    r"""Differentiate a cost of a network's output with respect to all parameters.

    .. math::

        v^{(L)} = \tilde l, \qquad v^{(l-1)} = \tilde f_l(x^{(l-1)}, v^{(l)}), \qquad
        \frac{\partial s}{\partial \theta^{(l)}} = v^{(l)} \frac{\partial f_l}{\partial \theta^{(l)}}

    Parameters
    ----------
    x : array, shape (N, n)
        Samples in rows.
    layers : sequence of Layer
    cost_gradient : callable
        Gradient of the cost with respect to the output, such as the body of ``loss_cross_entropy_gradient``
        with its target.

    Returns
    -------
    Pass
        Its ``gradients[0].x`` is the gradient with respect to the input.

    Examples
    --------
    >>> import numpy as np
    >>> layers = [Layer(np.array([[2.0]]), np.array([1.0])), Layer(np.array([[3.0]]), np.array([0.0]))]
    >>> output, gradients = mlp_forward_backward(np.array([[1.0]]), layers, np.ones_like)
    >>> output.tolist(), [float(each.weight[0, 0]) for each in gradients]
    ([[9.0]], [3.0, 3.0])
    """
    returned = mlp_forward(x, layers)
    upstream = cost_gradient(returned[-1])
    gradients: list[LinearGradients] = []
    for number in reversed(range(len(layers))):
        taken = relu.body(returned[number - 1]) if number else x
        gradients.append(linear_vjp(taken, layers[number].weight, upstream))
        if number:
            upstream = relu_vjp.body(returned[number - 1], gradients[-1].x)
    return Pass(returned[-1], tuple(reversed(gradients)))
