"""Subjects that live in another interpreter, which has numpy and nothing that this project needs."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from properties.subject import Rejected


def clip(grad, clip_value):
    """Clip."""
    return np.clip(grad, -clip_value, clip_value)


def too_far(grad, clip_value):
    """Clip at a little more."""
    return clip(grad, clip_value * 1.001)


def says(grad, clip_value):
    """Clip, and talk."""
    print("clipping")
    return clip(grad, clip_value)


def raises(grad, clip_value):
    """Do not clip."""
    raise ZeroDivisionError("no\nwords")


def draws(grad, clip_value):
    """Clip up to a random number."""
    return clip(grad, clip_value) * (1 + np.random.random() * 1e-3)  # noqa: NPY002 - the state that subjects use


def text(grad, clip_value):
    """Return what is no number."""
    return "clipped"


def holds_on(grad, clip_value):
    """Say which process this is, and wait in C, so that no thread of Python ever runs again."""
    Path(os.environ["ABROAD"]).write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(10_000)


def kills(grad, clip_value):
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def segfaults(grad, clip_value):
    """Read what is nowhere."""
    ctypes.string_at(0)


def exits(grad, clip_value):
    """End the process."""
    os._exit(3)


def hoards(grad, clip_value):
    """Write to ever more memory."""
    hoard = []
    while True:
        hoard.append(np.ones(2**20))


class Memory:
    """What is saved of an optimizer, which only its own side can read."""

    def __init__(self, theta):
        self.theta = [value.copy() for value in theta]


class Descent:
    """Gradient descent, and what a training program may do with it."""

    def __init__(self, params, groups, dtype):
        self.theta = [np.array(param, dtype=dtype) for param in params]
        self.groups, self.dtype = list(groups), dtype
        self.rates = [group.hyperparameters["learning_rate"] for group in groups]

    def step(self, grads):
        for group, rate in zip(self.groups, self.rates, strict=True):
            for tensor in group.tensors:
                if grads[tensor] is not None:
                    self.theta[tensor] -= self.dtype(rate) * np.asarray(grads[tensor], self.dtype)

    def step_closure(self, closure):
        loss, grads = closure()
        self.step(grads)
        return loss

    def copied(self):
        copy = Descent(self.theta, self.groups, self.dtype)
        copy.rates = list(self.rates)
        return copy

    def saved(self):
        return Memory(self.theta)

    def rewound(self, saved):
        self.theta = [value.copy() for value in saved.theta]

    def params(self):
        return self.theta

    def state(self):
        return [{} for _ in self.theta]

    def set_hyperparameters(self, group, values):
        self.rates[group] = values["learning_rate"]


class Patient(Descent):
    """Descent that evaluates a closure again in the steps after it."""

    last = None

    def step(self, grads):
        super().step(grads if self.last is None else self.last()[1])

    def step_closure(self, closure):
        loss = super().step_closure(closure)
        self.last = closure
        return loss


class Factory:
    """Makes optimizers of a class."""

    offers = ("step_closure", "copied", "saved", "rewound")

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, params, groups, *, dtype, device):
        if any(group.hyperparameters["learning_rate"] > 10 for group in groups):
            raise Rejected("too fast")
        return self.kind(params, groups, np.dtype(dtype).type)


descent, patient = Factory(Descent), Factory(Patient)


class Clips:
    """Makes functions that clip, but no long gradients."""

    def __call__(self, *, dtype, device):
        return lambda grad, *, clip_value: too_far(grad, clip_value) if grad.size > 2 else clip(grad, clip_value)


_KNOWN = Expectation(
    *("follows_the_formula", ("float64",), "It is known.", "By hand.", "1"),
    where=lambda call: call.arrays[0].size > 2,
    without=lambda call: replace(call, arrays=(call.arrays[0].reshape(-1)[:2],)),
)
BACKEND = Backend(
    "abroad",
    "1",
    (Implementation("clip_by_value", "short ones", Clips(), ("float64",), expected=(_KNOWN,)),),
    lambda: {"climate": "mild"},
)
HELD = Backend(
    "held", "1", (Implementation("gd", "held", descent, ("float64",), kept={"momentum": 0.5}, missing_gradients=False),)
)


@dataclass(frozen=True)
class Mortal:
    """Makes functions of one array."""

    function: Callable[..., Any]

    def __call__(self, *, dtype, device):
        return self.function


MORTALS = Backend(
    "mortals",
    "1",
    tuple(
        Implementation("clip_by_value", function.__name__, Mortal(function), ("float64",))
        for function in (holds_on, kills, segfaults, exits, hoards)
    ),
)
