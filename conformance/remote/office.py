"""What is done with subjects in the interpreter that they live in."""

from __future__ import annotations

import platform
import sys
import traceback
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stdout, suppress
from dataclasses import fields
from io import StringIO
from itertools import count
from typing import IO, Any

from conformance.backends import Expectation, Implementation
from conformance.guard import guard
from conformance.remote.wire import PREAMBLE, Channel, drained
from conformance.targets import adapted
from conformance.targets.loading import backend_at
from conformance.targets.signatures import Signature
from properties.cases import Call, Training
from properties.subject import Rejected

__all__ = ["serve"]

_FRAMEWORKS = ("flax", "jax", "keras", "optax", "torch")


def serve(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Answer the questions that come, in turn, until no more can come.

    A question is the number of an object, a method with its arguments, and the numbers of objects that nobody
    will ask for again; number 0 is the `Office`. An answer is what came of it (``value``, ``rejected``, ``error``), or
    first the number of a closure that is to be called (``evaluate``), with the numbers of closures that nobody can call.

    Parameters
    ----------
    incoming, outgoing : binary file
    """
    office = Office()
    objects: dict[int, Any] = {0: office}
    numbers, forgotten = count(1), deque[int]()

    def keep(value: Any) -> int:
        number = next(numbers)
        objects[number] = value
        return number

    def closure(number: int) -> Callable[[], Any]:
        def evaluate() -> Any:
            channel.send(("evaluate", number, []))
            return channel.receive()

        weakref.finalize(evaluate, forgotten.append, number)
        return evaluate

    # What stands for a closure is called, and never sent back.
    channel = Channel(incoming, outgoing, keep=keep, known=closure, kept=objects.__getitem__, abroad=lambda _: None)
    outgoing.write(PREAMBLE)
    outgoing.flush()
    with suppress(EOFError, BrokenPipeError):  # who asked is gone
        while True:
            number, method, arguments, keywords, dropped = channel.receive()
            for entry in dropped:
                del objects[entry]
            answer = _answer(objects[number], method, arguments, keywords)
            del arguments  # among which a closure may be
            channel.send((*answer, drained(forgotten)))


def _answer(asked: Any, method: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[str, Any]:
    try:
        return "value", getattr(asked, method)(*arguments, **keywords)
    except Rejected as refusal:
        return "rejected", str(refusal)
    except BaseException as error:  # noqa: BLE001 - whatever it is, who asked is told, and judges it
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        places = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in frames]
        return "error", (type(error).__name__, str(error), places)


class Office:
    """Makes subjects."""

    def __init__(self) -> None:
        self._implementations: tuple[Implementation, ...] = ()
        self._guard: tuple[AbstractContextManager[StringIO], StringIO] | None = None

    def adapt(self, target: str, signature: dict[str, Any]) -> dict[str, Any]:
        """Load a target, and describe it as an implementation of a formula.

        Raises
        ------
        UsageError
            As `conformance.targets.implementation`.
        """
        with redirect_stdout(StringIO()):
            self._implementations = (adapted(target, Signature(**signature)),)
        return self._described()

    def load(self, backend: str) -> dict[str, Any]:
        """Load a backend, and describe its implementations.

        Raises
        ------
        LoadError
            As `conformance.run`.
        """
        with redirect_stdout(StringIO()):
            loaded = backend_at(backend)
        self._implementations = loaded.implementations
        return self._described() | {
            "name": loaded.name,
            "version": loaded.version,
            "facts": dict(loaded.environment()),
        }

    def _described(self) -> dict[str, Any]:
        names = ("numpy", *(name for name in _FRAMEWORKS if name in sys.modules))
        versions = {name: str(getattr(sys.modules[name], "__version__", "unknown")) for name in names}
        versions["python"] = platform.python_version()
        return {"versions": versions, "implementations": [_facts(entry) for entry in self._implementations]}

    def make(self, number: int, /, *arguments: Any, **keywords: Any) -> Any:
        """Call the factory of an implementation."""
        return self._implementations[number].factory(*arguments, **keywords)

    def shows(self, number: int, place: int, run: Training | Call) -> bool:
        """Whether a known deviation of an implementation shows in an input."""
        return self._implementations[number].expected[place].concerns([run])

    def rest(self, number: int, place: int, run: Training | Call) -> Any:
        """Return an input without what brings a known deviation of an implementation about."""
        without = self._implementations[number].expected[place].without
        assert without is not None
        return without(run)

    def enter(self, seed: int) -> None:
        """Begin a check: from here on, this process is changed by nothing that outlasts it."""
        entered = guard(seed)
        self._guard = entered, entered.__enter__()

    def leave(self) -> str:
        """End a check; return what was printed meanwhile."""
        assert self._guard is not None
        entered, printed = self._guard
        entered.__exit__(None, None, None)
        return printed.getvalue()


def _facts(entry: Implementation) -> dict[str, Any]:
    """Return what is told of an implementation: all that a record keeps of it."""
    elsewhere = ("factory", "expected", "host")
    told = [part.name for part in fields(Implementation) if part.name not in elsewhere]
    asked = ("where", "without")
    known = [part.name for part in fields(Expectation) if part.name not in asked]
    return {
        **{name: getattr(entry, name) for name in told},
        "offers": tuple(getattr(entry.factory, "offers", ())),
        "expected": [
            (
                {name: getattr(deviation, name) for name in known},
                [getattr(deviation, name) is not None for name in asked],
            )
            for deviation in entry.expected
        ],
    }
