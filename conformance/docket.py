"""The checks of a plan one at a time, in any order, with the records that the whole run would give."""

from __future__ import annotations

from conformance.backends import Implementation
from conformance.errors import UsageError
from conformance.plan import Judge, Plan, Unit, settled
from conformance.records import CheckRecord, Status
from conformance.session import Session

__all__ = ["Docket"]


class Docket:
    """Judges single checks of a plan.

    What the checks of a formula share is kept until another formula's turn, so the order of the ids is the fastest.

    Parameters
    ----------
    plan : Plan

    Attributes
    ----------
    ids : dict of str to list of str
        Those of the checks by formula, in the order of the run.

    Raises
    ------
    UsageError
        If two checks have the same id.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.ids: dict[str, list[str]] = {}
        self._checks: dict[str, tuple[Unit, Implementation, str]] = {}
        for unit in plan.units():
            for record, (implementation, claim) in zip(unit.blanks(), unit.checks, strict=True):
                if record.id in self._checks:
                    raise UsageError(f"labels of a formula's implementations must differ, got two checks {record.id}")
                self._checks[record.id] = unit, implementation, claim
                self.ids.setdefault(unit.formula, []).append(record.id)
        self._formula = ""
        self._judges: dict[str, Judge] = {}  # of that formula, by dtype
        self._statuses: dict[str, Status | None] = {}

    def record(self, id: str) -> CheckRecord:
        """Judge a check, and count it or not in view of the same check in wider dtypes, run for that if need be."""
        return settled(self._judged(id), self._status)

    def _judged(self, id: str) -> CheckRecord:
        unit, implementation, claim = self._checks[id]
        if unit.formula != self._formula:
            self._formula, self._judges = unit.formula, {}
        if unit.dtype not in self._judges:
            self._judges[unit.dtype] = Judge(self._plan, unit, Session(self._plan.profile, self._plan.seed))
        record = self._judges[unit.dtype].record(implementation, claim)
        self._statuses[id] = record.status
        return record

    def _status(self, id: str) -> Status | None:
        if id not in self._statuses:
            self._statuses[id] = self._judged(id).status if id in self._checks else None
        return self._statuses[id]
