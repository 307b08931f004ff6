"""Lion is the formula that it claims to be, and a sibling that is not does not pass for it."""

from __future__ import annotations

from backend import wrong
from lionheart import Lion

from conformance import assert_conforms, run


def test_lion_is_lion() -> None:
    assert_conforms(Lion, "lion")


def test_the_sibling_is_found_out() -> None:
    report = run(wrong(), select="follows_the_formula", dtypes=["float64"])

    assert report.status == "deviates"
