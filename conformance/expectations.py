"""Known deviations in the engine: which of a check's cases they concern, and what becomes of its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from conformance.backends import Expectation
from conformance.records import STATUSES, CheckRecord, Status
from conformance.session import Case, Session
from conformance.specimen import Specimen
from properties.cases import Call, Training
from properties.claims import Claim

__all__ = ["as_expected", "as_pinned", "freed", "known_deviations", "together"]


def known_deviations(specimen: Specimen, claim: Claim) -> list[Expectation]:
    """Return those that a specimen is expected to show in a claim."""
    return [
        entry
        for entry in specimen.implementation.expected
        if entry.property == claim.name and specimen.dtype in entry.dtypes
    ]


def freed(session: Session, cases: Sequence[Case], entries: Sequence[Expectation]) -> Iterator[Case]:
    """Yield the cases without what brings known deviations about, the same for whoever asks."""

    def compute(case: Case, without: Callable[[Any], Any]) -> Case:
        runs = (Training, Call)
        return Case({name: without(given) if isinstance(given, runs) else given for name, given in case.inputs.items()})

    for entry in entries:
        if without := entry.without:
            for case in cases:
                yield session.once(("without", case, without), partial(compute, case, without))


#: What a record counts of its cases, and what it names.
_COUNTS = ("cases", "rejected", "judged", "unjudged")
_NAMES = ("exercised", "left_out")


def as_expected(apart: CheckRecord, entries: Sequence[Expectation]) -> CheckRecord:
    """Return the record of the cases that known deviations concern: there as expected, gone, or something else."""
    known = "; ".join(f"{entry.reason} ({entry.evidence})" for entry in entries)
    if any(apart.status == entry.outcome for entry in entries):
        return replace(apart, status="expected-deviation", message=f"{known}; {apart.message}")
    if apart.status == "conforms":
        return replace(apart, status="unexpected-pass", message=f"expected to deviate, and does not: {known}")
    return apart


def as_pinned(apart: CheckRecord, entry: Expectation) -> CheckRecord:
    """Return the record of the case that a known deviation pins: it must fail as it did, and in the same quantity."""
    quantity = (apart.counterexample or {}).get("quantity", "")
    if apart.status == entry.outcome and entry.quantity not in ("", quantity):
        return replace(apart, message=f"pinned in {entry.quantity}, now in {quantity}: {apart.message}")
    shown = as_expected(apart, [entry])
    if shown is not apart:
        return shown
    status: Status = "unexpected-pass" if apart.status == "mistrusted" else apart.status
    return replace(apart, status=status, message=f"pinned as {entry.outcome}, now {apart.status}: {apart.message}")


def together(record: CheckRecord, apart: CheckRecord) -> CheckRecord:
    """Return the record of the other cases with that of those that a known deviation concerns."""
    counts: dict[str, Any] = {name: getattr(record, name) + getattr(apart, name) for name in _COUNTS}
    counts |= {name: tuple(sorted({*getattr(record, name), *getattr(apart, name)})) for name in _NAMES}
    if apart.status == "expected-deviation" and record.status in ("conforms", "expected-deviation") and record.cases:
        found = record.counterexample or apart.counterexample
        message = f"{record.message}; {apart.message}".removeprefix("; ")
        return replace(record, status=apart.status, message=message, counterexample=found, **counts)
    graver = not record.cases or STATUSES.index(apart.status) < STATUSES.index(record.status)
    return replace(apart if graver else record, **counts)
