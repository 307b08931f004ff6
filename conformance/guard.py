"""A check leaves the process as it found it, and starts from random states of its own."""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, Literal, NamedTuple

import numpy as np

__all__ = ["ARITHMETIC", "Setting", "guard", "kept_arithmetic", "settings"]

#: What numpy does by itself; some of the oracle's arithmetic overflows and underflows on purpose.
_ERRORS: Mapping[str, Literal["warn", "ignore"]] = {
    "divide": "warn",
    "over": "warn",
    "under": "ignore",
    "invalid": "warn",
}


class Setting(NamedTuple):
    """Something of the process that all who run in it share.

    Parameters
    ----------
    name : str
        In words.
    get : callable
        Returns its value, which can be compared.
    put : callable
        Sets it to a value.
    """

    name: str
    get: Callable[[], Any]
    put: Callable[[Any], object]


@contextmanager
def guard(seed: int) -> Iterator[io.StringIO]:
    """Run a check so that nothing it does to the process outlasts it.

    Kept are the random states of ``random`` and numpy, numpy's floating-point error handling, the treatment of
    subnormal numbers, the working directory, ``sys.path``, the environment, signal handlers, warnings filters and
    standard output; and of frameworks that are imported already: torch's random states, defaults, grad mode, threads and
    determinism flags, jax's x64 flag, Keras' floatx. Warnings are recorded and raise nothing, whatever ``-W``
    says; nor do numpy's floating-point errors, and subnormal numbers are numbers, whatever the user has set.

    Parameters
    ----------
    seed : int
        What random states start from, so that subjects that draw numbers give the same results in every run.

    Yields
    ------
    io.StringIO
        What is printed meanwhile.
    """
    with ExitStack() as stack:
        stack.enter_context(_random_states(seed))
        stack.enter_context(contextlib.chdir(os.curdir))  # without asking where the subject has gone: it may be no more
        for setting in settings():
            stack.enter_context(_kept(setting))
        np.seterr(**_ERRORS)
        _flush(False)
        if "torch" in sys.modules:
            stack.enter_context(_seeded(sys.modules["torch"], seed))
        stack.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")
        yield stack.enter_context(contextlib.redirect_stdout(_Printed()))


class _Printed(io.StringIO):
    """What is printed, readable whatever is done to it."""

    def close(self) -> None:
        """Stay open: a subject may close its standard output, and what it has printed is asked for later."""


def _flushes() -> bool:
    """Whether this thread takes subnormal numbers for zero; torch has no way to ask."""
    with np.errstate(all="ignore"):
        return bool(np.float64(5e-324) * 1.0 == 0.0)


def _flush(flushes: bool) -> None:
    if _flushes() != flushes and "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(flushes)


#: The modes of the processor and of numpy that change what the oracle computes, or make it raise.
ARITHMETIC = (
    Setting("numpy's handling of floating-point errors", np.geterr, lambda errors: np.seterr(**errors)),
    Setting("the treatment of subnormal numbers", _flushes, _flush),
)


@contextmanager
def kept_arithmetic() -> Iterator[None]:
    """Keep what changes what the oracle computes, or makes it raise."""
    with ExitStack() as stack:
        for setting in ARITHMETIC:
            stack.enter_context(_kept(setting))
        yield


@contextmanager
def _kept(setting: Setting) -> Iterator[None]:
    """Put a setting back if it is another one afterwards."""
    before = setting.get()
    try:
        yield
    finally:
        if setting.get() != before:
            setting.put(before)


def settings() -> Iterator[Setting]:
    """Yield what a check leaves as it was, but for random states and the working directory.

    Those of frameworks are there once these are imported.
    """
    yield from ARITHMETIC
    path = sys.path
    yield Setting("the environment", lambda: dict(os.environ), _restore_environment)
    yield Setting("sys.path", lambda: list(path), lambda entries: path.__setitem__(slice(None), entries))
    yield Setting("the list that sys.path is", lambda: id(sys.path), lambda _: setattr(sys, "path", path))
    yield Setting("signal handlers", _signal_handlers, _restore_signal_handlers)
    for name, framework in (("torch", _torch), ("jax", _jax), ("keras", _keras)):
        if name in sys.modules:
            yield from framework(sys.modules[name])


@contextmanager
def _random_states(seed: int) -> Iterator[None]:
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the states that subjects use
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - likewise
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002 - likewise


def _signal_handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _restore_signal_handlers(before: dict[int, Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # only the first can set one, and a subject that runs here has set none
    for number, handler in _signal_handlers().items():
        if before[number] is not None and handler != before[number]:  # None was set from C, which Python cannot
            signal.signal(number, before[number])


def _restore_environment(before: dict[str, str]) -> None:
    for name in set(os.environ) - set(before):
        del os.environ[name]
    os.environ.update(before)


@contextmanager
def _seeded(torch: ModuleType, seed: int) -> Iterator[None]:
    cuda = torch.cuda if torch.cuda.is_initialized() else None
    states = torch.get_rng_state(), cuda and cuda.get_rng_state_all()
    torch.default_generator.manual_seed(seed)  # torch.manual_seed would queue a seed for devices not in use
    if cuda:
        cuda.manual_seed_all(seed)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        if cuda:
            cuda.set_rng_state_all(states[1])


def _torch(torch: ModuleType) -> Iterator[Setting]:
    yield Setting("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype)
    yield Setting(
        "torch's default device",
        torch.get_default_device,
        lambda device: torch.set_default_device(None if device.type == "cpu" else device),
    )
    yield Setting("torch's grad mode", torch.is_grad_enabled, torch.set_grad_enabled)
    yield Setting("torch's number of threads", torch.get_num_threads, torch.set_num_threads)
    yield Setting(
        "torch's precision of products",
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    )
    yield Setting(
        "torch's determinism",
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        lambda flags: torch.use_deterministic_algorithms(flags[0], warn_only=flags[1]),
    )
    for flag in ("deterministic", "benchmark"):
        yield _attribute(torch.backends.cudnn, flag)


def _attribute(owner: Any, name: str) -> Setting:
    return Setting(f"{owner.__name__}.{name}", lambda: getattr(owner, name), lambda value: setattr(owner, name, value))


def _jax(jax: ModuleType) -> Iterator[Setting]:
    yield Setting(
        "jax_enable_x64",
        lambda: jax.config.jax_enable_x64,
        lambda value: jax.config.update("jax_enable_x64", value),
    )


def _keras(keras: ModuleType) -> Iterator[Setting]:
    yield Setting("Keras' floatx", keras.config.floatx, keras.config.set_floatx)
