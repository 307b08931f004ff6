"""Faults of schedules."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from conformance.faults.programs import Arithmetic, Fault
from properties.subject import Floats, Schedule

__all__ = ["FAULTS", "Rates"]

Body = Callable[..., float]


@dataclass(frozen=True, eq=False)
class Rates:
    """A factory of schedules: a function of the step, computed in Python floats and rounded to the dtype."""

    body: Body

    def __call__(self, *, dtype: str, device: str) -> Schedule:
        """Return the schedule; there is only the CPU."""
        arithmetic = Arithmetic(dtype)

        def schedule(steps: Floats, **hyperparameters: float) -> Floats:
            rates = [self.body(int(step), **hyperparameters) for step in steps]
            return np.array(arithmetic.store(np.array(rates, dtype=np.float64)), dtype=np.float64)

        return schedule


def _warmup(t: int, peak_value: float, end_value: float, warmup_steps: int) -> float:
    weight = t / warmup_steps if t <= warmup_steps else math.sqrt(warmup_steps / t)
    return end_value + (peak_value - end_value) * weight


def _triangle(t: int, init_value: float, peak_value: float, half_cycle_steps: int) -> float:
    cycle = math.floor(1 + t / (2 * half_cycle_steps))
    x = abs(t / half_cycle_steps - 2 * cycle + 1)
    return init_value + (peak_value - init_value) * max(0.0, 1 - x)


def _position(t: int, cycle_steps: int, cycle_growth: int) -> tuple[int, int, int]:
    """Return the step inside its cycle, the cycle's length and its number."""
    number, length = 0, cycle_steps
    while t >= length:
        t, length, number = t - length, length * cycle_growth, number + 1
    return t, length, number


def _wave(part: float) -> float:
    return (1 + math.cos(math.pi * part)) / 2


def _restarts(t: int, peak_value: float, end_value: float, cycle_steps: int, cycle_growth: int) -> float:
    position, length, _ = _position(t, cycle_steps, cycle_growth)
    return end_value + (peak_value - end_value) * _wave(position / length)


def _tenth(t: int, peak_value: float, decay_steps: int) -> float:
    return 0.1 * peak_value + 0.9 * peak_value * _wave(min(t, decay_steps) / decay_steps)


def _linear(t: int, peak_value: float, end_value: float, warmup_steps: int, decay_steps: int) -> float:
    if t <= warmup_steps:
        return peak_value * t / warmup_steps
    return end_value + (peak_value - end_value) * max(0.0, 1 - (t - warmup_steps) / decay_steps)


def _transformer(t: int, model_width: float, warmup_steps: int) -> float:
    return float(model_width**-0.5 * min(t**-0.5, t * warmup_steps**-1.5)) if t else 0.0


def _along(curve: Callable[[float], float]) -> Body:
    """Fall along another curve in every cycle."""

    def body(t: int, peak_value: float, end_value: float, cycle_steps: int, cycle_growth: int) -> float:
        position, length, _ = _position(t, cycle_steps, cycle_growth)
        return end_value + (peak_value - end_value) * curve(position / length)

    return body


def _late_at_restart(t: int, peak_value: float, end_value: float, cycle_steps: int, cycle_growth: int) -> float:
    start, length = 0, cycle_steps
    while t > start + length:
        start, length = start + length, length * cycle_growth
    return end_value + (peak_value - end_value) * _wave((t - start) / length)


def _cycle_late(t: int, peak_value: float, end_value: float, cycle_steps: int, cycle_growth: int) -> float:
    return (
        end_value if t < cycle_steps else _restarts(t - cycle_steps, peak_value, end_value, cycle_steps, cycle_growth)
    )


def _tenth_along(curve: Callable[[float], float], lowest: float = 0.1) -> Body:
    def body(t: int, peak_value: float, decay_steps: int) -> float:
        return peak_value * (lowest + (1 - lowest) * curve(min(t, decay_steps) / decay_steps))

    return body


def _linear_body(fall: Callable[[int, int, int, float], float], rise: Callable[[float], float] | None = None) -> Body:
    """Decay by ``fall`` of the step, the warm-up, the decay and the ratio of the last level to the peak."""

    def body(t: int, peak_value: float, end_value: float, warmup_steps: int, decay_steps: int) -> float:
        if t <= warmup_steps:
            return peak_value * (rise(t / warmup_steps) if rise else t / warmup_steps)
        return peak_value * fall(t, warmup_steps, decay_steps, end_value / peak_value)

    return body


def _fault(id: str, formula: str, story: str, body: Body, source: str = "") -> Fault:
    return Fault(f"{formula}_{id}", formula, story, Rates(body), source)


_CONSTANT, _CLASSIC, _TRIANGULAR = "schedule_constant", "schedule_classic_warmup", "schedule_triangular"
_RESTARTS, _TENTH = "schedule_cosine_restarts", "schedule_cosine_to_10pct"
_LINEAR, _TRANSFORMER = "schedule_linear_decay_warmup", "schedule_transformer"

CONSTANT = (
    _fault(
        "divided",
        _CONSTANT,
        "The rate is divided by the number of the step.",
        lambda t, init_value: init_value / (1 + t),
    ),
    _fault("zero_at_first", _CONSTANT, "The first rate is zero.", lambda t, init_value: init_value if t else 0.0),
    _fault(
        "slowly_decays",
        _CONSTANT,
        "Every step takes a millionth off.",
        lambda t, init_value: init_value * (1 - 1e-6) ** t,
    ),
    _fault("plus_a_little", _CONSTANT, "A millionth is added.", lambda t, init_value: init_value + 1e-6),
)

CLASSIC = (
    _fault(
        "one_early",
        _CLASSIC,
        "Steps are counted from one.",
        lambda t, **h: _warmup(t + 1, **h),
        "tugstugi/pytorch-saltnet #7",
    ),
    _fault(
        "never_reaches_the_peak",
        _CLASSIC,
        "The warm-up divides by one step too many, and jumps at its end.",
        lambda t, peak_value, end_value, warmup_steps: (
            end_value + (peak_value - end_value) * t / (warmup_steps + 1)
            if t <= warmup_steps
            else _warmup(t, peak_value, end_value, warmup_steps)
        ),
    ),
    _fault(
        "overshoots",
        _CLASSIC,
        "The warm-up goes on for one step after its end.",
        lambda t, peak_value, end_value, warmup_steps: (
            end_value + (peak_value - end_value) * t / warmup_steps
            if t <= warmup_steps + 1
            else _warmup(t, peak_value, end_value, warmup_steps)
        ),
    ),
    _fault(
        "floor_scaled_twice",
        _CLASSIC,
        "The floor is multiplied by the peak.",
        lambda t, peak_value, end_value, warmup_steps: _warmup(t, peak_value, end_value * peak_value, warmup_steps),
    ),
    _fault(
        "falls_inversely",
        _CLASSIC,
        "The rate falls with the inverse of the step.",
        lambda t, peak_value, end_value, warmup_steps: (
            end_value + (peak_value - end_value) * min(t / warmup_steps, warmup_steps / max(t, 1))
        ),
    ),
    _fault(
        "jumps",
        _CLASSIC,
        "What follows the warm-up is the inverse root of the step itself, which does not begin at the peak.",
        lambda t, peak_value, end_value, warmup_steps: (
            end_value + (peak_value - end_value) * (t / warmup_steps if t <= warmup_steps else 0.5 / math.sqrt(t))
        ),
    ),
)

TRIANGULAR = (
    _fault("one_early", _TRIANGULAR, "Steps are counted from one.", lambda t, **h: _triangle(t + 1, **h)),
    _fault(
        "integer_division",
        _TRIANGULAR,
        "The step is divided by the length as integers.",
        lambda t, init_value, peak_value, half_cycle_steps: (
            init_value
            + (peak_value - init_value)
            * (1 - abs(t // half_cycle_steps - 2 * (1 + t // (2 * half_cycle_steps)) + 1))
            * (t % half_cycle_steps > 0)
        ),
    ),
    _fault(
        "overshoots",
        _TRIANGULAR,
        "The amplitude is the peak, not its distance from the floor.",
        lambda t, init_value, peak_value, half_cycle_steps: (
            init_value + _triangle(t, 0.0, peak_value, half_cycle_steps)
        ),
    ),
    _fault(
        "starts_at_the_peak",
        _TRIANGULAR,
        "The cycle falls first.",
        lambda t, init_value, peak_value, half_cycle_steps: _triangle(t, peak_value, init_value, half_cycle_steps),
    ),
    _fault(
        "whole_cycle_for_half",
        _TRIANGULAR,
        "The length of half a cycle is taken for that of a whole one.",
        lambda t, **h: _triangle(2 * t, **h),
    ),
    _fault(
        "fixed_floor",
        _TRIANGULAR,
        "A thousandth is the lowest rate, whatever the level.",
        lambda t, **h: max(_triangle(t, **h), 1e-3) if h["init_value"] else _triangle(t, **h) + 1e-3,
    ),
    _fault(
        "halves_each_cycle",
        _TRIANGULAR,
        "Each cycle is half as high as the one before.",
        lambda t, init_value, peak_value, half_cycle_steps: (
            init_value
            + (_triangle(t, init_value, peak_value, half_cycle_steps) - init_value) / 2 ** (t // (2 * half_cycle_steps))
        ),
        "CyclicLR mode triangular2",
    ),
    _fault(
        "stops_after_a_cycle",
        _TRIANGULAR,
        "Only one cycle is made.",
        lambda t, init_value, peak_value, half_cycle_steps: _triangle(
            min(t, 2 * half_cycle_steps), init_value, peak_value, half_cycle_steps
        ),
    ),
    _fault(
        "sawtooth_shape",
        _TRIANGULAR,
        "The rate rises during the whole cycle, and drops at its end.",
        lambda t, init_value, peak_value, half_cycle_steps: (
            init_value + (peak_value - init_value) * (t % (2 * half_cycle_steps)) / (2 * half_cycle_steps)
        ),
    ),
)

RESTARTS = (
    _fault(
        "one_late_at_restart",
        _RESTARTS,
        "The restart comes one step late.",
        _late_at_restart,
        "pytorch/pytorch #23480",
    ),
    _fault("one_cycle_late", _RESTARTS, "The first cycle rests at the last level.", _cycle_late),
    _fault(
        "full_amplitude",
        _RESTARTS,
        "The half before the wave is missing.",
        lambda t, **h: 2 * _restarts(t, **h) - h["end_value"],
    ),
    _fault(
        "fixed_floor",
        _RESTARTS,
        "A hundredth of a rate of one is added.",
        lambda t, **h: _restarts(t, **h) + 0.01,
    ),
    _fault(
        "never_restarts",
        _RESTARTS,
        "The rate stays where the first cycle ends.",
        lambda t, peak_value, end_value, cycle_steps, cycle_growth: (
            end_value + (peak_value - end_value) * _wave(min(t, cycle_steps) / cycle_steps)
        ),
    ),
    _fault(
        "degrees_taken",
        _RESTARTS,
        "The cosine of radians is given degrees.",
        _along(lambda part: (1 + math.cos(180 * part)) / 2),
    ),
    _fault(
        "quarter_of_a_wave",
        _RESTARTS,
        "The rate falls along a quarter of a wave.",
        _along(lambda part: math.cos(math.pi * part / 2)),
    ),
    _fault(
        "growth_ignored",
        _RESTARTS,
        "All cycles have the length of the first.",
        lambda t, cycle_growth, **h: _restarts(t, cycle_growth=1, **h),
    ),
)

TENTH = (
    _fault(
        "by_a_tenth",
        _TENTH,
        "The rate falls by 10 %, not to 10 %.",
        _tenth_along(_wave, 0.9),
        "the wording of the document",
    ),
    _fault("to_nothing", _TENTH, "The rate falls to zero.", _tenth_along(_wave, 0.0)),
    _fault(
        "degrees_taken",
        _TENTH,
        "The cosine of radians is given degrees.",
        _tenth_along(lambda part: (1 + math.cos(180 * part)) / 2),
    ),
    _fault(
        "rises_after_the_end",
        _TENTH,
        "The wave goes on after the end.",
        lambda t, peak_value, decay_steps: peak_value * (0.1 + 0.9 * _wave(t / decay_steps)),
        "torch.optim.lr_scheduler.CosineAnnealingLR",
    ),
    _fault(
        "fixed_floor",
        _TENTH,
        "The last level is a hundredth, whatever the peak.",
        lambda t, peak_value, decay_steps: 0.01 + (peak_value - 0.01) * _wave(min(t, decay_steps) / decay_steps),
    ),
    _fault(
        "epochs_for_steps",
        _TENTH,
        "Every fourth step counts.",
        lambda t, **h: _tenth(t // 4, **h),
    ),
)

LINEAR = (
    _fault(
        "wrong_end",
        _LINEAR,
        "The last level is half of what it should be.",
        lambda t, end_value, **h: _linear(t, end_value=end_value / 2, **h),
    ),
    _fault(
        "starts_at_a_third",
        _LINEAR,
        "The warm-up starts at a third of the peak.",
        _linear_body(lambda t, w, d, end: end + (1 - end) * max(0.0, 1 - (t - w) / d), lambda part: (1 + 2 * part) / 3),
        "torch.optim.lr_scheduler.LinearLR",
    ),
    _fault(
        "rises_after_the_end",
        _LINEAR,
        "The distance from the end grows again after it.",
        _linear_body(lambda t, w, d, end: end + (1 - end) * abs(1 - (t - w) / d)),
    ),
    _fault(
        "below_the_end",
        _LINEAR,
        "The rate goes on falling after the end.",
        _linear_body(lambda t, w, d, end: end + (1 - end) * (1 - (t - w) / d)),
    ),
    _fault(
        "jumps",
        _LINEAR,
        "The decay counts the steps of the warm-up, and jumps where it begins.",
        _linear_body(lambda t, w, d, end: end + (1 - end) * max(0.0, 1 - t / (w + d))),
        "facebookresearch/fairchem PR #1967",
    ),
    _fault(
        "fixed_start",
        _LINEAR,
        "The warm-up starts at a millionth.",
        lambda t, **h: _linear(t, **h) if t else 1e-6,
    ),
)

TRANSFORMER = (
    _fault(
        "starts_at_one",
        _TRANSFORMER,
        "Steps are counted from one.",
        lambda t, **h: _transformer(t + 1, **h),
        "tugstugi/pytorch-saltnet #7",
    ),
    _fault(
        "epochs_for_steps",
        _TRANSFORMER,
        "The warm-up is counted in epochs of ten steps, the step is not.",
        lambda t, model_width, warmup_steps: (
            float(model_width**-0.5 * min(t**-0.5, t * (warmup_steps / 10) ** -1.5)) if t else 0.0
        ),
        "the wording of the document",
    ),
    _fault(
        "maximum_taken",
        _TRANSFORMER,
        "The larger of both branches is taken.",
        lambda t, model_width, warmup_steps: (
            float(model_width**-0.5 * max(t**-0.5, t * warmup_steps**-1.5)) if t else 0.0
        ),
    ),
    _fault(
        "width_without_root",
        _TRANSFORMER,
        "The width divides without its root.",
        lambda t, model_width, warmup_steps: _transformer(t, model_width * model_width, warmup_steps),
    ),
    _fault(
        "falls_inversely",
        _TRANSFORMER,
        "The rate falls with the inverse of the step.",
        lambda t, model_width, warmup_steps: (
            model_width**-0.5 * warmup_steps**-0.5 * min(t / warmup_steps, warmup_steps / max(t, 1))
        ),
    ),
    _fault(
        "multiplied_by_a_rate",
        _TRANSFORMER,
        "A rate of one thousandth multiplies it.",
        lambda t, **h: 1e-3 * _transformer(t, **h),
        "espnet/espnet PR #2088",
    ),
)

FAULTS = CONSTANT + CLASSIC + TRIANGULAR + RESTARTS + TENTH + LINEAR + TRANSFORMER
