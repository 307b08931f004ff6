"""What comes back through activations is what sympy derives from their own bodies."""

import numpy as np
import pytest
import sympy
import torch

from oracle.activations.relu import relu
from oracle.activations.sigmoid import sigmoid
from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.arithmetic.symbols import symbol_array
from oracle.bound import bound
from oracle.differentiation.activations import relu_vjp, sigmoid_vjp, softmax_vjp
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.losses.softmax import softmax

STRICT = Precision(FLOAT64, FLOAT64, FLOAT64)
X, V = np.array([-2.0, 0.0, 0.5, 40.0, -700.0]), np.array([1.5, -3.0, 0.25, 8.0, 2.0])


@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_the_rectifier_s_is_its_derivative_on_both_sides_of_zero(sign):
    x, v = symbol_array("x", **{sign: True}), symbol_array("v", real=True)
    slope = sympy.diff(relu.body(x).elements.item(), x.elements.item())

    assert sympy.simplify(relu_vjp.body(x, v).elements.item() - v.elements.item() * slope) == 0


def test_the_rectifier_s_is_zero_at_zero_as_in_torch():
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)

    assert exact(relu_vjp, np.zeros(1), np.ones(1)).tolist() == [0.0]
    assert torch.autograd.grad(torch.relu(x), x, torch.ones(1, dtype=torch.float64))[0].tolist() == [0.0]


def test_the_logistic_function_s_is_its_derivative_and_the_printed_product():
    x, v = symbol_array("x", real=True), symbol_array("v", real=True)
    s = sigmoid.body(x).elements.item()
    pulled = sigmoid_vjp.body(x, v).elements.item()

    assert sympy.simplify(pulled - v.elements.item() * sympy.diff(s, x.elements.item())) == 0
    assert sympy.simplify(pulled - v.elements.item() * s * (1 - s)) == 0


def test_slopes_as_worked_by_hand():
    assert exact(sigmoid_vjp, np.array([0.0, np.log(3.0)]), np.array([8.0, 16.0]))[0] == 2.0
    assert abs(float(exact(sigmoid_vjp, np.log(3.0), 16.0)) - 3.0) <= 2.0**-51
    assert exact(relu_vjp, X, V).tolist() == [0.0, 0.0, 0.25, 8.0, 0.0]


def test_shares_as_worked_by_hand():
    assert exact(softmax_vjp, np.zeros(2), np.array([8.0, 4.0])).tolist() == [1.0, -1.0]
    assert exact(softmax_vjp, np.zeros((2, 4)), np.eye(4)[:2] * 16.0).tolist() == [
        [3.0, -1.0, -1.0, -1.0],
        [-1.0, 3.0, -1.0, -1.0],
    ]
    assert exact(softmax_vjp, np.array([5.0]), np.array([7.0])).tolist() == [0.0]


def test_a_cotangent_through_softmax_keeps_its_digits_where_one_class_has_nearly_everything():
    found = exact(softmax_vjp, np.array([40.0, 0.0]), np.array([1.0, 0.0]))

    assert found.tolist() == [float(exact(sigmoid_vjp, 40.0, 1.0)), -float(exact(sigmoid_vjp, 40.0, 1.0))]


def test_a_slope_far_from_zero_keeps_its_digits():
    assert float(exact(sigmoid_vjp, 40.0, 1.0)) == float(exact(sigmoid_vjp, -40.0, 1.0)) == 4.248354255291589e-18


def test_softmax_s_is_the_product_with_sympy_s_jacobian():
    s, v = symbol_array("s0 s1 s2", real=True), symbol_array("v0 v1 v2", real=True)
    p = sympy.Matrix(softmax.body(s).elements.tolist())
    row = sympy.Matrix([v.elements.tolist()]) * p.jacobian(s.elements.tolist())

    assert all(sympy.simplify(a - b) == 0 for a, b in zip(softmax_vjp.body(s, v).elements, row, strict=True))


def test_autograd_agrees_within_the_bound():
    functions = (
        (relu_vjp, torch.relu),
        (sigmoid_vjp, torch.sigmoid),
        (softmax_vjp, lambda x: torch.softmax(x, dim=-1)),
    )
    for formula, function in functions:
        x = torch.tensor(X, requires_grad=True)
        (theirs,) = torch.autograd.grad(function(x), x, torch.tensor(V))

        assert (bound(formula, X, V, precision=STRICT).ratio(theirs.numpy()) <= 1).all()


@pytest.mark.parametrize("formula", [relu_vjp, sigmoid_vjp, softmax_vjp], ids=lambda formula: formula.id)
def test_a_cotangent_that_is_not_finite_is_refused(formula):
    with pytest.raises(DomainError, match="upstream must be finite"):
        exact(formula, np.zeros(2), np.array([0.0, np.inf]))
