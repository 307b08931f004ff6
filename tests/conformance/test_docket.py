"""Checks judged one at a time have the records of a run, in any order."""

from __future__ import annotations

import pytest

from conformance import UsageError, run
from conformance.api import plan_of
from conformance.backends import Backend
from conformance.docket import Docket
from conformance.faults.descent import GD
from conformance.faults.programs import Program
from properties.subject import Rejected
from tests.helpers.judging import HONEST, implementation, rule_from


def honest_when_wide(params, groups, *, dtype, device):
    if dtype == "float16":
        raise Rejected("no half types")
    return Program(GD)(params, groups, dtype=dtype, device=device)


HALVES = Backend("halves", "1.0", (implementation(honest_when_wide, dtypes=("float64", "float16")),))
TWO = Backend(
    "two",
    "1.0",
    (
        implementation(HONEST, label="honest", dtypes=("float64",)),
        implementation(rule_from(lambda theta, g, h: theta + g), label="climbs", dtypes=("float64",)),
    ),
)
FOLLOWS = "gd.follows_the_formula@mine[{},cpu]"


def docket_of(backend, **settings):
    return Docket(plan_of(backend, **settings)[1])


def test_the_ids_are_those_of_a_run_by_formula():
    settings = {"select": "follows or at_rest", "dtypes": ["float64", "float32"]}

    assert docket_of(TWO, **settings).ids == {"gd": [record.id for record in run(TWO, **settings).checks]}


def test_the_order_makes_no_difference():
    settings = {"select": "follows or sign_flip or scale", "dtypes": ["float64"], "seed": 2}
    records = {record.id: record for record in run(TWO, **settings).checks}
    docket = docket_of(TWO, **settings)

    again = {id: docket.record(id) for id in reversed(docket.ids["gd"])}

    assert {id: (record.status, record.message, record.diagnosis) for id, record in again.items()} == {
        id: (record.status, record.message, record.diagnosis) for id, record in records.items()
    }
    assert len({record.status for record in records.values()}) == 2


def test_a_half_type_is_counted_in_view_of_a_wider_one_that_was_not_asked_for():
    docket = docket_of(HALVES, select="follows")

    record = docket.record(FOLLOWS.format("float16"))

    assert record.status == "mistrusted"
    assert not record.counted


def test_a_half_type_without_a_wider_one_counts():
    docket = docket_of(HALVES, select="follows", dtypes=["float16"])

    assert docket.record(FOLLOWS.format("float16")).counted


def test_two_checks_of_one_id_are_refused():
    twins = Backend("twins", "1.0", (implementation(HONEST),) * 2)

    with pytest.raises(UsageError, match="labels of a formula's implementations must differ, got two checks gd"):
        docket_of(twins)
