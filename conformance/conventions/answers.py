"""What a function shows at chosen inputs, and the formulas whose bounds contain it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from conformance.backends import Implementation
from conformance.conventions.models import DTYPES, NOT_DECLARED, models, strictest
from conformance.conventions.records import Cell, undecided
from conformance.session import Session
from conformance.specimen import Specimen, SubjectFailure
from oracle.arithmetic.formats import Precision
from oracle.catalogue import FORMULAS, get
from oracle.dialects import relatives
from oracle.formula import Formula
from properties.cases import Call
from properties.subject import Floats, Rejected

__all__ = ["Answers", "Candidate", "computed"]

_NAMED = {formula.id for formula in FORMULAS}


@dataclass(frozen=True, eq=False)
class Candidate:
    """What a function may compute.

    Parameters
    ----------
    words : str
    programs : tuple of Formula
        One of them contains all that it shows.
    """

    words: str
    programs: tuple[Formula, ...]


@dataclass(frozen=True, eq=False)
class Answers:
    """Asks one implementation, and keeps what it answers.

    Parameters
    ----------
    session : Session
    implementation : Implementation
    device : str
    """

    session: Session
    implementation: Implementation
    device: str = "cpu"

    @property
    def formula(self) -> Formula:
        """What it is set up for; which formulas contain its answers is measured."""
        return get(self.implementation.formula)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Those that it declares and a map tells of, from wide to narrow."""
        return tuple(dtype for dtype in DTYPES if dtype in self.implementation.dtypes)

    def to(self, call: Call, dtype: str) -> Floats | str:
        """Return the result of a call, or why there is none."""
        specimen = Specimen(self.implementation, dtype, self.device, self.session.counts)
        try:
            shown = specimen.call(call)
        except SubjectFailure as failure:
            return str(failure).splitlines()[0]
        if isinstance(shown, Rejected):
            return f"refused: {shown}"
        expected = call.arrays[0].shape
        return shown if shown.shape == expected else f"the result has shape {shown.shape}, the input {expected}"

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """What it may compute: formulas with a citation, the evaluations of one, and the changes to them."""
        formula = self.formula
        others = self.session.once(("relatives", formula), lambda: relatives(formula))
        printed = Candidate(formula.id, tuple(formula.programs[name] for name in formula.accepted()))
        unstable = [name for name, evaluation in formula.evaluations.items() if evaluation.kind == "unstable"]
        return (
            printed,
            *(Candidate(other.id, (other,)) for other in others if other.id in _NAMED),
            *(Candidate(f"{formula.id}, evaluated {name}", (formula.programs[name],)) for name in unstable),
            *(Candidate(_changed(formula, other), (other,)) for other in others if other.id not in _NAMED),
        )

    def contained(self, candidate: Candidate, shown: Mapping[Call, Floats], precision: Precision) -> bool:
        """Whether the bounds of one of its programs contain all that was shown, and there are some."""
        return any(self._contained(program, shown, precision) for program in candidate.programs)

    def _contained(self, program: Formula, shown: Mapping[Call, Floats], precision: Precision) -> bool:
        enclosures = [(self.session.enclosure(program, call, precision), values) for call, values in shown.items()]
        seen = any(bool(enclosure.bounded.any()) for enclosure, _ in enclosures)
        return seen and all(bool(np.all(enclosure.ratio(values) <= 1)) for enclosure, values in enclosures)


def _changed(formula: Formula, other: Formula) -> str:
    # What changes another formula than the one that it is set up for says so itself.
    return other.title.removeprefix("as ") if other.title.startswith("as ") else f"{formula.id}, but {other.title}"


def computed(answers: Answers, calls: Sequence[Call]) -> tuple[Candidate | None, dict[str, Cell]]:
    """Say which formula contains what a function shows, and in which precision.

    Parameters
    ----------
    answers : Answers
    calls : sequence of Call

    Returns
    -------
    found : Candidate or None
        Contains all answers in the widest dtype, if one alone does.
    cells : dict of str to Cell
        ``computes``, and one for each dtype.
    """
    shown: dict[str, dict[Call, Floats]] = {}
    missing = {dtype: NOT_DECLARED for dtype in DTYPES if dtype not in answers.dtypes}
    for dtype in answers.dtypes:
        given = {call: answers.to(call, dtype) for call in calls}
        shown[dtype] = {call: values for call, values in given.items() if not isinstance(values, str)}
        for why in (values for values in given.values() if isinstance(values, str)):
            missing.setdefault(dtype, why)
    wide = next(iter(answers.dtypes), DTYPES[0])
    if wide in missing:
        return None, {"computes": undecided(missing[wide]), **{dtype: undecided(missing[wide]) for dtype in DTYPES}}

    fits = _fits(answers, shown[wide], wide)
    found = fits[0] if len(fits) == 1 else None

    def precision(dtype: str) -> Cell:
        if dtype in missing or found is None:
            return undecided(missing.get(dtype, "what it computes is not known"))
        return strictest(dtype, lambda model: answers.contained(found, shown[dtype], model))

    return found, {"computes": _told(answers, fits), **{dtype: precision(dtype) for dtype in DTYPES}}


def _fits(answers: Answers, shown: Mapping[Call, Floats], dtype: str) -> list[Candidate]:
    """Return what contains all that was shown in the strictest precision in which something does."""
    for precision in models(dtype).values():
        fits = [one for one in answers.candidates if answers.contained(one, shown, precision)]
        if fits:
            return [one for one in fits if one.words in _NAMED] or fits
    return []


def _told(answers: Answers, fits: Sequence[Candidate]) -> Cell:
    if len(fits) == 1:
        return Cell(fits[0].words)
    if fits:
        return undecided("no input that was tried tells them apart", " | ".join(one.words for one in fits))
    tried = len(answers.candidates)
    return Cell("none of the known", reason=f"{tried} tried: {answers.formula.id} and what is nearest to it")
