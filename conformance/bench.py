"""The bench that a check works on: one case, one subject, one formula in one precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from conformance.session import Row, Session
from conformance.specimen import Answer, Specimen, Transcript
from oracle.arithmetic.formats import FORMATS, Precision
from oracle.bound import Enclosure
from oracle.formula import Formula
from properties.cases import Call, Observation, Training
from properties.claims import Violation
from properties.subject import Floats, Rejected

__all__ = ["Bench", "Tally"]


@dataclass
class Tally:
    """What was compared, and how far from the exact values it lay.

    Parameters
    ----------
    judged, unjudged : int
        Elements with and without a bound.
    undecided : int
        Judged elements at a discontinuity, where a program may take any branch.
    error_over_bound, ulps : float
        The largest, and the error at the same element.
    quantities : set of str
        What had a bound anywhere: ``param``, names of state, ``result``.
    """

    judged: int = 0
    unjudged: int = 0
    undecided: int = 0
    error_over_bound: float = 0.0
    ulps: float = 0.0
    quantities: set[str] = field(default_factory=set)

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        self.judged += other.judged
        self.unjudged += other.unjudged
        self.undecided += other.undecided
        self.quantities |= other.quantities
        self.reach(other.error_over_bound, other.ulps)

    def reach(self, error_over_bound: float, ulps: float) -> None:
        """Keep the larger of two errors over their bounds."""
        if error_over_bound > self.error_over_bound:
            self.error_over_bound, self.ulps = error_over_bound, ulps


class Bench:
    """What a check works with: see `properties.claims.Bench`.

    Parameters
    ----------
    session : Session
        Where enclosures are kept.
    specimen : Specimen
    transcript : Transcript
        The specimen's answers on the case at hand.
    formula : Formula
        What the specimen is compared with: its claim, or what it might be instead.
    precision : Precision
    """

    def __init__(
        self, session: Session, specimen: Specimen, transcript: Transcript, formula: Formula, precision: Precision
    ) -> None:
        self.formula = formula
        self.dtype = specimen.dtype
        self.device = specimen.device
        self.precision = precision
        self.tally = Tally()
        self._session = session
        self._specimen = specimen
        self._transcript = transcript
        self._questions = 0

    def train(self, training: Training) -> Observation:
        """Run the subject on a training, or read what it showed before.

        Raises
        ------
        Violation
            If a parameter has not kept its shape.
        """
        answer = self._ask(training, lambda: self._specimen.train(training))
        assert isinstance(answer, Observation)
        for step, params in enumerate(answer.params, 1):
            for tensor, (shown, param) in enumerate(zip(params, training.params, strict=True)):
                _require_shape(shown, param.shape, quantity="param", step=step, tensor=tensor)
        return answer

    def call(self, call: Call) -> Floats:
        """Run the subject, a function, once, or read what it returned before."""
        answer = self._ask(call, lambda: self._specimen.call(call))
        assert isinstance(answer, np.ndarray)
        return answer

    def _ask(self, question: Training | Call, run: Callable[[], Answer]) -> Answer:
        answer = self._transcript.answer(self._questions, question, run)
        self._questions += 1
        if isinstance(answer, Rejected):
            raise answer
        return answer

    def enclosures(self, training: Training) -> list[Row]:
        """Return parameter and state enclosures, indexed ``[step][tensor]``."""
        return self._session.enclosures(self.formula, training, self.precision)

    def enclosure(self, call: Call) -> Enclosure:
        """Return the enclosure of a function's result."""
        return self._session.enclosure(self.formula, call, self.precision)

    def compare(
        self,
        observed: Floats,
        expected: Enclosure,
        *,
        quantity: str,
        step: int | None = None,
        tensor: int | None = None,
        note: str = "",
    ) -> None:
        """Record error over bound of each element with a bound; raise `Violation` if one exceeds it."""
        shape = expected.error.shape
        for other in shape, expected.value.shape:
            _require_shape(observed, other, quantity=quantity, step=step, tensor=tensor)

        bounded = np.asarray(expected.bounded)
        self.tally.judged += int(np.count_nonzero(bounded))
        self.tally.unjudged += int(np.count_nonzero(~bounded))
        self.tally.undecided += int(np.count_nonzero(bounded & expected.undecided))
        if not bounded.any():
            return
        self.tally.quantities.add(quantity)

        ratios = np.asarray(expected.ratio(observed))
        index = int(np.argmax(ratios))
        ratio = float(ratios.flat[index])
        came = float(observed.flat[index])
        exact = float(expected.midpoint.flat[index])
        ulps = self._ulps(came, exact)
        self.tally.reach(ratio, ulps)
        if ratio > 1:
            low, high = expected.interval(np.unravel_index(index, shape))
            message = (
                f"{_place(quantity, step, tensor)}, element {index}, is {came!r}, but [{low!r}, {high!r}] is allowed: "
                f"{ratio:.3g} times the bound, {ulps:.3g} ulp{f'; {note}' if note else ''}"
            )
            raise Violation(
                message,
                quantity=quantity,
                step=step,
                tensor=tensor,
                index=index,
                low=low,
                high=high,
                observed=came,
                error_over_bound=ratio,
                ulps=ulps,
            )

    def _ulps(self, came: float, exact: float) -> float:
        if not np.isfinite(came) or not np.isfinite(exact):
            return float("inf") if came != exact else 0.0
        unit = float(FORMATS[self.dtype].spacing(np.array(exact or came)))
        return 2 * (abs(came / 2 - exact / 2) / unit)  # halves, because the difference of the two may overflow

    def require(self, holds: bool, message: str, *, quantity: str) -> None:
        """Count one exact condition; raise `Violation` with the message if it is false."""
        self.tally.judged += 1
        if not holds:
            raise Violation(message, quantity=quantity)


def _place(quantity: str, step: int | None, tensor: int | None) -> str:
    of = "" if tensor is None else f" of tensor {tensor}"
    return quantity + of + ("" if step is None else f" after step {step}")


def _require_shape(
    shown: Floats, shape: tuple[int, ...], *, quantity: str, step: int | None, tensor: int | None
) -> None:
    if shown.shape != shape:
        message = f"{_place(quantity, step, tensor)} has shape {shown.shape}, expected {shape}"
        raise Violation(message, quantity=quantity, step=step, tensor=tensor)
