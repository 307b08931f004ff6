"""An implementation at work: run once per question, its failures told from ours, its answers kept."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

import numpy as np

from conformance.backends import Implementation
from conformance.errors import Relayed, SubjectGone
from conformance.guard import kept_arithmetic
from conformance.session import Case, Counts, fingerprint
from properties.cases import Call, Observation, Training
from properties.observing import observe
from properties.strategies.numbers import copied
from properties.subject import Floats, Rejected

__all__ = ["FRAMES", "Specimen", "SubjectFailure", "Transcript", "described", "replica"]

Answer = Observation | Floats | Rejected

#: Frames of a traceback that a record keeps, the innermost ones.
FRAMES = 6

#: What stands around every question to a subject, and says nothing of it.
_CONTEXTS = ("asked", "_subject_boundary")


class SubjectFailure(Exception):
    """The subject raised something, or returned what cannot be read: its failure, not ours."""


@dataclass(eq=False)
class Transcript:
    """What a subject was asked on one case and what it answered, in order.

    A claim is checked under several precision models, and the subject must not be run for each:
    the second time that the same questions come in the same order, the answers are read from here.
    A claim that asks the same twice still gets two answers.
    """

    entries: list[tuple[bytes, Answer]] = field(default_factory=list)

    def answer(self, position: int, question: Training | Call, run: Callable[[], Answer]) -> Answer:
        """Return the answer to the question at a position, from the subject if it was not asked before."""
        key = fingerprint(question)
        if position < len(self.entries) and self.entries[position][0] == key:
            return self.entries[position][1]
        answer = run()
        self.entries[position:] = [(key, answer)]
        return answer


class Specimen:
    """An implementation in one dtype on one device.

    Parameters
    ----------
    implementation : Implementation
    dtype, device : str
    counts : Counts
        Where its steps are counted.
    """

    def __init__(self, implementation: Implementation, dtype: str, device: str, counts: Counts) -> None:
        self.implementation = implementation
        self.dtype = dtype
        self.device = device
        self._counts = counts
        self._process = implementation.host.pid if implementation.host else os.getpid()
        self._transcripts: dict[Case, Transcript] = {}

    def transcript(self, case: Case) -> Transcript:
        """Return what is known of this specimen on a case."""
        return self._transcripts.setdefault(case, Transcript())

    def train(self, training: Training) -> Observation | Rejected:
        """Run a new subject on a training.

        Raises
        ------
        SubjectFailure
            If it raised anything but `Rejected`, or showed something else than its parameters and their state.
        """
        if varied := self._varied([values for row in training.hyperparameters() for values in row]):
            return varied
        try:
            with self.asked(len(training.steps)):
                shown = observe(self.implementation.factory, replica(training), dtype=self.dtype, device=self.device)
        except Rejected as rejection:
            return rejection
        for params in shown.params:
            if len(params) != len(training.params):
                raise SubjectFailure(f"showed {len(params)} parameters of {len(training.params)}")
        for states in shown.states:
            if len(states) != len(training.params):
                raise SubjectFailure(f"showed the state of {len(states)} parameters of {len(training.params)}")
        return shown

    def call(self, call: Call) -> Floats | Rejected:
        """Run a new subject, a function, once.

        Raises
        ------
        SubjectFailure
            If it raised anything but `Rejected`.
        """
        if varied := self._varied([call.hyperparameters]):
            return varied
        try:
            with self.asked(1):
                function = self.implementation.factory(dtype=self.dtype, device=self.device)
                shown = np.asarray(function(*map(copied, call.arrays), **call.hyperparameters))
                if shown.dtype.kind in "cSU":  # numpy would drop imaginary parts, and read numbers out of text
                    raise TypeError(f"the result holds {shown.dtype.name}, no real numbers")
                return np.asarray(shown, dtype=np.float64)
        except Rejected as rejection:
            return rejection

    @contextmanager
    def asked(self, amount: int) -> Iterator[None]:
        """Count what a subject is asked for, and tell its failures from ours.

        Raises
        ------
        SubjectFailure
            Of whatever it raises but `Rejected`.
        """
        with self._counts.asked(amount, self._process), _subject_boundary():
            yield

    def _varied(self, settings: Iterable[Mapping[str, float]]) -> Rejected | None:
        """Refuse what a claim asks of hyperparameters that the implementation cannot vary."""
        for values in settings:
            for name, value in self.implementation.fixed.items():
                if values.get(name, value) != value:
                    return Rejected(f"{name} is fixed at {value!r}, asked for {name}={values[name]!r}")
        return None


@contextmanager
def _subject_boundary() -> Iterator[None]:
    try:
        with kept_arithmetic():
            yield
    except (SubjectGone, Rejected):
        raise  # who runs this process, or asks, knows what that means
    except BaseException as error:  # whatever a subject raises is its outcome, and no failure of ours
        if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            raise  # the user's; where interrupts do not arrive, it is the subject's own
        raise SubjectFailure(described(error)) from error


def described(error: BaseException) -> str:
    """Return an error with the innermost frames of its traceback, without the folders of anybody's machine."""
    kind, frames = type(error).__name__, [*traceback.extract_tb(error.__traceback__)]
    if isinstance(error, Relayed):  # as if it had been raised here
        relay = frames[-1].filename
        kind, frames = error.kind, [*(frame for frame in frames if frame.filename != relay), *error.frames]
    frames = [frame for frame in frames if frame.name not in _CONTEXTS]
    lines = [f"{kind}: {error}"]
    lines += [
        f"  at {PurePath(frame.filename).name}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in frames[-FRAMES:]
    ]
    return "\n".join(lines)


def replica(training: Training) -> Training:
    """Copy what can be written to, so that a subject that does spoils no case and no later step."""
    return Training(
        _copies(training.params),
        tuple(replace(group, hyperparameters=dict(group.hyperparameters)) for group in training.groups),
        tuple(
            replace(
                step,
                grads=_copies(step.grads),
                changes={group: dict(values) for group, values in step.changes.items()},
            )
            for step in training.steps
        ),
    )


def _copies(arrays: Sequence[Floats | None]) -> tuple[Any, ...]:
    return tuple(None if array is None else copied(array) for array in arrays)
