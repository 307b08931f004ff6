"""Words and numbers that the console and the page share."""

from __future__ import annotations

import math

import pytest

from conformance.presentation import (
    by_cause,
    by_implementation,
    drawn_ranges,
    exercised,
    facts,
    figure,
    headline,
    interval,
    needs_a_look,
    not_judged,
    number,
    place,
    plural,
    scope,
    verdict,
    worst,
)
from conformance.records import STATUSES
from tests.helpers.reports import check_record, deviation, every_status, report_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.98765, "0.988"),
        (1234.5, "1,234"),
        (4.5e15, "4.50e+15"),
        (1e-7, "1.00e-07"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "NaN"),
    ],
)
def test_a_figure_has_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_number_is_read_back_to_the_same_bits() -> None:
    decimal, hexadecimal = number(0.1).rstrip(")").split(" (")

    assert float(decimal) == float.fromhex(hexadecimal) == 0.1
    assert number(math.inf) == "inf"


@pytest.mark.parametrize(("count", "text"), [(0, "0 checks"), (1, "1 check"), (2048, "2,048 checks")])
def test_a_noun_follows_its_number(count: int, text: str) -> None:
    assert plural(count, "check") == text


def test_the_headline_begins_with_the_gravest() -> None:
    records = [check_record(), check_record(), deviation(), check_record("crash")]

    assert headline(records) == "4 checks: 1 crashes, 1 deviates, 2 conform"
    assert headline([]) == "no checks"


def test_the_headline_sets_apart_what_is_not_counted() -> None:
    records = [check_record(), check_record("mistrusted", counted=False), check_record("unsupported", counted=False)]

    assert headline(records) == (
        "3 checks: 1 conforms; not counted: 1 could not have noticed a fault, 1 is unsupported"
    )


def test_every_status_has_a_place_in_the_headline() -> None:
    assert headline(every_status().checks).count(",") == len(STATUSES) - 1


def test_the_scope_counts_implementations_and_formulas() -> None:
    report = report_of(check_record(), check_record(dtype="float64"), check_record(formula="adam_l2"))

    assert scope(report) == "Judged: 2 implementations of 2 formulas in float32, float64 on cpu."
    assert scope(report_of()) == "Nothing was judged."
    assert scope(report_of(check_record(), complete=False)).endswith("what is missing is unknown.")


def test_the_verdict_is_that_of_the_counted_checks() -> None:
    blind = check_record("mistrusted", counted=False)

    assert verdict([check_record(), blind]) == ("conforms", True)
    assert verdict([blind]) == ("mistrusted", False)


def test_only_counted_failures_need_a_look() -> None:
    counted = {record.status for record in every_status().checks if needs_a_look(record)}

    assert counted == set(STATUSES) - {"conforms", "expected-deviation", "unsupported"}
    assert not needs_a_look(check_record("mistrusted", counted=False))


def test_the_worst_is_the_conforming_check_nearest_to_its_bound() -> None:
    near = check_record(error_over_bound=0.99)

    assert worst([check_record(), near, deviation()]) is near
    assert worst([deviation(), check_record(judged=0)]) is None


def test_implementations_stay_apart_by_the_formula_they_claim() -> None:
    groups = by_implementation([check_record(), check_record(formula="adam_l2"), check_record(dtype="float64")])

    assert {key: len(records) for key, records in groups.items()} == {
        ("torch.optim.Adam", "adam"): 2,
        ("torch.optim.Adam", "adam_l2"): 1,
    }


def test_causes_are_told_apart_by_diagnosis_or_message() -> None:
    same, other = deviation(dtype="float64"), deviation(diagnosis="none of the relatives")
    crashes = [check_record("crash", message="ValueError"), check_record("crash", message="TypeError")]

    assert by_cause([deviation(), same, other, *crashes]) == ([deviation(), other, *crashes], [same])


@pytest.mark.parametrize(
    ("counterexample", "text"),
    [
        ({"quantity": "result"}, "result"),
        ({"quantity": "param", "tensor": 0, "index": None, "step": 3}, "param of tensor 0, after step 3"),
    ],
)
def test_a_place_names_what_is_known(counterexample: dict[str, object], text: str) -> None:
    assert place(counterexample) == text


def test_an_interval_of_one_number_is_one_number() -> None:
    one = (1.0).hex()

    assert interval({"low": one, "high": one, "observed": "nan"}) == (number(1.0), number(1.0), "nan")
    assert interval({"low": None, "high": None, "observed": one}) is None


def test_ranges_of_checks_are_joined() -> None:
    records = [check_record(ranges={"eps": [1e-3, 1.0]}), check_record(ranges={"eps": [1e-8, 0.1], "steps": [1, 2]})]

    assert drawn_ranges(records) == {"eps": (1e-8, 1.0), "steps": (1, 2)}


def test_what_left_nothing_open_has_nothing_to_say() -> None:
    assert not_judged([check_record(ranges={})]) == []


def test_unsupported_dtypes_are_not_judged() -> None:
    sentences = not_judged([check_record("unsupported", counted=False, dtype="float16", ranges={})])

    assert sentences == ["Declared unsupported: float16 on cpu."]


def test_what_programs_went_through_and_what_they_left_out_is_told() -> None:
    records = [
        check_record(ranges={}, exercised=("copied", "resumed"), left_out=("pickled",)),
        check_record(ranges={}, exercised=("add_group",), left_out=("maximize", "pickled")),
    ]

    assert exercised(records) == "add_group, copied, resumed"
    assert not_judged(records) == ["Left out of the training programs, for it is not offered: maximize, pickled."]
    assert exercised([check_record()]) == ""


def test_facts_tell_the_matching_of_names_after_the_versions() -> None:
    report = report_of(check_record(), environment={"torch": "2", "matching": "lr is learning_rate", "cpu": "AVX2"})

    assert [name for name, _ in facts(report)] == ["profile", "seed", "cpu", "torch", "matching"]
