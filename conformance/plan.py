"""Which checks a run has, and going through those of a unit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, replace

from conformance.backends import Implementation
from conformance.engine import Engine, blank, check_id
from conformance.records import CheckRecord, Status
from conformance.selection import selector
from conformance.session import Session
from conformance.specimen import Specimen
from oracle import catalogue
from oracle.arithmetic.formats import FLOAT32, FORMATS, Precision
from properties.catalogue import claims_for

__all__ = ["Judge", "Plan", "Task", "Unit", "settled"]

#: The dtypes in which a check is expected to see enough.
_WIDE = tuple(name for name, form in FORMATS.items() if form.bits >= FLOAT32.bits)


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

    def pinned(self) -> Unit:
        """Return the checks of which a known deviation pins the inputs."""
        return self.at([place for place, (entry, name) in enumerate(self.checks) if self._pins(entry, name)])

    def _pins(self, implementation: Implementation, name: str) -> bool:
        return any(
            known.property == name and self.dtype in known.dtypes and known.inputs is not None
            for known in implementation.expected
        )


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
    replay : bool
        Whether nothing is drawn: the checks are those of known deviations that pin their inputs, on these.
    baseline : str
        What is known of deviations from a file, in words; empty if there is none.
    """

    implementations: tuple[Implementation, ...]
    dtypes: tuple[str, ...]
    device: str
    profile: str
    seed: int
    select: str | None = None
    precision: Precision | None = None
    replay: bool = False
    baseline: str = ""

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
                unit = unit.pinned() if self.replay else unit
                units += [unit] if unit.checks else []
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
            offers = [name for name in entry.offers if name not in asked]
            left[f"{entry.formula}@{entry.label}"] = (*entry.capabilities, *offers, *dtypes, *devices)
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
        judge = Judge(self, unit, session)
        for implementation, name in unit.checks:
            yield judge.record(implementation, name)


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
        self._engine = Engine(
            session, catalogue.get(unit.formula), claims, precision=plan.precision, replay=plan.replay
        )
        self._specimen: Specimen | None = None

    def record(self, implementation: Implementation, claim: str) -> CheckRecord:
        """Return the record of an implementation of the unit, by the name of a claim."""
        if self._specimen is None or self._specimen.implementation is not implementation:
            self._specimen = Specimen(implementation, self._unit.dtype, self._plan.device, self._session.counts)
        return self._engine.check(self._claims[claim], self._specimen)


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
