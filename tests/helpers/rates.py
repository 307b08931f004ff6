"""Schedules in tests: levels and lengths that tell all of them apart, and rates at some steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from oracle.formula import Formula

__all__ = ["LENGTHS", "LEVELS", "STEPS", "rates", "settings"]

LEVELS = {"init_value": 0.125, "peak_value": 0.75, "end_value": 0.25, "model_width": 48.0, "factor": 0.5}
LENGTHS = {
    "warmup_steps": 3,
    "decay_steps": 5,
    "cycle_steps": 3,
    "cycle_growth": 2,
    "half_cycle_steps": 3,
    "improving_steps": 2,
    "patience": 2,
}
STEPS = range(16)


def settings(formula: Formula, number: Callable[[float], Any] = float) -> dict[str, Any]:
    """Levels as numbers of some system, and lengths as integers."""
    return {name: LENGTHS[name] if name in LENGTHS else number(LEVELS[name]) for name in formula.hyperparameters}


def rates(formula: Formula, number: Callable[[float], Any] = float, steps: Iterable[int] = STEPS) -> Any:
    """The rates at some steps as one array of the number system."""
    values = [formula(step, **settings(formula, number)) for step in steps]
    kind = type(number(1.0))
    if hasattr(kind, "wrap"):
        return kind.wrap(np.array([kind(value).elements.item() for value in values], dtype=object))
    return np.array(values, dtype=np.float64)
