"""Reading the register of statements: what it becomes, and every way in which it can be wrong."""

from __future__ import annotations

import re

import pytest

from oracle.errors import StatementError
from oracle.statements import Discrepancy, Entry, Statement, read

TEXT = """
[entries.adam]
says = "Adam"
kind = "property"
by = ["adam.follows_the_formula", "tests/statements/test_adam.py::test_first_step"]
[entries.adam.statements]
C1 = { says = "It is fast", kind = "quoted", reason = "an observation" }
P1 = { says = "The first step is a sign", kind = "proof", by = ["tests/statements/test_adam.py::test_first_step"] }

[discrepancies.D002]
says = "Typography"
mathematical = false
kind = "quoted"
reason = "nothing to compute"
[discrepancies.D001]
says = "The index"
mathematical = true
printed = "$k$"
established = "$k + 1$"
reading = "adam"
counterexample = "k = 0 divides by 0"
kind = "test"
by = ["tests/statements/test_adam.py::test_index"]
"""


def test_a_register_becomes_records() -> None:
    register = read(TEXT)

    first_step = "tests/statements/test_adam.py::test_first_step"
    statements = (
        Statement("adam.C1", "It is fast", "quoted", (), "an observation"),
        Statement("adam.P1", "The first step is a sign", "proof", (first_step,), ""),
    )
    assert register.entries == (
        Entry("adam", "Adam", "property", ("adam.follows_the_formula", first_step), "", statements),
    )
    assert register.discrepancies[0] == Discrepancy(
        "D001",
        "The index",
        "test",
        ("tests/statements/test_adam.py::test_index",),
        "",
        True,
        "$k$",
        "$k + 1$",
        "adam",
        "k = 0 divides by 0",
    )
    assert [line.id for line in register] == ["adam", "adam.C1", "adam.P1", "D001", "D002"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[entries.adam]", "[entries.adam", "the register of statements is no TOML: "),
        ("[entries.adam]", "[entries.adam]\n[entries.adam]", "the register of statements is no TOML: "),
        ("[discrepancies.D002]", "[errors.D002]", "the register: unknown key errors; known are discrepancies, entries"),
        ('[entries.adam]\nsays = "Adam"', '[entries.adam]\nsay = "Adam"', "adam: unknown key say; known are "),
        ('[entries.adam]\nsays = "Adam"', "[entries.adam]", "adam: says is missing"),
        ('says = "Adam"', 'says = " "', "adam: says is missing"),
        ('says = "Adam"', "says = 1", "adam: says must be a string, got 1"),
        ('kind = "property"', "", "adam: kind is missing"),
        (
            'kind = "proof"',
            'kind = "prof"',
            "adam.P1: kind must be one of property, proof, enumeration, test, quoted, got 'prof'",
        ),
        ('kind = "proof"', 'kind = "property"', "adam.P1: a property needs a claim"),
        (
            'by = ["adam.follows_the_formula", "tests/statements/test_adam.py::test_first_step"]',
            "",
            "adam: by is missing",
        ),
        ('by = ["adam.follows_the_formula", ', 'by = ["adam/follows", ', "adam: by names neither a claim nor a test: "),
        ('by = ["adam.follows_the_formula", ', 'by = ["adam.f", "adam.f", ', "adam: by has a name twice"),
        ('by = ["adam.follows_the_formula", ', "by = [1, ", "adam: by must be a list of strings, got [1, "),
        ('kind = "property"', 'kind = "property"\nreason = "none"', "adam: only a quoted line has a reason"),
        (', reason = "an observation"', "", "adam.C1: a quoted line needs a reason"),
        (
            'reason = "an observation"',
            'reason = "an observation", by = ["adam.speed"]',
            "adam.C1: a quoted line is covered by nothing, got by=['adam.speed']",
        ),
        ("C1 =", "S1 =", "adam: a statement must be labelled C1 or P1 or so, got 'S1'"),
        ("C1 =", "C01 =", "adam: a statement must be labelled C1 or P1 or so, got 'C01'"),
        ("P1 = {", 'P2 = "yes"\nP1 = {', "adam.P2: must be a table, got 'yes'"),
        ("P1 = {", "P1 = { mathematical = true,", "adam.P1: unknown key mathematical; known are "),
        ("D001", "D1", "D1: a discrepancy must be numbered D001 or so"),
        ("mathematical = true", "", "D001: mathematical must be true or false, got None"),
        ('printed = "$k$"', "", "D001: printed is missing"),
        ('counterexample = "k = 0 divides by 0"', "", "D001: counterexample is missing"),
        (
            'kind = "test"\nby = ["tests/statements/test_adam.py::test_index"]',
            'kind = "test"\nby = ["adam.speed"]',
            "D001: kind test needs a test",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_id(old: str, new: str, complaint: str) -> None:
    assert TEXT.count(old) >= 1

    with pytest.raises(StatementError, match=re.escape(complaint)):
        read(TEXT.replace(old, new, 1))
