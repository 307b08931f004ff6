"""Faults of the reduction on a plateau."""

from __future__ import annotations

from conformance.faults.programs import Fault
from conformance.faults.schedules import Body, Rates

__all__ = ["FAULTS"]

_PLATEAU = "schedule_reduce_on_plateau"


def _reduced(t: int, peak_value: float, end_value: float, factor: float, improving_steps: int, patience: int) -> float:
    rate = peak_value
    for _ in range(max(0, t - improving_steps) // (patience + 1)):
        rate = min(rate, max(rate * factor, end_value))
    return rate


def _recovering(t: int, improving_steps: int, patience: int, **h: float) -> float:
    waited = max(0, t - improving_steps) % (patience + 1)
    rate = _reduced(t, improving_steps=improving_steps, patience=patience, **h)
    return rate if waited == 0 else h["peak_value"]


def _fault(id: str, story: str, body: Body, source: str = "") -> Fault:
    return Fault(f"{_PLATEAU}_{id}", _PLATEAU, story, Rates(body), source)


FAULTS = (
    _fault(
        "one_early",
        "The rate is reduced when the count reaches the patience.",
        lambda t, patience, **h: _reduced(t, patience=max(patience - 1, 0), **h),
        "keras.callbacks.ReduceLROnPlateau",
    ),
    _fault(
        "counts_improvements",
        "Every epoch counts, whether it improves or not.",
        lambda t, improving_steps, **h: _reduced(t, improving_steps=0, **h),
    ),
    _fault(
        "below_its_floor",
        "The floor is looked at before the reduction, and passed by it.",
        lambda t, end_value, factor, **h: (
            rate * factor if (rate := _reduced(t, end_value=end_value, factor=factor, **h)) == end_value else rate
        ),
    ),
    _fault("recovers", "One epoch after a reduction the rate is what it was at first.", _recovering),
    _fault(
        "factor_squared",
        "Both the scheduler and the training loop multiply by the factor.",
        lambda t, factor, **h: _reduced(t, factor=factor * factor, **h),
        "pytorch/pytorch #20486",
    ),
    _fault(
        "every_epoch",
        "The count is not set back after a reduction.",
        lambda t, improving_steps, patience, **h: _reduced(
            t, improving_steps=improving_steps + patience, patience=0, **h
        ),
    ),
)
