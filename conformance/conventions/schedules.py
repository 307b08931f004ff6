"""What one schedule computes, convention by convention."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from conformance.backends import Implementation
from conformance.conventions.answers import Answers, computed
from conformance.conventions.defaults import defaults
from conformance.conventions.models import NOT_DECLARED
from conformance.conventions.records import Cell, Measured, undecided
from conformance.session import Session
from properties.cases import Call
from properties.subject import Floats

__all__ = ["SETTINGS", "schedule"]

#: Levels and lengths that a reader sees through: short binary fractions.
SETTINGS: Mapping[str, float] = {
    "init_value": 0.25,
    "peak_value": 1.0,
    "end_value": 0.125,
    "warmup_steps": 4,
    "decay_steps": 8,
    "half_cycle_steps": 4,
    "cycle_steps": 4,
    "cycle_growth": 2,
    "model_width": 4.0,
    "factor": 0.5,
    "improving_steps": 3,
    "patience": 2,
}
#: What the levels are multiplied by for another run, whose numbers have no pattern.
_UNEVEN = 0.7
#: How many times its lengths a schedule is watched for, all of them added up.
_WATCHED = 3


def schedule(session: Session, implementation: Implementation, device: str) -> Measured:
    """Measure a schedule."""
    answers = Answers(session, implementation, device)
    names = answers.formula.hyperparameters
    unknown = [name for name in names if name not in SETTINGS]
    if unknown:
        return Measured("", names, {"computes": undecided(f"there is no value to try for {', '.join(unknown)}")})
    values = {name: SETTINGS[name] for name in names} | dict(implementation.fixed)
    plain = _call(values)
    _, cells = computed(answers, [plain, _call(_uneven(answers, values))])
    shown = answers.to(plain, answers.dtypes[0]) if answers.dtypes else NOT_DECLARED
    cells["inputs"] = Cell(", ".join(f"{name}={value:g}" for name, value in values.items()))
    if isinstance(shown, str):
        cells["first rate"] = undecided(shown)
    else:
        cells |= {"first rate": Cell(f"{shown[0]:g}"), **_warmup(shown, values), **_end(shown, values)}
    return Measured("", names, cells | {"defaults": defaults(implementation, names)})


def _call(values: Mapping[str, float]) -> Call:
    lengths = sum(int(value) for name, value in values.items() if name.endswith("steps"))
    return Call((np.arange(_WATCHED * max(lengths, 4) + 1, dtype=np.float64),), values)


def _uneven(answers: Answers, values: Mapping[str, float]) -> dict[str, float]:
    """Multiply what is a level: lengths stay, as do the values that a backend holds."""
    kept = {*answers.formula.lengths, *answers.implementation.fixed}
    return {name: value if name in kept else value * _UNEVEN for name, value in values.items()}


def _warmup(shown: Floats, values: Mapping[str, float]) -> dict[str, Cell]:
    """Say from where the rate rises, if it has a warm-up: the first update has the rate of step 0."""
    if "warmup_steps" not in values:
        return {}
    steps, peak = int(values["warmup_steps"]), float(np.max(shown))
    count = int(np.argmax(shown))
    first = (
        "0" if shown[0] == 0 else "1/n of the peak" if shown[0] == peak / steps else f"{shown[0] / peak:g} of the peak"
    )
    updates = "n updates" if count == steps else f"n{count - steps:+d} updates"
    return {"warm-up": Cell(f"from {first}, to the peak after {updates}")}


def _end(shown: Floats, values: Mapping[str, float]) -> dict[str, Cell]:
    """Say what the rate is when the decay is over, if it has an end, and afterwards."""
    if "decay_steps" not in values:
        return {}
    end = int(values["decay_steps"] + values.get("warmup_steps", 0))
    last, after = shown[end], shown[end + 1 :]
    goes = "rises again" if after[0] > last else "goes on falling" if after[0] < last else "changes later"
    going = Cell("stays") if np.all(after == last) else Cell(f"{goes}: {after[0]:g}, {after[1]:g}, ...")
    return {"last rate": Cell(f"{last:g}"), "after the end": going}
