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
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import ModuleType
from typing import Any, Literal

import numpy as np

__all__ = ["guard", "kept_arithmetic"]

#: What numpy does by itself; some of the oracle's arithmetic overflows and underflows on purpose.
_ERRORS: Mapping[str, Literal["warn", "ignore"]] = {
    "divide": "warn",
    "over": "warn",
    "under": "ignore",
    "invalid": "warn",
}


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
        stack.enter_context(_interpreter())
        stack.enter_context(kept_arithmetic())
        np.seterr(**_ERRORS)
        _flush(False)
        for name, framework in (("torch", _torch), ("jax", _jax), ("keras", _keras)):
            if name in sys.modules:
                stack.enter_context(framework(sys.modules[name], seed))
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


@contextmanager
def kept_arithmetic() -> Iterator[None]:
    """Keep the modes of the processor and of numpy that change what the oracle computes, or make it raise."""
    with np.errstate(), _kept(_flushes, _flush):
        yield


@contextmanager
def _kept(get: Callable[[], Any], put: Callable[[Any], object]) -> Iterator[None]:
    """Put a setting back if it is another one afterwards."""
    before = get()
    try:
        yield
    finally:
        if get() != before:
            put(before)


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


@contextmanager
def _interpreter() -> Iterator[None]:
    path = sys.path
    with (
        contextlib.chdir(os.curdir),  # restores without asking where the subject has gone: that may be no more
        _kept(lambda: dict(os.environ), _restore_environment),
        _kept(lambda: list(path), lambda entries: path.__setitem__(slice(None), entries)),
        _kept(lambda: id(sys.path), lambda _: setattr(sys, "path", path)),
        _kept(_signal_handlers, _restore_signal_handlers),
    ):
        yield


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
def _torch(torch: ModuleType, seed: int) -> Iterator[None]:
    cuda = torch.cuda if torch.cuda.is_initialized() else None
    states = torch.get_rng_state(), cuda and cuda.get_rng_state_all()
    torch.default_generator.manual_seed(seed)  # torch.manual_seed would queue a seed for devices not in use
    if cuda:
        cuda.manual_seed_all(seed)
    try:
        with ExitStack() as stack:
            for setting in _torch_settings(torch):
                stack.enter_context(setting)
            yield
    finally:
        torch.set_rng_state(states[0])
        if cuda:
            cuda.set_rng_state_all(states[1])


def _torch_settings(torch: ModuleType) -> Iterator[AbstractContextManager[None]]:
    yield _kept(torch.get_default_dtype, torch.set_default_dtype)
    yield _kept(
        torch.get_default_device, lambda device: torch.set_default_device(None if device.type == "cpu" else device)
    )
    yield _kept(torch.is_grad_enabled, torch.set_grad_enabled)
    yield _kept(torch.get_num_threads, torch.set_num_threads)
    yield _kept(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision)
    yield _kept(
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        lambda flags: torch.use_deterministic_algorithms(flags[0], warn_only=flags[1]),
    )
    for flag in ("deterministic", "benchmark"):
        yield _attribute(torch.backends.cudnn, flag)


def _attribute(owner: Any, name: str) -> AbstractContextManager[None]:
    return _kept(lambda: getattr(owner, name), lambda value: setattr(owner, name, value))


def _jax(jax: ModuleType, _seed: int) -> AbstractContextManager[None]:
    return _kept(lambda: jax.config.jax_enable_x64, lambda value: jax.config.update("jax_enable_x64", value))


def _keras(keras: ModuleType, _seed: int) -> AbstractContextManager[None]:
    return _kept(keras.config.floatx, keras.config.set_floatx)
