"""Rounded levels: no honest program of a schedule leaves its bound, in any format of its scalars."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from oracle.arithmetic.formats import FLOAT32, FLOAT64, Format, Precision, precision_models
from oracle.bound import bound
from oracle.catalogue import get
from oracle.schedules.cosine import cycle_of

Program = Callable[..., Any]

# Every program takes the type of its scalars, in which all of its arithmetic is done; pi and constants too.


def line(f, low, high, weight):
    return low + (high - low) * weight


def mix(f, low, high, weight):
    return low * (f(1) - weight) + high * weight


def from_above(f, low, high, weight):
    return high - (high - low) * (f(1) - weight)


def ratio(f, low, high, weight):
    alpha = low / high
    return high * ((f(1) - alpha) * weight + alpha)


BLENDS = (line, mix, from_above, ratio)


def triangular(f, t, init_value, peak_value, half_cycle_steps, blend, form):
    s = f(half_cycle_steps)
    if form == "floor":
        cycle = np.floor(f(1) + f(t) / (f(2) * s))
        weight = f(1) - abs(f(t) / s - f(2) * cycle + f(1))
    elif form == "turns":
        x = f(1) + f(t) / (f(2) * s) - np.floor(f(1) + f(t) / (f(2) * s))
        weight = x / f(0.5) if x <= 0.5 else (x - f(1)) / (f(0.5) - f(1))
    elif form == "reciprocal":
        rest = t % (2 * half_cycle_steps)
        weight = f(min(rest, 2 * half_cycle_steps - rest)) * (f(1) / s)
    else:
        rest = t % (2 * half_cycle_steps)
        weight = f(min(rest, 2 * half_cycle_steps - rest)) / s
    return blend(f, f(init_value), f(peak_value), weight)


def wave(f, part, form):
    if form == "square":
        return np.cos(part * f(math.pi) / f(2)) ** 2
    if form == "sine":
        return f(1) - np.sin(part * f(math.pi) / f(2)) ** 2
    return f(0.5) * (f(1) + np.cos(f(math.pi) * part))


def restarts(f, t, peak_value, end_value, cycle_steps, cycle_growth, blend, form):
    _, start, length = cycle_of(t, cycle_steps, cycle_growth)
    part = f(t - start) / f(length)
    if form == "turns":
        part = f(t) / f(length) - f(start) / f(length)
    elif form == "angle":
        return blend(f, f(end_value), f(peak_value), (f(1) + np.cos(f(t - start) * (f(math.pi) / f(length)))) / f(2))
    return blend(f, f(end_value), f(peak_value), wave(f, part, form))


def tenth(f, t, peak_value, decay_steps, blend, form):
    part = (
        f(min(t, decay_steps)) * (f(1) / f(decay_steps))
        if form == "reciprocal"
        else f(min(t, decay_steps) / decay_steps)
    )
    return blend(f, f(0.1) * f(peak_value), f(peak_value), wave(f, part, form))


def linear(f, t, peak_value, end_value, warmup_steps, decay_steps, blend, form):
    if t <= warmup_steps:
        return (
            f(peak_value) / f(warmup_steps) * f(t) if form == "reciprocal" else f(peak_value) * f(t) / f(warmup_steps)
        )
    rest = max(f(0), f(1) - f(t - warmup_steps) / f(decay_steps))
    if form == "fraction":
        rest = max(f(0), f(warmup_steps + decay_steps - t) / f(decay_steps))
    return blend(f, f(end_value), f(peak_value), rest)


def classic(f, t, peak_value, end_value, warmup_steps, blend, form):
    if t <= warmup_steps:
        weight = f(t) / f(warmup_steps)
    elif form == "power":
        weight = f(warmup_steps) ** f(0.5) * f(t) ** f(-0.5)
    elif form == "roots":
        weight = np.sqrt(f(warmup_steps)) / np.sqrt(f(t))
    else:
        weight = np.sqrt(f(warmup_steps) / f(t))
    return blend(f, f(end_value), f(peak_value), weight)


def transformer(f, t, model_width, warmup_steps, blend, form):
    if t == 0:
        return f(0)
    d, w, t = f(model_width), f(warmup_steps), f(t)
    if form == "power":
        return d ** f(-0.5) * min(t ** f(-0.5), t * w ** f(-1.5))
    if form == "roots":
        return min(f(1) / np.sqrt(t), t / (w * np.sqrt(w))) / np.sqrt(d)
    return f(1) / np.sqrt(d * w) * min(np.sqrt(w / t), t / w)


FORMS: Mapping[str, tuple[Program, tuple[str, ...]]] = {
    "schedule_triangular": (triangular, ("floor", "turns", "reciprocal", "rest")),
    "schedule_cosine_restarts": (restarts, ("printed", "square", "sine", "turns", "angle")),
    "schedule_cosine_to_10pct": (tenth, ("printed", "square", "sine", "reciprocal")),
    "schedule_linear_decay_warmup": (linear, ("printed", "reciprocal", "fraction")),
    "schedule_classic_warmup": (classic, ("printed", "power", "roots")),
    "schedule_transformer": (transformer, ("power", "roots", "peak")),
}


def drawn(rng: np.random.Generator, formula: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for name in get(formula).hyperparameters:
        if name in get(formula).lengths:
            values[name] = (
                int(rng.choice([1, 2, 3, 7, 10, 97, 1000])) if name != "cycle_growth" else int(rng.integers(1, 4))
            )
        elif name == "model_width":
            values[name] = float(rng.choice([512.0, 4.0, 100.0, rng.uniform(1, 1e4)]))
        else:
            values[name] = float(rng.choice([0.1, 1.0, 3e-4, rng.uniform(), 10.0 ** rng.uniform(-8, 3)]))
    if "end_value" in values and rng.random() < 0.3:
        values["end_value"] = 0.0
    return values


def stored(rate: float, form: Format) -> float:
    return float(form.round(np.array(rate)))


def worst(formula: str, precision: Precision, rng: np.random.Generator, count: int) -> float:
    program, forms = FORMS[formula]
    kind = np.float64 if precision.scalars is FLOAT64 else np.float32
    reached = 0.0
    for _ in range(count):
        values = drawn(rng, formula)
        horizon = 4 * sum(int(values[name]) for name in get(formula).lengths) + 5
        steps = np.unique(rng.integers(0, horizon, 12)).astype(float)
        enclosure = bound(get(formula), steps, precision=precision, **values)
        for form in forms:
            for blend in BLENDS:
                with np.errstate(all="ignore"):
                    rates = [float(program(kind, int(t), **values, blend=blend, form=form)) for t in steps]
                observed = np.array([stored(rate, precision.storage) for rate in rates])
                ratios = enclosure.ratio(observed)
                assert ratios.max() <= 1, f"{formula} {form} {blend.__name__} {values} {steps[ratios.argmax()]}"
                reached = max(reached, float(ratios.max()))
    return reached


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("formula", FORMS)
def test_no_honest_schedule_leaves_the_bound_and_some_use_a_twentieth_of_it(formula, dtype, draws):
    rng = np.random.default_rng(len(formula) + len(dtype))

    for precision in precision_models(dtype):
        assert worst(formula, precision, rng, draws(12, 200)) >= 0.05


@pytest.mark.parametrize("kind", [FLOAT64, FLOAT32], ids=lambda form: form.name)
def test_a_wave_reached_step_by_step_stays_in_the_bound_of_that_program(kind, draws):
    f = np.float64 if kind is FLOAT64 else np.float32
    formula, rng = get("schedule_cosine_to_10pct"), np.random.default_rng(7)
    reading = formula.programs["recursive"]
    precision, reached = Precision(kind, kind, kind), 0.0
    for _ in range(draws(8, 200)):
        length, peak = int(rng.choice([1, 2, 7, 50, 400])), float(rng.choice([0.1, 1.0, rng.uniform(), 3e-4]))
        rate, low, rates = f(peak), f(0.1) * f(peak), [float(f(peak))]
        for t in range(1, length + 1):
            here, before = (f(1) + np.cos(f(math.pi) * f(k) / f(length)) for k in (t, t - 1))
            rate = here / before * (rate - low) + low
            rates.append(float(rate))
        steps = np.arange(length + 1.0)
        ratios = bound(reading, steps, precision=precision, peak_value=peak, decay_steps=length).ratio(np.array(rates))
        reached = max(reached, float(ratios.max()))
        assert ratios.max() <= 1, f"{length} {peak}"

    assert reached > 0.01


@pytest.mark.parametrize("kind", [FLOAT64, FLOAT32], ids=lambda form: form.name)
def test_a_line_reached_step_by_step_stays_in_the_bound_of_that_program(kind, draws):
    f = np.float64 if kind is FLOAT64 else np.float32
    formula, rng = get("schedule_linear_decay_warmup"), np.random.default_rng(8)
    reading = formula.programs["recursive"]
    precision, reached = Precision(kind, kind, kind), 0.0
    for _ in range(draws(8, 200)):
        length, peak = int(rng.choice([1, 2, 7, 50, 400])), float(rng.choice([0.1, 1.0, rng.uniform(), 3e-4]))
        end = peak * float(rng.choice([0.0, 0.1, 0.5, rng.uniform(), 2.0]))
        factor, rate, rates = f(end) / f(peak), f(peak), [float(f(peak))]
        for t in range(1, length + 1):
            rate = rate * (f(1) + (factor - f(1)) / (f(length) + f(t - 1) * (factor - f(1))))
            rates.append(float(rate))
        steps = np.arange(1.0, length + 2)
        values = {"peak_value": peak, "end_value": end, "warmup_steps": 1, "decay_steps": length}
        ratios = bound(reading, steps, precision=precision, **values).ratio(np.array(rates))
        reached = max(reached, float(ratios.max()))
        assert ratios.max() <= 1, f"{length} {peak} {end}"

    assert reached > 0.01


def test_a_level_past_the_range_has_no_bound():
    values = {"init_value": 0.0, "peak_value": 1e308, "half_cycle_steps": 10}
    enclosure = bound(get("schedule_triangular"), np.array([3.0]), precision=precision_models("float64")[0], **values)

    assert not enclosure.bounded.any()
