"""Runs of schedules reach what few programs are tried on."""

from __future__ import annotations

from oracle.catalogue import get
from oracle.schedules.plateau import schedule_reduce_on_plateau
from properties.cases import Call
from properties.claims import Space
from properties.drawing import draw_cases
from properties.strategies.runs import PLATEAUS, RUNS, ran, runs


def drawn(kind: str, count: int = 8) -> list[Call]:
    return draw_cases(runs(Space(schedule_reduce_on_plateau, "float64", "quick"), kind), count, 5)


def test_some_rates_begin_below_their_floor():
    for call in drawn("raised"):
        assert call.hyperparameters["end_value"] == 2 * call.hyperparameters["peak_value"]


def test_steep_runs_are_reduced_by_twelve_factors_of_ten():
    for call in drawn("steep"):
        last = schedule_reduce_on_plateau(int(call.arrays[0][-1]), **call.hyperparameters)

        assert 0 < last < 1e-11 * call.hyperparameters["peak_value"]


def test_only_the_reduction_on_a_plateau_has_such_runs():
    assert set(ran()(Space(schedule_reduce_on_plateau, "float64", "quick"))) == set(PLATEAUS)
    assert set(ran()(Space(get("schedule_triangular"), "float64", "quick"))) == set(RUNS)
