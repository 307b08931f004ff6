"""Which checks a run has, and going through them: in this process, or in several."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from conformance.backends import Implementation
from conformance.engine import Engine, check_id
from conformance.errors import UsageError
from conformance.records import CheckRecord
from conformance.selection import selector
from conformance.session import Session
from conformance.specimen import Specimen
from oracle import catalogue
from oracle.arithmetic.formats import FLOAT32, FORMATS, Precision
from properties.catalogue import claims_for

__all__ = ["Plan", "Unit"]


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
        return _settled(self._in_turn() if jobs == 1 else self._in_processes(jobs))

    def judge(self, unit: Unit, session: Session) -> Iterator[CheckRecord]:
        """Yield the records of one unit."""
        claims = {claim.name: claim for claim in claims_for(unit.formula)}
        engine = Engine(session, catalogue.get(unit.formula), tuple(claims.values()), precision=self.precision)
        for implementation, names in unit.checks:
            specimen = Specimen(implementation, unit.dtype, self.device, session.counts)
            for name in names:
                yield engine.check(claims[name], specimen)

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


def _judged(plan: Plan, unit: Unit) -> list[CheckRecord]:
    return list(plan.judge(unit, Session(plan.profile, plan.seed)))


def _settled(records: Generator[CheckRecord]) -> Generator[CheckRecord]:
    """Count no mistrusted check of a half type whose property a wider one has been judged by, and held or known."""
    trusted: set[tuple[str, str, str]] = set()
    with closing(records):
        for record in records:
            key = record.formula, record.implementation, record.property
            if FORMATS[record.dtype].bits >= FLOAT32.bits:
                if record.status in {"conforms", "expected-deviation"}:
                    trusted.add(key)
                yield record
            else:
                counted = record.counted and not (record.status == "mistrusted" and key in trusted)
                yield replace(record, counted=counted)
