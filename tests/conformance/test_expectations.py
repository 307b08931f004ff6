"""Known deviations are excused where they show, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.backends import Expectation, Implementation
from conformance.engine import Engine
from conformance.faults.bookkeeping import only
from conformance.faults.descent import GD
from conformance.faults.programs import Program
from conformance.records import FOLLOWS
from conformance.session import Counts, Session
from conformance.specimen import Specimen
from oracle.catalogue import get
from properties.catalogue import claims_for
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
