"""Gradients gathered from chunks."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from oracle.errors import DomainError
from oracle.training.accumulation import accumulated_mean, accumulated_sum, mean_of_chunk_means

CHUNKS = [[F(1), F(2), F(6)], [F(8), F(3)]]


def test_chunks_as_worked_by_hand():
    assert accumulated_sum(CHUNKS) == 20
    assert accumulated_mean(CHUNKS) == 4
    assert mean_of_chunk_means(CHUNKS) == F(17, 4)  # (3 + 11/2) / 2


def test_arrays_are_gathered_by_element():
    chunks = [[np.array([1.0, 2.0])], [np.array([3.0, 4.0]), np.array([5.0, 0.0])]]

    assert accumulated_sum(chunks).tolist() == [9.0, 6.0]
    assert accumulated_mean(chunks).tolist() == [3.0, 2.0]
    assert mean_of_chunk_means(chunks).tolist() == [2.5, 2.0]


def test_torch_accumulates_sums_over_backward_passes():
    param = torch.tensor(3.0, requires_grad=True)
    for chunk in CHUNKS:
        sum(float(slope) * param for slope in chunk).backward()

    assert param.grad.item() == accumulated_sum(CHUNKS)


@pytest.mark.parametrize(
    ("function", "chunks", "message"),
    [
        (accumulated_mean, [], "chunks must be in [1, inf), got chunks=0"),
        (accumulated_mean, [[F(1)], []], "size must be in [1, inf), got size=0"),
        (mean_of_chunk_means, [], "size must be in [1, inf), got size=0"),
        (mean_of_chunk_means, [[F(1)], []], "size must be in [1, inf), got size=0"),
    ],
)
def test_empty_chunks_have_no_mean(function, chunks, message):
    with pytest.raises(DomainError) as refusal:
        function(chunks)

    assert str(refusal.value) == message
