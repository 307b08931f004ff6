"""What a subject leaves behind in its process, beside its results."""

from __future__ import annotations

import io
import os
import pickle
import random
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from conformance.guard import ARITHMETIC, Setting, settings
from conformance.kit.breach import Breach
from conformance.specimen import Specimen

__all__ = ["Watched", "quiet", "unobtrusive"]


@contextmanager
def quiet() -> Iterator[None]:
    """Require that nothing is printed meanwhile, and no warning given.

    Raises
    ------
    Breach
        Naming the first that is; nothing in the place of another error.
    """
    with _overheard() as said, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", message=".* encountered in ", category=RuntimeWarning)  # numpy's, of numbers
        yield
    if said:
        raise Breach("to print nothing", f"printed {said[0].splitlines()[0]!r}")
    if warned:
        raise Breach("to give no warnings", f"warned: {warned[0].category.__name__}: {warned[0].message}")


@contextmanager
def unobtrusive() -> Iterator[None]:
    """Require that nothing is changed meanwhile that the whole process shares.

    Raises
    ------
    Breach
        Naming what is; nothing in the place of another error.
    """
    before = _state()
    yield
    _require_unchanged(before, _state())


class Watched(Specimen):
    """A specimen that must leave alone what each question to any specimen restores.

    Raises
    ------
    Breach
        As `unobtrusive`, of a question.
    """

    @contextmanager
    def asked(self, amount: int) -> Iterator[None]:
        """Count what a subject is asked for, and tell its failures from ours."""
        with super().asked(amount):
            before = _values(ARITHMETIC)
            yield
            after = _values(ARITHMETIC)
        _require_unchanged(before, after)


def _require_unchanged(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    changed = [name for name, value in before.items() if after[name] != value]
    if changed:
        raise Breach("to leave alone what the whole process shares", f"changed {' and '.join(changed)}")


def _values(kept: Iterable[Setting]) -> dict[str, Any]:
    return {setting.name: setting.get() for setting in kept}


class _Heard(io.StringIO):
    """What is printed, readable whatever is done to it."""

    def close(self) -> None:
        """Stay open."""


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Fill a list with what is printed, by Python and by C."""
    said: list[str] = []
    heard = _Heard()
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile("w+", encoding="utf-8", errors="replace"))
        for descriptor in (1, 2):
            stack.enter_context(_diverted(descriptor, file.fileno()))
        stack.enter_context(redirect_stdout(heard))
        stack.enter_context(redirect_stderr(heard))
        yield said
        file.seek(0)
        said += filter(str.strip, (heard.getvalue(), file.read()))


@contextmanager
def _diverted(descriptor: int, target: int) -> Iterator[None]:
    kept = os.dup(descriptor)
    os.dup2(target, descriptor)
    try:
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


def _state() -> dict[str, Any]:
    """Return what all of the process share, by name, so that it can be compared."""
    shared = _values(settings())
    shared["the working directory"] = _folder()
    shared["the random numbers of Python"] = random.getstate()
    shared["the random numbers of numpy"] = pickle.dumps(np.random.get_state())  # noqa: NPY002 - what subjects use
    if "torch" in sys.modules:
        shared["the random numbers of torch"] = sys.modules["torch"].get_rng_state().tolist()
    return shared


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - what is compared is text
    except OSError:  # it is no more
        return ""
