"""A fully connected layer on numbers of several kinds."""

from fractions import Fraction as F

import numpy as np
import torch

from oracle.differentiation.layers import linear, linear_vjp
from oracle.exact import exact

X, W, B = (
    np.array([[1.0, 2.0], [0.5, -4.0]]),
    np.array([[3.0, 4.0], [-1.0, 0.0], [2.0, 0.5]]),
    np.array([5.0, 0.0, -1.0]),
)
V = np.array([[1.0, -2.0, 0.25], [0.0, 3.0, 8.0]])


def test_a_layer_as_worked_by_hand():
    assert linear(X, W, B).tolist() == [[16.0, -1.0, 2.0], [-9.5, -0.5, -2.0]]
    assert exact(linear, X, W, B).tolist() == linear(X, W, B).tolist()


def test_fractions_give_the_gradients_that_torch_gives_where_nothing_rounds():
    x, weight, bias = (torch.tensor(array, requires_grad=True) for array in (X, W, B))
    theirs = torch.autograd.grad(torch.nn.functional.linear(x, weight, bias), (x, weight, bias), torch.tensor(V))
    fractions = (np.vectorize(F, otypes=[object])(array) for array in (X, W, V))

    assert [gradient.tolist() for gradient in linear_vjp(*fractions)] == [gradient.tolist() for gradient in theirs]
