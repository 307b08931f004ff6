"""Gradients of losses are what sympy derives from the losses' own bodies."""

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.arithmetic.symbols import symbol_array
from oracle.bound import bound
from oracle.differentiation.losses import (
    bce_with_logits_gradient,
    loss_cross_entropy_gradient,
    loss_squared_error_gradient,
)
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.losses.binary import bce_with_logits
from oracle.losses.cross_entropy import loss_cross_entropy
from oracle.losses.regression import loss_squared_error

STRICT = Precision(FLOAT64, FLOAT64, FLOAT64)
functional = torch.nn.functional


def derived(loss, first, second):
    """Derivatives of a loss's body with respect to its first array."""
    value = loss.body(first, second).elements.item()
    return [sympy.diff(value, symbol) for symbol in first.elements.flat]


def same(left, right):
    return all(sympy.simplify(a - b) == 0 for a, b in zip(left, right, strict=True))


def test_the_squared_error_s_is_twice_the_residual():
    s, y = symbol_array("s0 s1 s2", real=True), symbol_array("y0 y1 y2", real=True)

    assert same(loss_squared_error_gradient.body(s, y).elements, derived(loss_squared_error, s, y))
    assert loss_squared_error_gradient(np.array([1.0, 2.0]), np.array([3.0, 5.0])).tolist() == [-4.0, -6.0]


@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_that_of_a_score_is_its_derivative_on_both_sides_of_zero(sign):
    z, y = symbol_array("z0 z1", **{sign: True}), symbol_array("y0 y1", real=True)

    assert same(bce_with_logits_gradient.body(z, y).elements, derived(bce_with_logits, z, y))


def test_that_of_scores_of_classes_is_the_probability_less_the_label_over_the_samples():
    s = symbol_array("a b c d e f", real=True).reshape(2, 3)
    labels = np.array([2, 0])

    assert same(loss_cross_entropy_gradient.body(s, labels).elements.flat, derived(loss_cross_entropy, s, labels))


def test_gradients_as_worked_by_hand():
    assert exact(bce_with_logits_gradient, np.zeros(2), np.array([0.0, 1.0])).tolist() == [0.25, -0.25]
    assert exact(loss_cross_entropy_gradient, np.zeros((2, 4)), np.array([0, 3])).tolist() == [
        [-0.375, 0.125, 0.125, 0.125],
        [0.125, 0.125, 0.125, -0.375],
    ]


def test_autograd_agrees_within_the_bound():
    scores, labels = np.array([[0.5, -1.0, 2.0], [100.0, 0.0, 99.5]]), np.array([1, 2])
    prediction, target = np.array([0.5, -7.0, 30.0]), np.array([1.0, 0.25, 0.0])
    calls = (
        (loss_squared_error_gradient, prediction, target, lambda s, y: functional.mse_loss(s, y, reduction="sum")),
        (bce_with_logits_gradient, prediction, target, functional.binary_cross_entropy_with_logits),
        (loss_cross_entropy_gradient, scores, labels, functional.cross_entropy),
    )
    for formula, first, second, loss in calls:
        leaf = torch.tensor(first, requires_grad=True)
        (theirs,) = torch.autograd.grad(loss(leaf, torch.tensor(second)), leaf)

        assert (bound(formula, first, second, precision=STRICT).ratio(theirs.numpy()) <= 1).all()


def test_a_label_that_is_no_class_is_refused():
    with pytest.raises(DomainError, match=r"in \[0, 2\), got 2"):
        exact(loss_cross_entropy_gradient, np.zeros(2), np.array(2))


@pytest.mark.parametrize("formula", [loss_squared_error_gradient, bce_with_logits_gradient], ids=lambda each: each.id)
def test_a_target_that_is_not_finite_is_refused(formula):
    with pytest.raises(DomainError, match="target must be finite"):
        exact(formula, np.zeros(1), np.array([np.nan]))
