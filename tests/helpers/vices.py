"""Subjects with one vice each: what a judge must survive, and call by its name."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.backends import Backend, Implementation

__all__ = ["BACKEND", "HONEST", "LETHAL", "MILD", "SURVIVABLE", "Factory", "honest"]

#: What subjects have done in this process.
CALLS: list[str] = []


def honest(grad, clip_value):
    """Clip."""
    return np.clip(grad, -clip_value, clip_value)


def first(vice: Callable[[Any], object]) -> Callable[..., Any]:
    """An honest function that indulges in its vice before."""

    def clip(grad, clip_value):
        vice(grad)
        return honest(grad, clip_value)

    return clip


def afterwards(vice: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that indulges in its vice on the honest result."""
    return lambda grad, clip_value: vice(honest(grad, clip_value))


def hoards(grad):
    """Write to ever more memory."""
    hoard = []
    while True:
        hoard.append(np.ones(2**20))


def sleeps(grad):
    """Wait for what does not come."""
    while True:
        time.sleep(0.01)


def holds_the_interpreter(grad):
    """Wait in C, so that no other thread of Python ever runs again."""
    ctypes.PyDLL(None).sleep(10_000)


def keeps_state(grad):
    """Be honest the first three times."""
    CALLS.append("a call")
    if CALLS.count("a call") > 3:
        grad += 1


def loses_patience(grad, clip_value):
    """Be wrong on all 45 cases and once more, and end the process when smaller ones are tried."""
    CALLS.append("once more")
    if CALLS.count("once more") > 46:
        os.abort()
    return grad + 1


def takes_signals(grad):
    """Take the interrupt and the request to end for something else."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)


def leaves_a_thread(grad):
    """Leave a thread that ends with no process."""
    if "a thread" not in CALLS:
        CALLS.append("a thread")
        threading.Thread(target=threading.Event().wait).start()


def seeds(grad):
    """Start the random numbers of all anew."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the state that subjects use


def writes_from_c(grad):
    """Write around Python's standard output."""
    if "from C" not in CALLS:
        CALLS.append("from C")
        os.write(1, b"from C to output\n")
        os.write(2, b"from C to errors\n")


def closes_everything(grad):
    """Close the standard output, in Python and in C."""
    sys.stdout.close()
    with suppress(OSError):
        os.close(1)


def raises(error: BaseException) -> Callable[[Any], object]:
    """Raise."""

    def vice(grad):
        raise error.with_traceback(None)  # which would grow with each time that it is raised

    return vice


#: Vices that end the process or never end: the judge can only survive them in another.
LETHAL: dict[str, Callable[..., Any]] = {
    "reads address 0": first(lambda grad: ctypes.string_at(0)),
    "aborts": first(lambda grad: os.abort()),
    "exits at once": first(lambda grad: os._exit(0)),
    "exits at once with 3": first(lambda grad: os._exit(3)),
    "kills itself": first(lambda grad: os.kill(os.getpid(), signal.SIGKILL)),
    "aborts while its mistake is made small": loses_patience,
    "interrupts": first(raises(KeyboardInterrupt())),
    "sleeps": first(sleeps),
    "holds the interpreter": first(holds_the_interpreter),
    "hoards": first(hoards),
    "leaves a thread": first(leaves_a_thread),
    "writes from C": first(writes_from_c),
    "closes everything": first(closes_everything),
}

#: Vices that a guarded process survives.
MILD: dict[str, Callable[..., Any]] = {
    "raises": first(raises(ValueError("no"))),
    "exits": first(lambda grad: sys.exit(0)),
    "leaves a generator": first(raises(GeneratorExit())),
    "has no memory": first(raises(MemoryError())),
    "prints": first(lambda grad: print("clipping")),
    "closes stdout": first(lambda grad: sys.stdout.close()),
    "writes to its input": first(lambda grad: np.add(grad, 1.0, out=grad)),
    "keeps state": first(keeps_state),
    "seeds": first(seeds),
    "takes signals": first(takes_signals),
    "leaves its folder": first(lambda grad: os.chdir("/")),
    "wrong dtype": afterwards(lambda result: np.asarray(result, dtype=np.int8)),
    "text": afterwards(lambda result: "clipped"),
    "wrong shape": afterwards(lambda result: np.append(result, 0.0)),
    "nothing": lambda grad, clip_value: None,
    "no number": afterwards(lambda result: result * float("nan")),
    "computes in float32": lambda grad, clip_value: honest(np.float32(grad), np.float32(clip_value)),
}


@dataclass(frozen=True)
class Factory:
    """A factory of calls of one function, which can be sent to another process if the function can."""

    function: Callable[..., Any]

    def __call__(self, *, dtype, device):
        """Return the function for a dtype."""
        return lambda grad, *, clip_value: self.function(np.array(grad, dtype=dtype), clip_value)


def _implementations(vices: Mapping[str, Callable[..., Any]], *dtypes: str) -> tuple[Implementation, ...]:
    """Every vice, and an honest subject after each."""
    return tuple(
        Implementation("clip_by_value", label, Factory(function), dtypes)
        for name, vice in vices.items()
        for label, function in ((name, vice), (f"honest after {name}", honest))
    )


BACKEND = Backend("vices", "1", _implementations({**LETHAL, **MILD}, "float64"))
SURVIVABLE = Backend("vices", "1", _implementations(MILD, "float64"))
HONEST = Backend("virtues", "1", _implementations(dict.fromkeys("abcde", honest), "float64", "float16"))
