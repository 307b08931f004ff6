"""Margins of comparisons: made of derived bounds alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, Violation
from properties.subject import Floats

__all__ = ["PRECISION_BITS", "result", "slack", "total"]

#: Of closed forms: wide enough that their own rounding is far below any bound.
PRECISION_BITS = 256

# Sums of a few non-negative float64 numbers round by less than this.
_OUTWARD = 1.0 + 2.0**-48


def total(*errors: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Add bounds up, rounded outward."""
    return np.asarray(sum(errors) * _OUTWARD, dtype=np.float64)


def slack(enclosure: Enclosure) -> NDArray[np.float64]:
    """Return how far an honest program may be off the exact value; infinite where it may take another branch."""
    return np.where(enclosure.undecided, np.inf, enclosure.error)


def result(bench: Bench, call: Call) -> tuple[Floats, Floats]:
    """Return what the subject made of a call, and the bound of every element.

    Raises
    ------
    Violation
        If the result has another shape than the formula's.
    """
    shown, bound = bench.call(call), slack(bench.enclosure(call))
    if shown.shape != bound.shape:  # no condition that a check could count: it judges no number
        raise Violation(f"the result has shape {shown.shape}, expected {bound.shape}", quantity="result")
    return shown, bound
