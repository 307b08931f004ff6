"""Clipping by value."""

import numpy as np
import pytest
import torch

from oracle.clipping.by_value import clip_by_value
from oracle.errors import DomainError
from oracle.exact import exact

GRADS = np.array([3.0, -0.5, 0.0, -1.0, 1.0000000000000002, -7.25])


def test_every_coordinate_is_clipped_as_worked_by_hand():
    assert clip_by_value(GRADS, clip_value=1.0).tolist() == [1.0, -0.5, 0.0, -1.0, 1.0, -1.0]


def test_the_exact_value_is_one_of_the_inputs():
    assert exact(clip_by_value, GRADS, clip_value=0.1).tolist() == [0.1, -0.1, 0.0, -0.1, 0.1, -0.1]


def test_clipping_is_the_projection_onto_the_box():
    # |x - a| - |x + a| = -2 clip(x): a closed form without any maximum, exact on small dyadic numbers.
    grad = np.arange(-16.0, 17.0) / 4
    closed = (np.abs(grad + 1.5) - np.abs(grad - 1.5)) / 2

    assert clip_by_value(grad, clip_value=1.5).tolist() == closed.tolist()


def test_two_thresholds_are_the_smaller_one():
    twice = clip_by_value(clip_by_value(GRADS, clip_value=2.0), clip_value=0.75)

    assert twice.tolist() == clip_by_value(GRADS, clip_value=0.75).tolist()


def test_a_threshold_of_zero_leaves_nothing():
    assert not clip_by_value(GRADS, clip_value=0.0).any()


def test_an_empty_gradient_stays_empty():
    assert clip_by_value(np.zeros((0, 2)), clip_value=1.0).shape == (0, 2)


def test_infinities_are_clipped_and_nan_stays():
    clipped = clip_by_value(np.array([np.inf, -np.inf, np.nan]), clip_value=1.0)

    assert clipped[:2].tolist() == [1.0, -1.0]
    assert np.isnan(clipped[2])


def test_clipping_agrees_with_torch_bit_for_bit():
    parameter = torch.nn.Parameter(torch.zeros(6, dtype=torch.float64))
    parameter.grad = torch.tensor(GRADS)
    torch.nn.utils.clip_grad_value_([parameter], 0.7)

    assert parameter.grad.tolist() == clip_by_value(GRADS, clip_value=0.7).tolist()


def test_a_negative_threshold_is_refused():
    with pytest.raises(DomainError) as refusal:
        clip_by_value(GRADS, clip_value=-1.0)

    assert str(refusal.value) == "clip_value must be in [0, inf), got clip_value=-1.0"
