"""What claims about clipping share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from properties.cases import Call
from properties.claims import Bench, Violation
from properties.margins import slack
from properties.subject import Floats

__all__ = ["rescaled", "result", "threshold"]


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


def result(bench: Bench, call: Call) -> tuple[Floats, Floats]:
    """Return what the subject made of a call, and the bound of every element.

    Raises
    ------
    Violation
        If the result has another shape than the gradient.
    """
    shown, (grad,) = bench.call(call), call.arrays
    if shown.shape != grad.shape:  # no condition that a check could count: it judges no number
        raise Violation(f"the result has shape {shown.shape}, the gradient {grad.shape}", quantity="result")
    return shown, slack(bench.enclosure(call))
