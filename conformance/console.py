"""What a person sees in a terminal: progress while it runs, what failed, and a summary last."""

from __future__ import annotations

import os
import shutil
import textwrap
import time
from collections.abc import Iterator
from typing import Any, Self, TextIO

from conformance.faults import Fault
from conformance.presentation import (
    MARKS,
    by_cause,
    by_implementation,
    distance,
    evaluations,
    figure,
    headline,
    interval,
    needs_a_look,
    outline,
    place,
    plural,
    why_nothing,
    worst,
)
from conformance.records import CheckRecord, Status
from conformance.report import Report

__all__ = ["Progress", "failure_text", "in_colour", "print_report"]

_COLOURS: dict[Status, str] = {
    "harness-error": "31",
    "crash": "31",
    "timeout": "31",
    "deviates": "31",
    "unexpected-pass": "31",
    "flaky": "31",
    "mistrusted": "33",
    "conforms": "32",
    "expected-deviation": "35",
    "unsupported": "2",
}

#: Columns of text in a terminal of any size, so that a log reads the same everywhere.
_WIDTH = 110

#: Lines of a counterexample's input; the page has all.
_INPUT = 16

_BAR = 20

#: Implementations that are named before the others are counted.
_LABELS = 3

#: Seconds before a progress bar appears, and between two states of it.
_PATIENCE, _PERIOD = 1.0, 0.1


def in_colour(stream: TextIO) -> bool:
    """Whether a stream shows colours: a terminal that is not dumb, unless ``NO_COLOR`` is set and not empty."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Progress:
    """A bar on one line of a terminal that appears when work takes long, and goes when it is done.

    Parameters
    ----------
    stream : text file
        Nothing is written unless it is a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._started = time.monotonic()
        self._drawn = self._started + _PATIENCE - _PERIOD
        self._shown = False

    def __enter__(self) -> Self:
        """Start the clock."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def __call__(self, record: CheckRecord | Fault, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` checks are over, the last of them with this record."""
        now = time.monotonic()
        if not self._live or now - self._drawn < _PERIOD:
            return
        elapsed = int(now - self._started)
        filled = _BAR * done // total
        line = f"[{'#' * filled:-<{_BAR}}] {done}/{total}  {elapsed // 60}:{elapsed % 60:02}  {record.id}"
        self._stream.write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")
        self._stream.flush()
        self._drawn, self._shown = now, True


def print_report(report: Report, stream: TextIO) -> None:
    """Write what failed, grouped by implementation, and the summary.

    Parameters
    ----------
    report : Report
    stream : text file
        Gets colours if it is a terminal that wants them.
    """
    colour = in_colour(stream)
    for (implementation, formula), records in by_implementation(report.checks).items():
        first, rest = by_cause(filter(needs_a_look, records))
        if first:
            lines = [f"{_paint(implementation, '1', colour)}  as {formula}"]
            lines += [line for record in first for line in _failure(record, colour)]
            lines += [f"  {plural(len(rest), 'more check')} of the same cause:"] if rest else []
            lines += [_head(record, colour) for record in rest]
            stream.writelines(f"{line}\n" for line in [*lines, ""])
    stream.writelines(f"{line}\n" for line in _summary(report, colour))


def failure_text(record: CheckRecord) -> str:
    """Return what `print_report` says about one check that needs a look, without colours."""
    return textwrap.dedent("\n".join(_failure(record, colour=False)))


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _head(record: CheckRecord, colour: bool) -> str:
    word = _paint(f"{MARKS[record.status]} {record.status}", _COLOURS[record.status], colour)
    return f"  {word}  {record.property}  [{record.dtype}, {record.device}]"


def _failure(record: CheckRecord, colour: bool) -> Iterator[str]:
    yield _head(record, colour)
    found = record.counterexample or {}
    allowed = interval(found)
    if allowed is None:
        yield from _wrapped(record.message)
    else:
        yield f"      where      {place(found)}"
        yield f"      allowed    {allowed[0]}"
        yield f"      came       {allowed[1]}"
        yield f"      off by     {distance(found)}"
    if "inputs" in found:
        yield from _input(found["inputs"])
    if record.diagnosis:
        yield from _wrapped(record.diagnosis, "diagnosis  ")
    if record.reproduce:
        yield f"      rerun      {record.reproduce}"


def _input(inputs: Any) -> Iterator[str]:
    lines = outline(inputs)
    more = [f"… {plural(len(lines) - _INPUT, 'more line')}: --output has all"] if len(lines) > _INPUT else []
    for position, line in enumerate([*lines[:_INPUT], *more]):
        yield f"      {'' if position else 'input':<11}{line}"


def _wrapped(text: str, label: str = "", indent: int = 6) -> list[str]:
    """Break a sentence at spaces; what has lines of its own, as a traceback, keeps them."""
    first = " " * indent + label
    if "\n" in text:
        return [first + line for line in text.splitlines()]
    lines = textwrap.wrap(text, _WIDTH - len(first), break_long_words=False, break_on_hyphens=False)
    return [(" " * len(first) if number else first) + line for number, line in enumerate(lines)]


def _summary(report: Report, colour: bool) -> Iterator[str]:
    status = report.status
    word = _paint(f"{MARKS[status]} {status}", f"1;{_COLOURS[status]}", colour)
    yield f"{word}  {report.target}  {headline(report.checks)}"
    if not report.complete:
        yield "  the run did not come to its end: what is missing is unknown"
    reason = why_nothing(report.checks)
    if reason:
        yield from _wrapped(reason, "nothing was judged: ", indent=2)
    closest = worst(report.checks)
    if closest:
        yield f"  closest to its bound: {closest.id}, at {figure(closest.error_over_bound)} of it"
    for evaluation, labels in evaluations(report.checks).items():
        shown = ", ".join(labels[:_LABELS]) + (f" and {len(labels) - _LABELS} more" if len(labels) > _LABELS else "")
        yield from _wrapped(f"{evaluation} by {shown}", "not as printed, but within bounds of its own: ", indent=2)
    environment = dict(report.environment)
    matching = environment.pop("matching", "")  # no version: the names under which a target takes hyperparameters
    if matching:
        yield from _wrapped(matching, "matching: ", indent=2)
    yield f"  profile {report.profile}, seed {report.seed}"
    yield from _wrapped(", ".join(f"{name} {value}" for name, value in sorted(environment.items())), indent=2)
