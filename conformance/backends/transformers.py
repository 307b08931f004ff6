"""Transformers: the learning-rate schedules that its trainer finds by name.

Not judged, as they are no formulas of the catalogue: ``cosine`` (half a wave down to zero, after a rise),
``cosine_warmup_with_min_lr`` (counts its steps from one: without a rise it never shows the rate that it is given),
polynomial decay with another power than 1, the forms of ``warmup_stable_decay`` that rest at the peak, ``greedy`` (follows
a metric both ways), `Adafactor` and its schedule. A rise before the falls of the others is judged where the catalogue has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.concerns import goes_beyond, until_the_end
from conformance.backends.torch_schedules import DTYPES, EVERY_STEP, SchedulerFactory, Watched
from conformance.records import FOLLOWS
from properties.cases import Call

__all__ = ["backend"]

#: Cycles of the restarts that are judged: an eighth is a float, so that eight of them lose nothing, and 49 times the
#: float next to 1/49 is less than 1.
_CYCLES, _ROUNDED_CYCLES = 8, 49


@dataclass(frozen=True, eq=False)
class _Named:
    """Attaches the scheduler of a name, with arguments that are made of the hyperparameters."""

    name: str
    arguments: Callable[[Any], Mapping[str, Any]]

    def __call__(self, optimizer: Any, h: Any) -> Any:
        """Ask for it as the trainer does."""
        from transformers.optimization import get_scheduler

        own = dict(self.arguments(h))
        common = {name: own.pop(name, None) for name in ("num_warmup_steps", "num_training_steps")}
        return get_scheduler(self.name, optimizer, **common, scheduler_specific_kwargs=own)


# -- Arguments: functions of a module each, so that an implementation can go to another process ----------------------


def _none(h: Any) -> dict[str, Any]:  # noqa: ARG001 - the optimizer has the rate
    return {}


def _rise(h: Any) -> dict[str, Any]:
    return {"num_warmup_steps": h.warmup_steps}


def _rise_and_fall(h: Any) -> dict[str, Any]:
    return {**_rise(h), "num_training_steps": h.warmup_steps + h.decay_steps}


def _polynomial(h: Any) -> dict[str, Any]:
    return {**_rise_and_fall(h), "lr_end": h.end_value}


def _stable(h: Any) -> dict[str, Any]:
    return {**_rise_and_fall(h), "num_decay_steps": h.decay_steps, "decay_type": "linear"}


def _fall(h: Any) -> dict[str, Any]:
    return {"num_warmup_steps": 0, "num_training_steps": h.decay_steps}


def _stable_wave(h: Any) -> dict[str, Any]:
    return {**_fall(h), "num_decay_steps": h.decay_steps, "decay_type": "cosine", "min_lr_ratio": 0.1}


def _wave(h: Any) -> dict[str, Any]:
    return {**_fall(h), "min_lr": 0.1 * h.peak_value}


def _wave_by_its_rate(h: Any) -> dict[str, Any]:
    return {**_fall(h), "min_lr_rate": 0.1}


def _restarts(h: Any, *, cycles: int) -> dict[str, Any]:
    return {"num_warmup_steps": 0, "num_training_steps": cycles * h.cycle_steps, "num_cycles": cycles}


def _plateau(optimizer: Any, h: Any) -> Any:
    settings = {"factor": h.factor, "patience": h.patience, "min_lr": h.end_value, "threshold": 0.0, "eps": 0.0}
    attach = _Named("reduce_lr_on_plateau", lambda _: {**settings, "threshold_mode": "abs"})
    return Watched(attach(optimizer, h), h.improving_steps)


# -- What is known ---------------------------------------------------------------------------------------------------


def _last(call: Call) -> float:
    return float(np.max(call.arrays[0], initial=0))


def _restarts_once(call: Call) -> bool:
    return _last(call) >= call.hyperparameters["cycle_steps"]


RISES_AGAIN = Expectation(
    property=FOLLOWS,
    dtypes=DTYPES,
    reason="cosine_with_min_lr rises again after num_training_steps, along the same wave; the schedule rests there, as "
    "linear, polynomial and warmup_stable_decay do.",
    evidence="reports/findings/transformers_rises_again.py",
    versions="5.23.0",
    where=goes_beyond,
    without=until_the_end,
)
RESTART_MISSED = Expectation(
    property=FOLLOWS,
    dtypes=DTYPES,
    reason="cosine_with_restarts multiplies a rounded quotient and takes the remainder: where 49 * (1 / 49) is less than "
    "1, the rate is nearly zero in the step of the restart, and starts in the next one.",
    evidence="reports/findings/transformers_missed_restart.py",
    versions="5.23.0",
    where=_restarts_once,
)


def _each(known: Expectation, *properties: str) -> tuple[Expectation, ...]:
    return tuple(replace(known, property=name) for name in (FOLLOWS, *properties))


_BEYOND = _each(RISES_AGAIN, "levels_at_turns", "rises_and_falls")
_MISSED = _each(RESTART_MISSED, "levels_at_turns", "rises_and_falls", "steepest_step")


@dataclass(frozen=True)
class _Judged:
    """A schedule of Transformers and the formula that it computes."""

    formula: str
    name: str
    attach: Callable[[Any, Any], Any]
    lengths: tuple[str, ...] = ()
    variant: str = ""
    level: str = "peak_value"
    fixed: Mapping[str, float] = field(default_factory=dict)
    expected: tuple[Expectation, ...] = ()


def _schedules() -> Iterator[_Judged]:
    both, zero = ("warmup_steps", "decay_steps"), {"end_value": 0.0}
    cycles = {**zero, "cycle_growth": 1.0}
    ramp, wave, waves = "schedule_linear_decay_warmup", "schedule_cosine_to_10pct", "schedule_cosine_restarts"

    def named(formula: str, name: str, arguments: Callable[[Any], Any], *lengths: str, **others: Any) -> _Judged:
        return _Judged(formula, name, _Named(name, arguments), lengths, **others)

    yield named("schedule_constant", "constant", _none, level="init_value")
    yield named(ramp, "constant_with_warmup", _rise, *both, fixed={"peak_value": 0.1, "end_value": 0.1})
    yield named(ramp, "linear", _rise_and_fall, *both, fixed=zero)
    yield named(ramp, "polynomial", _polynomial, *both)
    yield named(ramp, "warmup_stable_decay", _stable, *both, fixed=zero)
    yield named("schedule_classic_warmup", "inverse_sqrt", _rise, "warmup_steps", fixed=zero)
    yield named(wave, "warmup_stable_decay", _stable_wave, "decay_steps", variant=":cosine")
    yield named(wave, "cosine_with_min_lr", _wave, "decay_steps", expected=_BEYOND)
    yield named(wave, "cosine_with_min_lr", _wave_by_its_rate, "decay_steps", variant=":min_lr_rate", expected=_BEYOND)
    for number, expected in ((_CYCLES, ()), (_ROUNDED_CYCLES, _MISSED)):
        arguments, variant = partial(_restarts, cycles=number), f":{number}_cycles"
        name = "cosine_with_restarts"
        yield named(waves, name, arguments, "cycle_steps", variant=variant, fixed=cycles, expected=expected)
    lengths = ("improving_steps", "patience")
    yield _Judged("schedule_reduce_on_plateau", "reduce_lr_on_plateau", _plateau, lengths)


def _implementations() -> Iterator[Implementation]:
    """Yield two implementations for each schedule: run through, and saved and loaded before every step."""
    for each in _schedules():
        label = f"transformers.get_scheduler:{each.name}{each.variant}"
        factory = SchedulerFactory(each.attach, each.level, each.lengths)
        plain = Implementation(each.formula, label, factory, DTYPES, fixed=each.fixed, expected=each.expected)
        yield plain
        yield replace(plain, label=f"{label}:reloaded", factory=replace(factory, reloads=EVERY_STEP))


def backend() -> Backend:
    """Describe the installed Transformers.

    Returns
    -------
    Backend
        Schedules, each run through and saved and loaded.
    """
    import transformers

    return Backend("transformers", transformers.__version__, tuple(_implementations()))
