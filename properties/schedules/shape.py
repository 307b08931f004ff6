"""Claims about the shape of schedules: where they turn, and what they do between the turns."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import BallArray, balls, working_precision
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, slack, total
from properties.schedules.courses import course_of
from properties.strategies.runs import ran
from properties.subject import Floats

__all__ = ["levels_at_turns", "rises_and_falls", "stays_between_levels", "steepest_step"]

_SOURCE = "lopesquintas2026complements and lopesquintas2025llm, the slides on schedules"
_RUNS = {"short": 5, "thirds": 2, "long": 1, "ones": 1}
_MOVING = (
    "schedule_classic_warmup",
    "schedule_triangular",
    "schedule_cosine_restarts",
    "schedule_cosine_to_10pct",
    "schedule_linear_decay_warmup",
    "schedule_transformer",
)
_ALL = ("schedule_constant", *_MOVING, "schedule_reduce_on_plateau")


def _shown(bench: Bench, call: Call) -> tuple[Floats, Floats]:
    """Return the rates that the subject gives, and the bound of each."""
    return bench.call(call), slack(bench.enclosure(call))


def _clipped(values: Floats, low: BallArray, high: BallArray) -> BallArray:
    """Return what lies nearest to each value in an interval."""
    xp = BallArray.namespace
    clipped: BallArray = xp.maximum(low, xp.minimum(high, balls(values)))
    return clipped


@claim(
    "levels_at_turns",
    kind="invariant",
    formulas=_ALL,
    statement=r"\eta_0 = \eta_{\mathrm{start}},\ \eta_\tau = \eta_{\max},\ \eta_T = \eta_{\mathrm{end}}",
    source=_SOURCE,
    inputs=ran(_RUNS),
    catches=(
        "schedule_constant_divided",
        "schedule_constant_zero_at_first",
        "schedule_classic_warmup_one_early",
        "schedule_classic_warmup_never_reaches_the_peak",
        "schedule_triangular_one_early",
        "schedule_triangular_integer_division",
        "schedule_cosine_restarts_one_late_at_restart",
        "schedule_cosine_restarts_one_cycle_late",
        "schedule_cosine_to_10pct_by_a_tenth",
        "schedule_cosine_to_10pct_degrees_taken",
        "schedule_linear_decay_warmup_wrong_end",
        "schedule_linear_decay_warmup_starts_at_a_third",
        "schedule_transformer_starts_at_one",
        "schedule_reduce_on_plateau_one_early",
        "schedule_reduce_on_plateau_counts_improvements",
    ),
)
def levels_at_turns(bench: Bench, *, call: Call) -> None:
    """The rate has the levels it is given, at its start, at each turn and at its end."""
    shown, error = _shown(bench, call)
    with working_precision(PRECISION_BITS):
        turns = course_of(bench.formula.id, call).turns
        steps = list(turns)
        levels = BallArray.wrap(np.array([turns[step].elements.item() for step in steps], dtype=object))
    expected = Enclosure(levels, error[steps])
    bench.compare(shown[steps], expected, quantity="result", note=f"the turns are steps {steps[:6]}")


@claim(
    "stays_between_levels",
    kind="invariant",
    formulas=_ALL,
    statement=r"\eta_{\min} \le \eta_t \le \eta_{\max}",
    source=_SOURCE,
    inputs=ran(_RUNS),
    catches=(
        "schedule_constant_divided",
        "schedule_classic_warmup_overshoots",
        "schedule_triangular_overshoots",
        "schedule_cosine_restarts_full_amplitude",
        "schedule_cosine_to_10pct_to_nothing",
        "schedule_linear_decay_warmup_below_the_end",
        "schedule_transformer_epochs_for_steps",
        "schedule_transformer_maximum_taken",
        "schedule_reduce_on_plateau_below_its_floor",
    ),
)
def stays_between_levels(bench: Bench, *, call: Call) -> None:
    """The rate leaves the interval between its lowest and its highest level at no step."""
    shown, error = _shown(bench, call)
    with working_precision(PRECISION_BITS):
        course = course_of(bench.formula.id, call)
        allowed = Enclosure(_clipped(shown, course.low, course.high), error)
    bench.compare(shown, allowed, quantity="result", note="the rate leaves its levels")


@claim(
    "rises_and_falls",
    kind="invariant",
    formulas=_ALL,
    statement=r"t < \tau \implies \eta_t \le \eta_{t+1}, \quad t \ge \tau \implies \eta_t \ge \eta_{t+1}",
    source=_SOURCE,
    inputs=ran(_RUNS),
    catches=(
        "schedule_constant_slowly_decays",
        "schedule_classic_warmup_one_early",
        "schedule_triangular_starts_at_the_peak",
        "schedule_cosine_restarts_one_late_at_restart",
        "schedule_cosine_to_10pct_rises_after_the_end",
        "schedule_linear_decay_warmup_rises_after_the_end",
        "schedule_linear_decay_warmup_below_the_end",
        "schedule_transformer_maximum_taken",
        "schedule_reduce_on_plateau_recovers",
    ),
)
def rises_and_falls(bench: Bench, *, call: Call) -> None:
    """Between two turns the rate only rises, only falls, or rests."""
    shown, error = _shown(bench, call)
    parts = course_of(bench.formula.id, call).parts
    steps = np.concatenate([np.arange(part.first, part.last) for part in parts] or [np.arange(0)])
    directions = np.concatenate([np.full(part.last - part.first, part.direction) for part in parts] or [np.arange(0)])
    change = shown[steps + 1] - shown[steps]
    wrong = np.where(directions == 0, change, np.where(change * directions < 0, change, 0.0))
    allowed = Enclosure(balls(np.zeros(wrong.shape)), total(error[steps + 1], error[steps]))
    bench.compare(wrong, allowed, quantity="result", note="the rate goes the wrong way from a step to the next")


@claim(
    "steepest_step",
    kind="invariant",
    formulas=_MOVING,
    statement=r"\lvert \eta_{t+1} - \eta_t \rvert \le L \text{ between two turns}",
    source=_SOURCE,
    inputs=ran(_RUNS),
    catches=(
        "schedule_classic_warmup_jumps",
        "schedule_triangular_whole_cycle_for_half",
        "schedule_cosine_restarts_one_late_at_restart",
        "schedule_cosine_to_10pct_degrees_taken",
        "schedule_linear_decay_warmup_jumps",
        "schedule_transformer_epochs_for_steps",
    ),
)
def steepest_step(bench: Bench, *, call: Call) -> None:
    """Between two turns the rate changes no faster than its steepest slope: it never jumps."""
    shown, error = _shown(bench, call)
    with working_precision(PRECISION_BITS):
        course = course_of(bench.formula.id, call)
        steps = np.concatenate([np.arange(part.first, part.last) for part in course.parts] or [np.arange(0)])
        change = shown[steps + 1] - shown[steps]
        error = total(error[steps + 1], error[steps], np.spacing(np.abs(change)))
        allowed = Enclosure(_clipped(change, -course.steepest, course.steepest), error)
    bench.compare(change, allowed, quantity="result", note="the rate jumps from a step to the next")
