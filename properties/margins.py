"""Margins of comparisons: made of derived bounds alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oracle.bound import Enclosure

__all__ = ["PRECISION_BITS", "slack", "total"]

#: Of closed forms: wide enough that their own rounding is far below any bound.
PRECISION_BITS = 256

# Sums of a few non-negative float64 numbers round by less than this.
_OUTWARD = 1.0 + 2.0**-48


def total(*errors: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Add bounds up, rounded outward."""
    return np.asarray(sum(errors) * _OUTWARD, dtype=np.float64)


def slack(enclosure: Enclosure) -> NDArray[np.float64]:
    """Return how far an honest program may be off the exact value; infinite where it may take another branch."""
    branching = [alternative.error >= 0 for alternative in enclosure.alternatives]
    return np.where(np.any(branching, axis=0), np.inf, enclosure.error) if branching else enclosure.error
