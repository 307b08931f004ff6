"""Normalization by the root mean square: direction kept, length fixed."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.normalization.rms_norm import rms_norm

X = np.array([[1.0, 10.0, -4.0], [3.0, -2.5, 0.5]])
WEIGHT = np.array([2.0, -0.5, 1.5])


def test_a_sample_of_two_as_worked_by_hand():
    assert exact(rms_norm, np.array([1.0, 7.0]), np.array([2.0, 1.0]), eps=0.0).tolist() == [0.4, 1.4]


def test_a_rational_root_gives_fractions_rounded_once():
    # The mean square of 1, 2, 2 is 3; epsilon 1 makes the root 2. Of 1, 1, 1, 1, 4 it is 4.
    assert exact(rms_norm, np.array([1.0, 2.0, 2.0]), np.full(3, 0.1), eps=1.0).tolist() == [
        float(F(0.1) * value / 2) for value in (1, 2, 2)
    ]
    assert exact(rms_norm, np.array([1.0, 1, 1, 1, 4]), np.ones(5), eps=0.0).tolist() == [0.5, 0.5, 0.5, 0.5, 2.0]


def test_a_coordinate_axis_attains_the_largest_element():
    assert exact(rms_norm, np.array([0.0, -0.3, 0.0, 0.0]), np.ones(4), eps=0.0).tolist() == [0.0, -2.0, 0.0, 0.0]


def test_scales_go_into_epsilon_and_shifts_do_not_vanish():
    plain = exact(rms_norm, X, WEIGHT, eps=0.25)

    assert np.array_equal(exact(rms_norm, -4.0 * X, WEIGHT, eps=4.0), -plain)
    assert not np.array_equal(exact(rms_norm, X + 64.0, WEIGHT, eps=0.25), plain)


def test_a_rotation_commutes_with_it():
    turned = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])

    assert np.array_equal(
        exact(rms_norm, X @ turned, np.ones(3), eps=0.1), exact(rms_norm, X, np.ones(3), eps=0.1) @ turned
    )


def test_a_sample_of_zeros_stays_one():
    assert exact(rms_norm, np.zeros((2, 3)), WEIGHT, eps=0.0).tolist() == [[0.0, 0.0, 0.0]] * 2


def test_torch_is_near():
    result = torch.nn.functional.rms_norm(torch.tensor(X), (3,), torch.tensor(WEIGHT), eps=1e-6)
    distance = np.abs(result.numpy() - exact(rms_norm, X, WEIGHT, eps=1e-6))

    assert (distance <= 32 * 2.0**-53 * 4).all()


def test_a_negative_epsilon_is_refused():
    with pytest.raises(DomainError, match=r"eps must be in \[0, inf\), got eps=-1.0"):
        rms_norm(X, WEIGHT, eps=-1.0)
