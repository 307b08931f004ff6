"""Known deviations in a file: reviewed text that excuses what it pins, and nothing once that is gone.

An entry names a check, and pins the simplest input that it fails on. To the engine it is an `Expectation`, like those
that backends declare.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import InvalidRequirement, Requirement

from conformance.backends import Expectation, Implementation
from conformance.engine import check_id, why_unsupported
from conformance.errors import UsageError
from conformance.evidence import decoded
from conformance.outline import outline
from conformance.records import CheckRecord
from conformance.report import Report
from oracle import catalogue
from oracle.arithmetic.formats import FORMATS
from properties.catalogue import CLAIMS, claims_for

__all__ = ["Deviation", "Update", "dumps", "expecting", "read", "updated"]

_VERSION = 1

_HEADER = f"""\
# Known deviations. `exactstep baseline write` pins them, `exactstep baseline check` says which are still there.
# People write the reason, a link, and when: a requirement such as "torch>=2.4,<2.14; sys_platform == 'linux'".
version = {_VERSION}
"""

_ID = re.compile(r"([^.@]+)\.([^@]+)@(.+)\[([a-z0-9]+),([a-z]+(?::\d+)?)\]")
_TEXTS = ("reason", "link", "when", "quantity")
_OUTCOMES = ("deviates", "crash")
_NEAREST = 3

#: The id of a check and how it fails: a crash may hide that other inputs deviate.
Key = tuple[str, str]


@dataclass(frozen=True)
class Deviation:
    """A way in which a check is known to fail.

    Parameters
    ----------
    formula, claim, implementation, dtype, device : str
        Of the check, as in its record.
    outcome : {"deviates", "crash"}
        How it fails.
    inputs : mapping of str to object
        The counterexample, as a record keeps it.
    quantity : str
        What fails there; empty for a crash.
    reason, link : str
        What the implementation does, and where that is told at length.
    when : str
        What the failure needs besides, as a requirement: a version of a package, and markers for the platform. Empty
        if nothing.
    """

    formula: str
    claim: str
    implementation: str
    dtype: str
    device: str
    outcome: Literal["deviates", "crash"]
    inputs: Mapping[str, Any]
    quantity: str = ""
    reason: str = ""
    link: str = ""
    when: str = ""

    @property
    def id(self) -> str:
        """That of the check."""
        return check_id(self.formula, self.claim, self.implementation, self.dtype, self.device)

    @property
    def key(self) -> Key:
        """What there is one of in a baseline."""
        return self.id, self.outcome

    @property
    def expectation(self) -> Expectation:
        """What the engine is to expect."""
        return Expectation(
            self.claim,
            (self.dtype,),
            self.reason,
            self.link or "in the baseline",
            self.when or "any",
            self.outcome,
            inputs=decoded(self.inputs, catalogue.get(self.formula)),
            quantity=self.quantity,
        )

    def why_not_here(self, elsewhere: Mapping[str, str] | None = None) -> str:
        """Return why it cannot show in this environment; empty if it can.

        Parameters
        ----------
        elsewhere : mapping of str to str, optional
            The versions of Python and of packages that count instead, where subjects live in another interpreter.
        """
        if not self.when:
            return ""
        requirement = Requirement(self.when)
        if requirement.marker and not requirement.marker.evaluate(_markers(elsewhere)):
            return f"it needs {requirement.marker}"
        if elsewhere is not None and requirement.name not in elsewhere:
            return f"it needs {requirement.name}, of which the other interpreter does not say that it takes part"
        try:
            installed = version(requirement.name) if elsewhere is None else elsewhere[requirement.name]
        except PackageNotFoundError:
            return f"it needs {requirement.name}, which is not installed"
        if not requirement.specifier.contains(installed, prereleases=True):
            return f"it needs {requirement.name}{requirement.specifier}, this is {installed}"
        return ""


def _markers(elsewhere: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return what is otherwise in another interpreter, in the words of environment markers."""
    if elsewhere is None:
        return None
    python = elsewhere["python"]
    return {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}


def read(path: str | Path) -> dict[Key, Deviation]:
    """Read a baseline.

    Returns
    -------
    dict of (str, str) to Deviation
        By id and outcome, in the order of the file.

    Raises
    ------
    UsageError
        Naming the entry, what is wrong with it, and what it may be; three ids that are near to one that is no check's.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, or no UTF-8
        raise UsageError(f"{path} is no baseline: {error}") from error
    if table.pop("version", None) != _VERSION or set(table) - {"deviations"}:
        raise UsageError(f"{path} is no baseline: it has version = {_VERSION} and [deviations], and nothing else")
    try:
        found = [
            _entry(id, outcome, entries)
            for id, outcomes in _tables("deviations", table.get("deviations", {}))
            for outcome, entries in _tables(id, outcomes)
        ]
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    return {deviation.key: deviation for deviation in found}


def _tables(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise UsageError(f"{name} must be a table, got {value!r}")
    return value.items()


def _entry(id: str, outcome: Any, table: Any) -> Deviation:
    named = _ID.fullmatch(id)
    known = {f"{formula}.{claim.name}": claim for claim in CLAIMS for formula in claim.formulas}
    if named is None or named[4] not in FORMATS or f"{named[1]}.{named[2]}" not in known:
        place = id.partition("@")[2]
        raise _no_check(id, [f"{name}@{place}" for name in known] if place else known)
    if outcome not in _OUTCOMES:
        raise UsageError(f"outcome of {id} must be {' or '.join(_OUTCOMES)}, got {outcome!r}")
    entries = dict(_tables(outcome, table))
    for name in sorted({*entries} - {*_TEXTS, "inputs"}):
        raise UsageError(f"{id} has no {name}, but {', '.join(_TEXTS)} and inputs")
    for name in _TEXTS:
        if not isinstance(entries.get(name, ""), str):
            raise UsageError(f"{name} of {id} must be text, got {entries[name]!r}")
    try:
        Requirement(entries.get("when") or "anything")
    except InvalidRequirement as error:
        raise UsageError(f"when of {id} must be a requirement such as 'torch<2.14', got {entries['when']!r}") from error
    try:
        inputs = {name: json.loads(text) for name, text in entries["inputs"].items()}
        check = known[f"{named[1]}.{named[2]}"].check
        inspect.signature(check).bind(None, **decoded(inputs, catalogue.get(named[1])))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"inputs of {id} are none of a check: {type(error).__name__}: {error}") from error
    formula, claim, implementation, dtype, device = named.groups()
    return Deviation(formula, claim, implementation, dtype, device, outcome, **{**entries, "inputs": inputs})


def _no_check(id: str, others: Iterable[str]) -> UsageError:
    nearest = difflib.get_close_matches(id, sorted(others), n=_NEAREST, cutoff=0)
    return UsageError(f"{id} is the id of no check; the nearest are {', '.join(nearest)}")


def dumps(deviations: Mapping[Key, Deviation]) -> str:
    """Return a baseline as text: sorted by id and outcome, with the inputs in decimals as comments."""
    tables = (_table(deviation) for _, deviation in sorted(deviations.items()))
    return "\n".join([_HEADER, *tables])


def _table(deviation: Deviation) -> str:
    lines = [f"[deviations.{_quoted(deviation.id)}.{deviation.outcome}]"]
    lines += [f"{name} = {_quoted(getattr(deviation, name))}" for name in _TEXTS]
    lines += [f"# {line}" for line in outline(deviation.inputs, deviation.formula)]
    # No string of JSON ends a literal string of TOML.
    texts = {name: json.dumps(value).replace("'", "\\u0027") for name, value in deviation.inputs.items()}
    lines += [f"inputs.{name} = '{text}'" for name, text in texts.items()]
    return "".join(f"{line}\n" for line in lines)


def _quoted(text: str) -> str:
    """Write a string as TOML has it: as JSON does, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@dataclass(frozen=True)
class Update:
    """A baseline after a report.

    Parameters
    ----------
    deviations : dict of (str, str) to Deviation
        By id and outcome.
    added, gone : list of (str, str)
        What is new, and what is there no longer.
    left : list of (str, str)
        Ids and statuses of what is left to people: no input fails each time, or which of two entries is gone is open.
    """

    deviations: dict[Key, Deviation]
    added: list[Key]
    gone: list[Key]
    left: list[Key]


def updated(deviations: Mapping[Key, Deviation], report: Report, reason: str = "") -> Update:
    """Pin what a report says to deviate, and let go what it says to be gone; the rest stays as it is.

    Parameters
    ----------
    deviations : mapping of (str, str) to Deviation
        What has been known; words that people wrote are kept.
    report : Report
    reason : str
        That of entries without one.
    """
    found = dict(deviations)
    left: list[Key] = []
    for record in report.checks:
        known = [key for key in deviations if key[0] == record.id]
        if record.status in _OUTCOMES and record.counterexample is not None:
            pinned = _pinned(record)
            words = deviations.get(pinned.key, pinned)
            found[pinned.key] = replace(pinned, reason=words.reason or reason, link=words.link, when=words.when)
        elif record.status == "conforms" or (record.status == "unexpected-pass" and len(known) == 1):
            for key in known:
                if not deviations[key].why_not_here():
                    del found[key]
        elif record.counted and record.status != "expected-deviation":
            left.append((record.id, record.status))
    return Update(found, sorted({*found} - {*deviations}), sorted({*deviations} - {*found}), left)


def _pinned(record: CheckRecord) -> Deviation:
    assert record.counterexample is not None
    return Deviation(
        record.formula,
        record.property,
        record.implementation,
        record.dtype,
        record.device,
        "crash" if record.status == "crash" else "deviates",
        record.counterexample["inputs"],
        record.counterexample.get("quantity", ""),
    )


def expecting(
    path: str | Path, implementations: Sequence[Implementation], device: str, *, others: bool = False
) -> tuple[tuple[Implementation, ...], str]:
    """Let implementations expect what a baseline has about them.

    Parameters
    ----------
    path : str or Path
        Of the baseline.
    implementations : sequence of Implementation
    device : str
        That they are judged on.
    others : bool
        Whether the baseline may have entries about other implementations, which are left aside.

    Returns
    -------
    tuple of Implementation
    str
        What was read, and which entries are skipped because of the device or their condition, and why.

    Raises
    ------
    UsageError
        If an entry has no reason, names no check or one that an implementation does not support; as `read`.
    """
    expected = [list(entry.expected) for entry in implementations]
    elsewhere = next((entry.host.versions for entry in implementations if entry.host), None)
    told = dict.fromkeys(("known here", "about others"), 0)
    skipped = []
    for deviation in read(path).values():
        claimed = deviation.formula, deviation.implementation
        if others and all(claimed != (entry.formula, entry.label) for entry in implementations):
            told["about others"] += 1
            continue
        if not deviation.reason.strip():
            raise UsageError(f"{path}: {deviation.id} needs a reason: say what the implementation does")
        where = f"it is on {deviation.device}, this run on {device}" if deviation.device != device else ""
        why = where or deviation.why_not_here(elsewhere)
        if why:
            skipped.append(f"skipped {deviation.id}: {why}")
            continue
        told["known here"] += 1
        for place in _places(path, deviation, implementations):
            expected[place].append(deviation.expectation)
    digest = hashlib.blake2b(Path(path).read_bytes(), digest_size=4).hexdigest()
    counts = ", ".join(f"{count} {what}" for what, count in told.items() if count or what == "known here")
    pairs = zip(implementations, expected, strict=True)
    judged = tuple(replace(entry, expected=tuple(entries)) for entry, entries in pairs)
    return judged, "; ".join([f"{Path(path).name} ({digest}) with {counts}", *skipped])


def _places(path: str | Path, deviation: Deviation, implementations: Sequence[Implementation]) -> list[int]:
    """Return which implementations are judged by the check of a deviation."""
    ids, reasons, places = [], [], []
    for place, entry in enumerate(implementations):
        for claim in claims_for(entry.formula):
            ids.append(check_id(entry.formula, claim.name, entry.label, deviation.dtype, deviation.device))
            if ids[-1] == deviation.id:
                reasons.append(why_unsupported(claim, entry, deviation.dtype, deviation.device))
                places += [] if reasons[-1] else [place]
    if not reasons:
        raise UsageError(f"{path}: {_no_check(deviation.id, ids)}")
    if not places:
        raise UsageError(f"{path}: {deviation.id} is not judged: {reasons[0]}")
    return places
