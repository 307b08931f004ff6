"""When training ends, and what it returns."""

import itertools
from fractions import Fraction as F

import pytest

from oracle.errors import DomainError
from oracle.training.early_stopping import early_stopping, early_stopping_later_ties


@pytest.mark.parametrize(
    ("losses", "patience", "decided"),
    [
        ([5, 3, 4, 3, 2], 2, (3, 2, 4)),
        ([5, 3, 4, 3, 2], 3, (2, 5, None)),
        ([5, 5, 5, 5], 2, (5, 1, 3)),
        ([3, 2, 1], 1, (1, 3, None)),
        ([3.5, 4.5], 1, (3.5, 1, 2)),
        ([F(1, 2), F(1, 3), F(2, 5)], 1, (F(1, 3), 2, 3)),
    ],
)
def test_decisions_as_worked_by_hand(losses, patience, decided):
    assert early_stopping(losses, patience=patience) == decided


def test_without_losses_nothing_is_stored():
    assert early_stopping([], patience=1) == (float("inf"), 0, None)


def test_ties_restart_the_wait_in_the_variant_alone():
    losses = [5, 3, 3, 3, 4, 4]

    assert early_stopping(losses, patience=2) == (3, 2, 4)
    assert early_stopping_later_ties(losses, patience=2) == (3, 4, 6)


def test_an_improvement_must_exceed_the_threshold():
    losses = [F(5), F(4), F(3), F(5, 2)]

    assert early_stopping(losses, patience=2, min_delta=1) == (3, 3, None)
    assert early_stopping(losses, patience=1, min_delta=1) == (5, 1, 2)
    assert early_stopping(losses, patience=1, min_delta=F(9, 10)) == (3, 3, 4)


def test_no_loss_is_read_after_the_stop():
    losses = itertools.count(0)

    assert early_stopping(losses, patience=3) == (0, 1, 4)
    assert next(losses) == 4


@pytest.mark.parametrize("rule", [early_stopping, early_stopping_later_ties])
@pytest.mark.parametrize(
    ("patience", "message"),
    [
        (0, "patience must be in [1, inf), got patience=0"),
        (1.5, "patience must be a whole number, got patience=1.5"),
    ],
)
def test_a_patience_below_one_is_refused(rule, patience, message):
    with pytest.raises(DomainError) as refusal:
        rule([1, 2], patience=patience)

    assert str(refusal.value) == message


def test_a_negative_threshold_is_refused():
    with pytest.raises(DomainError) as refusal:
        early_stopping([1, 2], patience=1, min_delta=-0.5)

    assert str(refusal.value) == "min_delta must be in [0, inf), got min_delta=-0.5"
