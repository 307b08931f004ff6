"""What a differential check could have noticed: the neighbours that its cases tell from the formula."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from conformance.session import Case, Session, walk
from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.bound import Enclosure
from oracle.dialects import neighbour
from oracle.formula import Formula
from properties.cases import Call, Training
from properties.subject import Floats

__all__ = ["Power", "one_with", "power"]

_DOUBLE = Precision(FLOAT64, FLOAT64, FLOAT64)


@dataclass(frozen=True)
class Power:
    """Neighbours that a check's cases separate from the formula, and those they do not.

    A neighbour is separated if, on some element, its value and the formula's are further apart than both
    of their bounds together: then every honest program of the neighbour is certain to be rejected.
    """

    separated: tuple[str, ...]
    blind_to: tuple[str, ...]


def power(
    session: Session,
    formula: Formula,
    cases: Sequence[Case],
    precision: Precision,
    evaluation: str = "",
) -> Power:
    """Tell which neighbours of a formula the cases separate from it.

    Parameters
    ----------
    session : Session
        Keeps the answer for these cases.
    formula : Formula
    cases : sequence of Case
        As `Session.cases` returned them; each neighbour is walked through them, small ones first, until it
        is separated.
    precision : Precision
    evaluation : str
        The one that the subject was compared with; the neighbours are evaluated so too.
    """
    runs = [run for case in sorted(cases, key=lambda case: case.size) for run in case.runs]

    ours = formula.programs[evaluation]

    def compute() -> Power:
        seen = {
            id: any(_separates(session, ours, other, run, precision) for run in runs)
            for id, other in ((id, neighbour(formula, id).programs[evaluation]) for id in formula.neighbours)
        }
        return Power(
            separated=tuple(id for id, separated in seen.items() if separated),
            blind_to=tuple(id for id, separated in seen.items() if not separated),
        )

    return session.once(("power", ours, tuple(runs), precision), compute)


def one_with(
    session: Session,
    formula: Formula,
    ids: Sequence[str],
    held: Sequence[Case],
    drawn: Sequence[Case],
    precision: Precision,
    evaluation: str = "",
) -> tuple[str, ...]:
    """Tell which neighbours become the formula itself where hyperparameters are held at the values that a subject has.

    Without a floor a schedule is its own neighbour that falls to zero: there is nothing to notice.

    Parameters
    ----------
    session, formula, precision, evaluation
        As in `power`.
    ids : sequence of str
        Neighbours that the held cases do not separate.
    held : sequence of Case
        Those in which a neighbour has the formula's values, to the last digit and everywhere.
    drawn : sequence of Case
        The same with all hyperparameters as drawn, by which it is told from the formula: else the cases are to blame.
    """
    apart = set(power(session, formula, drawn, precision, evaluation).separated)
    ours, runs = formula.programs[evaluation], [run for case in held for run in case.runs]
    return tuple(
        id
        for id in ids
        if id in apart and all(_same(session, ours, neighbour(formula, id).programs[evaluation], run) for run in runs)
    )


def _same(session: Session, formula: Formula, other: Formula, run: Training | Call) -> bool:
    pairs = zip(_exact(session, formula, run), _exact(session, other, run), strict=True)
    return all(np.array_equal(ours, theirs, equal_nan=True) for ours, theirs in pairs)


def _exact(session: Session, formula: Formula, run: Training | Call) -> Iterator[Floats]:
    """Yield the exact values, rounded once: float64 carries them as balls whatever the subject's precision is."""
    if isinstance(run, Call):
        yield session.enclosure(formula, run, _DOUBLE).midpoint
        return
    for row in walk(formula, run, _DOUBLE, session.counts):
        yield from (param.midpoint for param, _ in row)


def _separates(session: Session, formula: Formula, other: Formula, run: Training | Call, precision: Precision) -> bool:
    if isinstance(run, Call):
        return _apart(session.enclosure(formula, run, precision), session.enclosure(other, run, precision))
    return any(
        _apart(ours[0], theirs[0])
        for our_row, their_row in zip(
            session.enclosures(formula, run, precision), walk(other, run, precision, session.counts), strict=True
        )
        for ours, theirs in zip(our_row, their_row, strict=True)
    )


def _apart(ours: Enclosure, theirs: Enclosure) -> bool:
    return bool(np.any(ours.separation(theirs) > 1))
