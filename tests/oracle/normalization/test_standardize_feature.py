"""Standardizing features: mean 0 and variance 1, as rationals and roots of them."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.normalization.batch_norm import batch_norm
from oracle.normalization.standardize_feature import standardize_feature

X = np.array([[1.0, 10.0], [3.0, -2.5], [5.0, 0.25], [11.0, 4.0]])


def test_two_samples_become_minus_one_and_one():
    assert exact(standardize_feature, np.array([[1.0, 10.0], [3.0, -30.0]])).tolist() == [[-1.0, 1.0], [1.0, -1.0]]


def test_each_feature_is_treated_by_itself():
    whole = exact(standardize_feature, X)

    assert whole[:, 1].tolist() == exact(standardize_feature, X[:, 1]).tolist()


@pytest.mark.parametrize("numbers", [(1, 2, 3, 4, 5, 6, 7), (0, 0, 6), (3, 3, 9, 9, 6), (-5, -1, 1, 5, 0, 3)])
def test_standardized_integers_are_rounded_once(numbers):
    mean = F(sum(numbers), len(numbers))
    square = sum((F(x) - mean) ** 2 for x in numbers) / len(numbers)

    for number, value in zip(numbers, exact(standardize_feature, np.array(numbers, dtype=float)).tolist(), strict=True):
        assert value == 0 or np.sign(value) == np.sign(number - mean)
        # The square of the value is a fraction: it lies between those of the halfway points to the next floats.
        below, above = ((F(abs(value)) + F(float(np.nextafter(abs(value), end)))) / 2 for end in (0.0, np.inf))
        assert below**2 <= (number - mean) ** 2 / square <= above**2


def test_an_affine_change_of_a_feature_flips_the_sign_at_most():
    assert np.array_equal(exact(standardize_feature, -2.0 * X + 64.0), -exact(standardize_feature, X))


def test_it_is_batch_normalization_without_epsilon_gain_and_shift():
    layer = exact(batch_norm, X, np.ones(2), np.zeros(2), eps=0.0)

    assert np.array_equal(exact(standardize_feature, X), layer)


def test_torch_s_statistics_are_near():
    tensor = torch.tensor(X)
    variance, mean = torch.var_mean(tensor, dim=0, correction=0)
    distance = np.abs(((tensor - mean) / variance.sqrt()).numpy() - exact(standardize_feature, X))

    assert (distance <= 16 * 2.0**-53 * 2).all()  # four samples: no result exceeds sqrt(3)


def test_a_constant_feature_has_no_value():
    with pytest.raises(DomainError, match=r"result\[0, 1\] has no finite value"):
        exact(standardize_feature, np.array([[1.0, 7.0], [2.0, 7.0]]))
