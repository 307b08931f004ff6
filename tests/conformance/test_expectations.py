"""Known deviations are excused where they show, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conformance.backends import Expectation, Implementation
from conformance.engine import Engine
from conformance.evidence import decoded
from conformance.faults import FAULTS
from conformance.faults.bookkeeping import only
from conformance.faults.descent import GD
from conformance.faults.programs import Program
from conformance.records import FOLLOWS
from conformance.session import Counts, Session
from conformance.specimen import Specimen
from oracle.catalogue import get
from properties.cases import Group, Step, Training
from properties.catalogue import claims_for
from properties.optimizers.common import mapped
from properties.subject import Rejected

BLOCKS = Program(only(GD, lambda index, size: index >= size // 16 * 16))
SESSION = Session("quick", 0)
LARGE = Expectation(
    FOLLOWS,
    ("float64",),
    "Blocks are not stored.",
    "seen",
    "1.0",
    where=lambda training: any(param.size >= 16 for param in training.params),
)


def judged(factory, *expected):
    subject = Implementation("gd", "mine", factory, ("float64",), expected=expected)
    claims = claims_for("gd")
    return Engine(SESSION, get("gd"), claims).check(claims[0], Specimen(subject, "float64", "cpu", Counts()))


def raising_for_large(params, groups, *, dtype, device):
    if any(param.size >= 16 for param in params):
        raise TypeError("too large")
    return Program(GD)(params, groups, dtype=dtype, device=device)


def test_a_deviation_that_shows_where_it_is_known_is_expected():
    record = judged(BLOCKS, LARGE)

    assert record.status == "expected-deviation"
    assert record.message.startswith("Blocks are not stored. (seen); param")
    assert record.counterexample is not None


def test_the_other_inputs_are_judged_as_ever():
    known, unknown = judged(Program(GD), replace(LARGE, where=lambda training: False)), judged(BLOCKS, LARGE)

    assert known.status == "conforms"
    assert unknown.cases == known.cases
    assert unknown.separated == known.separated
    assert unknown.error_over_bound <= 1


def test_a_known_deviation_excuses_none_elsewhere():
    pairs = Program(only(GD, lambda index, size: index < size // 2 * 2))

    assert judged(pairs, LARGE).status == "deviates"


def test_a_known_deviation_that_is_gone_is_noticed_where_it_showed():
    record = judged(Program(GD), LARGE)

    assert record.status == "unexpected-pass"
    assert record.message == "expected to deviate, and does not: Blocks are not stored. (seen)"


@pytest.mark.parametrize(("outcome", "status"), [("crash", "expected-deviation"), ("deviates", "crash")])
def test_a_crash_is_expectedonly_as_a_crash(outcome, status):
    assert judged(raising_for_large, replace(LARGE, outcome=outcome)).status == status


def test_what_comes_first_explains_a_case():
    crash = replace(LARGE, outcome="crash")

    assert judged(raising_for_large, crash, LARGE).status == "expected-deviation"


def test_a_known_deviation_that_is_gone_is_noticed_although_the_others_are_refused():
    def refusing_small(params, groups, *, dtype, device):
        if all(param.size < 16 for param in params):
            raise Rejected("too small")
        return Program(GD)(params, groups, dtype=dtype, device=device)

    assert judged(refusing_small, LARGE).status == "unexpected-pass"


def test_the_cases_of_a_known_deviation_are_counted_in():
    alone, apart = judged(BLOCKS, replace(LARGE, where=None)), judged(BLOCKS, LARGE)

    assert apart.cases == alone.cases
    assert apart.judged == alone.judged


def test_an_expected_crash_hides_no_deviation_beside_it():
    def factory(params, groups, *, dtype, device):
        if any(param.size >= 1000 for param in params):
            raise TypeError("too large")
        return BLOCKS(params, groups, dtype=dtype, device=device)

    assert judged(factory, replace(LARGE, outcome="crash")).status == "deviates"


def test_an_input_is_also_judged_without_what_brings_a_known_deviation_about():
    def thirteen(array):
        return array.reshape(-1)[:13]

    freed = replace(LARGE, without=lambda training: mapped(training, param=thirteen, grad=thirteen))
    superstitious = Program(only(GD, lambda index, size: (index >= size // 16 * 16) & (size != 13)))

    assert judged(BLOCKS, freed).status == "expected-deviation"
    assert judged(BLOCKS, freed).cases > judged(BLOCKS, LARGE).cases
    assert judged(superstitious, LARGE).status == "expected-deviation"
    assert judged(superstitious, freed).status == "deviates"


def test_what_only_the_cases_of_a_known_deviation_tell_apart_is_named_and_trusted():
    remembering = next(fault.make for fault in FAULTS if fault.id == "gd_hidden_momentum")
    record = judged(remembering, replace(LARGE, where=lambda training: len(training.steps) > 1))

    assert record.status == "expected-deviation"
    assert record.blind_to
    assert f"only the cases that a known deviation concerns tell gd from {record.blind_to[0]}" in record.message


def test_a_counterexample_is_none_of_a_known_deviation_that_pins_an_input():
    pin = Training((np.ones(1),), (Group((0,), {"learning_rate": 1.0}),), (Step((np.ones(1),)),))
    single = replace(LARGE, where=lambda training: any(param.size == 1 for param in training.params))
    record = judged(Program(only(GD, lambda index, size: index < 0)), replace(single, inputs={"training": pin}))

    assert record.status == "deviates"
    assert record.counterexample is not None
    inputs = decoded(record.counterexample["inputs"], get("gd"))
    assert not single.where(inputs["training"])
