"""The report as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from itertools import groupby
from operator import attrgetter
from typing import Any

from conformance.outline import outline
from conformance.presentation import (
    MARKS,
    as_float,
    by_cause,
    by_implementation,
    columns,
    distance,
    exercised,
    facts,
    figure,
    headline,
    interval,
    known_deviations,
    needs_a_look,
    not_judged,
    place,
    plural,
    scope,
    verdict,
    worst,
)
from conformance.records import CheckRecord, Status
from conformance.report import Report
from oracle.catalogue import FORMULAS
from properties.catalogue import CLAIMS

__all__ = ["render"]

_FORMULAS = {formula.id: formula for formula in FORMULAS}
_SENTENCES = {(formula, claim.name): claim.sentence for claim in CLAIMS for formula in claim.formulas}

_READING = """
<details>
<summary>How to read this page</summary>
<p>An <em>implementation</em> claims a <em>formula</em>. A <em>check</em> takes one claim about that formula and tries to
break it with drawn inputs, in one dtype, on one device. The exact result of the formula is computed with intervals
that are certain; from it follows the interval in which <em>every</em> honest program in that dtype must end, whatever
its order of operations. No tolerance is chosen by hand.</p>
<dl class="facts">
<div><dt>error / bound</dt><dd>How far the worst result lay from the exact one, as a share of what rounding can explain.
Up to 1 rounding may be the cause. Above 1 it cannot be: the code computes something else.</dd></div>
<div><dt>ulp</dt><dd>The same error in units in the last place of the dtype.</dd></div>
<div><dt>told apart</dt><dd>How many of the nearest wrong or different formulas the inputs would have exposed.</dd></div>
<div><dt>conforms</dt><dd>No drawn input broke the claim. It is no proof for inputs outside the ranges under
<em>not judged</em>.</dd></div>
<div><dt>mistrusted</dt><dd>The check could not have noticed a fault, so its silence says nothing.</dd></div>
<div><dt>expected deviation</dt><dd>The check deviates as known: the backend declares it, with evidence, or a baseline pins
it, and its disappearance would be reported. Figures up to 1 are those of all inputs that it does not concern.</dd></div>
</dl>
"""

_NAVIGATION = (
    '<a href="#failures">What needs a look</a> · <a href="#matrix">Implementations and dtypes</a> · '
    '<a href="#checks">Every check</a>'
)


def render(report: Report) -> str:
    """Return the page.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        A complete HTML document; the same for the same records.
    """
    groups = by_implementation(report.checks)
    anchors = {record.id: f"check-{position}" for position, record in enumerate(report.checks, 1)}
    names = {key: f"implementation-{position}" for position, key in enumerate(groups, 1)}
    failures = _failures(groups, anchors)
    stylesheet = resources.files("conformance").joinpath("report.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Exactstep: {escape(report.target)}</title>",
            f"<style>\n{stylesheet}</style></head>",
            f"<body><header><h1>{escape(report.target)}</h1>",
            f'<p class="verdict">{_mark(report.status)} · {escape(headline(report.checks))}</p>',
            f"<p>{escape(scope(report))}</p>",
            _facts(facts(report), kind="chips"),
            _reading(report),
            f"<nav>{_NAVIGATION if failures else _NAVIGATION.partition(' · ')[2]}</nav></header><main>",
            failures,
            _matrix(groups, names),
            _implementations(report, groups, names, anchors),
            "</main>",
            "<footer><p>Everything on this page is derived from the JSON lines of the run, where floats stand in hex.</p>",
            "</footer></body></html>\n",
        ]
    )


_UNCOUNTED = '<span class="soft">not counted</span>'


def _reading(report: Report) -> str:
    """Return what the page's words mean, and an example of the line that runs a check again."""
    line = next((record.reproduce for record in report.checks if record.reproduce), "")
    again = f"<p>Every check can be run again, as the first one by <code>{escape(line)}</code></p>" if line else ""
    return f"{_READING}{again}</details>"


def _mark(status: Status, text: str = "") -> str:
    words = text or status.replace("-", " ")
    return f'<span class="mark {status}"><span aria-hidden="true">{MARKS[status]}</span> {escape(words)}</span>'


def _facts(rows: Iterable[tuple[str, str]], *, kind: str = "facts", raw: bool = False) -> str:
    cells = (f"<div><dt>{escape(name)}</dt><dd>{text if raw else escape(text)}</dd></div>" for name, text in rows)
    return f'<dl class="{kind}">{"".join(cells)}</dl>'


def _sentence(record: CheckRecord) -> str:
    return _SENTENCES.get((record.formula, record.property), record.property)


def _formula(identifier: str) -> str:
    return _FORMULAS[identifier].title if identifier in _FORMULAS else identifier


# What asks somebody to look


def _failures(groups: Mapping[tuple[str, str], Sequence[CheckRecord]], anchors: Mapping[str, str]) -> str:
    parts = []
    for (implementation, formula), records in groups.items():
        first, rest = by_cause(filter(needs_a_look, records))
        if first:
            parts.append(f"<h3>{escape(implementation)} <span class=soft>as {escape(formula)}</span></h3>")
            parts += [_failure(record, anchors[record.id]) for record in first]
        if rest:
            cards = "".join(_failure(record, anchors[record.id]) for record in rest)
            parts.append(
                f"<details><summary>{plural(len(rest), 'more check')} of the same cause</summary>{cards}</details>"
            )
    return "\n".join(['<section id="failures"><h2>What needs a look</h2>', *parts, "</section>"]) if parts else ""


def _has_a_card(record: CheckRecord) -> bool:
    return needs_a_look(record) or record.status == "expected-deviation"


def _failure(record: CheckRecord, anchor: str) -> str:
    head = f"{_mark(record.status)} <span>{escape(_sentence(record))}</span>"
    axes = f"<span class=soft>{escape(record.dtype)} · {escape(record.device)}</span>"
    return f'<article class="failure {record.status}" id="{anchor}"><h4>{head} {axes}</h4>{_evidence(record)}</article>'


def _evidence(record: CheckRecord) -> str:
    found = record.counterexample or {}
    allowed = interval(found)
    rows = []
    if "quantity" in found:
        rows += [("Where", escape(place(found)))]
    if allowed:
        low, high, came = map(escape, allowed)
        rows += [("Allowed", f"<span class=mono>{low if low == high else f'from {low} to {high}'}</span>")]
        rows += [("Came", f"<span class=mono>{came}</span>")]
        rows += [("Off by", escape(distance(found)))]
    if "\n" in record.message:
        rows += [("Raised", f"<pre><code>{escape(record.message)}</code></pre>")]
    else:
        rows += [("In words", escape(record.message))]
    rows += [("Run it again", f"<code>{escape(record.reproduce)}</code>")]
    rows += [("Check", f"<span class=mono>{escape(record.id)}</span>")]
    diagnosis = f"<strong>What the code computes:</strong> {escape(record.diagnosis)}"
    return "\n".join(
        [
            f'<p class="computes">{diagnosis}</p>' if record.diagnosis else "",
            _number_line(found),
            _facts(rows, raw=True),
            _input(found, record),
        ]
    )


def _number_line(found: Mapping[str, Any]) -> str:
    """Draw the allowed interval and what came, to scale."""
    ends = [found.get(name) for name in ("low", "high", "observed")]
    if any(end is None for end in ends):
        return ""
    low, high, came = (as_float(end) for end in ends if end is not None)
    left, right = min(low, came), max(high, came)
    if not all(map(math.isfinite, (low, high, came, right - left))) or left == right:
        return ""
    x_low, x_high, x_came = (60 + 480 * ((value - left) / (right - left)) for value in (low, high, came))
    width = max(x_high - x_low, 2.0)
    middle = (x_low + x_high) / 2
    label = "Number line: what came lies outside the allowed interval"
    return (
        f'<svg class="line" viewBox="0 0 600 60" role="img" aria-label="{label}">'
        '<line class="axis" x1="20" x2="580" y1="30" y2="30"/>'
        f'<rect class="band" x="{middle - width / 2:.2f}" y="20" width="{width:.2f}" height="20"/>'
        f'<path class="edge" d="M{middle - width / 2:.2f} 16v28M{middle + width / 2:.2f} 16v28"/>'
        f'<circle class="came" cx="{x_came:.2f}" cy="30" r="5"/>'
        f'<text x="{middle:.2f}" y="11" text-anchor="middle">allowed</text>'
        f'<text x="{x_came:.2f}" y="56" text-anchor="middle">came</text></svg>'
    )


def _input(found: Mapping[str, Any], record: CheckRecord) -> str:
    if "inputs" not in found:
        return ""
    text = "\n".join(outline(found["inputs"], record.formula))
    name = "The simplest input found that shows it" if record.status == "deviates" else "An input that shows it"
    return f"<details><summary>{name}</summary><pre><code>{escape(text)}</code></pre></details>"


# Implementations against dtypes


def _matrix(groups: Mapping[tuple[str, str], Sequence[CheckRecord]], names: Mapping[tuple[str, str], str]) -> str:
    axes = columns(record for records in groups.values() for record in records)
    one_device = len({device for _, device in axes}) == 1
    heads = (
        f'<th scope="col">{escape(dtype)}{"" if one_device else f"<br><span class=soft>{escape(device)}</span>"}</th>'
        for dtype, device in axes
    )
    lines = [
        '<section id="matrix"><h2>Implementations and dtypes</h2>',
        '<label class="filter"><input type="checkbox" id="only"> Hide what conforms</label>',
        '<div class="scroll"><table class="matrix">',
        "<caption>The gravest verdict of each, and where none needs a look the largest error as a share of its bound.</caption>",
        f'<thead><tr><th scope="col">Implementation</th><th scope="col">Claims</th>{"".join(heads)}</tr></thead><tbody>',
    ]
    for key, records in groups.items():
        cells = (
            _cell([record for record in records if (record.dtype, record.device) == axis], names[key]) for axis in axes
        )
        lines.append(
            f'<tr class="{_class(records)}"><th scope="row"><a href="#{names[key]}">{escape(key[0])}</a></th>'
            f"<td><code>{escape(key[1])}</code></td>{''.join(cells)}</tr>"
        )
    return "\n".join([*lines, "</tbody></table></div></section>"])


def _class(records: Sequence[CheckRecord]) -> str:
    """Return the class by which what conforms can be hidden: only where no deviation is known either."""
    status, _ = verdict(records)
    return "expected-deviation" if status == "conforms" and known_deviations(records) else status


def _cell(records: Sequence[CheckRecord], anchor: str) -> str:
    if not records:
        return '<td class="soft">not run</td>'
    status, counted = verdict(records)
    ending_so = sum(record.status == status for record in records)
    closest = worst(records)
    looked_at = any(map(needs_a_look, records))
    text = f"{ending_so} of {len(records)} {status.replace('-', ' ')}" if looked_at else ""
    lines = [f'<a href="#{anchor}">{_mark(status, text)}</a>']
    lines += [] if counted else [_UNCOUNTED]
    lines += [_share(closest)] if closest and not looked_at else []
    known = known_deviations(records)
    lines += [_mark("expected-deviation", known)] if known and status != "expected-deviation" else []
    return f"<td>{'<br>'.join(lines)}</td>"


def _named(record: CheckRecord) -> str:
    """Return the evaluation that holds where it is another than the printed one."""
    return record.evaluation if record.evaluation != record.formula else ""


def _share(record: CheckRecord) -> str:
    percent = min(100.0, 100 * record.error_over_bound)
    kind = record.status if record.error_over_bound > 1 else "conforms"
    bar = f'<span class="bar {kind}" aria-hidden="true"><i style="width:{percent:.0f}%"></i></span>'
    return f"{bar} {figure(record.error_over_bound)}"


# Every check of every implementation


def _implementations(
    report: Report,
    groups: Mapping[tuple[str, str], Sequence[CheckRecord]],
    names: Mapping[tuple[str, str], str],
    anchors: Mapping[str, str],
) -> str:
    parts = [_implementation(report, key, records, names[key], anchors) for key, records in groups.items()]
    return "\n".join(['<section id="checks"><h2>Every check</h2>', *parts, "</section>"])


def _implementation(
    report: Report, key: tuple[str, str], records: Sequence[CheckRecord], anchor: str, anchors: Mapping[str, str]
) -> str:
    implementation, formula = key
    status, _ = verdict(records)
    claims = list(dict.fromkeys(record.property for record in records))
    ordered = sorted(records, key=lambda record: claims.index(record.property))
    rows = "\n".join(_claim(list(of_one), anchors) for _, of_one in groupby(ordered, key=attrgetter("property")))
    latex = _FORMULAS[formula].latex if formula in _FORMULAS else ""
    return "\n".join(
        [
            f'<details class="implementation {_class(records)}"{" open" if any(map(needs_a_look, records)) else ""}>',
            (
                f"<summary>{_mark(status)} {escape(implementation)} "
                f'<span class="soft">as {escape(formula)} · {escape(headline(records))}</span></summary>'
            ),
            f'<p id="{anchor}">Claims <code>{escape(formula)}</code>: {escape(_formula(formula))}</p>',
            f"<details><summary>The formula, in LaTeX</summary><pre><code>{escape(latex)}</code></pre></details>"
            if latex
            else "",
            (
                '<div class="scroll"><table class="checks"><thead><tr><th scope="col">Claim</th><th scope="col">dtype</th>'
                '<th scope="col">Verdict</th><th scope="col" class="figure">error / bound</th>'
                '<th scope="col" class="figure">ulp</th><th scope="col" class="figure">inputs</th>'
                '<th scope="col" class="figure">told apart</th><th scope="col">precision</th></tr></thead>'
            ),
            rows,
            "</table></div>",
            f"<p>Training programs went through: {escape(events)}.</p>" if (events := exercised(records)) else "",
            _known(records, anchors),
            _not_judged(records, report.not_judged.get(f"{formula}@{implementation}", ())),
            "</details>",
        ]
    )


def _claim(records: Sequence[CheckRecord], anchors: Mapping[str, str]) -> str:
    name = escape(records[0].property)
    head = (
        f'<th scope="rowgroup" rowspan="{len(records)}">{escape(_sentence(records[0]))}<br>'
        f'<span class="soft mono">{name}</span></th>'
    )
    rows = (_row(record, anchors[record.id]) for record in records)
    lines = (f"<tr>{'' if position else head}{row}</tr>" for position, row in enumerate(rows))
    return f'<tbody class="{_class(records)}">{"".join(lines)}</tbody>'


def _row(record: CheckRecord, anchor: str) -> str:
    told = f"{len(record.separated)} of {len(record.separated) + len(record.blind_to)}"
    shown = _mark(record.status) + ("" if record.counted else f"<br>{_UNCOUNTED}")
    if _has_a_card(record):
        shown = f'<a href="#{anchor}">{shown}</a>'
    elif record.message:
        shown += f'<br><span class="soft">{escape(record.message)}</span>'
    cells = [
        f'<td class="axis">{escape(record.dtype)} <span class=soft>{escape(record.device)}</span></td>',
        f"<td>{shown}</td>",
        f'<td class="figure">{_share(record) if record.judged else "–"}</td>',
        f'<td class="figure">{figure(record.ulps) if record.judged else "–"}</td>',
        f'<td class="figure">{record.cases:,}</td>',
        f'<td class="figure">{told if record.separated or record.blind_to else "–"}</td>',
        f'<td class="axis">{escape(", ".join(filter(None, (record.precision, _named(record)))) or "–")}</td>',
    ]
    return "".join(cells)


def _known(records: Sequence[CheckRecord], anchors: Mapping[str, str]) -> str:
    known = [record for record in records if record.status == "expected-deviation"]
    if not known:
        return ""
    cards = "".join(_failure(record, anchors[record.id]) for record in known)
    return f"<details><summary>{plural(len(known), 'known deviation')}: why, and by how much</summary>{cards}</details>"


def _not_judged(records: Sequence[CheckRecord], declared: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in not_judged(records, declared))
    return f"<h4>Not judged</h4><ul>{items or '<li>Inputs that were not drawn.</li>'}</ul>"
