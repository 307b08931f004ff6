"""What the implementations of one run share: drawn cases, exact enclosures, and counts of the work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator, Mapping, MutableSequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from oracle.arithmetic.formats import Precision
from oracle.bound import Enclosure, Walk, bound
from oracle.formula import Formula
from properties.cases import Call, Training
from properties.claims import Claim, Space
from properties.drawing import draw_cases
from properties.subject import Floats

__all__ = ["PROFILES", "Case", "Counts", "Row", "Session", "derived_seed", "fingerprint", "pinned", "walk"]

#: How many times the quick profile's cases each profile draws.
PROFILES: Mapping[str, int] = {"quick": 1, "standard": 10, "thorough": 100}

#: Parameter and state enclosures of each tensor after one step.
Row = list[tuple[Enclosure, dict[str, Enclosure]]]

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Case:
    """Inputs of one run of a claim's check."""

    inputs: Mapping[str, Any]

    @property
    def runs(self) -> tuple[Training | Call, ...]:
        """The inputs that a subject can be run on as they are."""
        return tuple(value for value in self.inputs.values() if isinstance(value, Training | Call))

    @property
    def size(self) -> int:
        """How many numbers a reader would have to look at."""
        return sum(array.size for run in self.runs for array in _arrays(run))


@dataclass(frozen=True)
class Counts:
    """Work done: steps of optimizers and calls of functions, by the oracle and by subjects.

    Parameters
    ----------
    cells : mutable sequence of int
        What the oracle has done, what subjects have been asked for, and the process in which one is being asked, or 0;
        in memory that another process reads, where it is to see that this one goes on.
    """

    cells: MutableSequence[int] = field(default_factory=lambda: [0, 0, 0])

    @property
    def oracle(self) -> int:
        """What the oracle has done."""
        return self.cells[0]

    @property
    def subject(self) -> int:
        """What subjects have been asked for."""
        return self.cells[1]

    @property
    def asking(self) -> int:
        """The number of the process in which a subject is being asked and has not answered; 0 if none is."""
        return self.cells[2]

    def evaluated(self) -> None:
        """Count one more piece of the oracle's work."""
        self.cells[0] += 1

    @contextmanager
    def asked(self, amount: int, process: int) -> Iterator[None]:
        """Count what a subject is asked for, and know in which process it is at work."""
        self.cells[1] += amount
        self.cells[2] = process
        try:
            yield
        finally:
            self.cells[2] = 0


def derived_seed(*parts: object) -> int:
    """Return a seed that depends on the text of ``parts`` alone."""
    text = "\n".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def fingerprint(value: object) -> bytes:
    """Return a digest of what a value holds: arrays by their bits, records by their fields.

    Parameters
    ----------
    value : object
        Arrays, records, mappings and sequences of them, and what has a telling ``repr``.
    """
    digest = hashlib.blake2b(digest_size=16)
    for piece in _pieces(value):
        digest.update(piece)
    return digest.digest()


def _pieces(value: object) -> Iterator[bytes]:
    if isinstance(value, np.ndarray):
        yield f"array {value.dtype} {value.shape};".encode()
        yield value.tobytes()
    elif isinstance(value, Mapping):
        yield f"mapping {len(value)};".encode()
        for key, entry in value.items():
            yield from _pieces(key)
            yield from _pieces(entry)
    elif isinstance(value, list | tuple):
        yield f"sequence {len(value)};".encode()
        for entry in value:
            yield from _pieces(entry)
    elif is_dataclass(value):
        yield f"{type(value).__name__};".encode()
        for part in fields(value):
            yield from _pieces(getattr(value, part.name))
    else:
        yield f"{value!r};".encode()


def _arrays(run: Training | Call) -> Iterator[Floats]:
    if isinstance(run, Call):
        yield from run.arrays
    else:
        yield from run.params
        for step in run.steps:
            yield from (grad for grad in step.grads if grad is not None)


def pinned(value: Any, fixed: Mapping[str, float], *, missing: bool = True, changes: bool = True) -> Any:
    """Return inputs whose hyperparameters have the fixed values wherever they are set.

    Parameters
    ----------
    value : Training, Call or anything else
        What is neither is returned as it is.
    fixed : mapping of str to float
        Hyperparameters that a subject cannot vary.
    missing : bool
        Whether gradients may be missing.
    changes : bool
        Whether hyperparameters may change on the way.
    """

    def settle(values: Mapping[str, float]) -> dict[str, float]:
        return {name: fixed.get(name, drawn) for name, drawn in values.items()}

    if isinstance(value, Training) and not missing:
        value = value.completed()
    if isinstance(value, Training) and not changes:
        value = value.unchanging()
    if not fixed:
        return value
    if isinstance(value, Call):
        return value.settled(settle(value.hyperparameters))
    if isinstance(value, Training):
        groups = tuple(replace(group, hyperparameters=settle(group.hyperparameters)) for group in value.groups)
        steps = tuple(
            replace(step, changes={group: settle(values) for group, values in step.changes.items()})
            for step in value.steps
        )
        return replace(value, groups=groups, steps=steps)
    return value


def walk(formula: Formula, training: Training, precision: Precision, counts: Counts) -> Iterator[Row]:
    """Yield the enclosures after each step, of a run that never sees what a subject shows.

    Parameters
    ----------
    formula : Formula
        An optimizer.
    training : Training
        A parameter whose gradient is missing stays as it is, and so does its state.
    precision : Precision
    counts : Counts
        Where the steps are counted.

    Yields
    ------
    list of (Enclosure, dict of str to Enclosure)
        Parameter and state by tensor.
    """
    walks = [Walk(formula, param, precision=precision) for param in training.params]
    row: Row = [_unmoved(formula, param) for param in training.params]
    for step, values in zip(training.steps, training.hyperparameters(), strict=True):
        for tensor, grad in enumerate(step.grads):
            if grad is not None:
                row[tensor] = walks[tensor].step(grad, values[tensor])
                counts.evaluated()
        yield list(row)


def _unmoved(formula: Formula, param: Floats) -> tuple[Enclosure, dict[str, Enclosure]]:
    zeros = np.zeros(param.shape)
    names = [name for name in formula.state_type._fields if name != "step"]
    return Enclosure(param, zeros), {name: Enclosure(zeros, zeros) for name in names}


class Session:
    """Draws each case once and evaluates each enclosure once, whoever asks.

    Parameters
    ----------
    profile : str
        A key of `PROFILES`.
    seed : int
        The user's seed.
    counts : Counts, optional
        Where the work is counted; from zero if not given.
    """

    def __init__(self, profile: str, seed: int, counts: Counts | None = None) -> None:
        self.profile = profile
        self.seed = seed
        self.counts = counts or Counts()
        self._known: dict[Hashable, Any] = {}

    def once(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return what ``compute`` gave the first time it was asked for under this key."""
        if key not in self._known:
            self._known[key] = compute()
        value: Value = self._known[key]
        return value

    def forget(self) -> None:
        """Let go of all that was drawn and evaluated; the counts stay."""
        self._known.clear()

    def cases(
        self,
        claim: Claim,
        formula: Formula,
        dtype: str,
        fixed: Mapping[str, float] | None = None,
        *,
        missing: bool = True,
        changes: bool = True,
        lot: int = 0,
    ) -> tuple[Case, ...]:
        """Return the cases of a claim: those of every kind, drawn from the id of the property and the seed.

        Parameters
        ----------
        claim : Claim
        formula : Formula
        dtype : str
        fixed : mapping of str to float, optional
            Hyperparameters that replace drawn ones.
        missing : bool
            Whether gradients may be missing.
        changes : bool
            Whether hyperparameters may change on the way.
        lot : int
            Others for each number: who refuses all of the first is asked again.
        """
        key = ("cases", claim.name, formula, dtype, tuple(sorted((fixed or {}).items())), missing, changes, lot)

        def settled(inputs: dict[str, Any]) -> dict[str, Any]:
            return {
                name: pinned(value, fixed or {}, missing=missing, changes=changes) for name, value in inputs.items()
            }

        return self.once(key, lambda: self._draw(claim, formula, dtype, settled, lot))

    def _draw(
        self, claim: Claim, formula: Formula, dtype: str, settled: Callable[[dict[str, Any]], dict[str, Any]], lot: int
    ) -> tuple[Case, ...]:
        cases: list[Case] = []
        for name, (share, drawn) in claim.inputs(Space(formula, dtype, self.profile)).items():
            strategy = drawn.map(settled)
            seed = derived_seed(f"{formula.id}.{claim.name}", dtype, name, self.seed, *([lot] if lot else []))
            cases += map(Case, draw_cases(strategy, int(share * PROFILES[self.profile]), seed))
        return tuple(cases)

    def enclosures(self, formula: Formula, training: Training, precision: Precision) -> list[Row]:
        """Return the enclosures of an optimizer's parameters and state, indexed ``[step][tensor]``."""
        key = ("enclosures", formula, precision, self._fingerprint(training))
        return self.once(key, lambda: list(walk(formula, training, precision, self.counts)))

    def enclosure(self, formula: Formula, call: Call, precision: Precision) -> Enclosure:
        """Return the enclosure of a function's result."""
        key = ("enclosure", formula, precision, self._fingerprint(call))
        return self.once(key, lambda: self._bound(formula, call, precision))

    def _fingerprint(self, run: Training | Call) -> bytes:
        # What a formula does not see of a training changes nothing.
        def seen() -> Training | Call:
            return run.restricted(()) if isinstance(run, Training) else run

        return self.once(("fingerprint", run), lambda: fingerprint(seen()))

    def _bound(self, formula: Formula, call: Call, precision: Precision) -> Enclosure:
        self.counts.evaluated()
        enclosure: Enclosure = bound(formula, *call.arrays, precision=precision, **call.hyperparameters)
        return enclosure
