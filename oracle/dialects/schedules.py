"""Schedules as programs write them: the formulas, counted and shaped otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from oracle.arithmetic.levels import cosine, inverse_root, level
from oracle.arithmetic.primitives import namespace
from oracle.dialects.family import Family, Variation
from oracle.formula import NoState, Scalar
from oracle.schedules.constant import schedule_constant
from oracle.schedules.cosine import cycle_of, schedule_cosine_restarts, schedule_cosine_to_10pct
from oracle.schedules.plateau import schedule_reduce_on_plateau
from oracle.schedules.triangular import schedule_triangular
from oracle.schedules.warmup import schedule_classic_warmup, schedule_linear_decay_warmup, schedule_transformer

__all__ = ["SCHEDULES", "ScheduleAxes"]

Rates = Callable[..., Any]


@dataclass(frozen=True)
class ScheduleAxes:
    """A place on the axes of the family: a curve, and the step that is counted as the first."""

    curve: Rates
    shift: int = 0


def schedule_dialect(step: int, *, axes: ScheduleAxes, **hyperparameters: Scalar) -> Scalar:
    """Return the rate as at one place on the axes."""
    return axes.curve(max(step + axes.shift, 0), **hyperparameters)


# -- The constant ----------------------------------------------------------------------------------------------------


def _zero_first(step: int, *, init_value: Scalar) -> Scalar:
    return init_value if step else 0 * init_value


def _halved(step: int, *, init_value: Scalar) -> Scalar:
    return init_value / 2


def _decreasing(step: int, *, init_value: Scalar) -> Scalar:
    return init_value / (1 + step)


# -- Warm-up ---------------------------------------------------------------------------------------------------------


def _without_floor(step: int, *, peak_value: Scalar, end_value: Scalar, warmup_steps: int) -> Scalar:
    return schedule_classic_warmup.body(step, peak_value=peak_value, end_value=0 * end_value, warmup_steps=warmup_steps)


def _without_rise(step: int, *, peak_value: Scalar, end_value: Scalar, warmup_steps: int) -> Scalar:
    return schedule_classic_warmup.body(
        max(step, warmup_steps), peak_value=peak_value, end_value=end_value, warmup_steps=warmup_steps
    )


def _inverse(step: int, *, peak_value: Scalar, end_value: Scalar, warmup_steps: int) -> Scalar:
    weight = Fraction(step, warmup_steps) if step <= warmup_steps else Fraction(warmup_steps, step)
    return level(end_value, peak_value, weight)


def _kept(step: int, *, peak_value: Scalar, end_value: Scalar, warmup_steps: int) -> Scalar:
    return level(end_value, peak_value, min(Fraction(step, warmup_steps), Fraction(1)))


def _decay_from_zero(
    step: int, *, peak_value: Scalar, end_value: Scalar, warmup_steps: int, decay_steps: int
) -> Scalar:
    if step <= warmup_steps:
        return level(0 * peak_value, peak_value, Fraction(step, warmup_steps))
    total = warmup_steps + decay_steps
    return level(end_value, peak_value, max(Fraction(0), Fraction(total - step, total)))


def _to_zero(step: int, *, end_value: Scalar, **values: Any) -> Scalar:
    return schedule_linear_decay_warmup.body(step, end_value=0 * end_value, **values)


def _falls_on(step: int, *, peak_value: Scalar, end_value: Scalar, warmup_steps: int, decay_steps: int) -> Scalar:
    if step <= warmup_steps:
        return level(0 * peak_value, peak_value, Fraction(step, warmup_steps))
    # To the end, and on from there: a program may count from either level, and round what the other one never sees.
    share, over = Fraction(step - warmup_steps, decay_steps), max(step - warmup_steps - decay_steps, 0)
    return level(peak_value, end_value, min(share, Fraction(1))) - (peak_value - end_value) * over / decay_steps


def _cosine_after_warmup(
    step: int, *, peak_value: Scalar, end_value: Scalar, warmup_steps: int, decay_steps: int
) -> Scalar:
    if step <= warmup_steps:
        return level(0 * peak_value, peak_value, Fraction(step, warmup_steps))
    wave = cosine(min(Fraction(step - warmup_steps, decay_steps), Fraction(1)), peak_value)
    return level(end_value, peak_value, (1 + wave) / 2)


def _steeper(step: int, *, model_width: Scalar, warmup_steps: int) -> Scalar:
    falling = inverse_root(model_width * max(step, 1))
    rising = step * inverse_root(model_width) / warmup_steps
    return namespace(falling).minimum(falling, rising)


def _without_warmup(step: int, *, model_width: Scalar, warmup_steps: int) -> Scalar:
    return inverse_root(model_width * step) if step else 0 * model_width


def _larger(step: int, *, model_width: Scalar, warmup_steps: int) -> Scalar:
    falling = inverse_root(model_width * max(step, 1))
    rising = step * inverse_root(model_width * warmup_steps) / warmup_steps
    return -namespace(falling).minimum(-falling, -rising)


def _width_not_rooted(step: int, *, model_width: Scalar, warmup_steps: int) -> Scalar:
    return schedule_transformer.body(step, model_width=model_width * model_width, warmup_steps=warmup_steps)


# -- Cycles ----------------------------------------------------------------------------------------------------------


def _whole_for_half(step: int, *, half_cycle_steps: int, **levels: Any) -> Scalar:
    return schedule_triangular.body(2 * step, half_cycle_steps=half_cycle_steps, **levels)


def _halving(step: int, *, init_value: Scalar, peak_value: Scalar, half_cycle_steps: int) -> Scalar:
    peak = init_value + (peak_value - init_value) / 2 ** (step // (2 * half_cycle_steps))
    return schedule_triangular.body(step, init_value=init_value, peak_value=peak, half_cycle_steps=half_cycle_steps)


def _sawtooth(step: int, *, init_value: Scalar, peak_value: Scalar, half_cycle_steps: int) -> Scalar:
    return level(init_value, peak_value, Fraction(step % (2 * half_cycle_steps), 2 * half_cycle_steps))


def _once(step: int, *, half_cycle_steps: int, **levels: Any) -> Scalar:
    return schedule_triangular.body(min(step, 2 * half_cycle_steps), half_cycle_steps=half_cycle_steps, **levels)


def _from_the_peak(step: int, *, half_cycle_steps: int, **levels: Any) -> Scalar:
    return schedule_triangular.body(step + half_cycle_steps, half_cycle_steps=half_cycle_steps, **levels)


# -- Cosine ----------------------------------------------------------------------------------------------------------


def _along(curve: Callable[[Fraction, Any], Any]) -> tuple[Rates, Rates]:
    """Return both cosine schedules with another curve from 1 at the start of a cycle to 0 at its end."""

    def restarts(step: int, *, peak_value: Scalar, end_value: Scalar, cycle_steps: int, cycle_growth: int) -> Scalar:
        _, start, length = cycle_of(step, cycle_steps, cycle_growth)
        return level(end_value, peak_value, curve(Fraction(step - start, length), peak_value))

    def to_10pct(step: int, *, peak_value: Scalar, decay_steps: int) -> Scalar:
        part = Fraction(min(step, decay_steps), decay_steps)
        return level(peak_value / 10, peak_value, curve(part, peak_value))

    return restarts, to_10pct


def _half_wave(part: Fraction, like: Any) -> Any:
    return (1 + cosine(part, like)) / 2


#: Half turns of 180 radians: 180 / pi, to more digits than any number here has.
_RADIAN = Fraction("57.29577951308232087679815481410517033240547")

_LINEAR = _along(lambda part, _: 1 - part)
_DEGREES = _along(lambda part, like: (1 + cosine(part * _RADIAN, like)) / 2)
_QUARTER = _along(lambda part, like: cosine(part / 2, like))


def _end_included(step: int, *, peak_value: Scalar, end_value: Scalar, cycle_steps: int, cycle_growth: int) -> Scalar:
    start, length = 0, cycle_steps
    while step > start + length:
        start, length = start + length + 1, length * cycle_growth
    return level(end_value, peak_value, _half_wave(Fraction(step - start, length), peak_value))


def _without_growth(step: int, *, cycle_growth: int, **values: Any) -> Scalar:
    return schedule_cosine_restarts.body(step, cycle_growth=1, **values)


def _without_restart(
    step: int, *, peak_value: Scalar, end_value: Scalar, cycle_steps: int, cycle_growth: int
) -> Scalar:
    return level(end_value, peak_value, _half_wave(Fraction(min(step, cycle_steps), cycle_steps), peak_value))


def _wave_to(tenths: int, part: Callable[[int, int], Fraction]) -> Rates:
    """Fall to some tenths of the peak, as far along the wave as ``part`` says."""

    def curve(step: int, *, peak_value: Scalar, decay_steps: int) -> Scalar:
        weight = _half_wave(part(step, decay_steps), peak_value)
        return level(peak_value * tenths / 10, peak_value, weight)

    return curve


def _held(step: int, length: int) -> Fraction:
    return Fraction(min(step, length), length)


# -- Plateaus --------------------------------------------------------------------------------------------------------


def _reaching(step: int, *, patience: int, **values: Any) -> Scalar:
    return schedule_reduce_on_plateau.body(step, patience=max(patience - 1, 0), **values)


def _impatient(step: int, *, improving_steps: int, patience: int, **values: Any) -> Scalar:
    return schedule_reduce_on_plateau.body(step, improving_steps=improving_steps + patience, patience=0, **values)


def _one_reduction(step: int, *, improving_steps: int, patience: int, **values: Any) -> Scalar:
    first = min(step, improving_steps + patience + 1)
    return schedule_reduce_on_plateau.body(first, improving_steps=improving_steps, patience=patience, **values)


def _unlimited(step: int, *, end_value: Scalar, **values: Any) -> Scalar:
    return schedule_reduce_on_plateau.body(step, end_value=0 * end_value, **values)


def _raised(step: int, *, end_value: Scalar, improving_steps: int, patience: int, **values: Any) -> Scalar:
    settings = {"end_value": 0 * end_value, "improving_steps": improving_steps, "patience": patience}
    rate = schedule_reduce_on_plateau.body(step, **settings, **values)
    return namespace(rate).maximum(rate, end_value) if step - improving_steps > patience else rate


WARMUP, LINEAR, TRANSFORMER = "schedule_classic_warmup", "schedule_linear_decay_warmup", "schedule_transformer"
TRIANGULAR, RESTARTS, TENTH = "schedule_triangular", "schedule_cosine_restarts", "schedule_cosine_to_10pct"
PLATEAU = "schedule_reduce_on_plateau"
CHANGING = (WARMUP, TRIANGULAR, RESTARTS, TENTH, LINEAR, TRANSFORMER, PLATEAU)


def _curve(description: str, curve: Rates, formula: str) -> Variation:
    return Variation(description, {"curve": curve}, only=(formula,))


SCHEDULES = Family(
    body=schedule_dialect,
    state_type=NoState,
    named={
        formula: ScheduleAxes(formula.body)
        for formula in (
            schedule_constant,
            schedule_classic_warmup,
            schedule_triangular,
            schedule_cosine_restarts,
            schedule_cosine_to_10pct,
            schedule_linear_decay_warmup,
            schedule_transformer,
            schedule_reduce_on_plateau,
        )
    },
    variations={
        "step_from_one": Variation("the first step is counted as step 1", {"shift": 1}, only=CHANGING),
        "step_late": Variation("every rate comes one step late", {"shift": -1}, only=CHANGING),
        "zero_first": _curve("the first rate is zero", _zero_first, "schedule_constant"),
        "halved": _curve("the rate is half as large", _halved, "schedule_constant"),
        "decreasing": _curve("the rate is divided by the number of the step", _decreasing, "schedule_constant"),
        "without_floor": _curve("the rate starts at zero and tends to it", _without_floor, WARMUP),
        "without_rise": _curve("the rate starts at its peak", _without_rise, WARMUP),
        "inverse": _curve("the rate falls with the inverse of the step, not with its root", _inverse, WARMUP),
        "kept": _curve("the rate stays at its peak", _kept, WARMUP),
        "decay_from_zero": _curve(
            "the decay counts the warm-up's steps, and jumps where it begins", _decay_from_zero, LINEAR
        ),
        "to_zero": _curve("the rate falls to zero", _to_zero, LINEAR),
        "falls_on": _curve("the rate goes on falling after the end", _falls_on, LINEAR),
        "cosine": _curve("the rate falls along a cosine", _cosine_after_warmup, LINEAR),
        "steeper": _curve("the rise divides by the warm-up without its root", _steeper, TRANSFORMER),
        "without_warmup": _curve("the rate falls from the first step on", _without_warmup, TRANSFORMER),
        "larger": _curve("the larger of both branches is taken", _larger, TRANSFORMER),
        "width_not_rooted": _curve("the width divides without its root", _width_not_rooted, TRANSFORMER),
        "whole_for_half": _curve("the length of half a cycle is that of a whole one", _whole_for_half, TRIANGULAR),
        "halving": _curve("each cycle is half as high as the one before", _halving, TRIANGULAR),
        "sawtooth": _curve("the rate rises during the whole cycle, and drops at its end", _sawtooth, TRIANGULAR),
        "once": _curve("only one cycle is made", _once, TRIANGULAR),
        "from_the_peak": _curve("the first cycle begins in its middle", _from_the_peak, TRIANGULAR),
        "end_included": _curve("each cycle has one more step, which takes its last level", _end_included, RESTARTS),
        "without_growth": _curve("all cycles have the length of the first", _without_growth, RESTARTS),
        "without_restart": _curve("the rate stays at its end instead of a restart", _without_restart, RESTARTS),
        "linear": _curve("the rate falls linearly", _LINEAR[0], RESTARTS),
        "degrees": _curve("the angle is taken in degrees where the cosine wants radians", _DEGREES[0], RESTARTS),
        "quarter_wave": _curve("the rate falls along a quarter of a wave", _QUARTER[0], RESTARTS),
        "by_10pct": _curve("the rate falls by 10 %, not to 10 %", _wave_to(9, _held), TENTH),
        "down_to_zero": _curve("the rate falls to zero", _wave_to(0, _held), TENTH),
        "rises_again": _curve("the rate rises again after the end", _wave_to(1, Fraction), TENTH),
        "restarts": _curve(
            "the rate starts again after the end",
            _wave_to(1, lambda step, length: Fraction(step % length, length)),
            TENTH,
        ),
        "straight": _curve("the rate falls linearly", _LINEAR[1], TENTH),
        "in_degrees": _curve("the angle is taken in degrees where the cosine wants radians", _DEGREES[1], TENTH),
        "reaching": _curve("the rate is reduced when the count reaches the patience", _reaching, PLATEAU),
        "impatient": _curve("after the first reduction every epoch reduces the rate", _impatient, PLATEAU),
        "one_reduction": _curve("the rate is reduced once", _one_reduction, PLATEAU),
        "unlimited": _curve("the rate falls below its floor", _unlimited, PLATEAU),
        "raised_to_its_floor": _curve("a rate that starts below its floor is raised to it", _raised, PLATEAU),
        "along_a_quarter_wave": _curve("the rate falls along a quarter of a wave", _QUARTER[1], TENTH),
    },
)
