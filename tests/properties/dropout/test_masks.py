"""The statistics of dropout: how rarely they raise a false alarm, and that no judgement depends on luck."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from conformance.backends import Implementation
from conformance.backends.torch import backend
from conformance.backends.torch_tensors import DTYPES
from conformance.engine import Engine
from conformance.faults.dropout import FAULTS, Dropout, plain
from conformance.session import PROFILES, Counts, Session
from conformance.specimen import Specimen
from oracle.catalogue import get
from oracle.dropout.binomial import binomial_tails
from properties.catalogue import claims_for
from properties.claims import Space
from properties.dropout.masks import FALSE_ALARM, TESTS

BY_ID = {fault.id: fault for fault in FAULTS}


def test_a_thorough_run_raises_a_false_alarm_less_than_once_in_a_thousand_million():
    tests = 0
    for implementation in backend().implementations:
        formula = get(implementation.formula)
        if formula.drawn:
            for claim in claims_for(formula.id):
                cases = sum(count for count, _ in claim.inputs(Space(formula, "float64", "thorough")).values())
                tests += cases * PROFILES["thorough"] * TESTS.get(claim.name, 0) * len(DTYPES)

    assert 0 < 2 * tests <= 2**16  # twice, because a second device may be there
    assert 2**16 * FALSE_ALARM <= 1e-9


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


def status(make, claim_name, seed=0):
    formula = get("dropout_inverted")
    claims = claims_for(formula.id)
    claim = next(claim for claim in claims if claim.name == claim_name)
    subject = Implementation(formula.id, "here", make, ("float32",))
    return Engine(Session("quick", seed), formula, claims).check(claim, Specimen(subject, "float32", "cpu", Counts()))


def unseeded(shape_rule):
    """A sampler that draws on and on from a source of its own, whatever seed it is given."""
    entropy = np.random.default_rng(2026)
    return lambda random, shape, keep, memory: shape_rule(entropy, shape, keep)


def divided(x, mask, keep):
    return mask * x / x.dtype.type(keep)


@pytest.mark.parametrize("claim", ["follows_the_formula", "keeps_its_proportion", "units_are_drawn_apart"])
@pytest.mark.parametrize("seed", range(5))
def test_an_honest_subject_that_no_seed_reaches_is_not_called_flaky(claim, seed):
    sampler = unseeded(lambda random, shape, keep: plain(random, shape, keep, {}))

    assert status(Dropout(divided, lambda x, keep: x, sampler), claim, seed).status == "conforms"


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


@pytest.mark.parametrize("id", ["dropout_mask_of_the_proportion_removed", "dropout_squared_proportion"])
@pytest.mark.parametrize("seed", range(4))
def test_a_wrong_proportion_is_noticed_under_every_seed(id, seed):
    assert status(BY_ID[id].make, "keeps_its_proportion", seed).status == "deviates"


@pytest.mark.parametrize("id", ["dropout_one_mask_for_all_rows", "dropout_whole_rows", "dropout_mask_not_redrawn"])
@pytest.mark.parametrize("seed", range(4))
def test_dependent_units_are_noticed_under_every_seed(id, seed):
    assert status(BY_ID[id].make, "units_are_drawn_apart", seed).status == "deviates"
