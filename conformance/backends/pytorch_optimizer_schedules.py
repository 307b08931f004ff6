"""pytorch_optimizer's schedulers that compute a document's schedule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.backends import Expectation, Implementation
from conformance.backends.concerns import goes_beyond, until_the_end
from conformance.backends.torch_schedules import DTYPES, EVERY_STEP, SchedulerFactory
from conformance.records import FOLLOWS

__all__ = ["schedules"]

SEEN = "4.1.0"


def _linear(optimizer: Any, h: Any) -> Any:
    from pytorch_optimizer import LinearScheduler

    steps = h.warmup_steps + h.decay_steps
    scheduler = LinearScheduler(optimizer, steps, h.peak_value, h.end_value, warmup_steps=h.warmup_steps)
    scheduler.step()  # it goes before the updates, also before the first
    return scheduler


def _cosine(optimizer: Any, h: Any) -> Any:
    from pytorch_optimizer import CosineScheduler

    scheduler = CosineScheduler(optimizer, h.decay_steps, h.peak_value, 0.1 * h.peak_value)
    scheduler.step()  # it goes before the updates, also before the first
    return scheduler


def _restarts(optimizer: Any, h: Any) -> Any:
    from pytorch_optimizer import CosineAnnealingWarmupRestarts

    levels = {"max_lr": h.peak_value, "min_lr": h.end_value}
    return CosineAnnealingWarmupRestarts(optimizer, h.cycle_steps, h.cycle_growth, **levels, gamma=1.0)


def _restarts_at_0(optimizer: Any, h: Any) -> Any:
    scheduler = _restarts(optimizer, h)
    scheduler.step(0)  # which sets the rate of the first update, as nothing before does
    return scheduler


def _stable(optimizer: Any, h: Any) -> Any:
    from pytorch_optimizer import get_wsd_schedule

    return get_wsd_schedule(optimizer, 0, 0, h.decay_steps, min_lr_ratio=0.1, cooldown_type="cosine")


def _beyond(reason: str, evidence: str, *properties: str) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(name, DTYPES, reason, evidence, SEEN, where=goes_beyond, without=until_the_end)
        for name in properties
    )


FALLS_ON = _beyond(
    "After its last step the rate goes on falling along the same line, below 0; the schedule rests.",
    "By hand: LinearScheduler(optimizer, t_max=2, max_lr=1.0) gives 1, 0.5, 0, -0.5, -1; "
    "reports/findings/pytorch_optimizer_beyond_the_end.py",
    *(FOLLOWS, "levels_at_turns", "stays_between_levels", "rises_and_falls"),
)
RISES_AGAIN = _beyond(
    "After its last step the rate rises again along the same wave; the schedule rests.",
    "By hand: CosineScheduler(optimizer, t_max=2, max_lr=1.0) gives 1, 0.5, 0, 0.5, 1; "
    "reports/findings/pytorch_optimizer_beyond_the_end.py",
    *(FOLLOWS, "levels_at_turns", "rises_and_falls"),
)
STARTS_LOW = tuple(
    Expectation(
        name,
        DTYPES,
        "The first update has the lowest rate, also without a warmup, where the cycle starts at the highest: the "
        "constructor sets it after it took the first step.",
        "By hand: CosineAnnealingWarmupRestarts(optimizer, 4, max_lr=1.0, min_lr=0.0) gives 0, 0.854, 0.5, 0.146, and 0.9 "
        "at the restart; torch's CosineAnnealingWarmRestarts starts with 1; reports/findings/pytorch_optimizer_first_rate.py",
        SEEN,
    )
    for name in (FOLLOWS, "levels_at_turns", "rises_and_falls", "steepest_step", "repeats_its_cycle")
)


def schedules() -> Iterator[Implementation]:
    """Yield each scheduler; those that are torch's also saved and loaded."""
    for formula, name, factory, expected in (
        (
            *("schedule_linear_decay_warmup", "LinearScheduler"),
            SchedulerFactory(_linear, "peak_value", ("warmup_steps", "decay_steps")),
            FALLS_ON,
        ),
        (
            *("schedule_cosine_to_10pct", "CosineScheduler"),
            SchedulerFactory(_cosine, "peak_value", ("decay_steps",)),
            RISES_AGAIN,
        ),
        (
            *("schedule_cosine_restarts", "CosineAnnealingWarmupRestarts"),
            SchedulerFactory(_restarts, "peak_value", ("cycle_steps", "cycle_growth")),
            STARTS_LOW,
        ),
        (
            *("schedule_cosine_restarts", "CosineAnnealingWarmupRestarts:step(0)"),
            SchedulerFactory(_restarts_at_0, "peak_value", ("cycle_steps", "cycle_growth")),
            (),
        ),
        (
            *("schedule_cosine_to_10pct", "get_wsd_schedule"),
            SchedulerFactory(_stable, "peak_value", ("decay_steps",)),
            (),
        ),
    ):
        plain = Implementation(formula, f"pytorch_optimizer.{name}", factory, DTYPES, expected=expected)
        yield plain
        if not name.endswith("Scheduler"):  # which have no state to save
            yield replace(plain, label=f"{plain.label}:reloaded", factory=replace(factory, reloads=EVERY_STEP))
