"""Which checks a run has, and going through those of a unit."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, replace

from conformance.backends import Implementation
from conformance.engine import Engine, blank
from conformance.records import CheckRecord
from conformance.selection import selector
from conformance.session import Session
from conformance.specimen import Specimen
from oracle import catalogue
from oracle.arithmetic.formats import FLOAT32, FORMATS, Precision
from properties.catalogue import claims_for

__all__ = ["Plan", "Task", "Unit", "settled"]


@dataclass(frozen=True)
class Unit:
    """The checks of one formula in one dtype, which share cases and enclosures.

    Parameters
    ----------
    formula, dtype, device : str
    checks : tuple of (Implementation, str)
        Each with the name of a claim that it is judged by; those of one implementation follow each other.
    """

    formula: str
    dtype: str
    device: str
    checks: tuple[tuple[Implementation, str], ...]

    def blanks(self) -> tuple[CheckRecord, ...]:
        """Return the records of its checks before anything is known."""
        return tuple(blank(self.formula, name, entry.label, self.dtype, self.device) for entry, name in self.checks)

    def at(self, places: Collection[int]) -> Unit:
        """Return the checks at some places of this unit alone."""
        return replace(self, checks=tuple(self.checks[place] for place in places))


@dataclass(frozen=True)
class Task:
    """Checks of one unit that are to be judged: little to send, to a process that has the same plan.

    Parameters
    ----------
    number : int
        Of the unit.
    places : tuple of int
        Of the checks in the unit.
    blanks : tuple of CheckRecord
        Their records before anything is known.
    """

    number: int
    places: tuple[int, ...]
    blanks: tuple[CheckRecord, ...]

    def after(self, count: int) -> Task:
        """Return what is left after the first checks."""
        return replace(self, places=self.places[count:], blanks=self.blanks[count:])


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
        units = []
        for formula in dict.fromkeys(entry.formula for entry in self.implementations):
            claiming = [entry for entry in self.implementations if entry.formula == formula]
            names = [claim.name for claim in claims_for(formula)]
            pairs = tuple((entry, name) for entry in claiming for name in names)
            for dtype in (name for name in FORMATS if name in self.dtypes):
                unit = Unit(formula, dtype, self.device, pairs)
                unit = unit.at([place for place, record in enumerate(unit.blanks()) if wanted(record.id)])
                units += [unit] if unit.checks else []
        return tuple(units)

    def not_judged(self) -> dict[str, tuple[str, ...]]:
        """Return, by formula and implementation, what is declared and takes part in no check."""
        left = {}
        for entry in self.implementations:
            dtypes = (name for name in entry.dtypes if name not in self.dtypes)
            devices = (name for name in entry.devices if name != self.device.partition(":")[0])
            left[f"{entry.formula}@{entry.label}"] = (*entry.capabilities, *dtypes, *devices)
        return {name: entries for name, entries in left.items() if entries}

    def tasks(self, finished: Collection[str] = ()) -> list[Task]:
        """Return the units without the checks whose ids are among the finished ones; none that is empty."""
        found = []
        for number, unit in enumerate(self.units()):
            blanks = unit.blanks()
            places = tuple(place for place, record in enumerate(blanks) if record.id not in finished)
            found += [Task(number, places, tuple(blanks[place] for place in places))] if places else []
        return found

    def in_turn(self, tasks: Iterable[Task]) -> Generator[CheckRecord]:
        """Yield the records of tasks, judged in this process."""
        units, session = self.units(), Session(self.profile, self.seed)
        for task in tasks:
            yield from self.judge(units[task.number].at(task.places), session)
            session.forget()

    def judge(self, unit: Unit, session: Session) -> Iterator[CheckRecord]:
        """Yield the records of one unit."""
        claims = {claim.name: claim for claim in claims_for(unit.formula)}
        engine = Engine(session, catalogue.get(unit.formula), tuple(claims.values()), precision=self.precision)
        specimen = None
        for implementation, name in unit.checks:
            if specimen is None or specimen.implementation is not implementation:
                specimen = Specimen(implementation, unit.dtype, unit.device, session.counts)
            yield engine.check(claims[name], specimen)


def settled(records: Iterable[CheckRecord]) -> Iterator[CheckRecord]:
    """Count no mistrusted check of a half type whose property a wider one has been judged by, and held or known.

    Parameters
    ----------
    records : iterable of CheckRecord
        In the order of the plan, wide dtypes first.
    """
    trusted: set[tuple[str, str, str]] = set()
    for record in records:
        key = record.formula, record.implementation, record.property
        if FORMATS[record.dtype].bits >= FLOAT32.bits:
            if record.status in {"conforms", "expected-deviation"}:
                trusted.add(key)
            yield record
        else:
            counted = record.counted and not (record.status == "mistrusted" and key in trusted)
            yield replace(record, counted=counted)
