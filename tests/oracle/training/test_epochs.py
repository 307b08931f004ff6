"""Orders of samples, and how they are cut."""

import math

import pytest
from torch.utils.data import BatchSampler

from oracle.errors import DomainError
from oracle.training.epochs import epoch, order, train_valid_split


def test_seeds_give_every_order_once_and_then_again():
    count = math.factorial(4)

    assert len({order(4, seed) for seed in range(count)}) == count
    assert order(4, 5) == order(4, 5 + count) == (0, 3, 2, 1)
    assert order(0, 3) == ()


@pytest.mark.parametrize("drop_last", [False, True])
def test_an_epoch_is_cut_as_torch_cuts_it(drop_last):
    for count in range(8):
        for size in range(1, 9):
            samples = order(count, 4321)
            batches = BatchSampler(samples, size, drop_last)

            assert epoch(samples, size, drop_last=drop_last) == [tuple(batch) for batch in batches]


def test_the_last_samples_are_kept_for_validation():
    assert train_valid_split((3, 1, 0, 2), 1) == ((3, 1, 0), (2,))
    assert train_valid_split((3, 1), 2) == ((), (3, 1))
    assert train_valid_split((3, 1), 0) == ((3, 1), ())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: order(-1, 0), "count must be in [0, inf), got count=-1"),
        (lambda: order(3, -1), "seed must be in [0, inf), got seed=-1"),
        (lambda: epoch((0, 1), 0), "size must be in [1, inf), got size=0"),
        (lambda: epoch((0, 1), 1.5), "size must be a whole number, got size=1.5"),
        (lambda: train_valid_split((0, 1), 3), "valid_count must be in [0, 2], got valid_count=3"),
    ],
)
def test_impossible_cuts_are_refused(call, message):
    with pytest.raises(DomainError) as refusal:
        call()

    assert str(refusal.value) == message
