"""Counterexamples that a person can check by hand: inputs simplified for as long as they fail in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance.bench import Bench
from conformance.session import Session, fingerprint
from conformance.specimen import Specimen, SubjectFailure, Transcript
from conformance.witness import Witness
from oracle.arithmetic.formats import Precision
from oracle.formula import Formula
from properties.cases import Call, Training
from properties.claims import Claim, Space, Violation
from properties.reduction.calls import simpler_calls
from properties.reduction.trainings import simpler_trainings
from properties.subject import Rejected

__all__ = ["Retrial", "reduced"]

Inputs = Mapping[str, Any]

#: Updates of a training that cost as much as one candidate.
_UPDATES = 32


@dataclass(frozen=True)
class Retrial:
    """A claim about a specimen, judged again on one input after the other.

    Parameters
    ----------
    claim : Claim
    specimen : Specimen
    formula : Formula
        What it is compared with.
    precision : Precision
    """

    claim: Claim
    specimen: Specimen
    formula: Formula
    precision: Precision

    def fails(self, inputs: Inputs) -> Violation | None:
        """Return how drawn inputs fail; None if they do not."""
        return self._violation(_session(), self.specimen, inputs)

    def fails_alike(self, inputs: Inputs) -> Violation | None:
        """Return how inputs fail that nobody drew; None if they do not, or if the claim does not speak of them."""
        session = _session()
        try:
            with np.errstate(all="ignore"):
                violation = self._violation(session, self.specimen, inputs)
                if violation is None or self.formula.drawn:
                    return violation
                witness = Witness(self.specimen, session, self.formula, self.precision)
                return None if self._violation(session, witness, inputs) else violation
        except (ArithmeticError, LookupError, ValueError):
            # A check may take for granted what the draws see to: a number of steps, or that none of them is 0.
            return None

    def _violation(self, session: Session, specimen: Specimen, inputs: Inputs) -> Violation | None:
        bench = Bench(session, specimen, Transcript(), self.formula, self.precision)
        try:
            self.claim.check(bench, **inputs)
        except Violation as violation:
            return violation
        except (Rejected, SubjectFailure):
            pass
        return None


def _session() -> Session:
    """Return a session for a single input, because those of all candidates would fill a shared one."""
    return Session("quick", 0)


@dataclass
class _Search:
    """What a search looks for, what it has tried, and how much it may try."""

    fails: Callable[[Inputs], Violation | None]
    violation: Violation
    budget: int
    tried: set[bytes] = field(default_factory=set)

    def first(self, candidates: Iterator[Inputs]) -> tuple[Inputs, Violation] | None:
        """Return the first of the new candidates that fails in the same way."""
        for inputs in candidates:
            key = fingerprint(inputs)
            if key in self.tried:
                continue
            self.budget -= _cost(inputs)
            if self.budget < 0:
                return None
            self.tried.add(key)
            violation = self.fails(inputs)
            if violation is not None and _way(violation) == _way(self.violation):
                return inputs, violation
        return None


def _cost(inputs: Inputs) -> int:
    """Return what judging inputs costs: 1, and more for trainings with many updates."""
    updates = (len(run.steps) * len(run.params) for run in inputs.values() if isinstance(run, Training))
    return max(1, -(-sum(updates) // _UPDATES))


def _way(violation: Violation) -> tuple[str, bool]:
    """Tell apart what fails, and numbers out of bounds from other conditions."""
    return violation.quantity, violation.low is None


def reduced(
    inputs: Inputs, violation: Violation, fails: Callable[[Inputs], Violation | None], space: Space, budget: int
) -> tuple[Inputs, Violation]:
    """Return the simplest inputs found that fail in the same way as the given ones, and how.

    What is tried, and in which order, depends on the arguments alone.

    Parameters
    ----------
    inputs : mapping of str to object
        Keyword arguments of a claim's check, among them one training or call.
    violation : Violation
        How they fail.
    fails : callable
        How other inputs fail; None if they do not, or are none of the claim's.
    space : Space
        What the inputs were drawn for.
    budget : int
        Largest number of calls of ``fails``; one on a long training counts as several.
    """
    (name,) = (name for name, value in inputs.items() if isinstance(value, Training | Call))
    simpler: Any = simpler_trainings if isinstance(inputs[name], Training) else simpler_calls
    search = _Search(fails, violation, budget)
    seeds = [other for other, value in inputs.items() if isinstance(value, int)]
    if found := search.first({**inputs, other: 0} for other in seeds):
        inputs, violation = found
    again = True
    while again:
        again = False
        for kind, _ in enumerate(simpler(inputs[name], violation, space)):
            while found := search.first({**inputs, name: run} for run in simpler(inputs[name], violation, space)[kind]):
                (inputs, violation), again = found, True
    return inputs, violation
