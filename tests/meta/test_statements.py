"""The register covers the documents: nothing left out, nothing invented, and whatever covers a line exists."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

import pytest

from conformance.faults import FAULTS
from oracle.statements import Register, is_test, read, register
from tests.helpers.register import (
    COUNTS,
    complaints_about_claims,
    complaints_about_ids,
    complaints_about_tests,
    expected_ids,
    named_in,
    statement_tests,
)
from tests.helpers.statements import statement

FORMULA_OF = {fault.id: fault.formula for fault in FAULTS}


def told(complaints: Iterable[str]) -> str:
    """All complaints, a line each."""
    return "\n".join(complaints)


def covered_by(*covers: str, kind: str = "property") -> Register:
    """A register of one entry."""
    names = ", ".join(f'"{cover}"' for cover in covers)
    return read(f'[entries.adam]\nsays = "Adam"\nkind = "{kind}"\nby = [{names}]')


def test_the_documents_were_counted() -> None:
    assert len(COUNTS) == 112
    assert sum(claimed for claimed, _ in COUNTS.values()) == 67
    assert sum(following for _, following in COUNTS.values()) == 478
    assert len(expected_ids()) == len(set(expected_ids())) == 112 + 545 + 100


def test_every_line_of_the_documents_is_registered_and_no_other() -> None:
    complaints = told(complaints_about_ids(register()))

    assert not complaints, complaints


def test_every_claim_that_covers_a_line_exists_and_catches_a_fault_of_its_formula() -> None:
    complaints = told(complaints_about_claims(register(), FORMULA_OF))

    assert not complaints, complaints


def test_tests_and_lines_name_each_other() -> None:
    complaints = told(complaints_about_tests(register(), statement_tests()))

    assert not complaints, complaints


def test_a_missing_line_is_noticed() -> None:
    complaints = told(complaints_about_ids(covered_by("adam.follows_the_formula")))

    assert "adam.P18 is missing" in complaints
    assert "D100 is missing" in complaints
    assert "adam is missing" not in complaints


def test_an_unknown_line_is_noticed() -> None:
    text = '{ says = "more", kind = "property", by = ["adam.follows_the_formula"] }'
    more = read(
        f'[entries.adam]\nsays = "Adam"\nkind = "quoted"\nreason = "none"\n[entries.adam.statements]\nP19 = {text}'
    )

    assert "adam.P19 is not in the documents" in complaints_about_ids(more)


@pytest.mark.parametrize(
    ("cover", "complaint"),
    [
        ("atom.follows_the_formula", "adam: no formula has the id 'atom'; the nearest are "),
        ("adam.follows_the_rules", "adam: adam has no claim follows_the_rules; it has follows_the_formula, "),
    ],
)
def test_a_claim_that_does_not_exist_is_noticed(cover: str, complaint: str) -> None:
    assert complaint in told(complaints_about_claims(covered_by(cover), FORMULA_OF))


def test_a_claim_that_catches_no_fault_of_its_formula_is_noticed() -> None:
    of_others = dict.fromkeys(FORMULA_OF, "gd")

    complaints = told(complaints_about_claims(covered_by("adam.follows_the_formula"), of_others))

    assert complaints == "adam: adam.follows_the_formula catches no seeded fault of adam"


def test_a_claim_about_an_alias_is_one_about_its_formula() -> None:
    assert not told(complaints_about_claims(covered_by("sgd.follows_the_formula"), FORMULA_OF))


TEST = "tests/statements/test_adam.py::test_first_step"


@pytest.mark.parametrize(
    ("tests", "complaint"),
    [
        ({}, f"adam: there is no test of statements {TEST}"),
        ({TEST: ("adam.P1",)}, f"adam: {TEST} does not name it\n{TEST} names adam.P1, which is unknown"),
        ({TEST: ("adam",), f"{TEST}_again": ("adam",)}, f"{TEST}_again names adam, which does not list it"),
        ({TEST: ("adam", "adamant")}, f"{TEST} names adamant, which is unknown"),
    ],
    ids=["no such test", "the test names another", "the line lists another", "an unknown line"],
)
def test_tests_and_lines_that_do_not_name_each_other_are_noticed(
    tests: dict[str, tuple[str, ...]], complaint: str
) -> None:
    assert told(complaints_about_tests(covered_by(TEST, kind="test"), tests)) == complaint


def test_a_statement_test_is_found_by_its_decorator() -> None:
    @statement("adam.P1", "adam.P2", false={"wrong": {"one": 2}})
    def test_of_two(one: int = 1) -> None:
        assert one == 1

    module = ModuleType("tests.of_statements")
    vars(module).update(test_of_two=test_of_two, test_of_none=told)

    assert named_in(module) == {"test_of_two": ("adam.P1", "adam.P2")}


def test_only_what_lies_among_the_tests_is_a_test() -> None:
    assert is_test(TEST)
    assert not is_test("adam.follows_the_formula")
