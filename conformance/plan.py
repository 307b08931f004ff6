"""Which checks a run has, and going through them: in this process, or in several."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from conformance.backends import Implementation
from conformance.engine import Engine, check_id
from conformance.errors import UsageError
from conformance.records import CheckRecord, Status
from conformance.selection import selector
from conformance.session import Session
from conformance.specimen import Specimen
from oracle import catalogue
from oracle.arithmetic.formats import FLOAT32, FORMATS, Precision
from properties.catalogue import claims_for

__all__ = ["Judge", "Plan", "Unit", "settled"]

#: The dtypes in which a check is expected to see enough.
_WIDE = tuple(name for name, form in FORMATS.items() if form.bits >= FLOAT32.bits)


@dataclass(frozen=True)
class Unit:
    """The checks of one formula in one dtype, which share cases and enclosures.

    Parameters
    ----------
    formula, dtype : str
    checks : tuple of (Implementation, tuple of str)
        Names of the claims that each implementation is judged by.
    """

    formula: str
    dtype: str
    checks: tuple[tuple[Implementation, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Plan:
    """What a run judges.

    Parameters
    ----------
    implementations : tuple of Implementation
    dtypes : tuple of str
    device, profile : str
    seed : int
    select : str, optional
        An expression on the ids of checks; see `conformance.selection`.
    precision : Precision, optional
        The only precision model to accept.
    """

    implementations: tuple[Implementation, ...]
    dtypes: tuple[str, ...]
    device: str
    profile: str
    seed: int
    select: str | None = None
    precision: Precision | None = None

    def units(self) -> tuple[Unit, ...]:
        """Return the selected checks, by formula in the order in which it is first claimed; wide dtypes first."""
        wanted = selector(self.select)

        def claims(entry: Implementation, dtype: str) -> tuple[str, ...]:
            names = (claim.name for claim in claims_for(entry.formula))
            return tuple(
                name for name in names if wanted(check_id(entry.formula, name, entry.label, dtype, self.device))
            )

        units = []
        for formula in dict.fromkeys(entry.formula for entry in self.implementations):
            claiming = [entry for entry in self.implementations if entry.formula == formula]
            for dtype in (name for name in FORMATS if name in self.dtypes):
                checks = tuple((entry, names) for entry in claiming if (names := claims(entry, dtype)))
                units += [Unit(formula, dtype, checks)] if checks else []
        return tuple(units)

    def not_judged(self) -> dict[str, tuple[str, ...]]:
        """Return, by formula and implementation, what is declared or offered and takes part in no check."""
        wanted = selector(self.select)
        left = {}
        for entry in self.implementations:
            dtypes = [name for name in entry.dtypes if name not in self.dtypes]
            devices = [name for name in entry.devices if name != self.device.partition(":")[0]]
            asked = {
                ask
                for claim in claims_for(entry.formula)
                for dtype in self.dtypes
                if wanted(check_id(entry.formula, claim.name, entry.label, dtype, self.device))
                for ask in (*claim.needs, *claim.uses)
            }
            offers = [name for name in getattr(entry.factory, "offers", ()) if name not in asked]
            left[f"{entry.formula}@{entry.label}"] = (*entry.capabilities, *offers, *dtypes, *devices)
        return {name: entries for name, entries in left.items() if entries}

    def records(self, jobs: int = 1) -> Generator[CheckRecord]:
        """Yield the record of each check, in the order of the units, whatever the number of jobs.

        Raises
        ------
        UsageError
            If the implementations cannot be sent to other processes.
        """
        statuses: dict[str, Status] = {}
        with closing(self._in_turn() if jobs == 1 else self._in_processes(jobs)) as records:
            for record in records:
                statuses[record.id] = record.status
                yield settled(record, statuses.get)

    def judge(self, unit: Unit, session: Session) -> Iterator[CheckRecord]:
        """Yield the records of one unit."""
        judge = Judge(self, unit, session)
        for implementation, names in unit.checks:
            for name in names:
                yield judge.record(implementation, name)

    def _in_turn(self) -> Generator[CheckRecord]:
        session = Session(self.profile, self.seed)
        for unit in self.units():
            yield from self.judge(unit, session)
            session.forget()

    def _in_processes(self, jobs: int) -> Generator[CheckRecord]:
        try:
            pickle.dumps(self)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UsageError(f"jobs must be 1, for these implementations stay in one process: {error}") from error
        # Spawned, because a forked process may inherit locks of a framework's threads.
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                for records in pool.map(_judged, *zip(*((self, unit) for unit in self.units()), strict=True)):
                    yield from records
            finally:
                pool.shutdown(cancel_futures=True)


class Judge:
    """Judges the checks of one unit, in any order; what an implementation answers is kept until another's turn.

    Parameters
    ----------
    plan : Plan
    unit : Unit
    session : Session
        Holds what the implementations share.
    """

    def __init__(self, plan: Plan, unit: Unit, session: Session) -> None:
        self._plan, self._unit, self._session = plan, unit, session
        self._claims = {claim.name: claim for claim in claims_for(unit.formula)}
        claims = tuple(self._claims.values())
        self._engine = Engine(session, catalogue.get(unit.formula), claims, precision=plan.precision)
        self._specimen: Specimen | None = None

    def record(self, implementation: Implementation, claim: str) -> CheckRecord:
        """Return the record of an implementation of the unit, by the name of a claim."""
        if self._specimen is None or self._specimen.implementation is not implementation:
            self._specimen = Specimen(implementation, self._unit.dtype, self._plan.device, self._session.counts)
        return self._engine.check(self._claims[claim], self._specimen)


def _judged(plan: Plan, unit: Unit) -> list[CheckRecord]:
    return list(plan.judge(unit, Session(plan.profile, plan.seed)))


def settled(record: CheckRecord, status_of: Callable[[str], Status | None]) -> CheckRecord:
    """Count no mistrusted check of a half type whose property a wider one has been judged by, and held or known.

    Parameters
    ----------
    record : CheckRecord
    status_of : callable
        Takes the id of a check in a wider dtype; None if the plan has no such check.
    """
    if record.status != "mistrusted" or record.dtype in _WIDE:
        return record
    wider = (check_id(record.formula, record.property, record.implementation, name, record.device) for name in _WIDE)
    trusted = any(status_of(id) in {"conforms", "expected-deviation"} for id in wider)
    return replace(record, counted=record.counted and not trusted)
