"""What a differential check could have noticed: the neighbours that its cases tell from the formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conformance.session import Case, Session, walk
from oracle.arithmetic.formats import Precision
from oracle.bound import Enclosure
from oracle.dialects import neighbour
from oracle.formula import Formula
from properties.cases import Call, Training

__all__ = ["Power", "power"]


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
