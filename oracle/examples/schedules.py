"""The curves of the schedules that the documents draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oracle.exact import exact
from oracle.formula import Formula
from oracle.schedules.constant import schedule_constant
from oracle.schedules.cosine import schedule_cosine_restarts, schedule_cosine_to_10pct
from oracle.schedules.triangular import schedule_triangular
from oracle.schedules.warmup import schedule_classic_warmup, schedule_linear_decay_warmup, schedule_transformer

__all__ = ["DRAWN", "ScheduleCurve", "schedule_points"]


class ScheduleCurve(NamedTuple):
    """A schedule's rates at every step of a training."""

    steps: NDArray[np.int64]
    rates: NDArray[np.float64]


#: Each drawn curve: its schedule, and settings over a thousand steps with a highest rate of one.
DRAWN: Mapping[str, tuple[Formula, Mapping[str, Any]]] = {
    "constant": (schedule_constant, {"init_value": 1.0}),
    "warm-up": (schedule_classic_warmup, {"peak_value": 1.0, "end_value": 0.0, "warmup_steps": 100}),
    "warm-up with a floor": (schedule_classic_warmup, {"peak_value": 1.0, "end_value": 0.1, "warmup_steps": 100}),
    "triangular": (schedule_triangular, {"init_value": 0.1, "peak_value": 1.0, "half_cycle_steps": 100}),
    "cosine with restarts": (
        schedule_cosine_restarts,
        {"peak_value": 1.0, "end_value": 0.0, "cycle_steps": 143, "cycle_growth": 2},
    ),
    "cosine to 10 %": (schedule_cosine_to_10pct, {"peak_value": 1.0, "decay_steps": 1000}),
    "linear decay": (
        schedule_linear_decay_warmup,
        {"peak_value": 1.0, "end_value": 0.1, "warmup_steps": 100, "decay_steps": 900},
    ),
    "transformer": (schedule_transformer, {"model_width": 512.0, "warmup_steps": 4000}),
}


def schedule_points(name: str, steps: int = 1000, *, every: int = 1) -> ScheduleCurve:
    """Return a curve's rates from step 0 to a last one.

    Parameters
    ----------
    name : str
        A key of `DRAWN`.
    steps : int
        The last step.
    every : int
        Distance from one step to the next that is returned.

    Returns
    -------
    ScheduleCurve
        Every rate is the exact one, correctly rounded.

    Examples
    --------
    >>> schedule_points("triangular", 200, every=50).rates
    array([0.1 , 0.55, 1.  , 0.55, 0.1 ])
    """
    formula, values = DRAWN[name]
    counted = np.arange(0, steps + 1, every)
    rates = [float(exact(formula, int(step), **values)) for step in counted]
    return ScheduleCurve(counted, np.array(rates))
