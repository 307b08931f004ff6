"""Undecided comparisons open every branch that an honest program may take."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.arithmetic import rounded_functions as xp
from oracle.arithmetic.discontinuities import branch, ways
from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision
from oracle.arithmetic.rounding import Rounded, atom
from oracle.errors import UndecidedError

SINGLE = Precision(FLOAT32, FLOAT32, FLOAT64)


def off_by(x: list[float], e: list[float]) -> Rounded:
    """Make a value with an inherited error."""
    return atom(np.asarray(x), SINGLE, np.asarray(e))


def test_a_decided_sign_goes_one_way() -> None:
    (way,) = ways(lambda: xp.sign(off_by([3.0, -3.0, 0.0], [1.0, 1.0, 0.0])))

    assert way.result.x.tolist() == [1, -1, 0]
    assert way.result.error.tolist() == [0, 0, 0]
    assert way.reasons == ()


def test_an_undecided_sign_goes_three_ways() -> None:
    taken = list(ways(lambda: xp.sign(off_by([0.5, -3.0], [1.0, 1.0]))))

    assert sorted(way.result.x[0] for way in taken) == [-1, 0, 1]
    assert {way.result.x[1] for way in taken} == {-1}
    assert [np.broadcast_to(way.open, 2).tolist() for way in taken] == [[True, True], [True, False], [True, False]]
    assert taken[0].result.x[0] == 1
    assert taken[1].reasons == ("sign",)


def test_a_sign_that_nothing_is_known_of_has_no_bound() -> None:
    (way,) = ways(lambda: xp.sign(off_by([1.0], [np.inf])))

    assert way.result.error == np.inf


def test_an_undecided_choice_goes_both_ways() -> None:
    def clamp() -> Rounded:
        x = off_by([0.5, 2.0], [1.0, 1.0])
        return xp.where(x > 0, x, -1)

    taken = list(ways(clamp))

    assert [way.result.x.tolist() for way in taken] == [[0.5, 2], [-1, 2]]
    assert np.asarray(taken[1].open).tolist() == [True, False]


def test_two_undecided_comparisons_go_every_combination_once() -> None:
    def both() -> Rounded:
        return xp.sign(off_by([0.5, 0.5], [1.0, 1.0])) + 10 * xp.sign(off_by([0.5, 9.0], [1.0, 1.0]))

    taken = list(ways(both))

    assert sorted(way.result.x[0] for way in taken) == sorted(a + 10 * b for a in (-1, 0, 1) for b in (-1, 0, 1))
    assert sum(np.broadcast_to(way.open, 2)[1] for way in taken) == 3


def test_a_comparison_met_on_one_branch_only_is_taken_there_alone() -> None:
    undecided = np.asarray([True])

    def nested() -> tuple[int, ...]:
        first = branch(2, undecided, "first")
        return (first, branch(3, undecided, "second")) if first else (first,)

    assert [way.result for way in ways(nested)] == [(0,), (1, 0), (1, 1), (1, 2)]


def test_nobody_takes_a_branch_silently() -> None:
    with pytest.raises(UndecidedError, match="sign is undecided for 1 of 2 elements"):
        xp.sign(off_by([0.5, 2.0], [1.0, 1.0]))
