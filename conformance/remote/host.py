"""Subjects of another interpreter, as they are seen from here."""

from __future__ import annotations

import os
import re
import subprocess
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from io import StringIO
from itertools import count
from pathlib import Path
from traceback import FrameSummary
from typing import Any

from conformance.backends import Backend, Expectation, Implementation
from conformance.errors import LoadError, Relayed, SubjectGone, UsageError
from conformance.guard import guard
from conformance.remote import server
from conformance.remote.wire import PREAMBLE, Channel, drained
from conformance.targets.signatures import Signature
from properties.cases import Call, Training
from properties.subject import Rejected

__all__ = ["OLDEST", "TRACE", "Host", "Interpreter", "backend_in", "implementation_in"]

#: The oldest Python that a subject's interpreter may be.
OLDEST = (3, 11)

#: The variable that names the file for the traceback of a signal, in the processes that are watched for one.
TRACE = "EXACTSTEP_TRACE"

_ROOT = Path(__file__).resolve().parents[2]
_GREETING = "import sys; print('%d.%d' % sys.version_info[:2]); import numpy"
_ERRORS: Mapping[str, type[UsageError]] = {"LoadError": LoadError, "UsageError": UsageError}


@dataclass(frozen=True)
class Interpreter:
    """A Python of another environment.

    Parameters
    ----------
    python : str
        Its executable.
    folder : str
        Where it imports targets from first; nowhere but in its environment if empty.
    """

    python: str
    folder: str = ""

    def require(self) -> None:
        """Raise LoadError unless it starts, is new enough and has numpy."""
        try:
            asked = subprocess.run([self.python, "-E", "-c", _GREETING], capture_output=True, text=True, check=False)
        except OSError as error:
            raise LoadError(f"cannot start python={self.python!r}: {error.strerror}") from error
        said, complaint = asked.stdout.strip(), (asked.stderr.strip().splitlines() or ["it says nothing"])[-1]
        if not re.fullmatch(r"\d+\.\d+", said):
            raise LoadError(f"python must be a Python interpreter, got python={self.python!r}: {complaint}")
        if tuple(map(int, said.split("."))) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise LoadError(f"python must be Python {oldest} or newer, got python={self.python!r}, which is {said}")
        if asked.returncode:
            raise LoadError(f"python must have numpy in its environment, got python={self.python!r}: {complaint}")


class _Connection:
    """A process of an interpreter that answers questions, until it is closed or nobody can ask any more."""

    def __init__(self, interpreter: Interpreter) -> None:
        words = [interpreter.python, "-E", server.__file__, str(_ROOT), interpreter.folder, os.environ.get(TRACE, "")]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._dropped: deque[int] = deque()
        self._closures: dict[int, Callable[[], Any]] = {}
        self._numbers = count()
        self._channel = Channel(
            self._process.stdout,
            self._process.stdin,
            keep=self._keep,
            known=self._proxy,
            kept=self._closures.__getitem__,
            abroad=_number_abroad,
        )
        for line in self._process.stdout:
            if line == PREAMBLE:
                break

    def _keep(self, closure: Callable[[], Any]) -> int:
        number = next(self._numbers)
        self._closures[number] = closure
        return number

    def _proxy(self, number: int) -> _Proxy:
        proxy = _Proxy(self, number)
        weakref.finalize(proxy, self._dropped.append, number).atexit = False
        return proxy

    def ask(self, number: int, method: str, /, *arguments: Any, **keywords: Any) -> Any:
        """Call a method of an object of the other side.

        Raises
        ------
        Rejected
            If it did.
        Relayed
            If it raised anything else.
        SubjectGone
            If the process has ended instead.
        """
        try:
            self._channel.send((number, method, arguments, keywords, drained(self._dropped)))
            kind, content, forgotten = self._channel.receive()
            while kind == "evaluate":
                self._channel.send(self._closures[content]())
                kind, content, forgotten = self._channel.receive()
        except (EOFError, OSError) as end:
            raise SubjectGone(self._process.wait()) from end
        for closure in forgotten:
            del self._closures[closure]
        if kind == "rejected":
            raise Rejected(content)
        if kind == "error":
            name, message, places = content
            frames = [FrameSummary(file, line, function, line=text) for file, line, function, text in places]
            raise Relayed(name, message, frames)
        return content

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


class _Proxy:
    """An object of the other side: a stepper or a function."""

    def __init__(self, connection: _Connection, number: int) -> None:
        self._connection, self._number = connection, number

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._connection.ask(self._number, "__call__", *arguments, **keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what numpy and others look for in any object
            raise AttributeError(name)
        return partial(self._connection.ask, self._number, name)


def _number_abroad(value: Any) -> int | None:
    return value._number if isinstance(value, _Proxy) else None


@dataclass(frozen=True, eq=False)
class Host:
    """Where the subjects of some implementations live: a process of an interpreter, started when it is first needed.

    Parameters
    ----------
    interpreter : Interpreter
    order : tuple
        The question, to the office there, by which it loads them.
    versions : mapping of str to str
        Of its Python, of numpy and of the frameworks that take part.
    """

    interpreter: Interpreter
    order: tuple[Any, ...]
    versions: Mapping[str, str]

    @cached_property
    def connection(self) -> _Connection:
        """The process, in which everything is loaded."""
        connection = _Connection(self.interpreter)
        connection.ask(0, *self.order)
        return connection

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.connection.pid

    @contextmanager
    def guard(self, seed: int) -> Iterator[StringIO]:
        """Run a check so that nothing outlasts it, here or there; see `conformance.guard.guard`."""
        with guard(seed) as printed:
            self.connection.ask(0, "enter", seed)
            yield printed
            printed.write(self.connection.ask(0, "leave"))

    def implementation(self, number: int, facts: Mapping[str, Any]) -> Implementation:
        """Return what was told of an implementation, with a factory of its subjects."""
        told = dict(facts)
        offers, expected = told.pop("offers"), told.pop("expected")
        deviations = [
            Expectation(
                **entry,
                where=_Asked(self, "shows", number, place) if limited else None,
                without=_Asked(self, "rest", number, place) if freed else None,
            )
            for place, (entry, (limited, freed)) in enumerate(expected)
        ]
        factory = _Factory(self, number, offers)
        return Implementation(**told, factory=factory, expected=tuple(deviations), host=self)


@dataclass(frozen=True, eq=False)
class _Factory:
    """Makes subjects of one implementation."""

    host: Host
    number: int
    offers: tuple[str, ...]

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.host.connection.ask(0, "make", self.number, *arguments, **keywords)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What the other side says of an input and a known deviation."""

    host: Host
    question: str
    number: int
    place: int

    def __call__(self, run: Training | Call) -> Any:
        return self.host.connection.ask(0, self.question, self.number, self.place, run)


def _described(interpreter: Interpreter, order: tuple[Any, ...]) -> tuple[Host, dict[str, Any]]:
    """Load what is ordered in a process that ends afterwards, and return what it says of it."""
    interpreter.require()
    connection = _Connection(interpreter)
    try:
        said = connection.ask(0, *order)
    except Relayed as error:
        raise _ERRORS.get(error.kind, LoadError)(f"{error} (in {interpreter.python})") from error
    except SubjectGone as gone:
        raise LoadError(f"cannot load {order[1]} in {interpreter.python}: {gone}") from gone
    finally:
        connection.close()
    return Host(interpreter, order, said["versions"]), said


def implementation_in(interpreter: Interpreter, target: str, signature: Signature) -> Implementation:
    """Describe a target of another interpreter as an implementation of a formula.

    Parameters
    ----------
    interpreter : Interpreter
    target : str
        As `conformance.targets.implementation` takes it.
    signature : Signature

    Raises
    ------
    UsageError
        As `conformance.targets.implementation`; as `LoadError` if the interpreter cannot be used.
    """
    host, said = _described(interpreter, ("adapt", target, asdict(signature)))
    (facts,) = said["implementations"]
    return host.implementation(0, facts)


def backend_in(interpreter: Interpreter, place: str) -> Backend:
    """Load a backend in another interpreter.

    Parameters
    ----------
    interpreter : Interpreter
    place : str
        Its ``"module:object"``.

    Raises
    ------
    LoadError
        If the interpreter cannot be used, or cannot load it.
    """
    host, said = _described(interpreter, ("load", place))
    implementations = tuple(host.implementation(number, facts) for number, facts in enumerate(said["implementations"]))
    return Backend(said["name"], said["version"], implementations, said["facts"].copy)
