"""Gated linear units."""

import numpy as np
import pytest
import torch

from oracle.activations.gelu import gelu
from oracle.activations.silu import silu
from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.gating.gates import geglu, glu, swiglu

X = np.array([[1.0, -2.0], [0.5, 3.0], [0.0, 0.25]])
W, V = np.array([[1.0, 0.5, -1.0], [2.0, -0.25, 0.75]]), np.array([[0.5, 1.0, 2.0], [-1.0, 0.25, 0.5]])
B, C = np.array([0.25, -1.0, 2.0]), np.array([1.0, -0.5, 0.0])
ALL = (glu, geglu, swiglu)

every_unit = pytest.mark.parametrize("formula", ALL, ids=lambda formula: formula.id)


def test_one_number_is_gated_as_worked_by_hand():
    one, none = np.ones((1, 1)), np.zeros(1)

    # 2 * sigmoid(0), and 0 * anything.
    assert exact(glu, np.array([[2.0]]), one, none, 0 * one, none).tolist() == [[1.0]]
    assert exact(swiglu, np.array([[2.0]]), 0 * one, none, one, none).tolist() == [[0.0]]


def test_golden_values_of_the_activations_show_through_an_open_branch():
    one, none = np.ones((1, 1)), np.zeros(1)
    x = np.array([[1.0], [-1.0], [2.0]])

    for unit, activation in ((geglu, gelu), (swiglu, silu)):
        assert exact(unit, x, one, none, 0 * one, none + 1).tolist() == exact(activation, x).tolist()


def test_without_a_gate_half_of_the_linear_map_is_left():
    assert exact(glu, X, W, B, 0 * V, 0 * C).tolist() == ((X @ W + B) / 2).tolist()


def test_swiglu_is_glu_of_a_branch_with_itself_times_the_other():
    product = exact(lambda x, w, b, v, c: glu.body(x, w, b, w, b) * (x.namespace.matmul(x, v) + c), X, W, B, V, C)

    assert product.tolist() == exact(swiglu, X, W, B, V, C).tolist()


def test_torch_agrees_within_the_bound():
    functional = torch.nn.functional
    x, w, b, v, c = map(torch.tensor, (X, W, B, V, C))
    first, second = functional.linear(x, w.t(), b), functional.linear(x, v.t(), c)
    theirs = (first * torch.sigmoid(second), functional.gelu(first) * second, functional.silu(first) * second)
    for formula, value in zip(ALL, theirs, strict=True):
        enclosure = bound(formula, X, W, B, V, C, precision=Precision(FLOAT64, FLOAT64, FLOAT64))

        assert (enclosure.ratio(value.numpy()) <= 1).all()


@every_unit
def test_a_row_is_computed_by_itself(formula):
    assert exact(formula, X[1:2], W, B, V, C).tolist() == exact(formula, X, W, B, V, C)[1:2].tolist()


@every_unit
def test_a_number_that_is_not_finite_is_refused(formula):
    with pytest.raises(DomainError, match="c must be finite"):
        exact(formula, X, W, B, V, np.array([0.0, np.inf, 0.0]))
