"""The record of a claim, the bench its check works on, and the way it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Protocol

from hypothesis.strategies import SearchStrategy

from oracle.arithmetic.formats import Precision
from oracle.bound import Enclosure
from oracle.formula import Formula
from properties.cases import Call, Observation, Training
from properties.subject import Floats

__all__ = ["Bench", "Claim", "Kind", "Space", "Unrepeated", "Violation", "claim"]

Kind = Literal["differential", "invariant", "metamorphic"]


class Violation(AssertionError):
    """A claim does not hold.

    Parameters
    ----------
    message : str
        One sentence with the numbers.
    quantity : str
        What diverged: ``param``, a state's name, ``result``.
    step, tensor, index : int, optional
        Where: step from 1, tensor from 0, flat index of the element.
    low, high, observed : float, optional
        The allowed interval and what came.
    error_over_bound, ulps : float
        How far out it lies.
    """

    def __init__(
        self,
        message: str,
        *,
        quantity: str,
        step: int | None = None,
        tensor: int | None = None,
        index: int | None = None,
        low: float | None = None,
        high: float | None = None,
        observed: float | None = None,
        error_over_bound: float = float("inf"),
        ulps: float = float("inf"),
    ) -> None:
        super().__init__(message)
        self.quantity = quantity
        self.step = step
        self.tensor = tensor
        self.index = index
        self.low = low
        self.high = high
        self.observed = observed
        self.error_over_bound = error_over_bound
        self.ulps = ulps


class Unrepeated(Violation):
    """The subject shows something else for the same input: no claim can be judged."""


@dataclass(frozen=True)
class Space:
    """What inputs are drawn for.

    Parameters
    ----------
    formula : Formula
    dtype : str
        Numbers drawn are exact in it.
    profile : str
        ``quick``, ``standard`` or ``thorough``.
    """

    formula: Formula
    dtype: str
    profile: str


class Bench(Protocol):
    """What a check works with: the subject, the oracle, and the comparison of the two."""

    formula: Formula
    dtype: str
    device: str
    precision: Precision

    def train(self, training: Training) -> Observation:
        """Run the subject on a training."""

    def call(self, call: Call) -> Floats:
        """Run the subject, a function, once."""

    def enclosures(self, training: Training) -> list[list[tuple[Enclosure, dict[str, Enclosure]]]]:
        """Return parameter and state enclosures, indexed ``[step][tensor]``; blind, cached."""

    def enclosure(self, call: Call) -> Enclosure:
        """Return the enclosure of a function's result; cached."""

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

    def require(self, holds: bool, message: str, *, quantity: str) -> None:
        """Count one exact condition; raise `Violation` with the message if it is false."""


@dataclass(frozen=True)
class Claim:
    """A named mathematical statement about the implementations of some formulas.

    Parameters
    ----------
    name : str
        What holds; the claim's id for a formula is ``formula.name``.
    kind : {"differential", "invariant", "metamorphic"}
    formulas : tuple of str
        Ids of the formulas it holds for.
    sentence : str
        The statement in words: the first line of the check's docstring.
    statement : str
        The statement in LaTeX.
    source : str
        Where it comes from.
    inputs : callable
        ``inputs(space)`` returns the strategies of the check's keyword arguments by kind of
        case: a mapping from a case kind's name to ``(share, strategy)``, where a strategy draws a
        dict of keyword arguments and ``share`` is its number of cases in the quick profile.
    check : callable
        ``check(bench, **inputs)`` raises `Violation` if the statement fails.
    catches : tuple of str
        Ids of seeded faults that must fail it.
    varies : tuple of str
        Hyperparameters that the check or its inputs must set to values of their own: the claim
        says nothing about a subject that cannot vary one of them.
    needs : tuple of str
        Methods of `properties.subject.Companion` that a subject must offer, or ``missing_gradients``; the claim says
        nothing about one that does not.
    uses : tuple of str
        What its inputs ask of a subject besides, where that offers it.
    """

    name: str
    kind: Kind
    formulas: tuple[str, ...]
    sentence: str
    statement: str
    source: str
    inputs: Callable[[Space], dict[str, tuple[Fraction | int, SearchStrategy[dict[str, Any]]]]]
    check: Callable[..., None]
    catches: tuple[str, ...]
    varies: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()


def claim(
    name: str,
    *,
    kind: Kind,
    formulas: tuple[str, ...],
    statement: str,
    source: str,
    inputs: Callable[[Space], dict[str, tuple[Fraction | int, SearchStrategy[dict[str, Any]]]]],
    catches: tuple[str, ...],
    varies: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    uses: tuple[str, ...] = (),
) -> Callable[[Callable[..., None]], Claim]:
    """Make a claim of its check; see `Claim` for the arguments."""

    def decorate(check: Callable[..., None]) -> Claim:
        sentence = (check.__doc__ or "").strip().split("\n")[0]
        return Claim(name, kind, formulas, sentence, statement, source, inputs, check, catches, varies, needs, uses)

    return decorate
