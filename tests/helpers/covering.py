"""Covering arrays: few points that show every pair of values that any point has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from oracle.dialects.lattice import Dialect

__all__ = ["covering"]


def pairs(dialect: Dialect) -> frozenset[tuple[tuple[str, str], ...]]:
    """Return all pairs of values of a dialect."""
    return frozenset(combinations(dialect.values.items(), 2))


def covering(dialects: Sequence[Dialect]) -> list[Dialect]:
    """Choose dialects, greedily and always the same, until every pair of values that occurs is among them."""
    of = {dialect: pairs(dialect) for dialect in dialects}
    missing = set().union(*of.values())
    chosen = []
    while missing:
        best = max(dialects, key=lambda dialect: len(of[dialect] & missing))
        chosen.append(best)
        missing -= of[best]
    return chosen
