from dataclasses import replace

import pytest

from conformance.power import power
from conformance.session import Session
from oracle.arithmetic.formats import precision_models
from oracle.catalogue import get
from properties.strategies.trainings import Plan
from tests.helpers.judging import FEW, FEW_CALLS, few_of

GD, CLIP = get("gd"), get("clip_by_value")


def power_of(session, claim=FEW, formula=GD, dtype="float64", cases=None):
    if cases is None:
        cases = session.cases(claim, formula, dtype)
    return power(session, formula, cases, precision_models(dtype)[0])


@pytest.mark.parametrize(("claim", "formula"), [(FEW, GD), (FEW_CALLS, CLIP)])
def test_ordinary_cases_separate_every_neighbour_in_float64(claim, formula):
    seen = power_of(Session("quick", 0), claim, formula)

    assert seen.separated == formula.neighbours
    assert seen.blind_to == ()


def test_without_cases_every_neighbour_goes_unseen():
    seen = power_of(Session("quick", 0), cases=())

    assert seen.separated == ()
    assert seen.blind_to == GD.neighbours


def test_one_step_cannot_see_what_only_shows_later():
    one_step = replace(FEW, inputs=few_of(Plan(4, steps=(1, 1))))
    heavy_ball = get("momentum_heavy_ball")

    blind = power_of(Session("quick", 0), one_step, heavy_ball).blind_to

    assert blind
    assert set(blind) < set(heavy_ball.neighbours)
    assert power_of(Session("quick", 0), FEW, heavy_ball).blind_to == ()


def test_every_neighbour_is_either_separated_or_not():
    seen = power_of(Session("quick", 0), dtype="bfloat16")

    assert sorted(seen.separated + seen.blind_to) == sorted(GD.neighbours)


def test_it_is_computed_once_for_the_same_cases():
    session = Session("quick", 0)
    first = power_of(session)
    evaluated = session.counts.oracle

    assert power_of(session) is first
    assert session.counts.oracle == evaluated


def test_a_neighbour_is_walked_no_further_than_to_its_separation():
    session = Session("quick", 0)
    cases = session.cases(FEW, GD, "float64")
    power_of(session)

    alone = Session("quick", 0)
    for case in cases:
        for run in case.runs:
            alone.enclosures(GD, run, precision_models("float64")[0])
    assert session.counts.oracle < alone.counts.oracle * (1 + len(GD.neighbours))
