"""Reports as JSON lines: a header, one line per check, a footer.

Lines are written as checks end, so that an interrupted run leaves what it found, and another can go on from
there; without the footer a file is known to be incomplete. Floats are hex strings, which JSON cannot round.
``schema.json`` beside this module describes a line.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from conformance.errors import UsageError
from conformance.records import STATUSES, CheckRecord
from conformance.report import Report

__all__ = ["SCHEMA", "Writer", "begun", "dumps", "read"]

#: The published JSON schema of one line.
SCHEMA = Path(__file__).with_name("schema.json")

_FORMAT, _VERSION = "exactstep-report", 1
_FLOATS = {"error_over_bound", "ulps", "seconds"}
_TUPLES = {"separated", "blind_to", "exercised", "left_out"}


def _header(report: Report) -> dict[str, Any]:
    return {
        "line": "header",
        "format": _FORMAT,
        "version": _VERSION,
        "target": report.target,
        "seed": report.seed,
        "profile": report.profile,
        "environment": dict(report.environment),
        "not_judged": {name: list(entries) for name, entries in report.not_judged.items()},
    }


def _check(record: CheckRecord) -> dict[str, Any]:
    entries = {field.name: _plain(getattr(record, field.name)) for field in fields(record)}
    return {"line": "check", **entries}


def _footer(report: Report) -> dict[str, Any]:
    return {"line": "footer", "checks": len(report.checks), "status": report.status}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def _line(entries: Mapping[str, Any]) -> str:
    return json.dumps(entries, allow_nan=False) + "\n"


def _replace(path: Path, text: str) -> None:
    """Write a file that is either there as a whole or what it was before."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def dumps(report: Report) -> str:
    """Return a report as JSON lines; without footer if it is incomplete."""
    lines = [_header(report), *map(_check, report.checks), *([_footer(report)] if report.complete else [])]
    return "".join(map(_line, lines))


class Writer:
    """A file that grows by one line with each check, in whatever order they end.

    Leaving the ``with`` block by an error leaves the file without footer.

    Parameters
    ----------
    path : Path
    report : Report
        Gives the header and the first checks; others are to come.
    """

    def __init__(self, path: Path, report: Report) -> None:
        self._path = path
        _replace(path, dumps(replace(report, complete=False)))
        self._file = path.open("a", encoding="utf-8")

    def _put(self, entries: Mapping[str, Any]) -> None:
        self._file.write(_line(entries))
        self._file.flush()

    def add(self, record: CheckRecord) -> None:
        """Write one check."""
        self._put(_check(record))

    def finish(self, report: Report) -> None:
        """Write the report that the run ended with, its checks in order, over what was written as they ended."""
        self._file.close()
        _replace(self._path, dumps(report))

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        """Close the file."""
        self._file.close()
        return False


def read(path: str | Path) -> Report:
    """Read a report.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Report
        With ``complete=False`` if the file has no footer, or breaks off within a line.

    Raises
    ------
    UsageError
        If the file is no report, or contradicts itself.
    """
    try:
        return _report(path, Path(path).read_text(encoding="utf-8"))
    except UsageError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # lines of JSON that are not those of a report
        raise UsageError(f"{path} is no report: {type(error).__name__}: {error}") from error


def begun(path: Path, blank: Report, ids: Collection[str]) -> tuple[CheckRecord, ...]:
    """Return the checks that a run has left in a file, for another run of the same to go on.

    Parameters
    ----------
    path : Path
        Nothing has been left if there is no such file.
    blank : Report
        What the other run has in its header.
    ids : collection of str
        Of its checks.

    Raises
    ------
    UsageError
        If the file is no report, or another run's: one of another target, seed, profile, version or selection.
    """
    if not path.exists():
        return ()
    found = read(path)
    theirs, ours = _told(found), _told(blank)
    for name in {**theirs, **ours}:
        if theirs.get(name) != ours.get(name):
            told = f"its {name} is {theirs.get(name)}, and {ours.get(name)} here"
            raise UsageError(f"cannot resume {path}, which another run has left: {told}")
    for record in found.checks:
        if record.id not in ids:
            raise UsageError(f"cannot resume {path}, which another run has left: {record.id} is no check of this one")
    return found.checks


def _told(report: Report) -> dict[str, object]:
    """Return what the header tells, by name."""
    judged = {"target": report.target, "seed": report.seed, "profile": report.profile}
    return {**judged, **report.environment, "not judged": dict(report.not_judged)}


def _report(path: str | Path, text: str) -> Report:
    *whole, rest = text.split("\n")
    try:
        lines = [json.loads(line) for line in whole]
    except json.JSONDecodeError as error:
        raise UsageError(f"{path} is no report: {error}") from error
    if not lines or not isinstance(lines[0], dict) or lines[0].get("format") != _FORMAT:
        raise UsageError(f"{path} is no report: its first line is not a header")
    header, *body = lines
    if header["version"] != _VERSION:
        raise UsageError(f"{path} has version {header['version']}, this program reads version {_VERSION}")

    footer = body.pop() if body and body[-1]["line"] == "footer" else None
    if any(line["line"] != "check" for line in body):
        raise UsageError(f"{path} is no report: lines between header and footer must be checks")
    if footer and footer["checks"] != len(body):
        raise UsageError(f"{path} has {len(body)} checks, its footer says {footer['checks']}")
    return Report(
        target=header["target"],
        seed=header["seed"],
        profile=header["profile"],
        environment=dict(header["environment"]),
        not_judged={name: tuple(entries) for name, entries in header["not_judged"].items()},
        checks=tuple(_record(line) for line in body),
        complete=footer is not None and not rest,
    )


def _record(line: Mapping[str, Any]) -> CheckRecord:
    entries = {name: value for name, value in line.items() if name != "line"}
    entries |= {name: float.fromhex(entries[name]) for name in _FLOATS}
    entries |= {name: tuple(entries[name]) for name in _TUPLES}
    entries["ranges"] = {name: [float.fromhex(end) for end in ends] for name, ends in entries["ranges"].items()}
    record = CheckRecord(**entries)
    if record.status not in STATUSES:
        raise ValueError(f"no check has the status {record.status!r}")
    return record
