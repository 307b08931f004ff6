"""The page on laws names those that torch's optimizers break, no more and no fewer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance import laws

torch = pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "docs" / "laws.md"
ROWS = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_has_a_row_for_each():
    assert [name for name, _ in ROWS] == ["Adamax", "NAdam", "RAdam", "ASGD", "Adadelta", "Rprop", "Adafactor", "Muon"]


@pytest.mark.parametrize(("name", "broken"), ROWS)
def test_what_the_page_calls_broken_is(name, broken):
    if torch.__version__.partition("+")[0] != "2.13.0":
        pytest.skip(f"the page is about torch 2.13.0, and {torch.__version__} is installed")

    found = [record.name for record in laws(getattr(torch.optim, name)).records if record.outcome == "broken"]

    assert found == re.findall(r"`(\w+)`", broken)
