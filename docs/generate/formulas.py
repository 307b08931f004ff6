"""A page for every formula of the catalogue, and their index."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from conformance.faults import FAULTS
from conformance.figures import FIGURES
from conformance.presentation import plural
from docs.generate.bibliography import cited, reference
from docs.generate.coverage import covers, formula_page
from docs.generate.docstrings import section
from docs.generate.figures import shown
from docs.generate.markdown import anchor, code, display, link, math, page, prose, table
from oracle.catalogue import ALIASES, FORMULAS
from oracle.dialects import neighbour
from oracle.formula import Formula
from oracle.statements import Discrepancy, Register, Statement
from properties.catalogue import claims_for
from properties.claims import Claim

__all__ = ["formula_pages"]

_FAULTS = {fault.id: fault for fault in FAULTS}
_KINDS = {"optimizer": "Optimizers", "function": "Functions", "schedule": "Schedules"}
_INTRODUCTION = """\
# Formulas

Each page has the formula with its sources, its domain, what every implementation of it is held to, the nearest
formulas that it is told apart from, and what the documents state of it."""


def formula_pages(register: Register) -> Iterator[tuple[str, str]]:
    """Return the pages by their names, the index first."""
    yield "README.md", _index()
    for formula in FORMULAS:
        yield f"{formula.id}.md", _page(formula, register)


def _index() -> str:
    ordered = sorted(FORMULAS, key=lambda formula: list(_KINDS).index(formula.kind))
    groups = [(kind, list(formulas)) for kind, formulas in groupby(ordered, key=lambda formula: formula.kind)]
    rows = (
        (f"## {_KINDS[kind]}", table(["formula", "what it does", "properties"], map(_row, formulas)))
        for kind, formulas in groups
    )
    return page(_INTRODUCTION, *(block for blocks in rows for block in blocks))


def _row(formula: Formula) -> Iterator[object]:
    yield link(code(formula.id), f"{formula.id}.md")
    yield prose(_plain(formula.title))
    yield len(claims_for(formula.id))


def _page(formula: Formula, register: Register) -> str:
    return page(
        f"# {formula.id}",
        prose(_plain(formula.title)),
        display(formula.latex),
        *_figures(formula),
        "## Sources",
        "\n".join(f"- {reference(source)}" for source in formula.source),
        "## Call",
        f"```python\n{_call(formula)}\n```",
        section(formula, "Parameters"),
        "Returns:",
        section(formula, "Returns"),
        *_domain(formula),
        _defined(formula),
        *_titled("Notes", section(formula, "Notes")),
        *_titled("Example", section(formula, "Examples")),
        "## Properties",
        f"What `exactstep check TARGET --as {formula.id}` holds an implementation to.",
        *(block for claim in claims_for(formula.id) for block in _claim(claim, formula)),
        "## Neighbours",
        "What an implementation may compute instead. Each check says which of these its inputs told apart.",
        table(["neighbour", "what it does"], (_neighbour(formula, id) for id in formula.neighbours)),
        *_evaluated(formula),
        *_stated(formula, register),
    )


def _evaluated(formula: Formula) -> Iterator[str]:
    if formula.evaluations:
        yield "## Evaluations"
        yield (
            "Other programs for the same values, with [bounds of their own](../bounds.md). A subject that only an unstable "
            "one contains deviates, unless it claims that, as in `--as layer_norm:one_pass`. A subject is held to a strict "
            "one only if it claims that."
        )
        rows = ((code(name), other.kind, prose(other.description)) for name, other in formula.evaluations.items())
        yield table(["evaluation", "", "what it does"], rows)


def _figures(formula: Formula) -> Iterator[str]:
    for figure in FIGURES:
        if formula.id in figure.formulas:
            yield from shown(figure, "../figures/")


def _call(formula: Formula) -> str:
    arrays, settings = ", ".join(formula.arrays), [f"{name}={name}" for name in formula.hyperparameters]
    called = f"\n    {', '.join([arrays, *settings])}\n" if len(settings) > 2 else ", ".join([arrays, *settings])
    result = {"optimizer": "param, state", "function": "result", "schedule": "learning_rate"}[formula.kind]
    return f'from oracle.catalogue import get\n\n{result} = get("{formula.id}")({called})'


def _domain(formula: Formula) -> Iterator[str]:
    if formula.hyperparameters:
        yield "The oracle answers in the domain; differential checks draw from the range beside it."
        rows = (
            (code(name), _interval(formula.domain[name]), _interval(formula.draw[name]))
            for name in formula.hyperparameters
        )
        yield table(["hyperparameter", "domain", "drawn"], rows)


def _defined(formula: Formula) -> str:
    path = formula.body.__module__.replace(".", "/") + ".py"
    other = [code(alias) for alias, id in ALIASES.items() if id == formula.id]
    also = f" Also called {', '.join(other)}." if other else ""
    return f"Defined in {link(path, f'../../{path}')}.{also}"


def _titled(title: str, body: str) -> list[str]:
    return [f"## {title}", body] if body else []


def _interval(domain: object) -> str:
    return math(str(domain).replace("inf", "\\infty"))


def _claim(claim: Claim, formula: Formula) -> Iterator[str]:
    yield f"### {claim.name}"
    yield prose(_plain(claim.sentence))
    yield display(claim.statement)
    yield f"Source: {cited(claim.source)}. Kind: {claim.kind}."
    own = [_FAULTS[id] for id in claim.catches if _FAULTS[id].formula == formula.id]
    faults = own or [_FAULTS[id] for id in claim.catches]
    of = "" if own else " in other formulas"
    yield f"<details><summary>{plural(len(faults), 'seeded fault')}{of} that must fail it</summary>"
    yield "\n".join(f"- {code(fault.id)}: {prose(_plain(fault.story))}" for fault in faults)
    yield "</details>"


def _neighbour(formula: Formula, id: str) -> tuple[str, str]:
    name = link(code(id), f"{id}.md") if formula_page(id) == f"{id}.md" else code(id)
    return name, prose(_plain(neighbour(formula, id).title))


def _stated(formula: Formula, register: Register) -> Iterator[str]:
    """Yield the lines that are about a formula, or that a claim about it covers."""
    prefix = f"{formula.id}."
    lines: list[Statement] = []
    for entry in register.entries:
        own = formula_page(entry.id) == f"{formula.id}.md"
        lines += [line for line in (entry, *entry.statements) if own or any(by.startswith(prefix) for by in line.by)]
    if lines:
        yield "## In the documents"
        rows = (
            (
                link(line.id, f"../coverage.md{anchor(line.id.partition('.')[0])}"),
                prose(line.says),
                line.kind,
                covers(line, "../"),
            )
            for line in lines
        )
        yield table(["", "says", "kind", "covered by"], rows)
    touched = [line for line in register.discrepancies if any(by.startswith(prefix) for by in line.by)]
    if touched:
        yield f"Discrepancies: {', '.join(_discrepancy(line) for line in touched)}."


def _discrepancy(line: Discrepancy) -> str:
    return link(line.id, f"../errata.md{anchor(line.id if line.mathematical else 'others')}")


def _plain(text: str) -> str:
    """Return a line of a docstring without the markup of reStructuredText."""
    return text.replace("``", "`")
