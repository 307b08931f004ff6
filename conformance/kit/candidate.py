"""An implementation before the kit: runs to put it through, its results, and where honest results must differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.kit.breach import Breach
from conformance.records import FOLLOWS
from conformance.session import Session, derived_seed, pinned
from conformance.specimen import Specimen
from oracle import catalogue
from oracle.arithmetic.formats import FORMATS, precision_models
from oracle.bound import Enclosure
from properties.cases import Call, Training
from properties.catalogue import claims_for
from properties.claims import Space
from properties.drawing import draw_cases
from properties.observing import first_difference
from properties.strategies.hyperparameters import adjusted, scheduled
from properties.strategies.trainings import Plan, planned_trainings
from properties.subject import Floats, Rejected

__all__ = ["Candidate", "Results", "Run", "difference", "separated", "spot"]

Run = Training | Call

#: What a subject gives, by the words for where.
Results = dict[str, Floats]

#: Several tensors, groups and steps, so that what is lost, mixed up or shared between any two shows.
_PLAN = Plan(4, ((2,), (3,), (2, 2)), tensors=(3, 3), groups=(2, 2), steps=(3, 3), narrow_steps=(3, 3), still=True)

#: How many numbers a call may have: what the kit looks for shows in few, and it makes many calls.
_NUMBERS = 250


class Candidate:
    """A specimen and its formula.

    Parameters
    ----------
    specimen : Specimen
    session : Session
        Holds what the candidates of a formula share.
    """

    def __init__(self, specimen: Specimen, session: Session) -> None:
        self.specimen = specimen
        self.implementation = specimen.implementation
        self.formula = catalogue.get(self.implementation.formula)
        self.form = FORMATS[specimen.dtype]
        self.session = session

    @cached_property
    def drawn(self) -> tuple[Run, ...]:
        """Runs, with the hyperparameters that the implementation fixes."""
        fixed, missing = self.implementation.fixed, self.implementation.missing_gradients
        key = ("kit", self.formula, self.specimen.dtype, tuple(sorted(fixed.items())), missing)
        return self.session.once(key, lambda: tuple(pinned(run, fixed, missing=missing) for run in self._draw()))

    def _draw(self) -> Iterator[Run]:
        space = Space(self.formula, self.specimen.dtype, "quick")

        def seed(kind: str) -> int:
            return derived_seed("kit", self.formula.id, space.dtype, kind, self.session.seed)

        if self.formula.kind == "optimizer":
            yield from draw_cases(
                planned_trainings(self.formula, space.dtype, _PLAN), int(_PLAN.cases), seed("trainings")
            )
            return
        (follows,) = (claim for claim in claims_for(self.formula.id) if claim.name == FOLLOWS)
        for kind, (_, strategy) in follows.inputs(space).items():
            (inputs,) = draw_cases(strategy, 1, seed(kind))
            call: Call = inputs["call"]
            if sum(array.size for array in call.arrays) <= _NUMBERS:
                seeds = [np.array(float(inputs["seed"]))] if self.formula.drawn else []
                given = len(self.formula.arrays) - len(self.formula.drawn)
                yield replace(call, arrays=(*call.arrays[:given], *seeds))

    @cached_property
    def settable(self) -> tuple[str, ...]:
        """Hyperparameters that may be set between updates."""
        if self.formula.kind != "optimizer" or not self.implementation.changes:
            return ()
        names = (*scheduled(self.formula), *adjusted(self.formula))
        return tuple(name for name in names if name not in self.implementation.fixed)

    @cached_property
    def answered(self) -> tuple[tuple[Run, Results], ...]:
        """The drawn runs that are not refused, with the first results for them.

        Raises
        ------
        Breach
            If all are refused.
        """
        answered, refused = [], []
        for run in self.drawn:
            if self.excused(run, "crash"):
                continue
            try:
                answered.append((run, self.results(run)))
            except Rejected as rejection:
                refused.append(rejection)
        if not answered:
            seen = f"refused all that was drawn: {refused[0]}" if refused else "is known to crash whatever is drawn"
            raise Breach(f"an implementation of {self.formula.id}", seen)
        return tuple(answered)

    def results(self, run: Run) -> Results:
        """Put a new subject through a run.

        Raises
        ------
        Rejected
            If it refuses the hyperparameters.
        SubjectFailure
            If it fails.
        """
        answer: Any = self.specimen.train(run) if isinstance(run, Training) else self.specimen.call(run)
        if isinstance(answer, Rejected):
            raise answer
        if isinstance(run, Call):
            return {"the result": answer.copy()}  # the subject may have kept it, and write to it
        return {
            spot(tensor, step): param
            for step, params in enumerate(answer.params, 1)
            for tensor, param in enumerate(params)
        }

    def expected(self, run: Run) -> list[dict[str, Enclosure]]:
        """Return what honest programs may give, by each evaluation that is accepted of the implementation.

        Of what a subject draws for itself, it is what becomes of numbers that are not removed.
        """
        if self.formula.drawn and isinstance(run, Call):
            given = run.arrays[: len(self.formula.arrays) - len(self.formula.drawn)]
            run = replace(run, arrays=(*given, *(np.ones_like(given[0]) for _ in self.formula.drawn)))
        programs = [self.formula.programs[name] for name in self.formula.accepted(self.implementation.evaluation)]
        precision = precision_models(self.specimen.dtype)[-1]
        if isinstance(run, Call):
            return [{"the result": self.session.enclosure(program, run, precision)} for program in programs]
        return [
            {
                spot(tensor, step): param
                for step, row in enumerate(self.session.enclosures(program, run, precision), 1)
                for tensor, (param, _) in enumerate(row)
            }
            for program in programs
        ]

    def apart(self, one: Results, run: Run, two: Results, other: Run) -> Mapping[str, NDArray[np.bool_]]:
        """Return where the results of two runs of one shape must differ, whatever honest program gives them."""
        firsts, seconds = self.expected(run), self.expected(other)
        return {
            name: separated([each[name] for each in firsts], [each[name] for each in seconds])
            & self.judged(one[name])
            & self.judged(two[name])
            for name in one
        }

    def judged(self, results: Floats) -> NDArray[np.bool_]:
        """Return of which results anything is expected: not of those that a subject may have removed."""
        return (results != 0) if self.formula.drawn else np.ones(results.shape, dtype=bool)

    def excused(self, run: Run, *outcomes: str) -> bool:
        """Whether a known deviation from the formula, with one of some outcomes if they are given, shows in a run."""
        return any(
            entry.concerns([run])
            for entry in self.implementation.expected
            if entry.property == FOLLOWS and self.specimen.dtype in entry.dtypes
            if not outcomes or entry.outcome in outcomes
        )


def separated(firsts: Sequence[Enclosure], seconds: Sequence[Enclosure]) -> NDArray[np.bool_]:
    """Return where what lies in one of some enclosures lies in none of some others."""
    apart: NDArray[np.bool_] = np.min([first.separation(second) for first in firsts for second in seconds], axis=0) > 1
    return apart


def spot(tensor: int, step: int) -> str:
    """Name a parameter at a time."""
    return f"tensor {tensor} after step {step}"


def difference(shown: Results, expected: Results) -> str:
    """Say what differs first, be it in a bit; nothing if nothing does."""
    for name, array in expected.items():
        if shown[name].shape != array.shape:
            return f"{name} has the shape {shown[name].shape} instead of {array.shape}"
        if shown[name].tobytes() != array.tobytes():
            return f"{name} is {first_difference(shown[name], array)}"
    return ""
