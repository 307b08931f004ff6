"""Precision models in words, and the strictest of them that contains what was shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from conformance.conventions.records import Cell
from conformance.identification.inquiry import LEAKS
from oracle.arithmetic.formats import Precision, precision_models

__all__ = ["DTYPES", "NOT_DECLARED", "models", "strictest", "told"]

#: Dtypes that a map tells of, from wide to narrow.
DTYPES = ("float64", "float32", "bfloat16")

NOT_DECLARED = "the backend does not declare it"


def models(dtype: str) -> Mapping[str, Precision]:
    """Return the precisions in which a program for a dtype may work, by their words, from strict to loose."""
    leaks = LEAKS.values() if dtype == "float64" else ()
    return {told(str(precision)): precision for precision in (*precision_models(dtype), *leaks)}


def told(words: str) -> str:
    """Shorten the words of a precision model, of its own or of an identification."""
    compute, _, scalars = words.partition(" (")[0].removeprefix("compute ").partition(", scalars ")
    return compute if compute == scalars else f"{compute}, scalars {scalars}"


def strictest(dtype: str, holds: Callable[[Precision], bool]) -> Cell:
    """Return the words for the first model of a dtype that holds."""
    fitting = (words for words, precision in models(dtype).items() if holds(precision))
    return Cell(next(fitting, "outside the bounds of all"))
