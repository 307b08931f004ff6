"""A fully connected layer on numbers of several kinds."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.arithmetic.symbols import symbol_array
from oracle.bound import bound
from oracle.differentiation.layers import linear, linear_vjp, linear_vjp_bias, linear_vjp_input, linear_vjp_weight
from oracle.errors import DomainError
from oracle.exact import exact

STRICT = Precision(FLOAT64, FLOAT64, FLOAT64)

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


def test_each_gradient_as_worked_by_hand():
    assert exact(linear_vjp_input, W, V).tolist() == [[5.5, 4.125], [13.0, 4.0]]
    assert exact(linear_vjp_weight, X, V).tolist() == [[1.0, 2.0], [-0.5, -16.0], [4.25, -31.5]]
    assert exact(linear_vjp_bias, V).tolist() == [1.0, 1.0, 8.25]


def test_each_gradient_is_the_derivative_of_the_product_with_the_cotangents():
    shapes = {"x": (2, 2), "w": (3, 2), "b": (3, 1), "v": (2, 3)}
    arrays = {
        name: symbol_array(" ".join(f"{name}{row}{column}" for row in range(m) for column in range(n)), real=True)
        for name, (m, n) in shapes.items()
    }
    x, w, v = (arrays[name].reshape(*shapes[name]) for name in "xwv")
    value = sum((linear(x, w, arrays["b"]) * v).elements.flat)
    found = {"x": linear_vjp_input.body(w, v), "w": linear_vjp_weight.body(x, v), "b": linear_vjp_bias.body(v)}

    for name, gradient in found.items():
        derived = [sympy.diff(value, symbol) for symbol in arrays[name].elements]
        assert all(sympy.expand(a - b) == 0 for a, b in zip(gradient.elements.flat, derived, strict=True))


def test_sums_over_samples_are_rounded_once():
    x, v = np.array([[2.0**60], [1.0], [-(2.0**60)]]), np.ones((3, 1))

    assert exact(linear_vjp_weight, x, v).tolist() == [[1.0]]
    assert exact(linear_vjp_bias, x).tolist() == [1.0]
    assert exact(linear_vjp_input, x, v.T).tolist() == [[1.0]]


def test_the_bias_learns_as_the_weight_of_samples_that_are_one():
    assert exact(linear_vjp_weight, np.ones((2, 1)), V)[:, 0].tolist() == exact(linear_vjp_bias, V).tolist()


def test_autograd_agrees_within_the_bounds():
    rng = np.random.default_rng(0)
    x, weight, v = rng.normal(size=(7, 5)), rng.normal(size=(3, 5)), rng.normal(size=(7, 3))
    leaves = [torch.tensor(array, requires_grad=True) for array in (x, weight, np.zeros(3))]
    theirs = torch.autograd.grad(torch.nn.functional.linear(*leaves), leaves, torch.tensor(v))

    calls = ((linear_vjp_input, weight, v), (linear_vjp_weight, x, v), (linear_vjp_bias, v))
    for (formula, *arrays), gradient in zip(calls, theirs, strict=True):
        assert (bound(formula, *arrays, precision=STRICT).ratio(gradient.numpy()) <= 1).all()


@pytest.mark.parametrize(
    ("formula", "others"), [(linear_vjp_input, (W,)), (linear_vjp_weight, (X,)), (linear_vjp_bias, ())]
)
def test_a_cotangent_that_is_not_finite_is_refused(formula, others):
    with pytest.raises(DomainError, match="upstream must be finite"):
        exact(formula, *others, np.array([[1.0, np.inf, 0.0], [0.0, 0.0, 0.0]]))


def test_no_samples_have_no_gradient():
    assert exact(linear_vjp_bias, np.zeros((0, 2))).tolist() == [0.0, 0.0]
    assert exact(linear_vjp_weight, np.zeros((0, 2)), np.zeros((0, 3))).shape == (3, 2)
