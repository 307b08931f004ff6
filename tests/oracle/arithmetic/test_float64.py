"""The primitives on arrays of numpy and torch, and on plain numbers."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.arithmetic import bias_correction, decayed, moving_average, namespace, quotient, rescaled, stored


def test_the_namespace_is_that_of_the_arrays_among_the_values():
    torch = pytest.importorskip("torch")
    tensor = torch.ones(2)

    assert namespace(0.5, np.ones(2)).__name__.endswith("numpy")
    assert namespace(np.float64(0.5), tensor).__name__.endswith("torch")
    assert namespace(0.5, 1).__name__.endswith("numpy")


def test_a_quotient_is_right_for_each_element():
    numerator = np.array([0.0, 0.0, 0.0, 1.0, -3.0, 1.0])
    denominator = np.array([0.0, 2.0, -2.0, -1.0, -2.0, 0.0])

    assert np.array_equal(quotient(numerator, denominator), [0.0, 0.0, 0.0, -1.0, 1.5, np.inf])


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (np.array([0.0, 3.0]), 0.0, [0.0, np.inf]),
        (np.array([0.0, 3.0]), -1.0, [0.0, -3.0]),
        (3.0, np.array([0.0, -1.0]), [np.inf, -3.0]),
        (0, np.array([0.0, -1.0]), [0.0, 0.0]),
        (np.array([[0.0], [1.0]]), np.array([0.0, 2.0]), [[0.0, 0.0], [np.inf, 0.5]]),
    ],
)
def test_a_quotient_broadcasts_scalars(numerator, denominator, expected):
    assert np.array_equal(quotient(numerator, denominator), expected)


@pytest.mark.parametrize(("numerator", "expected"), [(0.0, 0.0), (0, 0.0), (1.0, np.inf), (-1, -np.inf)])
def test_a_quotient_of_plain_numbers_follows_the_same_rule(numerator, expected):
    assert quotient(numerator, 0.0) == expected


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_quotient_of_tensors_keeps_their_dtype_and_the_scalar_its_digits(dtype):
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([0.0, 1.0, -3.0], dtype=getattr(torch, dtype))

    by_scalar, of_scalar, by_zero = quotient(tensor, 0.3), quotient(0.3, tensor), quotient(tensor, 0.0)

    assert by_scalar.dtype == of_scalar.dtype == by_zero.dtype == tensor.dtype
    assert torch.equal(by_scalar, tensor / 0.3)
    assert torch.equal(of_scalar, 0.3 / tensor)
    assert by_zero.tolist() == [0.0, np.inf, -np.inf]


def test_primitives_take_plain_floats():
    assert bias_correction(0.5, 3) == 0.875
    assert bias_correction(0, 1) == 1
    assert bias_correction(1.0, 7) == 0.0
    assert moving_average(0.5, 1.0, 3.0) == 2.0
    assert decayed(1.0, 0.5, 0.5) == 0.75
    assert stored(0.1) == 0.1


def test_rescaling_leaves_what_fits_and_shortens_the_rest():
    grad = np.array([3.0, 4.0])

    assert np.array_equal(rescaled(grad, 10.0, np.float64(5.0)), grad)
    assert np.array_equal(rescaled(grad, 2.5, np.float64(5.0)), [1.5, 2.0])
    assert np.array_equal(rescaled(0 * grad, 0.0, np.float64(0.0)), [0.0, 0.0])


def test_a_norm_that_underflows_to_zero_raises_no_warning():
    grad = np.array([2.0**-1074])

    assert np.array_equal(rescaled(grad, 1.0, np.float64(0.0)), grad)
