"""Every seeded fault is named by a claim, and every claim that names it notices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from conformance.backends import Implementation
from conformance.bench import Bench
from conformance.engine import Engine
from conformance.faults import FAULTS, Fault
from conformance.faults.adam import ADAM
from conformance.faults.decay import ADAM_L2, ADAMW
from conformance.faults.descent import GD, HEAVY_BALL
from conformance.faults.everywhere import RULES
from conformance.faults.programs import Program
from conformance.faults.subtle import read_once
from conformance.records import FOLLOWS, CheckRecord
from conformance.session import Case, Counts, Session
from conformance.specimen import Specimen, SubjectFailure
from oracle.arithmetic.formats import FORMATS, precision_models
from oracle.catalogue import FORMULAS, get
from properties.catalogue import CLAIMS, claims_for
from properties.claims import Claim, Violation
from properties.optimizers.lifecycle import any_order
from properties.subject import Group
from tests.helpers.honest import FORMS
from tests.helpers.quick import NARROW, at_home, sample, session

BY_ID = {fault.id: fault for fault in FAULTS}
HONEST = [
    at_home(formula, formula, name, name=f"{formula}-{name}") for formula, forms in FORMS.items() for name in forms
]


def engine(formula: str) -> Engine:
    return Engine(session(), get(formula), claims_for(formula))


def specimen(formula: str, factory: object, dtype: str) -> Specimen:
    return Specimen(Implementation(formula, "seeded", factory, tuple(FORMATS)), dtype, "cpu", Counts())


def fails(claim: Claim, formula: str, factory: object, dtype: str) -> Case | None:
    """Return the first case that fails in the loosest precision, without asking whether the claim could have noticed."""
    if any(name not in getattr(factory, "offers", ()) for name in claim.needs):
        return None
    subject = specimen(formula, factory, dtype)
    for case in session().cases(claim, get(formula), dtype):
        bench = Bench(session(), subject, subject.transcript(case), get(formula), precision_models(dtype)[-1])
        try:
            claim.check(bench, **case.inputs)
        except (Violation, SubjectFailure):
            return case
    return None


def noticed(claim: Claim, fault: Fault, dtype: str, monkeypatch: pytest.MonkeyPatch) -> CheckRecord:
    """Let a claim be judged on the first case that shows a fault: the others would add nothing to the record."""
    case = fails(claim, fault.formula, fault.make, dtype)
    if case is not None:
        monkeypatch.setattr(session(), "cases", lambda *_, **__: (case,))
    return engine(fault.formula).check(claim, specimen(fault.formula, fault.make, dtype))


def test_ids_are_unique():
    assert len(BY_ID) == len(FAULTS) >= 50


def test_every_fault_is_named_by_a_claim_or_says_why_no_input_shows_it():
    named = {id for claim in CLAIMS for id in claim.catches}

    assert sorted(set(BY_ID) - named) == sorted(fault.id for fault in FAULTS if fault.beyond)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.beyond], ids=lambda fault: fault.id)
def test_what_no_input_shows_fails_no_case(fault: Fault):
    failed = [claim.name for claim in claims_for(fault.formula) if fails(claim, fault.formula, fault.make, "float64")]

    assert failed == []


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if len(fault.dtypes) == 1], ids=lambda fault: fault.id)
def test_a_fault_of_float64_is_within_the_bounds_of_float32(fault: Fault):
    naming = [claim for claim in claims_for(fault.formula) if fault.id in claim.catches]

    assert fault.dtypes == ("float64",)
    assert [claim.name for claim in naming if fails(claim, fault.formula, fault.make, "float32")] == []


@pytest.mark.parametrize("formula", [at_home(formula, formula, name=formula) for formula in RULES])
def test_the_rule_that_a_fault_is_planted_in_is_honest(formula: str):
    (follows,) = (claim for claim in claims_for(formula) if claim.name == FOLLOWS)

    assert not fails(follows, formula, Program(RULES[formula]), "float64")


def test_every_fault_that_a_claim_names_exists_and_computes_one_of_its_formulas():
    strange = [
        (claim.name, id)
        for claim in CLAIMS
        for id in claim.catches
        if id not in BY_ID or BY_ID[id].formula not in claim.formulas
    ]

    assert strange == []


def test_every_fault_has_a_story_and_a_formula():
    formulas = {formula.id for formula in FORMULAS}
    told = [fault for fault in FAULTS if fault.story.endswith(".") and fault.story[0].isupper()]

    assert [fault.id for fault in FAULTS if fault not in told or fault.formula not in formulas] == []


@pytest.mark.parametrize(
    ("claim", "fault"),
    [
        at_home(fault.formula, claim, fault, name=f"{fault.formula}.{claim.name}-{fault.id}")
        for claim in CLAIMS
        for fault in map(BY_ID.__getitem__, claim.catches)
    ],
)
def test_the_claim_notices_the_fault(claim: Claim, fault: Fault, unreduced, monkeypatch):
    monkeypatch.setattr("conformance.engine.diagnose", lambda *arguments: "")

    record = noticed(claim, fault, "float64", monkeypatch)

    assert record.status == "deviates", f"{fault.story} {record.status}: {record.message}"


@pytest.mark.parametrize("fault", [at_home(BY_ID[id].formula, BY_ID[id], name=id) for id in any_order.catches])
def test_programs_in_any_order_notice_their_faults_in_float32_too(fault, unreduced, monkeypatch):
    monkeypatch.setattr("conformance.engine.diagnose", lambda *arguments: "")

    record = noticed(any_order, fault, "float32", monkeypatch)

    assert record.status == "deviates", f"{fault.story} {record.status}: {record.message}"


def alarms(formula: str, name: str, dtype: str, claims: Sequence[Claim], *, mistrusted: bool = False) -> list[str]:
    """Return the records of an honest form that say otherwise, or that nothing could have been noticed."""
    subject = specimen(formula, FORMS[formula][name], dtype)
    records = [engine(formula).check(claim, subject) for claim in claims]
    trusted = ("conforms", "mistrusted") if mistrusted else ("conforms",)
    return [f"{record.id} {record.status}: {record.message}" for record in records if record.status not in trusted]


@pytest.mark.parametrize(("formula", "name"), HONEST)
def test_no_claim_is_alarmed_by_an_honest_form(formula, name):
    assert alarms(formula, name, "float64", claims_for(formula)) == []


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("formula", [at_home(formula, formula, name=formula) for formula in FORMS])
def test_no_claim_is_alarmed_by_an_honest_form_in_a_narrower_dtype(formula, dtype, draws):
    names, claims = [*FORMS[formula]], claims_for(formula)
    if draws(1, 0):
        names, claims = [names[-1 - NARROW.index(dtype) % len(names)]], sample(formula, dtype)
    for name in names:
        assert alarms(formula, name, dtype, claims, mistrusted=dtype != "float32") == []


@pytest.mark.parametrize("rule", [GD, HEAVY_BALL, ADAM, ADAM_L2, ADAMW], ids=["gd", "momentum", "adam", "l2", "adamw"])
def test_programs_write_to_nothing_they_are_given(rule):
    values = {"learning_rate": 0.5, "momentum": 0.5, "beta1": 0.5, "beta2": 0.75, "eps": 0.5}
    values |= {"l2_penalty": 0.5, "weight_decay": 0.5}
    param, grad = np.ones(3), np.ones(3)
    stepper = Program(rule)([param], [Group((0,), values)], dtype="float64", device="cpu")
    stepper.step([grad])
    shown = stepper.params()[0]
    shown[:] = 7.0

    assert np.array_equal(param, np.ones(3))
    assert np.array_equal(grad, np.ones(3))
    assert not np.array_equal(stepper.params()[0], shown)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_programs_of_half_precision_store_numbers_of_the_dtype(dtype):
    stepper = Program(GD)([np.ones(1)], [Group((0,), {"learning_rate": 0.1})], dtype=dtype, device="cpu")
    stepper.step([np.ones(1)])
    (end,) = stepper.params()

    assert np.array_equal(end, FORMATS[dtype].round(np.array([0.9])))


def test_a_counter_in_half_precision_is_noticed_by_longer_profiles():
    fault = BY_ID["adam_step_counter_in_float16"]
    (follows,) = (claim for claim in claims_for(fault.formula) if claim.name == FOLLOWS)
    longer, subject = Session("standard", 0), specimen(fault.formula, fault.make, "float64")
    case = next(
        case
        for case in longer.cases(follows, get(fault.formula), "float64")
        if len(case.inputs["training"].steps) > 2048
    )
    bench = Bench(longer, subject, subject.transcript(case), get(fault.formula), precision_models("float64")[-1])

    with pytest.raises(Violation, match="2049"):
        follows.check(bench, **case.inputs)


def test_betas_are_constants_of_the_formula_and_may_be_read_once():
    once = Program(read_once("beta1", read_once("beta2", RULES["adam"])))

    assert [claim.name for claim in claims_for("adam") if fails(claim, "adam", once, "float64")] == []
