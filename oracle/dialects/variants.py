"""Variants: the functions and schedules that code may compute, each one formula, an evaluation or a neighbour of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from oracle.dialects.family import Family
from oracle.formula import Formula

__all__ = ["Variant", "variants"]


@dataclass(frozen=True, eq=False)
class Variant:
    """One thing that a function of arrays or a schedule may compute.

    Parameters
    ----------
    formula : Formula
        Takes the arrays and the hyperparameters of ``base``.
    base : Formula
        The formula with a citation that it is, evaluates or lies beside.
    id : str
        That of the base, unless it promises less or is something else.
    words : str
        What it does, as a sentence or a clause.
    slip : str
        What it is called beside the base, whose printed form it is not; empty for the printed form itself.
    """

    formula: Formula
    base: Formula
    id: str
    words: str
    slip: str = ""

    @property
    def named(self) -> Formula | None:
        """The formula with a citation that it is."""
        return None if self.slip else self.base

    @property
    def source(self) -> tuple[str, ...]:
        """The citation, if it keeps what the base promises."""
        return self.base.source if self.id == self.base.id else ()

    @property
    def evaluates(self) -> Formula | None:
        """The formula whose values it has by definition; None for a neighbour."""
        return self.base if self.formula.id == self.base.id else None

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of all hyperparameters that it may use."""
        return self.base.hyperparameters

    def describe(self) -> str:
        """Return in words what it does."""
        return self.words

    def settled(self, absent: Collection[str]) -> Variant:  # noqa: ARG002 - nothing is switched off by a zero
        """Return what stands for all that are the same program where some hyperparameters are 0."""
        return self


def variants(families: Iterable[Family]) -> tuple[Variant, ...]:
    """Return everything that functions and schedules of some families may compute, formulas with a citation first.

    Formulas that draw arrays for themselves are left out: what they return depends on more than what they are given.
    """
    found = [variant for family in families for variant in _spanned(family)]
    # Of the evaluations of a formula, those first that it accepts.
    return tuple(sorted(found, key=lambda variant: (bool(variant.slip), variant.id != variant.base.id)))


def _spanned(family: Family) -> Iterator[Variant]:
    for id, point in family.points.items():
        base = point.base
        if base.kind == "optimizer" or base.drawn:
            continue
        if point.description:
            neighbour = family.at(id, base)
            for program in (neighbour.programs[name] for name in base.accepted()):
                yield Variant(program, base, id, f"{base.id}, but {point.description}", id)
            continue
        yield Variant(base, base, id, base.title)
        for name, other in base.evaluations.items():
            if other.kind != "strict":  # which promises more, for the same values
                known = base.id if other.kind == "stable" else f"{base.id}:{name}"
                words = f"{base.title.removesuffix('.')}, evaluated {name}: {other.description}"
                yield Variant(base.programs[name], base, known, words, f"{base.id}:{name}")
