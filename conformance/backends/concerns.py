"""Inputs that known deviations of several libraries concern, and what those are without what brings them about.

Functions of a module each, so that an implementation can go to another process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from properties.cases import Call, Training

__all__ = [
    "copies",
    "finer_than_single",
    "goes_beyond",
    "loads",
    "uncopied",
    "unloaded",
    "until_the_end",
    "updates_with",
]


def updates_with(*names: str) -> Callable[[Training], bool]:
    """Ask whether a parameter takes an update in which one of these hyperparameters is not 0."""
    return partial(_updates_with, names)


def _updates_with(names: tuple[str, ...], training: Training) -> bool:
    return any(
        any(values[name] for name in names)
        for step, row in zip(training.steps, training.hyperparameters(), strict=True)
        for grad, values in zip(step.grads, row, strict=True)
        if grad is not None
    )


def finer_than_single(training: Training) -> bool:
    """Ask whether a hyperparameter is no number of float32."""
    values = {value for row in training.hyperparameters() for entry in row for value in entry.values()}
    return any(float(np.float32(value)) != value for value in values)


def copies(training: Training) -> bool:
    """Ask whether the optimizer is copied on the way."""
    return "copied" in training.demands


def uncopied(training: Training) -> Training:
    """Return the program without the copies."""
    return training.restricted(training.demands - {"copied"})


def loads(training: Training) -> bool:
    """Ask whether the optimizer loads a state on the way."""
    return bool(training.demands & {"resumed", "rewound"})


def unloaded(training: Training) -> Training:
    """Return the program without the states that are loaded."""
    return training.restricted(training.demands - {"resumed", "rewound"})


def _end(call: Call) -> float:
    """Return the last step of a decay, which may follow a warmup."""
    return call.hyperparameters.get("warmup_steps", 0.0) + call.hyperparameters["decay_steps"]


def goes_beyond(call: Call) -> bool:
    """Ask whether a schedule has steps after the end of the decay."""
    return bool(np.max(call.arrays[0], initial=0) > _end(call))


def until_the_end(call: Call) -> Call:
    """Return the run without the steps after the end of the decay."""
    (steps,) = call.arrays
    return replace(call, arrays=(steps[steps <= _end(call)],))
