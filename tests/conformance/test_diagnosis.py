from dataclasses import replace

import numpy as np
import pytest

from conformance import check
from conformance.faults.adam import ADAM
from conformance.faults.descent import HEAVY_BALL
from conformance.faults.programs import Program
from conformance.session import Session
from conformance.targets import implementation as target_of
from oracle.catalogue import get
from oracle.dialects import relatives
from properties.claims import claim
from properties.strategies.trainings import Plan
from tests.helpers.judging import FEW, HONEST, Spoilt, few_of, implementation, judged, rule_from


def eps_hat(theta, g, memory, h, t):
    """Adam whose epsilon is added to the uncorrected root."""
    m = memory["m"] = h.beta1 * memory.get("m", 0 * g) + (1 - h.beta1) * g
    v = memory["v"] = h.beta2 * memory.get("v", 0 * g) + (1 - h.beta2) * g * g
    size = h.learning_rate * np.sqrt(1 - h.beta2**t) / (1 - h.beta1**t)
    return theta - size * m / (np.sqrt(v) + h.eps)


def test_another_formula_is_recognised():
    record = judged(implementation(Program(eps_hat), "adam"))

    assert record.status == "deviates"
    assert record.diagnosis == f"this is adam_eps_hat: {get('adam_eps_hat').title} (all 6 cases within bounds)"


def test_a_neighbour_is_recognised_and_described():
    def uncorrected(theta, g, memory, h, t):
        m = memory["m"] = h.beta1 * memory.get("m", 0 * g) + (1 - h.beta1) * g
        v = memory["v"] = h.beta2 * memory.get("v", 0 * g) + (1 - h.beta2) * g * g
        return theta - h.learning_rate * m / (np.sqrt(v) + h.eps)

    record = judged(implementation(Program(uncorrected), "adam"))

    assert record.diagnosis.startswith("this is adam_")
    assert record.diagnosis.endswith("(all 6 cases within bounds)")


def test_what_is_like_nothing_known_is_said_to_be_so():
    record = judged(rule_from(lambda theta, g, h: theta - h.learning_rate * np.tanh(g)))

    assert record.diagnosis == f"none of the {len(relatives(get('gd')))} relatives of gd that are known"


def test_several_relatives_that_the_cases_do_not_tell_apart_are_named():
    one_step = replace(FEW, inputs=few_of(Plan(4, steps=(1, 1))))
    wrong = implementation(
        rule_from(lambda theta, g, h: theta - h.learning_rate * (1 - h.momentum) * g), "momentum_heavy_ball"
    )

    record = judged(wrong, (one_step,))

    assert record.diagnosis.startswith("this is one of momentum_ema, ")
    assert record.diagnosis.endswith(", which these cases do not tell apart")


def test_state_tells_relatives_apart_too():
    class Exposed(Program):
        def __call__(self, *arguments, **place):
            subject = super().__call__(*arguments, **place)
            subject.state = lambda: [
                {"momentum_buffer": np.array(memory["momentum_buffer"])} if memory else {}
                for memory in subject.memories
            ]
            return subject

    honest = judged(implementation(Exposed(HEAVY_BALL), "momentum_heavy_ball", state=("momentum_buffer",)))
    wrong = judged(implementation(Exposed(HEAVY_BALL), "momentum_ema", state=("momentum_buffer",)))

    assert honest.status == "conforms"
    assert wrong.diagnosis.startswith("this is momentum_heavy_ball: ")


def test_a_property_that_fails_alone_is_said_to():
    def check(bench, training):
        bench.train(training)
        bench.require(False, "it never holds", quantity="param")

    never = claim("never", kind="invariant", formulas=("gd",), statement="", source="", inputs=FEW.inputs, catches=())(
        check
    )
    record = judged(HONEST, (FEW, never))

    assert record.message.startswith("it never holds (6 of 6 cases deviate)")
    assert record.diagnosis == "its results follow gd within the bounds; only this property fails"


def test_without_a_differential_claim_nothing_is_said():
    ascent = rule_from(lambda theta, g, h: theta + h.learning_rate * g)

    record = judged(ascent, (replace(FEW, name="other"),))

    assert record.diagnosis == "no claim 'follows_the_formula' to compare gd with its relatives by"


def test_it_is_made_once_for_an_implementation():
    other = replace(FEW, name="also")
    session = Session("quick", 0)
    ascent = implementation(rule_from(lambda theta, g, h: theta + h.learning_rate * g))
    once = judged(ascent, (FEW,), session=session)
    evaluated = session.counts.oracle

    again = judged(ascent, (FEW, replace(other, inputs=FEW.inputs)), session=session)

    assert again.diagnosis == once.diagnosis
    assert session.counts.oracle - evaluated < evaluated


def test_cases_that_a_subject_refuses_are_left_out():
    from properties.subject import Rejected

    def before(subject, grads):
        if subject.options[0].learning_rate > 0.5:
            raise Rejected("too fast")
        subject.options[0].learning_rate *= -1

    record = judged(Spoilt(before))

    assert record.status == "deviates"
    assert record.rejected > 0


def test_adam_itself_needs_no_diagnosis():
    record = judged(implementation(Program(ADAM), "adam"))

    assert record.status == "conforms"
    assert record.diagnosis == ""


def test_a_default_that_the_claim_does_not_know_is_reckoned_with():
    torch = pytest.importorskip("torch")
    report = check(torch.optim.AdamW, "adam", dtypes=["float64"])
    (diagnosis,) = {record.diagnosis for record in report.checks if record.property == "follows_the_formula"}

    assert diagnosis.startswith(f"this is adamw: {get('adamw').title.removesuffix('.')} with weight_decay=0.01 (all ")


def test_a_default_of_zero_makes_no_relative():
    torch = pytest.importorskip("torch")

    assert target_of(torch.optim.AdamW, "adam").kept == {"weight_decay": 0.01}
    assert target_of(torch.optim.Adam, "adam").kept == {}
