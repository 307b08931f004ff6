"""Layer normalization: hand-worked values, ties, bounds of its elements, and its kin."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.normalization.layer_norm import layer_norm
from oracle.normalization.rms_norm import rms_norm

X = np.array([[1.0, 10.0, -4.0], [3.0, -2.5, 0.5]])
WEIGHT, BIAS = np.array([2.0, -0.5, 1.5]), np.array([1.0, 0.25, 0.0])


def test_a_sample_of_two_as_worked_by_hand():
    result = exact(layer_norm, np.array([1.0, 7.0]), np.array([10.0, 5.0]), np.array([1.0, 0.0]), eps=16.0)

    assert result.tolist() == [-5.0, 3.0]


@pytest.mark.parametrize("numbers", [(0, 0, 6), (1, 2, 3, 4, 10), (-5, 1, 1, 5, 0, 4), (1, 2, 3, 4, 5, 6, 7)])
def test_normalized_integers_are_rounded_once(numbers):
    mean = F(sum(numbers), len(numbers))
    square = sum((F(x) - mean) ** 2 for x in numbers) / len(numbers) + F(0.1)
    count = len(numbers)
    result = exact(layer_norm, np.array(numbers, dtype=float), np.ones(count), np.zeros(count), eps=0.1)

    for number, value in zip(numbers, result.tolist(), strict=True):
        assert value == 0 or np.sign(value) == np.sign(number - mean)
        below, above = ((F(abs(value)) + F(float(np.nextafter(abs(value), end)))) / 2 for end in (0.0, np.inf))
        assert below**2 <= (number - mean) ** 2 / square <= above**2


def test_a_variance_that_makes_the_root_rational_gives_fractions_rounded_once():
    # 1..7 has variance 4; epsilon 5 makes the root 3.
    numbers = np.arange(1.0, 8.0)
    result = exact(layer_norm, numbers, np.ones(7), np.full(7, 0.1), eps=5.0)

    assert result.tolist() == [float((F(x) - 4) / 3 + F(0.1)) for x in numbers.tolist()]


def test_samples_do_not_see_each_other():
    together = exact(layer_norm, X, WEIGHT, BIAS, eps=0.1)

    for sample, row in zip(X, together, strict=True):
        assert exact(layer_norm, sample, WEIGHT, BIAS, eps=0.1).tolist() == row.tolist()


def test_shifts_vanish_and_scales_go_into_epsilon():
    ones, zeros = np.ones(3), np.zeros(3)
    plain = exact(layer_norm, X, ones, zeros, eps=0.25)

    assert np.array_equal(exact(layer_norm, X + 64.0, ones, zeros, eps=0.25), plain)
    assert np.array_equal(exact(layer_norm, -4.0 * X, ones, zeros, eps=4.0), -plain)


def test_it_is_the_root_mean_square_norm_of_what_is_centred():
    centred = np.array([[1.0, -3.0, 2.0], [0.5, 0.5, -1.0]])
    zeros = np.zeros(3)

    assert np.array_equal(
        exact(layer_norm, centred + 8.0, WEIGHT, zeros, eps=0.1), exact(rms_norm, centred, WEIGHT, eps=0.1)
    )
    assert not np.array_equal(exact(layer_norm, X, WEIGHT, zeros, eps=0.1), exact(rms_norm, X, WEIGHT, eps=0.1))


def test_moments_of_the_output_hold_symbolically():
    x, eps = symbol_array("a b c", real=True), symbol_array("e", positive=True)
    one, zero = SymbolArray([1, 1, 1]), SymbolArray([0, 0, 0])
    normalized = layer_norm.body(x, one, zero, eps=eps).elements
    mean = sum(x.elements) / 3
    variance = sum((value - mean) ** 2 for value in x.elements) / 3

    assert sympy.simplify(sum(normalized)) == 0
    assert sympy.simplify(sum(value**2 for value in normalized) / 3 - variance / (variance + eps.elements.item())) == 0


def test_no_element_exceeds_the_root_of_the_others_number_and_one_attains_it():
    alone = exact(layer_norm, np.array([5.0, 1.0, 1.0, 1.0, 1.0]), np.ones(5), np.zeros(5), eps=0.0)

    assert alone.tolist() == [2.0, -0.5, -0.5, -0.5, -0.5]
    assert exact(layer_norm, np.array([0.1, 0.7]), np.ones(2), np.zeros(2), eps=0.0).tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("eps", [0.0, 1e-5])
def test_a_constant_sample_and_a_single_feature_become_the_shift(eps):
    assert exact(layer_norm, np.full(3, 0.1), WEIGHT, BIAS, eps=eps).tolist() == BIAS.tolist()
    assert exact(layer_norm, np.array([[0.1]]), WEIGHT[:1], BIAS[:1], eps=eps).tolist() == [[1.0]]


def test_torch_is_near():
    tensors = [torch.tensor(array) for array in (X, WEIGHT, BIAS)]
    result = torch.nn.functional.layer_norm(tensors[0], (3,), *tensors[1:], eps=1e-5)
    distance = np.abs(result.numpy() - exact(layer_norm, X, WEIGHT, BIAS, eps=1e-5))

    assert (distance <= 32 * 2.0**-53 * 5).all()


def test_a_negative_epsilon_is_refused():
    with pytest.raises(DomainError, match=r"eps must be in \[0, inf\), got eps=-1.0"):
        layer_norm(X, WEIGHT, BIAS, eps=-1.0)
