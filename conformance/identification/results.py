"""What `identify` found: frozen, told in words or written as JSON."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from conformance.errors import UsageError
from conformance.evidence import encoded

__all__ = ["AxisFinding", "Departure", "Identification", "Outcome", "Proof", "exit_code", "json_file"]

Outcome = Literal["identified", "undecided", "none of the known", "crash"]

_EXIT_CODES: Mapping[Outcome, int] = {"identified": 0, "undecided": 4, "none of the known": 1, "crash": 1}


@dataclass(frozen=True)
class AxisFinding:
    """What is known of one axis.

    Parameters
    ----------
    name : str
    values : tuple of str
        The values that remain: one, or several that are the same, or that nothing told apart.
    decided : bool
        Whether one value remains, or the difference is none for this target.
    reason : str
        Why several remain.
    """

    name: str
    values: tuple[str, ...]
    decided: bool
    reason: str = ""


@dataclass(frozen=True)
class Departure:
    """Where a target first left what a dialect allows.

    Parameters
    ----------
    probe : str
    step, index : int
        Steps count from 1, elements of the parameter or of the result from 0.
    low, high, observed : float
    error_over_bound : float
    passed : int
        How many probes it had passed before.
    shapes : tuple of tuple of int, optional
        Of the result and of what it should be, if these differ: then there are no numbers.
    given : str
        The input of a function in words; empty for an optimizer.
    """

    probe: str
    step: int
    index: int = 0
    low: float = -math.inf
    high: float = math.inf
    observed: float = math.nan
    error_over_bound: float = math.inf
    passed: int = 0
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    given: str = ""

    def __str__(self) -> str:
        where = _where(self.probe, self.step, self.given)
        if self.shapes:
            return f"{where} has shape {self.shapes[0]}, expected {self.shapes[1]}"
        return (
            f"{where}, element {self.index}, is {self.observed!r}, "
            f"but [{self.low!r}, {self.high!r}] is allowed: {self.error_over_bound:.3g} times the bound"
        )


def _where(probe: str, step: int, given: str) -> str:
    return f"the result of {probe!r}, {given}" if given else f"param after step {step} of the probe {probe!r}"


@dataclass(frozen=True)
class Proof:
    """The input that told the answer from its last rival.

    Parameters
    ----------
    probe, purpose : str
    run : Training or Call
    rival : str
    step, index : int
    answer, rivals : tuple of float, float
        What each allows there.
    observed : float
    given : str
        The input of a function in words; empty for an optimizer.
    """

    probe: str
    purpose: str
    run: Any
    rival: str
    step: int
    index: int
    answer: tuple[float, float]
    rivals: tuple[float, float]
    observed: float
    given: str = ""


@dataclass(frozen=True)
class Identification:
    """What a target computes, as far as its behaviour tells.

    Parameters
    ----------
    target : str
    outcome : {"identified", "undecided", "none of the known", "crash"}
    family : str
        The lattice in which it was found, or ``functions``, or ``schedules``; empty if it was in none.
    dialects : tuple of str
        What it computes, in words; several if they are the same here, or if nothing told them apart.
    formula : str
        The id of a formula with a citation, of a known slip, or of an evaluation such as ``softmax:unshifted``; empty
        for other points.
    source : tuple of str
        That formula's citation.
    axes : tuple of AxisFinding
    notes : tuple of str
        Reparametrisations that turn this dialect into another one, and their conditions.
    matching : mapping of str to str
        The target's keyword by hyperparameter.
    defaults : mapping of str to float
        The target's default by hyperparameter.
    held : mapping of str to float
        Values of hyperparameters that the target does not offer: fixed, or the customary ones that fit.
    left : mapping of str to str
        Other keywords of the target, left at their defaults.
    precision : mapping of str to str
        By dtype, the strictest precision model that contains all that was shown.
    proof : Proof, optional
    excluded : tuple of (str, Departure)
        Rivals, the nearest first: formulas with a citation, and whatever came closest.
    rivals : int
        How many were excluded in all.
    probes : tuple of str
        The trainings or calls that it was run on, in the order in which they were chosen.
    refused : tuple of str
        Trainings whose hyperparameters, or calls that, it refused.
    message : str
    seed : int
    """

    target: str
    outcome: Outcome
    family: str = ""
    dialects: tuple[str, ...] = ()
    formula: str = ""
    source: tuple[str, ...] = ()
    axes: tuple[AxisFinding, ...] = ()
    notes: tuple[str, ...] = ()
    matching: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, float] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    precision: Mapping[str, str] = field(default_factory=dict)
    proof: Proof | None = None
    excluded: tuple[tuple[str, Departure], ...] = ()
    rivals: int = 0
    probes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    message: str = ""
    seed: int = 0

    @property
    def identified(self) -> bool:
        """Whether one dialect remains, or several that are the same here."""
        return self.outcome == "identified"

    def summary(self) -> str:
        """Return the answer, its axes, what decided, and what was not varied."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        answer = {
            "identified": f"this is {self.formula}" if self.formula else f"works as {', '.join(self.dialects[:1])}",
            "undecided": "undecided between what no input tells apart",
            "none of the known": "none of the known",
            "crash": "crash",
        }[self.outcome]
        yield f"{self.target}  {answer}"
        if self.source:
            yield from _wrapped("source", "; ".join(self.source))
        elif self.formula:
            yield from _wrapped("that is", self.dialects[0].removeprefix(f"{self.formula}: "))
        for dialect in self.dialects[self.identified :]:
            yield from _wrapped("the same as" if self.identified else "perhaps", dialect)
        yield from _wrapped("", self.message)
        if self.axes:
            width = max(len(axis.name) for axis in self.axes)
            for axis in self.axes:
                mark = " " if axis.decided else "?"
                reason = f" ({axis.reason})" if axis.reason else ""
                yield f"  {mark} {axis.name:<{width}}  {' | '.join(axis.values)}{reason}"
        for note in self.notes:
            yield from _wrapped("note", note)
        if self.proof:
            yield from self._proof(self.proof)
        elif self.excluded:
            nearest, departure = self.excluded[0]
            yield from _wrapped("nearest", f"{nearest.removesuffix('.')}: {departure}")
        yield from _wrapped("precision", "; ".join(f"{dtype}: {model}" for dtype, model in self.precision.items()))
        yield from _wrapped("matching", "; ".join(self._matching()))
        yield from _wrapped("left alone", ", ".join(f"{name}={value}" for name, value in self.left.items()))
        if self.probes:
            refused = f"; refused: {_kinds(self.refused)}" if self.refused else ""
            yield from _wrapped(
                "inputs", f"{_kinds(self.probes)}{refused}; {self.rivals} rivals excluded, seed {self.seed}"
            )

    @staticmethod
    def _proof(proof: Proof) -> Iterator[str]:
        yield from _wrapped("last rival", proof.rival)
        purpose = "" if proof.given else f" ({proof.purpose})"
        where = f"{_where(proof.probe, proof.step, proof.given)}{purpose}, element {proof.index}"
        yield from _wrapped("told apart by", where)
        yield from _wrapped("", f"the answer allows [{proof.answer[0]!r}, {proof.answer[1]!r}]")
        yield from _wrapped("", f"the rival allows [{proof.rivals[0]!r}, {proof.rivals[1]!r}]")
        yield from _wrapped("", f"came {proof.observed!r}")

    def _matching(self) -> Iterator[str]:
        for name, keyword in self.matching.items():
            default = f", {self.defaults[name]!r} by default" if name in self.defaults else ""
            yield f"{keyword} is {name}{default}"
        for name, value in self.held.items():
            yield f"{name}={value!r} throughout"

    def as_json(self) -> str:
        """Return all of it as JSON, floats as hex strings."""
        return json.dumps(encoded(self), indent=2)

    def write(self, path: str | Path) -> None:
        """Write it to a file.

        Parameters
        ----------
        path : str or Path
            Ends in ``.json``.

        Raises
        ------
        UsageError
            If it ends otherwise, or lies in no folder.
        """
        json_file(path).write_text(self.as_json() + "\n", encoding="utf-8")


def json_file(path: str | Path) -> Path:
    """Return a path that an identification can be written to.

    Raises
    ------
    UsageError
        If it is none.
    """
    path = Path(path)
    if path.suffix != ".json" or not path.absolute().parent.is_dir():
        raise UsageError(f"output must be a .json file in a folder that exists, got {str(path)!r}")
    return path


def exit_code(identification: Identification) -> int:
    """Return the exit code of a command that ends with this: 0 identified, 1 none of the known, 4 undecided."""
    return _EXIT_CODES[identification.outcome]


def _kinds(probes: Iterable[str]) -> str:
    """Name inputs, those of one kind once."""
    return ", ".join(dict.fromkeys(re.sub(r" \d+$", "", probe) for probe in probes))


def _wrapped(label: str, text: str) -> Iterator[str]:
    if text:
        lines = textwrap.wrap(text, 104, break_long_words=False, break_on_hyphens=False)
        yield f"    {label:<14}{lines[0]}"
        yield from (f"    {'':<14}{line}" for line in lines[1:])
