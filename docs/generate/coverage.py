"""What the documents state, and what covers each line of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from docs.generate.bibliography import reference
from docs.generate.markdown import anchor, code, link, page, prose, sentence, table
from oracle.catalogue import get
from oracle.errors import UnknownFormulaError
from oracle.statements import KINDS, Entry, Register, Statement, is_test

__all__ = ["coverage", "covers", "formula_page"]

_DOCUMENTS = (
    "lopesquintas2024complements",
    "lopesquintas2026complements",
    "lopesquintas2025llm",
    "lopesquintas2024updates",
    "bourmaudnetworks",
)
_INTRODUCTION = """\
# Coverage of the documents

Everything that the five course documents state, line by line, and what checks it. A line is labelled by its entry:
C lines are stated by the documents, P lines follow from them.

{documents}

- **property**: a claim that every implementation is held to; each claim is seen to fail on seeded faults.
- **proof**: a symbolic proof, run on the formula's own body.
- **enumeration**: every outcome of what is drawn at random (indices, batches, masks, labels), or every case of a
  finite set, in rational arithmetic; the problems on which the draws are enumerated are given or drawn.
- **test**: any other exact test of the oracle.
- **quoted**: an observation or a recommendation, in which there is nothing to compute; each comes with its reason.

Every proof, enumeration and test is also run on false variants of its statement, and must fail on each."""


def coverage(register: Register) -> str:
    """Return the page."""
    statements = [line for entry in register.entries for line in entry.statements]
    return page(
        _INTRODUCTION.format(
            documents="\n".join(f"{number}. {reference(key)}" for number, key in enumerate(_DOCUMENTS, 1))
        ),
        "## Totals",
        _totals({"entries": register.entries, "statements": statements, "discrepancies": register.discrepancies}),
        "The discrepancies have [a page of their own](errata.md).",
        "## Entries",
        table(["entry", "what it is", "statements", *KINDS], map(_summary, register.entries)),
        "## Quoted lines",
        "\n".join(_quoted(register)),
        "## Lines",
        *(block for entry in register.entries for block in _lines(entry)),
    )


def covers(line: Statement, folder: str = "") -> str:
    """Return links to what covers a line, for a page from which this folder is ``folder``; or why nothing does."""
    return ", ".join(_cover(cover, folder) for cover in line.by) or sentence(line.reason)


def formula_page(id: str) -> str | None:
    """Return the page of a formula or of an alias, without its folder; nothing if there is none."""
    try:
        return f"{get(id).id}.md"
    except UnknownFormulaError:
        return None


def _cover(cover: str, folder: str) -> str:
    if is_test(cover):
        path, _, test = cover.partition("::")
        return link(test.removeprefix("test_").replace("_", " "), f"{folder}../{path}")
    formula, _, claim = cover.partition(".")
    return link(code(cover), f"{folder}formulas/{get(formula).id}.md{anchor(claim)}")


def _totals(groups: dict[str, Iterable[Statement]]) -> str:
    counts = {name: Counter(line.kind for line in lines) for name, lines in groups.items()}
    rows = [(name, count.total(), *(count[kind] for kind in KINDS)) for name, count in counts.items()]
    return table(["", "all", *KINDS], rows)


def _summary(entry: Entry) -> Iterator[object]:
    count = Counter(line.kind for line in entry.statements)
    yield link(code(entry.id), anchor(entry.id))
    yield prose(entry.says)
    yield len(entry.statements)
    yield from (count[kind] or "" for kind in KINDS)


def _quoted(register: Register) -> Iterator[str]:
    for line in register:
        if line.kind == "quoted":
            yield f"- **{line.id}**: {sentence(line.says)} *{sentence(line.reason)}*"


def _lines(entry: Entry) -> Iterator[str]:
    yield f"### {entry.id}"
    formula = formula_page(entry.id)
    yield f"{link('Formula', 'formulas/' + formula)}. " if formula else ""
    rows = [
        (line.id.rpartition(".")[2], prose(line.says), line.kind, covers(line)) for line in (entry, *entry.statements)
    ]
    yield table(["", "says", "kind", "covered by"], rows)
