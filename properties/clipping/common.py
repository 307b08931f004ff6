"""What claims about clipping share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from properties.cases import Call
from properties.subject import Floats

__all__ = ["rescaled", "threshold"]


def threshold(call: Call) -> float:
    """Return the value of a clipping rule's only hyperparameter."""
    (value,) = call.hyperparameters.values()
    return value


def rescaled(call: Call, grad: Callable[[Floats], Floats], factor: float = 1.0) -> Call:
    """Return the call with another gradient and another threshold."""
    return Call(
        tuple(np.asarray(grad(array)) for array in call.arrays),
        {name: factor * value for name, value in call.hyperparameters.items()},
    )
