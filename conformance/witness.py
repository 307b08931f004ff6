"""The formula as a subject of its own: what a program without rounding would show."""

from __future__ import annotations

from conformance.session import Session
from conformance.specimen import Specimen
from oracle.arithmetic.formats import FORMATS, Precision
from oracle.formula import Formula
from properties.cases import Call, Observation, Training
from properties.subject import Floats, Place

__all__ = ["Witness"]


class Witness(Specimen):
    """A specimen that shows the exact results, rounded once.

    Inputs on which it fails a claim are none that the claim speaks of.

    Parameters
    ----------
    specimen : Specimen
        Whose place it takes.
    session : Session
        Where enclosures are kept.
    formula : Formula
        Without drawn arrays.
    precision : Precision
    """

    def __init__(self, specimen: Specimen, session: Session, formula: Formula, precision: Precision) -> None:
        super().__init__(specimen.implementation, specimen.dtype, specimen.device, session.counts)
        self._session = session
        self._formula = formula
        self._precision = precision
        self._round = FORMATS[specimen.dtype].round

    def train(self, training: Training) -> Observation:
        """Show the exact parameters and state after each step."""
        rows = self._session.enclosures(self._formula, training, self._precision)
        places = tuple(Place(self.dtype, self.device, param.shape) for param in training.params)
        return Observation(
            tuple(tuple(self._round(param.midpoint) for param, _ in row) for row in rows),
            tuple(
                tuple({name: self._round(entry.midpoint) for name, entry in states.items()} for _, states in row)
                for row in rows
            ),
            tuple(step.grads for step in training.steps),
            places=tuple(places for _ in rows),
        )

    def call(self, call: Call) -> Floats:
        """Return the exact result."""
        return self._round(self._session.enclosure(self._formula, call, self._precision).midpoint)
