"""The rectifier."""

import numpy as np
import pytest
import torch

from oracle.activations.relu import relu
from oracle.errors import DomainError
from oracle.exact import exact

X = np.array([3.0, -0.5, 0.0, -0.0, 2.0**-1074, -(2.0**-1074), 1e308, -1e308])


def test_positive_numbers_stay_and_negative_ones_become_zero():
    assert relu(X).tolist() == [3.0, 0.0, 0.0, 0.0, 2.0**-1074, 0.0, 1e308, 0.0]
    assert exact(relu, X).tolist() == relu(X).tolist()


def test_it_is_half_of_the_number_and_its_modulus():
    x = np.arange(-16.0, 17.0) / 4

    assert relu(x).tolist() == ((x + np.abs(x)) / 2).tolist()


def test_a_second_time_changes_nothing():
    assert relu(relu(X)).tolist() == relu(X).tolist()


def test_torch_agrees_bit_for_bit():
    assert torch.relu(torch.tensor(X)).tolist() == relu(X).tolist()


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(DomainError, match="x must be finite"):
        exact(relu, np.array([np.inf]))
