"""The page on schedulefree names the laws that its optimizers break, no more and no fewer."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from conformance import laws

pytest.importorskip("torch")
schedulefree = pytest.importorskip(
    "schedulefree", reason="schedulefree is not installed: pip install -e .[schedulefree]"
)

PAGE = Path(__file__).parents[2].joinpath("reports", "schedulefree.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)


def test_the_page_has_a_row_for_each():
    assert [name for name, _ in ROWS] == ["AdamWScheduleFree", "SGDScheduleFree"]


@pytest.mark.parametrize(("name", "broken"), ROWS)
def test_what_the_page_calls_broken_is(name, broken):
    if f"schedulefree {version('schedulefree')}:" not in PAGE:
        pytest.skip(f"the page is about another version, and {version('schedulefree')} is installed")

    profile = laws(getattr(schedulefree, name))

    assert [record.name for record in profile.records if record.outcome == "broken"] == re.findall(r"`(\w+)`", broken)
    assert [record.name for record in profile.failed] == ["keeps_gradients"]
