"""The statistics of dropout: how rarely they raise a false alarm, and that no judgement depends on luck."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from conformance.backends import Implementation
from conformance.backends.torch import backend
from conformance.backends.torch_dropout import dropouts
from conformance.backends.torch_tensors import DTYPES
from conformance.engine import Engine
from conformance.faults.dropout import FAULTS, Dropout, plain
from conformance.session import PROFILES, Counts, Session
from conformance.specimen import Specimen
from oracle.catalogue import get
from oracle.dropout.binomial import binomial_tails
from oracle.dropout.inference import masks, probability
from properties.catalogue import claims_for
from properties.claims import Space
from properties.dropout.masks import FALSE_ALARM, TESTS, exactly, pairs_apart

BY_ID = {fault.id: fault for fault in FAULTS}


def test_a_thorough_run_raises_a_false_alarm_less_than_once_in_a_thousand_million():
    tests = 0
    for implementation in backend().implementations:
        formula = get(implementation.formula)
        if formula.drawn:
            for claim in claims_for(formula.id):
                cases = sum(count for count, _ in claim.inputs(Space(formula, "float64", "thorough")).values())
                tests += cases * PROFILES["thorough"] * TESTS.get(claim.name, 0) * len(DTYPES)

    assert 0 < 2 * tests <= 2**24  # twice, because a second device may be there
    assert 2**24 * FALSE_ALARM <= 1e-9


@pytest.mark.parametrize("claim", [claim for claim in claims_for("dropout_inverted") if claim.name in TESTS])
def test_no_case_has_more_tests_than_are_counted(claim):
    made = {
        "keeps_its_proportion": lambda x: 1,
        "units_are_drawn_apart": lambda x: x.size // 2 + 1,
        "passes_are_drawn_apart": lambda x: x[0].size + 1,
    }
    cases = Session("standard", 0).cases(claim, get("dropout_inverted"), "float32")

    assert max(made[claim.name](run.arrays[0]) for case in cases for run in case.runs) == TESTS[claim.name]


@pytest.mark.parametrize("keep", [Fraction(1, 2), Fraction(3, 4)])
@pytest.mark.parametrize("distance", [1, 2, 3, 4])
def test_pairs_at_a_distance_share_their_fate_as_independent_trials_do(keep, distance):
    """The distribution over all masks of eight units."""
    share, weights = keep**2 + (1 - keep) ** 2, Counter()
    for mask in masks(8):
        sharing, pairs = pairs_apart(np.array(mask, dtype=bool), distance)
        weights[sharing] += probability(mask, keep)

    assert pairs == 8 // (2 * distance) * distance
    assert weights == {
        count: math.comb(pairs, count) * share**count * (1 - share) ** (pairs - count) for count in range(pairs + 1)
    }


@pytest.mark.parametrize("keep", [0.5, 0.75, 0.125])
@pytest.mark.parametrize("grains", [-1, 0, 1])
def test_the_chance_of_an_exact_count_is_enclosed_for_every_proportion_that_generators_meet(keep, grains):
    met = Fraction(keep) + grains * Fraction(1, 2**24)
    for kept in range(9):
        low, high = exactly(kept, 8, keep)
        likely = sum(probability(mask, met) for mask in masks(8) if sum(mask) == kept)

        assert Fraction(low) <= likely <= Fraction(high)
        assert high - low < 1e-5


@pytest.mark.parametrize("keep", [Fraction(3, 4), Fraction(1, 8)])
def test_a_fair_mask_is_rejected_no_more_often_than_is_said(keep):
    """The rejected outcomes of a smaller test with a larger chance, enumerated."""
    alarm, trials = Fraction(1, 10), 20
    tails = [binomial_tails(kept, trials, keep) for kept in range(trials + 1)]
    single = [low + high - 1 for low, high in tails]
    rejected = [2 * min(low, high) <= alarm for low, high in tails]

    assert sum(single) == 1
    assert any(rejected)
    assert sum(chance for chance, out in zip(single, rejected, strict=True) if out) <= alarm


def status(make, claim_name, seed=0, dtype="float32"):
    formula = get("dropout_inverted")
    claims = claims_for(formula.id)
    claim = next(claim for claim in claims if claim.name == claim_name)
    subject = Implementation(formula.id, "here", make, (dtype,))
    return Engine(Session("quick", seed), formula, claims).check(claim, Specimen(subject, dtype, "cpu", Counts()))


def unseeded(shape_rule):
    """A sampler that draws on and on from a source of its own, whatever seed it is given."""
    entropy = np.random.default_rng(2026)
    return lambda random, shape, keep, memory: shape_rule(entropy, shape, keep)


def divided(x, mask, keep):
    return mask * x / x.dtype.type(keep)


@pytest.mark.parametrize("claim", ["follows_the_formula", *TESTS])
@pytest.mark.parametrize("seed", range(10))
def test_an_honest_subject_that_no_seed_reaches_is_not_called_flaky(claim, seed):
    sampler = unseeded(lambda random, shape, keep: plain(random, shape, keep, {}))

    assert status(Dropout(divided, lambda x, keep: x, sampler), claim, seed).status == "conforms"


@pytest.mark.parametrize("claim", TESTS)
@pytest.mark.parametrize(
    "make", [next(dropouts()).factory, Dropout(divided, lambda x, keep: x)], ids=["torch", "numpy"]
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_honest_sampler_conforms_under_every_seed(make, claim, dtype):
    assert [status(make, claim, seed, dtype).status for seed in range(10)] == ["conforms"] * 10


def test_a_wrong_subject_that_no_seed_reaches_deviates():
    def sometimes(random, shape, keep):
        return plain(random, shape, keep if random.random() < 0.5 else 1 - keep, {})

    record = status(Dropout(divided, lambda x, keep: x, unseeded(sometimes)), "keeps_its_proportion", 0)
    verdicts = {record.status}
    for seed in range(1, 4):
        verdicts.add(
            status(Dropout(divided, lambda x, keep: x, unseeded(sometimes)), "keeps_its_proportion", seed).status
        )

    assert "deviates" in verdicts
    assert verdicts <= {"deviates", "conforms"}


CAUGHT = [
    (claim, id)
    for claim in claims_for("dropout_inverted")
    if claim.name in TESTS
    for id in claim.catches
    if BY_ID[id].formula == "dropout_inverted"
]


@pytest.mark.parametrize(("claim", "id"), CAUGHT, ids=[f"{claim.name}-{id}" for claim, id in CAUGHT])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_wrong_sampler_is_noticed_under_every_seed(claim, id, dtype, unreduced, monkeypatch):
    monkeypatch.setattr("conformance.engine.diagnose", lambda *arguments: "")

    statuses = [status(BY_ID[id].make, claim.name, seed, dtype).status for seed in range(5)]

    assert statuses == ["deviates"] * 5
