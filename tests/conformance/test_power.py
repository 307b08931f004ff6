from dataclasses import replace

import pytest

from conformance.power import one_with, power
from conformance.session import Session
from oracle.arithmetic.formats import precision_models
from oracle.catalogue import get
from properties.catalogue import claims_for
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


RAMP = get("schedule_linear_decay_warmup")
FOLLOWS_RAMP = next(claim for claim in claims_for(RAMP.id) if claim.name == "follows_the_formula")


def told(held, drawn=None, ids=RAMP.neighbours):
    """What becomes the ramp where hyperparameters are held, by its own cases or by those that are given."""
    session = Session("quick", 0)
    cases = session.cases(FOLLOWS_RAMP, RAMP, "float64", held)
    if drawn is None:
        drawn = session.cases(FOLLOWS_RAMP, RAMP, "float64")
    return one_with(session, RAMP, ids, cases, drawn, precision_models("float64")[0])


def test_without_an_end_the_ramp_that_falls_to_zero_is_the_ramp():
    assert told({"end_value": 0.0}) == ("schedule_linear_decay_warmup_to_zero",)


def test_an_end_at_the_peak_leaves_no_fall_to_be_told_from_another():
    assert told({"peak_value": 0.1, "end_value": 0.1}) == (
        "schedule_linear_decay_warmup_decay_from_zero",
        "schedule_linear_decay_warmup_falls_on",
        "schedule_linear_decay_warmup_cosine",
    )


@pytest.mark.parametrize("end", [0.125, 2.0**-60])
def test_a_low_end_is_not_zero(end):
    assert told({"end_value": end}) == ()


def test_cases_that_tell_nothing_apart_in_the_first_place_are_to_blame():
    assert told({"end_value": 0.0}, drawn=()) == ()


def test_momentum_that_is_held_at_zero_is_descent():
    momentum, session = get("momentum_heavy_ball"), Session("quick", 0)
    held, drawn = (session.cases(FEW, momentum, "float64", fixed) for fixed in ({"momentum": 0.0}, {}))
    precision = precision_models("float64")[0]
    blind = power(session, momentum, held, precision).blind_to

    same = one_with(session, momentum, blind, held, drawn, precision)

    assert blind
    assert same == blind
