"""Other programs for the values of a schedule, accepted with bounds of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from oracle.arithmetic.levels import stepwise
from oracle.formula import Scalar

__all__ = ["recursive"]

Body = Callable[..., Any]


def recursive(body: Body) -> Body:
    """Reach each rate from the one before, by a factor: a rounding of any step stays until the end."""

    @functools.wraps(body)
    def evaluation(step: int, **hyperparameters: Scalar) -> Scalar:
        levels = [value for name, value in hyperparameters.items() if name.endswith("_value")]
        return stepwise(body(step, **hyperparameters), step, *levels)

    return evaluation
