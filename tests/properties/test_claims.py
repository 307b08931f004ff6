"""Every claim holds for the formula itself, and says what it is about."""

from __future__ import annotations

import pytest

from conformance.backends import Implementation
from conformance.bench import Bench
from conformance.specimen import Specimen
from oracle.arithmetic.formats import precision_models
from oracle.catalogue import FORMULAS, get
from oracle.errors import UnknownFormulaError
from oracle.formula import Formula
from properties.catalogue import CLAIMS, claims_for
from properties.claims import Claim
from tests.helpers.bodies import factory
from tests.helpers.quick import at_home, sample, session

_IDS = {formula.id for formula in FORMULAS}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("formula", [at_home(formula.id, formula, name=formula.id) for formula in FORMULAS])
def test_the_formula_itself_fulfils_every_claim_about_it(formula: Formula, dtype: str, draws) -> None:
    specimen = Specimen(Implementation(formula.id, "here", factory(formula), (dtype,)), dtype, "cpu", session().counts)
    for claim in sample(formula.id, dtype) if draws(1, 0) else claims_for(formula.id):
        judged = 0
        for case in session().cases(claim, formula, dtype):
            bench = Bench(session(), specimen, specimen.transcript(case), formula, precision_models(dtype)[-1])
            claim.check(bench, **case.inputs)
            judged += bench.tally.judged
        assert judged > 0, f"{claim.name} judged nothing"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.name}-{claim.formulas[0]}")
def test_a_claim_says_what_holds_of_which_formulas_and_whence_it_comes(claim: Claim) -> None:
    assert claim.sentence.endswith(".")
    assert len(claim.sentence) <= 120
    assert claim.statement
    assert claim.source
    assert claim.catches
    assert set(claim.formulas) <= _IDS
    assert len(set(claim.catches)) == len(claim.catches)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.name}-{claim.formulas[0]}")
def test_what_a_claim_varies_are_hyperparameters_of_its_formulas(claim: Claim) -> None:
    known = {name for formula in claim.formulas for name in get(formula).hyperparameters}

    assert set(claim.varies) <= known


def test_property_ids_are_unique() -> None:
    ids = [f"{formula}.{claim.name}" for claim in CLAIMS for formula in claim.formulas]

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.id)
def test_every_formula_has_its_differential_claim_and_others_that_are_not(formula: Formula) -> None:
    first, *others = claims_for(formula.id)

    assert first.name == "follows_the_formula"
    assert first.kind == "differential"
    assert sum(claim.kind != "differential" for claim in others) >= 3


def test_an_alias_has_the_claims_of_its_formula() -> None:
    assert claims_for("sgd") == claims_for("gd")


def test_a_formula_that_nobody_knows_has_no_claims() -> None:
    with pytest.raises(UnknownFormulaError, match="adamv"):
        claims_for("adamv")
