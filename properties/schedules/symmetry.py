"""Claims about what schedules repeat: scales, cycles, mirrored halves and sums."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from oracle.arithmetic.balls import BallArray, balls
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import slack, total
from properties.strategies.runs import ran
from properties.subject import Floats

__all__ = [
    "equal_factors",
    "inverse_root_fall",
    "mirrored_halves",
    "proportional_rise",
    "repeats_its_cycle",
    "scales_with_its_levels",
]

_SOURCE = "lopesquintas2026complements and lopesquintas2025llm, the slides on schedules"
_RUNS = {"short": 4, "thirds": 2, "long": 1}


def _shown(bench: Bench, call: Call) -> tuple[Floats, Floats]:
    return bench.call(call), slack(bench.enclosure(call))


def _without_growth(call: Call) -> Call:
    if "cycle_growth" not in call.hyperparameters:
        return call
    return replace(call, hyperparameters={**call.hyperparameters, "cycle_growth": 1})


def _length(values: Mapping[str, float], *names: str) -> int:
    return next(int(values[name]) for name in names if name in values)


def _floor(values: Mapping[str, float]) -> float:
    """Return the level from which a schedule rises; zero if it has no name."""
    return values.get("init_value", 0.0 if "decay_steps" in values else values.get("end_value", 0.0))


@claim(
    "scales_with_its_levels",
    kind="metamorphic",
    formulas=(
        "schedule_constant",
        "schedule_classic_warmup",
        "schedule_triangular",
        "schedule_cosine_restarts",
        "schedule_cosine_to_10pct",
        "schedule_linear_decay_warmup",
        "schedule_transformer",
    ),
    statement=r"\eta_t(4 \eta_{\min}, 4 \eta_{\max}) = 4\, \eta_t(\eta_{\min}, \eta_{\max})",
    source=_SOURCE,
    inputs=ran(_RUNS),
    catches=(
        "schedule_constant_plus_a_little",
        "schedule_classic_warmup_floor_scaled_twice",
        "schedule_triangular_fixed_floor",
        "schedule_cosine_restarts_fixed_floor",
        "schedule_cosine_to_10pct_fixed_floor",
        "schedule_linear_decay_warmup_fixed_start",
        "schedule_transformer_width_without_root",
    ),
    varies=("init_value", "peak_value", "end_value", "model_width"),
)
def scales_with_its_levels(bench: Bench, *, call: Call) -> None:
    """Four times the levels give four times the rates; four times the width of a model gives half of them."""
    lengths = bench.formula.lengths
    larger = {name: value if name in lengths else 4 * value for name, value in call.hyperparameters.items()}
    factor = 0.5 if "model_width" in larger else 4.0
    shown, error = _shown(bench, call)
    scaled, scaled_error = _shown(bench, replace(call, hyperparameters=larger))
    expected = Enclosure(balls(factor * shown), total(factor * error, scaled_error))
    bench.compare(scaled, expected, quantity="result", note=f"{factor:g} times the rates were expected")


@claim(
    "repeats_its_cycle",
    kind="metamorphic",
    formulas=("schedule_triangular", "schedule_cosine_restarts"),
    statement=r"\eta_{t + T} = \eta_t",
    source=_SOURCE,
    inputs=ran(_RUNS, _without_growth),
    catches=(
        "schedule_triangular_halves_each_cycle",
        "schedule_triangular_stops_after_a_cycle",
        "schedule_cosine_restarts_one_late_at_restart",
        "schedule_cosine_restarts_never_restarts",
    ),
    varies=("cycle_growth",),
)
def repeats_its_cycle(bench: Bench, *, call: Call) -> None:
    """Cycles of equal length are equal, step for step."""
    shown, error = _shown(bench, call)
    values = call.hyperparameters
    period = int(values["cycle_steps"]) if "cycle_steps" in values else 2 * int(values["half_cycle_steps"])
    expected = Enclosure(balls(shown[:-period]), total(error[:-period], error[period:]))
    bench.compare(shown[period:], expected, quantity="result", note="a cycle differs from the one before")


@claim(
    "mirrored_halves",
    kind="metamorphic",
    formulas=("schedule_triangular", "schedule_cosine_restarts", "schedule_cosine_to_10pct"),
    statement=r"\eta_{2s - t} = \eta_t; \quad \eta_{T - t} = \eta_{\min} + \eta_{\max} - \eta_t",
    source="smith2017cyclical and loshchilov2017sgdr: the symmetry of the triangle and of the cosine",
    inputs=ran(_RUNS),
    catches=(
        "schedule_triangular_sawtooth_shape",
        "schedule_cosine_restarts_degrees_taken",
        "schedule_cosine_restarts_quarter_of_a_wave",
        "schedule_cosine_to_10pct_degrees_taken",
        "schedule_cosine_to_10pct_by_a_tenth",
    ),
)
def mirrored_halves(bench: Bench, *, call: Call) -> None:
    """The second half of the first cycle is the first one's mirror image."""
    shown, error = _shown(bench, call)
    values = call.hyperparameters
    if "half_cycle_steps" in values:
        steps = np.arange(2 * int(values["half_cycle_steps"]) + 1)
        expected = Enclosure(balls(shown[steps]), total(error[steps], error[steps[::-1]]))
        bench.compare(shown[steps[::-1]], expected, quantity="result", note="the fall is not the rise mirrored")
        return
    length, peak = _length(values, "cycle_steps", "decay_steps"), balls(values["peak_value"])
    floor = balls(values["end_value"]) if "end_value" in values else peak / 10
    steps = np.arange(1, length)
    expected = Enclosure(peak + floor - balls(shown[steps]), total(error[steps], error[length - steps]))
    bench.compare(shown[length - steps], expected, quantity="result", note="the halves of the wave do not mirror")


@claim(
    "proportional_rise",
    kind="metamorphic",
    formulas=(
        "schedule_classic_warmup",
        "schedule_triangular",
        "schedule_linear_decay_warmup",
        "schedule_transformer",
    ),
    statement=r"2t \le \tau \implies \eta_{2t} - \eta_0 = 2 (\eta_t - \eta_0)",
    source=_SOURCE,
    inputs=ran(_RUNS),
    catches=(
        "schedule_classic_warmup_one_early",
        "schedule_triangular_one_early",
        "schedule_linear_decay_warmup_starts_at_a_third",
        "schedule_transformer_starts_at_one",
    ),
)
def proportional_rise(bench: Bench, *, call: Call) -> None:
    """During the rise, twice the steps take the rate twice as far."""
    shown, error = _shown(bench, call)
    values = call.hyperparameters
    once = np.arange(1, _length(values, "warmup_steps", "half_cycle_steps") // 2 + 1)
    expected = Enclosure(2 * balls(shown[once]) - _floor(values), total(2 * error[once], error[2 * once]))
    bench.compare(shown[2 * once], expected, quantity="result", note="the rise is not proportional to the step")


@claim(
    "inverse_root_fall",
    kind="metamorphic",
    formulas=("schedule_classic_warmup", "schedule_transformer"),
    statement=r"t \ge \tau \implies \eta_{4t} - \eta_{\min} = \tfrac{1}{2} (\eta_t - \eta_{\min})",
    source="vaswani2017attention, Section 5.3",
    inputs=ran(_RUNS),
    catches=("schedule_classic_warmup_falls_inversely", "schedule_transformer_falls_inversely"),
)
def inverse_root_fall(bench: Bench, *, call: Call) -> None:
    """After the warm-up, four times the steps halve the rate's distance from its floor."""
    shown, error = _shown(bench, call)
    values = call.hyperparameters
    once = np.arange(int(values["warmup_steps"]), math.ceil(shown.size / 4))
    floor = balls(_floor(values))
    expected = Enclosure((balls(shown[once]) + floor) / 2, total(error[once] / 2, error[4 * once]))
    bench.compare(shown[4 * once], expected, quantity="result", note="the rate does not fall with the inverse root")


@claim(
    "equal_factors",
    kind="metamorphic",
    formulas=("schedule_reduce_on_plateau",),
    statement=r"t \ge s \implies \eta_{t + P + 1} = \max(f\, \eta_t,\; \eta_{\min})",
    source="bourmaudnetworks, Evolution du pas d'apprentissage",
    inputs=ran(_RUNS),
    catches=(
        "schedule_reduce_on_plateau_factor_squared",
        "schedule_reduce_on_plateau_every_epoch",
        "schedule_reduce_on_plateau_below_its_floor",
    ),
)
def equal_factors(bench: Bench, *, call: Call) -> None:
    """Without improvement, the rate is multiplied by its factor each time the patience is over, down to its floor."""
    shown, error = _shown(bench, call)
    values = call.hyperparameters
    wait, start = int(values["patience"]) + 1, int(values["improving_steps"])
    floor = balls(min(values["end_value"], values["peak_value"]))
    expected = BallArray.namespace.maximum(balls(shown[start:-wait]) * balls(values["factor"]), floor)
    allowed = Enclosure(expected, total(error[start:-wait], error[start + wait :]))
    bench.compare(shown[start + wait :], allowed, quantity="result", note="the rate is not reduced by its factor")
