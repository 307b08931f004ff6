"""Runs of schedules: levels, lengths, and every step of three cycles, or of the whole course and as much again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from properties.cases import Call
from properties.claims import Space
from properties.strategies.inputs import Inputs, keyword
from properties.strategies.numbers import few_digits

__all__ = ["PLATEAUS", "RUNS", "Run", "course", "ran", "runs"]

#: Runs of the quick profile by kind.
RUNS: Mapping[str, int] = {"short": 8, "thirds": 4, "long": 2, "ones": 1, "far": 1}
#: Those of the reduction on a plateau: one begins below its floor, and some are reduced by twelve factors of ten.
PLATEAUS: Mapping[str, int] = {"short": 8, "thirds": 3, "long": 1, "ones": 1, "far": 1, "raised": 1, "steep": 2}

#: Lengths by kind. Thirds and halves of a cycle are where the cosine is rational; the errors of a program that
#: reaches each rate from the one before show in far ones.
_LENGTHS: Mapping[str, tuple[int, ...]] = {
    "short": (4, 5, 2, 7, 3, 9, 10),
    "thirds": (6, 3, 12, 9),
    "long": (40, 33, 25, 50),
    "ones": (1,),
    "far": (400, 300),
    "raised": (2, 3),
    "steep": (2, 3),
}
_PEAKS = (0.5, 0.1, 0.3, 1.0, 0.05, 2.0)
#: Lower levels, in units of the peak.
_FLOORS = (0.1, 0.5, 0.25, 0.0)
_WIDTHS = (512.0, 4.0, 64.0, 100.0, 768.0)
_GROWTHS = (2, 1, 3)
_FACTORS = (0.5, 0.1, 0.75, 0.3)
_PATIENCES = (2, 1, 3, 0)
#: What reductions smaller than the least change of programs show in; bounds in float32 are a part of the peak.
_STEEPEST: Mapping[str, float] = {"peak_value": 1e-3, "end_value": 0.0, "factor": 0.1, "patience": 0}


@dataclass(frozen=True, eq=False)
class Run(Call):
    """One run of a schedule, from step 0 to beyond its course."""

    def settled(self, hyperparameters: Mapping[str, float]) -> Call:
        """Return the run with other hyperparameters, and with the steps that show what they do."""
        return Run((np.arange(float(course(hyperparameters))),), hyperparameters)


@st.composite
def runs(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw hyperparameters of a schedule, and all steps from 0 to beyond its course.

    Parameters
    ----------
    space : Space
        Formula and dtype.
    kind : str
        A key of `RUNS` or `PLATEAUS`.
    """
    peak = draw(st.sampled_from(_PEAKS))
    values: dict[str, float] = {}
    for name in space.formula.hyperparameters:
        match name:
            case "peak_value":
                values[name] = peak
            case "init_value" | "end_value":
                values[name] = few_digits(peak * draw(st.sampled_from(_FLOORS)))
            case "model_width":
                values[name] = draw(st.sampled_from(_WIDTHS))
            case "cycle_growth":
                values[name] = draw(st.sampled_from(_GROWTHS))
            case "factor":
                values[name] = draw(st.sampled_from(_FACTORS))
            case "patience":
                values[name] = draw(st.sampled_from(_PATIENCES))
            case _:
                values[name] = draw(st.sampled_from(_LENGTHS[kind]))
    if set(values) == {"init_value"}:
        values = {"init_value": peak}
    if kind == "raised":
        values["end_value"] = 2 * peak
    if kind == "steep":
        values.update(_STEEPEST)
    return Run((), {}).settled(values)


def course(values: Mapping[str, float]) -> int:
    """Return how many steps show all that a schedule with these hyperparameters does."""
    lengths = {name: int(value) for name, value in values.items()}
    if "patience" in lengths:
        return lengths["improving_steps"] + max(5 * (lengths["patience"] + 1), 12) + 2
    if "cycle_steps" in lengths:
        growth = lengths["cycle_growth"]
        return lengths["cycle_steps"] * (1 + growth + growth**2) + 2
    if "half_cycle_steps" in lengths:
        return 6 * lengths["half_cycle_steps"] + 2
    return 4 * lengths.get("warmup_steps", 2) + 2 * lengths.get("decay_steps", 0) + 4


def ran(
    counts: Mapping[str, int] | None = None, transform: Callable[[Call], Call] = lambda call: call
) -> Callable[[Space], Inputs]:
    """Return the inputs of a claim about runs of some kinds.

    Parameters
    ----------
    counts : mapping of str to int, optional
        Cases of the quick profile by kind of run; by default those of the differential claim.
    transform : callable
        Applied to each run drawn.
    """

    def inputs(space: Space) -> Inputs:
        plan = counts or (PLATEAUS if "patience" in space.formula.hyperparameters else RUNS)
        return {kind: (count, keyword("call", runs(space, kind).map(transform))) for kind, count in plan.items()}

    return inputs
