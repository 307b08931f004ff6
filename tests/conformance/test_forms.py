"""The other forms of a report: Markdown, JUnit's XML, a badge."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from conformance.forms import FORMS, badge, junit, markdown
from conformance.records import STATUSES
from tests.helpers.reports import check_record, deviation, every_status, report_of


def test_markdown_has_a_table_and_what_failed() -> None:
    lines = markdown(report_of(check_record(dtype="float64"), deviation())).splitlines()

    assert lines[0] == "## torch 2.13.0: ✖ deviates"
    assert "| implementation | claims | float64, cpu | float32, cpu |" in lines
    assert "| `torch.optim.Adam` | `adam` | ✓ conforms, 0.75 × bound | ✖ deviates |" in lines
    assert "### ✖ deviates: `adam.follows_the_formula@torch.optim.Adam[float32,cpu]`" in lines
    assert "exactstep run torch -k adam.follows_the_formula --seed 0" in lines
    assert lines[-1].startswith("profile quick, seed 7")


def test_markdown_says_what_was_judged_and_whether_all_of_it_was() -> None:
    text = markdown(report_of(check_record(), complete=False))

    assert "Judged: 1 implementation of 1 formula in float32 on cpu." in text
    assert "did not come to its end" in text


def test_markdown_tells_known_deviations_beside_the_verdict() -> None:
    text = markdown(report_of(check_record(), check_record("expected-deviation", property="other")))

    assert "| ✓ conforms, 0.75 × bound, 1 known deviation |" in text


def test_markdown_names_another_evaluation_than_the_printed_one() -> None:
    assert "| ✓ conforms, 0.75 × bound, as one_pass |" in markdown(report_of(check_record(evaluation="one_pass")))


def test_every_row_of_the_markdown_table_has_the_same_cells() -> None:
    rows = [line for line in markdown(every_status()).splitlines() if line.startswith("|")]

    assert len(rows) == 2 + len(STATUSES)
    assert len({row.count("|") for row in rows}) == 1


@pytest.mark.parametrize(
    ("status", "tag"),
    [
        ("conforms", None),
        ("deviates", "failure"),
        ("crash", "failure"),
        ("unexpected-pass", "failure"),
        ("mistrusted", "error"),
        ("harness-error", "error"),
        ("expected-deviation", "skipped"),
    ],
)
def test_junit_tells_statuses_apart(status: str, tag: str | None) -> None:
    case = ET.fromstring(junit(report_of(check_record(status, message="Why.")))).find("testsuite/testcase")

    assert case is not None
    assert [child.tag for child in case] == ([tag] if tag else [])


def test_junit_skips_what_is_not_counted() -> None:
    suite = ET.fromstring(junit(report_of(check_record("mistrusted", counted=False)))).find("testsuite")

    assert suite is not None
    assert (suite.get("tests"), suite.get("errors"), suite.get("skipped")) == ("1", "0", "1")


def test_junit_survives_characters_that_xml_forbids() -> None:
    root = ET.fromstring(junit(report_of(deviation(message="\x1b[31m\0 <&>"))))
    failure = root.find("testsuite/testcase/failure")

    assert failure is not None
    assert failure.get("message") == "\ufffd[31m\ufffd <&>"


@pytest.mark.parametrize(
    ("records", "message", "colour"),
    [
        ([check_record()], "1 of 1 conform", "brightgreen"),
        ([check_record(), deviation(implementation="lib.B")], "1 of 2 conform", "red"),
        ([check_record("mistrusted")], "0 of 1 conform", "yellow"),
        ([check_record("unsupported", counted=False)], "unsupported", "lightgrey"),
    ],
)
def test_the_badge_counts_implementations(records: list[object], message: str, colour: str) -> None:
    shown = json.loads(badge(report_of(*records)))

    assert shown == {"schemaVersion": 1, "label": "exactstep", "message": message, "color": colour}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_takes_every_report(form: str) -> None:
    for report in (report_of(), every_status(), report_of(deviation(), complete=False)):
        assert FORMS[form](report).endswith("\n")
