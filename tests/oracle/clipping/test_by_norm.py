"""Clipping by norm, as printed and as torch does it."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.clipping.by_norm import clip_by_norm, clip_by_norm_torch
from oracle.clipping.by_value import clip_by_value
from oracle.errors import DomainError
from oracle.exact import exact


def test_a_long_gradient_is_shortened_as_worked_by_hand():
    assert clip_by_norm(np.array([6.0, -8.0]), max_norm=5.0).tolist() == [3.0, -4.0]


def test_a_short_gradient_stays_as_it_is():
    grad = np.array([6.0, -8.0])

    assert clip_by_norm(grad, max_norm=10.5).tolist() == grad.tolist()
    assert clip_by_norm_torch(grad, max_norm=10.5).tolist() == grad.tolist()


def test_both_branches_agree_on_the_sphere():
    assert exact(clip_by_norm, np.array([0.6, 0.8]) * 5, max_norm=5.0).tolist() == [3.0, 4.0]


def test_torch_s_millionth_shortens_a_gradient_that_fits():
    clipped = exact(clip_by_norm_torch, np.array([1.0]), max_norm=1.0)

    assert float(clipped[0]) == float(1 / (1 + F(1e-6)))
    assert abs(float(clipped[0]) - 0.999999000001) <= 5e-13  # printed to 12 decimals


def test_the_clipped_norm_is_the_smaller_of_norm_and_threshold():
    # Pythagorean multiples: the norm 13 k is rational, so that the closed form is rounded once.
    for count in (1, 2, 7):
        grad = np.array([3.0, 4.0, -12.0]) * count
        factor = min(F(1), F(17.5) / (13 * count))
        clipped = exact(clip_by_norm, grad, max_norm=17.5)

        assert clipped.tolist() == [float(factor * F(value)) for value in grad]


def test_torch_s_factor_is_rounded_once_where_the_norm_is_rational():
    for count in (1, 2, 7):
        grad = np.array([3.0, 4.0, -12.0]) * count
        factor = min(F(1), F(17.5) / (13 * count + F(1e-6)))
        clipped = exact(clip_by_norm_torch, grad, max_norm=17.5)

        assert clipped.tolist() == [float(factor * F(value)) for value in grad]


def test_the_norm_of_the_shortened_gradient_is_the_threshold():
    grad, threshold = symbol_array("a b", positive=True), symbol_array("alpha", positive=True)
    long = SymbolArray(grad.elements.tolist())
    clipped = clip_by_norm.body(long, max_norm=threshold)
    shortened = [value.args[0][0] if isinstance(value, sympy.Piecewise) else value for value in clipped.elements]

    assert sympy.simplify(sympy.sqrt(sum(value**2 for value in shortened)) - threshold.elements.item()) == 0


def test_in_one_dimension_clipping_by_norm_is_clipping_by_value():
    for value in (-3.0, -0.1, 0.0, 0.3, 0.7, 5.0):
        grad = np.array([value])

        assert exact(clip_by_norm, grad, max_norm=0.7) == exact(clip_by_value, grad, clip_value=0.7)


def test_the_norm_is_that_of_the_whole_gradient_whatever_its_shape():
    flat = np.array([1.0, -2.0, 2.0, 4.0])
    square = exact(clip_by_norm, flat.reshape(2, 2), max_norm=1.0)

    assert square.ravel().tolist() == [0.2, -0.4, 0.4, 0.8]
    assert square.shape == (2, 2)


@pytest.mark.parametrize("formula", [clip_by_norm, clip_by_norm_torch])
def test_zeros_and_a_threshold_of_zero_give_zero(formula):
    assert exact(formula, np.zeros(3), max_norm=0.0).tolist() == [0.0, 0.0, 0.0]
    assert formula(np.zeros(3), max_norm=0.0).tolist() == [0.0, 0.0, 0.0]
    assert not formula(np.array([3.0, 4.0]), max_norm=0.0).any()


@pytest.mark.parametrize("formula", [clip_by_norm, clip_by_norm_torch])
def test_an_empty_gradient_stays_empty(formula):
    assert formula(np.zeros((0, 2)), max_norm=1.0).shape == (0, 2)


@pytest.mark.parametrize("max_norm", [0.5, 7.0, 100.0])
def test_torch_clips_within_four_roundings_of_the_exact_value(max_norm):
    grad = np.array([3.0, -1.5, 0.1, 6.25])
    parameter = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
    parameter.grad = torch.tensor(grad)
    torch.nn.utils.clip_grad_norm_([parameter], max_norm)
    expected = exact(clip_by_norm_torch, grad, max_norm=max_norm)

    # The norm, the sum, the quotient and the product: one rounding each, the norm's sum of squares halved.
    assert (np.abs(parameter.grad.numpy() - expected) <= 5 * 2.0**-53 * np.abs(expected)).all()


@pytest.mark.parametrize("max_norm", [0.5, 7.0, 100.0])
def test_torch_renorm_strays_no_further_than_the_constant_that_it_adds(max_norm):
    grad = np.array([[3.0, -1.5, 0.1, 6.25]])
    rows = torch.renorm(torch.tensor(grad), p=2, dim=0, maxnorm=max_norm).numpy()
    expected = exact(clip_by_norm, grad, max_norm=max_norm)

    # renorm adds 1e-7 to the norm that it divides by.
    assert (np.abs(rows - expected) <= (5 * 2.0**-53 + 1e-7 / 7.09) * np.abs(expected)).all()


@pytest.mark.parametrize("formula", [clip_by_norm, clip_by_norm_torch])
def test_a_negative_threshold_is_refused(formula):
    with pytest.raises(DomainError) as refusal:
        formula(np.ones(2), max_norm=-1.0)

    assert str(refusal.value) == "max_norm must be in [0, inf), got max_norm=-1.0"
