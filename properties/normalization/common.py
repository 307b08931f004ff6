"""What claims about normalization share."""

from __future__ import annotations

from typing import Any

import numpy as np

from properties.cases import Call
from properties.claims import Bench

__all__ = ["SLIDES", "axis_of", "plain", "with_arrays"]

SLIDES = "lopesquintas2024updates, Couche Batch Normalization and Layer Normalization"


def axis_of(bench: Bench) -> int:
    """Return the axis along which a formula takes its means."""
    return -1 if bench.formula.id in ("layer_norm", "rms_norm") else 0


def with_arrays(call: Call, *arrays: Any, **hyperparameters: float) -> Call:
    """Return the call with other first arrays and other values of some hyperparameters."""
    replaced = tuple(np.asarray(array, dtype=np.float64) for array in arrays)
    return Call(replaced + call.arrays[len(replaced) :], {**call.hyperparameters, **hyperparameters})


def plain(call: Call) -> Call:
    """Return the call of a layer with gain 1 and shift 0."""
    x, *others = call.arrays
    constants = [np.full(array.shape, value) for array, value in zip(others, (1.0, 0.0), strict=False)]
    return with_arrays(call, x, *constants)
