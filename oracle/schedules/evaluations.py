"""Other programs for the values of a schedule, with bounds of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from oracle.arithmetic.levels import stepwise
from oracle.formula import Evaluation, Scalar

__all__ = ["RECURSIVE"]

Body = Callable[..., Any]


def _recursive(body: Body) -> Body:
    """Reach each rate from the one before, by a factor."""

    @functools.wraps(body)
    def evaluation(step: int, **hyperparameters: Scalar) -> Scalar:
        levels = [value for name, value in hyperparameters.items() if name.endswith("_value")]
        return stepwise(body(step, **hyperparameters), step, *levels)

    return evaluation


RECURSIVE = Evaluation(
    _recursive, "each rate is reached from the one before by a factor, and a rounding of any step stays until the end"
)
