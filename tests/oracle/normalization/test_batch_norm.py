"""Batch normalization: the printed lines, the duality with layer normalization, and what torch gathers."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.normalization.batch_norm import (
    batch_norm,
    batch_norm_running_mean,
    batch_norm_running_variance,
    batch_norm_running_variance_biased,
)
from oracle.normalization.layer_norm import layer_norm

X = np.array([[1.0, 10.0], [3.0, -2.5], [5.0, 0.25], [11.0, 4.0]])
WEIGHT, BIAS, RUNNING = np.array([2.0, -0.5]), np.array([1.0, 0.25]), np.array([2.0, 8.0])


def test_a_batch_of_two_as_worked_by_hand():
    # Mean 4, variance 9, root of 9 + 16 is 5: the normalized values are -3/5 and 3/5.
    result = exact(batch_norm, np.array([[1.0], [7.0]]), np.array([10.0]), np.array([1.0]), eps=16.0)

    assert result.tolist() == [[-5.0], [7.0]]


def test_two_samples_give_the_closed_form():
    for eps in (0.0, 0.25, 3.0):
        result = exact(batch_norm, np.array([[5.0], [1.0]]), np.ones(1), np.zeros(1), eps=eps)
        square = F(2) ** 2 / (F(2) ** 2 + F(eps))

        assert result[0, 0] == -result[1, 0]
        assert abs(F(float(result[0, 0])) ** 2 - square) <= F(2) ** -51


def test_the_inverse_gain_and_shift_give_the_batch_back():
    x = np.array([[1.0], [7.0]])

    assert exact(batch_norm, x, np.array([5.0]), np.array([4.0]), eps=16.0).tolist() == x.tolist()


def test_it_is_layer_normalization_of_the_transpose():
    ones, zeros = np.ones, np.zeros
    across = exact(layer_norm, X.T.copy(), ones(4), zeros(4), eps=0.5)

    assert np.array_equal(exact(batch_norm, X, ones(2), zeros(2), eps=0.5), across.T)


def test_normalizing_both_ways_depends_on_the_order():
    def layers(first, second):
        once = exact(first, X, np.ones(2), np.zeros(2), eps=0.5)
        return exact(second, once, np.ones(2), np.zeros(2), eps=0.5)

    assert not np.array_equal(layers(batch_norm, layer_norm), layers(layer_norm, batch_norm))


@pytest.mark.parametrize("x", [np.array([[0.1, 7.0]]), np.full((3, 2), 0.1)], ids=["one sample", "constant features"])
def test_without_variance_the_shift_is_left(x):
    assert exact(batch_norm, x, WEIGHT, BIAS, eps=1e-5).tolist() == [BIAS.tolist()] * len(x)
    assert exact(batch_norm, x, WEIGHT, BIAS, eps=0.0).tolist() == [BIAS.tolist()] * len(x)


def test_torch_is_near():
    tensors = [torch.tensor(array) for array in (X, WEIGHT, BIAS)]
    result = torch.nn.functional.batch_norm(tensors[0], None, None, *tensors[1:], training=True, eps=1e-5)
    distance = np.abs(result.numpy() - exact(batch_norm, X, WEIGHT, BIAS, eps=1e-5))

    assert (distance <= 32 * 2.0**-53 * 5).all()


@pytest.mark.parametrize("count", [3, 5, 6, 7])
def test_running_statistics_of_integers_are_fractions_rounded_once(count):
    numbers = [7 * k % 11 for k in range(count)]
    x, running, momentum = np.array(numbers, dtype=float)[:, None], 0.7, 0.1
    mean = F(sum(numbers), count)
    squares = sum((F(number) - mean) ** 2 for number in numbers)

    for formula, new in (
        (batch_norm_running_mean, mean),
        (batch_norm_running_variance, squares / (count - 1)),
        (batch_norm_running_variance_biased, squares / count),
    ):
        expected = (1 - F(momentum)) * F(running) + F(momentum) * new

        assert exact(formula, x, np.array([running]), momentum=momentum).tolist() == [float(expected)]


def test_the_unbiased_variance_exceeds_the_biased_one_by_m_over_m_minus_one():
    unbiased = exact(batch_norm_running_variance, X, np.zeros(2), momentum=1.0)
    biased = exact(batch_norm_running_variance_biased, X, np.zeros(2), momentum=1.0)

    assert unbiased.tolist() == [float(F(value) * 4 / 3) for value in biased.tolist()]


def test_torch_gathers_the_unbiased_variance():
    mean, variance = torch.tensor(RUNNING), torch.tensor(RUNNING)
    torch.nn.functional.batch_norm(torch.tensor(X), mean, variance, training=True, momentum=0.25)

    assert mean.tolist() == exact(batch_norm_running_mean, X, RUNNING, momentum=0.25).tolist()
    expected = exact(batch_norm_running_variance, X, RUNNING, momentum=0.25)
    assert (np.abs(variance.numpy() - expected) <= 16 * 2.0**-53 * expected).all()


def test_a_single_sample_has_no_unbiased_variance():
    with pytest.raises(DomainError, match="has no finite value"):
        exact(batch_norm_running_variance, X[:1], RUNNING, momentum=0.5)
    assert exact(batch_norm_running_variance_biased, X[:1], RUNNING, momentum=0.5).tolist() == [1.0, 4.0]


@pytest.mark.parametrize("momentum", [-0.1, 1.5])
def test_a_momentum_that_is_no_weight_is_refused(momentum):
    for formula in (batch_norm_running_mean, batch_norm_running_variance, batch_norm_running_variance_biased):
        with pytest.raises(DomainError, match=rf"momentum must be in \[0, 1\], got momentum={momentum}"):
            formula(X, RUNNING, momentum=momentum)


def test_a_negative_epsilon_is_refused():
    with pytest.raises(DomainError, match=r"eps must be in \[0, inf\), got eps=-1.0"):
        batch_norm(X, WEIGHT, BIAS, eps=-1.0)
