"""The forms that a report can be shown in: a page, a table for a pull request, test results, a badge."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence

from conformance import html
from conformance.presentation import (
    MARKS,
    by_implementation,
    columns,
    evaluations,
    facts,
    figure,
    headline,
    known_deviations,
    needs_a_look,
    scope,
    verdict,
    worst,
)
from conformance.records import CheckRecord, gravest
from conformance.report import Report

__all__ = ["FORMS", "badge", "junit", "markdown"]

_COLOURS = {
    "conforms": "brightgreen",
    "expected-deviation": "brightgreen",
    "mistrusted": "yellow",
    "unsupported": "lightgrey",
}

#: Characters that no XML document may contain.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def markdown(report: Report) -> str:
    """Return headings, the matrix and what failed, as a pull request or a job summary shows them.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        GitHub-flavoured Markdown.
    """
    return "\n".join(_markdown(report)) + "\n"


def _markdown(report: Report) -> Iterator[str]:
    yield f"## {_cell(report.target)}: {MARKS[report.status]} {report.status}\n"
    yield f"{headline(report.checks)}\n"
    yield f"{scope(report)}\n"
    axes = columns(report.checks)
    yield f"| implementation | claims | {' | '.join(f'{dtype}, {device}' for dtype, device in axes)} |"
    yield f"|---|---|{'---|' * len(axes)}"
    groups = by_implementation(report.checks)
    for (implementation, formula), records in groups.items():
        cells = (_verdict([record for record in records if (record.dtype, record.device) == axis]) for axis in axes)
        yield f"| `{_cell(implementation)}` | `{_cell(formula)}` | {' | '.join(cells)} |"
    for record in filter(needs_a_look, report.checks):
        yield f"\n### {MARKS[record.status]} {record.status}: `{record.id}`\n"
        yield f"{record.message}\n"
        if record.diagnosis:
            yield f"**What the code computes:** {record.diagnosis}\n"
        if record.reproduce:
            yield f"```console\n{record.reproduce}\n```"
    yield f"\n{', '.join(f'{name} {value}' for name, value in facts(report))}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _verdict(records: Sequence[CheckRecord]) -> str:
    if not records:
        return "not run"
    status, counted = verdict(records)
    closest = worst(records)
    notes = [] if counted else ["not counted"]
    notes += [f"{figure(closest.error_over_bound)} × bound"] if closest else []
    notes += [f"as {evaluation}" for evaluation in evaluations(records)]
    known = known_deviations(records)
    notes += [known] if known and status != "expected-deviation" else []
    return ", ".join([f"{MARKS[status]} {status}", *notes])


def junit(report: Report) -> str:
    """Return test results as JUnit's XML: a suite for each implementation, a case for each check.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        What asks for a look is a failure, or an error if it is none of the implementation's; what is not
        counted is skipped.
    """
    root = ET.Element("testsuites", name=_xml(f"exactstep {report.target}"))
    for (implementation, formula), records in by_implementation(report.checks).items():
        suite = ET.SubElement(root, "testsuite", name=_xml(f"{implementation} as {formula}"))
        for record in records:
            _case(suite, record)
        for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
        suite.set("tests", str(len(records)))
        suite.set("time", f"{sum(record.seconds for record in records):.3f}")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, record: CheckRecord) -> None:
    name = _xml(f"{record.property}[{record.dtype},{record.device}]")
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_xml(f"{record.implementation}.{record.formula}"),
        name=name,
        time=f"{record.seconds:.3f}",
    )
    if needs_a_look(record):
        kind = "error" if record.status in {"harness-error", "mistrusted"} else "failure"
        outcome = ET.SubElement(case, kind, type=record.status, message=_xml(record.message))
        outcome.text = _xml("\n".join(filter(None, [record.message, record.diagnosis, record.reproduce])))
    elif not record.counted or record.status == "expected-deviation":
        ET.SubElement(case, "skipped", message=_xml(f"{record.status}: {record.message}"))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def badge(report: Report) -> str:
    """Return a badge as the JSON that badge services read.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        One JSON object with label, message and colour.
    """
    implementations = by_implementation(record for record in report.checks if record.counted)
    held = sum(gravest(records) in {"conforms", "expected-deviation"} for records in implementations.values())
    message = f"{held} of {len(implementations)} conform" if implementations else report.status
    colour = _COLOURS.get(report.status, "red")
    return json.dumps({"schemaVersion": 1, "label": "exactstep", "message": message, "color": colour}) + "\n"


FORMS: Mapping[str, Callable[[Report], str]] = {
    "badge": badge,
    "html": html.render,
    "junit": junit,
    "markdown": markdown,
}
