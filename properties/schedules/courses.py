"""The course of each schedule: its levels, where it turns, and how steep it may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from oracle.arithmetic.balls import BallArray, balls
from properties.cases import Call

__all__ = ["Course", "Part", "course_of"]

Values = Mapping[str, float]


@dataclass(frozen=True)
class Part:
    """Steps between which a schedule only rises (1), only falls (-1) or rests (0)."""

    first: int
    last: int
    direction: int


@dataclass(frozen=True, eq=False)
class Course:
    """What is known of a schedule without its formula.

    Parameters
    ----------
    low, high : BallArray, shape ()
        Between which it stays, the lower one first.
    turns : mapping of int to BallArray
        Its rates at the steps where it starts, turns and ends.
    parts : tuple of Part
        Between its turns.
    steepest : BallArray, shape ()
        What its rate changes by at most from step to step, inside each part.
    """

    low: BallArray
    high: BallArray
    turns: Mapping[int, BallArray]
    parts: tuple[Part, ...]
    steepest: BallArray


def course_of(formula: str, call: Call) -> Course:
    """Return the course of a schedule over the steps of a run.

    Parameters
    ----------
    formula : str
        Id of a schedule.
    call : Call
        Its first array counts the steps from 0.
    """
    last = call.arrays[0].size - 1
    course = _COURSES[formula](call.hyperparameters, last)
    turns = {step: level for step, level in course.turns.items() if step <= last}
    parts = tuple(Part(part.first, min(part.last, last), part.direction) for part in course.parts if part.first < last)
    return Course(course.low, course.high, turns, parts, course.steepest)


def _direction(start: float, end: float) -> int:
    return (end > start) - (end < start)


def _constant(values: Values, last: int) -> Course:
    level = balls(values["init_value"])
    return Course(level, level, dict.fromkeys(range(last + 1), level), (Part(0, last, 0),), 0 * level)


def _between(
    one: BallArray, other: BallArray, turns: Mapping[int, BallArray], parts: Iterable[Part], run: int
) -> Course:
    """Return the course between two levels, of which the whole way takes at least ``run`` steps."""
    low, high = BallArray.namespace.minimum(one, other), BallArray.namespace.maximum(one, other)
    return Course(low, high, turns, tuple(parts), (high - low) / run)


def _classic_warmup(values: Values, last: int) -> Course:
    floor, peak, top = values["end_value"], values["peak_value"], int(values["warmup_steps"])
    up = _direction(floor, peak)
    parts = (Part(0, top, up), Part(top, max(last, top), -up))
    return _between(balls(floor), balls(peak), {0: balls(floor), top: balls(peak)}, parts, top)


def _transformer(values: Values, last: int) -> Course:
    top = int(values["warmup_steps"])
    peak = 1 / BallArray.namespace.sqrt(balls(values["model_width"]) * top)
    zero, parts = 0 * peak, (Part(0, top, 1), Part(top, max(last, top), -1))
    return _between(zero, peak, {0: zero, top: peak}, parts, top)


def _triangular(values: Values, last: int) -> Course:
    start, peak, half = values["init_value"], values["peak_value"], int(values["half_cycle_steps"])
    up, numbers = _direction(start, peak), range(last // half + 1)
    turns = {number * half: balls(peak if number % 2 else start) for number in numbers}
    parts = [Part(number * half, (number + 1) * half, -up if number % 2 else up) for number in numbers]
    return _between(balls(start), balls(peak), turns, parts, half)


def _cosine_restarts(values: Values, last: int) -> Course:
    peak, end, length = values["peak_value"], values["end_value"], int(values["cycle_steps"])
    turns, parts, start = {}, [], 0
    while start <= last:
        turns[start] = balls(peak)
        parts.append(Part(start, start + length - 1, _direction(peak, end)))
        start, length = start + length, length * int(values["cycle_growth"])
    return _wave(_between(balls(peak), balls(end), turns, parts, int(values["cycle_steps"])))


def _cosine_to_10pct(values: Values, last: int) -> Course:
    peak, bottom = balls(values["peak_value"]), int(values["decay_steps"])
    tenth, end = peak / 10, max(last, bottom)
    parts = (Part(0, bottom, -1), Part(bottom, end, 0))
    return _wave(_between(peak, tenth, {0: peak, bottom: tenth, end: tenth}, parts, bottom))


def _wave(course: Course) -> Course:
    """Allow the slope of half a wave in its middle, pi / 2 of a straight line's."""
    return replace(course, steepest=course.steepest * math.nextafter(math.pi / 2, 2.0))


def _linear_decay_warmup(values: Values, last: int) -> Course:
    peak, end = values["peak_value"], values["end_value"]
    top, decay = int(values["warmup_steps"]), int(values["decay_steps"])
    bottom = top + decay
    rest = max(last, bottom)
    turns = {0: balls(0.0), top: balls(peak), bottom: balls(end), rest: balls(end)}
    parts = (Part(0, top, 1), Part(top, bottom, _direction(peak, end)), Part(bottom, rest, 0))
    rise, fall = balls(peak) / top, abs(balls(peak) - end) / decay
    course = _between(balls(0.0), balls(max(peak, end)), turns, parts, 1)
    return replace(course, steepest=BallArray.namespace.maximum(rise, fall))


def _reduce_on_plateau(values: Values, last: int) -> Course:
    peak, end = values["peak_value"], values["end_value"]
    kept = int(values["improving_steps"]) + int(values["patience"])
    turns = dict.fromkeys(range(min(kept, last) + 1), balls(peak))
    parts = (Part(0, kept, 0), Part(kept, max(last, kept), -1))
    return _between(balls(peak), balls(min(peak, end)), turns, parts, 1)


_COURSES: Mapping[str, Callable[[Values, int], Course]] = {
    "schedule_constant": _constant,
    "schedule_classic_warmup": _classic_warmup,
    "schedule_triangular": _triangular,
    "schedule_cosine_restarts": _cosine_restarts,
    "schedule_cosine_to_10pct": _cosine_to_10pct,
    "schedule_linear_decay_warmup": _linear_decay_warmup,
    "schedule_transformer": _transformer,
    "schedule_reduce_on_plateau": _reduce_on_plateau,
}
