"""Checks in processes of their own: a subject that crashes, hangs or takes all memory costs its own check alone."""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import re
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from multiprocessing.resource_tracker import ensure_running
from multiprocessing.sharedctypes import RawArray
from pathlib import Path, PurePath
from tempfile import mkstemp
from types import ModuleType
from typing import Any, Literal

from conformance.errors import LoadError, UsageError
from conformance.plan import Plan, Task
from conformance.records import STATUSES, CheckRecord
from conformance.session import Counts
from conformance.specimen import FRAMES
from conformance.worker import end_subject, serve

__all__ = ["TIMEOUT", "Limits", "isolated"]

#: Seconds that a subject may take for one answer, unless told otherwise; honest ones take milliseconds.
TIMEOUT = 600.0

#: Seconds that the judge may take between two pieces of its own work: only what the subject left behind stops it.
_STANDSTILL = 3600.0

#: Seconds between two looks at the workers, and the most that one look counts for: while this process did not
#: look, because the machine slept or somebody held it, nobody knows whether a worker could have gone on.
_PERIOD, _LONGEST_LOOK = 0.1, 1.0

#: How many workers in a row may die before they have a plan.
_PATIENCE = 3

_GIB = 2**30

#: A frame as `faulthandler` prints it, the innermost first.
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)

# Workers import this package as this process did, before a target's folder came to stand first on the path.
_PATH = [str(Path(__file__).resolve().parents[1]), *sys.path]


@dataclass(frozen=True)
class Limits:
    """What a subject may take.

    Parameters
    ----------
    timeout : float
        Seconds for one answer: the run of one training, or one call.
    memory : float, optional
        GiB that its worker may hold in memory; no limit if not given. Memory that is reserved and not used does not
        count, for frameworks reserve much.

    Raises
    ------
    UsageError
        Naming the limit that is not positive, or cannot be watched on this system.
    """

    timeout: float = TIMEOUT
    memory: float | None = None

    def __post_init__(self) -> None:
        for name in ("timeout", "memory"):
            value: Any = getattr(self, name)
            if value is not None and (not isinstance(value, int | float) or not 0 < value < math.inf):
                raise UsageError(f"{name} must be a positive number, got {name}={value!r}")
        if self.memory is not None and _resident(os.getpid()) is None:
            raise UsageError("memory must not be given on this system: there is no /proc to watch it in")


@dataclass(frozen=True)
class _Death:
    """How a worker ended."""

    status: Literal["crash", "timeout"]
    message: str
    by_chance: bool = False  # it may be the doing of another process, or of all the checks before


#: A task, and how a worker ended at its first check.
_Assignment = tuple[Task, _Death | None]


def _resident(pid: int) -> int | None:
    """Return the bytes of memory that a process holds, or None where that cannot be known."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _in_words(code: int, trace: str) -> _Death:
    """Say how a process ended, and where it stood if Python was told of the signal."""
    if code >= 0:
        return _Death("crash", f"exited with code {code}")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    frames = [f"  at {PurePath(file).name}:{line} in {function}" for file, line, function in _FRAME.findall(trace)]
    return _Death("crash", "\n".join([f"killed by {name}", *frames[FRAMES - 1 :: -1]]), by_chance=name == "SIGKILL")


@contextmanager
def _as_imported(*, main: bool) -> Iterator[None]:
    """Let what is spawned find this package where this process did, and leave the user's script alone.

    Without this, the child would look for modules in the working directory first, and would run a script that calls
    `check` outside of ``if __name__ == "__main__"`` again; it needs to only for what the script itself defines.
    """
    script, path, safe = sys.modules["__main__"], sys.path, os.environ.get("PYTHONSAFEPATH")
    if not main:
        sys.modules["__main__"], sys.path = ModuleType("__main__"), _PATH
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        sys.modules["__main__"], sys.path = script, path
        del os.environ["PYTHONSAFEPATH"]
        if safe is not None:
            os.environ["PYTHONSAFEPATH"] = safe


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let an interrupt wait, and never reach what is started meanwhile: here it ends the run and all workers."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ensure_running()  # the tracker of what processes share, whose start would let interrupts in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """A process that judges one task at a time.

    Parameters
    ----------
    recipe : bytes
        A pickled function that returns the plan.
    limits : Limits
    """

    def __init__(self, recipe: bytes, limits: Limits) -> None:
        context = multiprocessing.get_context("spawn")  # a forked process may inherit locks of a framework's threads
        self.connection, theirs = context.Pipe()
        self.ready = False
        self.task: Task | None = None
        self.doubt: _Death | None = None
        self.fresh = True
        self._limits = limits
        self._cells = RawArray("q", 3)
        self._still, self._seen = 0.0, (0, 0, 0)
        descriptor, self._trace = mkstemp(prefix="exactstep-", suffix=".trace")
        os.close(descriptor)
        arguments = (theirs, self._cells, self._trace, recipe, list(sys.path), dict(os.environ))
        self._process = context.Process(target=serve, args=arguments)
        with _uninterrupted(), _as_imported(main=b"__main__" in recipe):
            self._process.start()
        theirs.close()

    def give(self, task: Task, doubt: _Death | None = None) -> None:
        """Send a task; its first check may be one that another worker died of."""
        self.task, self.doubt = task, doubt
        with suppress(OSError):  # a worker that has died in the meantime is found out at the next look
            self.connection.send((task.number, task.places))

    def records(self) -> Iterator[CheckRecord]:
        """Yield the records that have come.

        Raises
        ------
        LoadError
            If it could not make the plan.
        """
        with suppress(EOFError, OSError):  # it has died, perhaps amid a record
            while self.connection.poll():
                said = self.connection.recv()
                if isinstance(said, str):
                    raise LoadError(f"a worker could not make the plan: {said}")
                self._still = 0.0
                if said is None:
                    self.ready = True
                    continue
                assert self.task is not None
                self.task, self.fresh = self.task.after(1), False
                record, self.doubt = _doubted(said, self.doubt), None
                yield record
        if self.task and not self.task.places:
            self.task = None

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process.is_alive()

    def end(self, elapsed: float) -> _Death | None:
        """Return how it has ended, if it has, or has to because it takes more than it may.

        Parameters
        ----------
        elapsed : float
            Seconds since the last look.
        """
        if not self.alive:
            return _in_words(self._process.exitcode or 0, Path(self._trace).read_text("utf-8", errors="replace"))
        seen, asking = (*self._cells,), Counts(self._cells).asking
        self._still = self._still + elapsed if self.task and seen == self._seen else 0.0
        self._seen = seen
        limit = self._limits.timeout if asking else max(self._limits.timeout, _STANDSTILL)
        if self._still > limit:
            return _Death("timeout", f"no answer within {limit:g} s")
        memory = self._limits.memory
        processes = {self._process.pid or 0, asking} - {0}
        if memory is not None and sum(_resident(process) or 0 for process in processes) > memory * _GIB:
            return _Death("crash", f"exceeded {memory:g} GiB of memory", by_chance=not self.fresh)
        return None

    def kill(self) -> None:
        """End it at once: threads that a subject left would keep it from ending by itself."""
        end_subject(self._cells, self._process.pid or 0)
        self._process.kill()
        self._process.join()
        self._process.close()
        self.connection.close()
        Path(self._trace).unlink()


def _doubted(record: CheckRecord, doubt: _Death | None) -> CheckRecord:
    """Return a record that a fresh worker came to, after one that died: by chance, or nobody knows why."""
    if (
        doubt is None
        or doubt.by_chance
        or not record.counted
        or STATUSES.index(record.status) < STATUSES.index("flaky")
    ):
        return record
    what, *_ = doubt.message.splitlines()
    message = f"{what} once, and not again in a process of its own; {record.message}".removesuffix("; ")
    return replace(record, status="flaky", counted=True, message=message)


def _aftermath(worker: _Worker, death: _Death) -> tuple[CheckRecord | None, _Assignment | None]:
    """Return the record of the check that a worker has died of, if that is certain, and what is left of its task."""
    task = worker.task
    if task is None:
        return None, None
    if not worker.ready:
        return None, (task, worker.doubt)
    if worker.doubt is None and (death.by_chance or not worker.fresh):
        return None, (task, death)
    return replace(task.blanks[0], status=death.status, message=death.message), (task.after(1), None)


def isolated(recipe: Callable[[], Plan], tasks: Sequence[Task], *, jobs: int, limits: Limits) -> Generator[CheckRecord]:
    """Yield the records of tasks as checks end, judged in processes that may die.

    A check that kills its worker, or that has to be killed, is a ``crash`` or a ``timeout`` if it was the first that
    the worker was given. Otherwise what came before may have caused it: it is tried again in a fresh worker, and is
    ``flaky`` if it holds there, unless it was ended by SIGKILL, as anybody may send, or for the memory of all.
    The other checks go on in a fresh worker.

    Parameters
    ----------
    recipe : callable
        Returns the plan, in each worker anew.
    tasks : sequence of Task
    jobs : int
        How many processes, at least 1.
    limits : Limits

    Raises
    ------
    UsageError
        If the recipe cannot be sent to other processes; as `LoadError` if they cannot make the plan of it.
    """
    try:
        sent = pickle.dumps(recipe)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(f"isolate must be False and jobs 1, for the target stays in one process: {error}") from error
    waiting: deque[_Assignment] = deque((task, None) for task in tasks)
    workers: list[_Worker] = []
    stillborn = 0
    looked = time.monotonic()
    try:
        while waiting or any(worker.task for worker in workers):
            for worker in workers:
                if worker.task is None and waiting and waiting[0][1] is None:
                    worker.give(*waiting.popleft())
            while waiting and len(workers) < jobs:
                workers.append(_Worker(sent, limits))
                workers[-1].give(*waiting.popleft())
            wait([worker.connection for worker in workers], timeout=_PERIOD)
            now = time.monotonic()
            elapsed, looked = min(now - looked, _LONGEST_LOOK), now
            for worker in list(workers):
                yield from worker.records()
                death = worker.end(elapsed)
                if death is None:
                    continue
                asked = worker.task
                yield from worker.records()  # what came between the look at its records and the look at it
                if worker.alive and worker.task is not asked:
                    continue  # it has answered in the last moment
                worker.kill()
                workers.remove(worker)
                stillborn = 0 if worker.ready else stillborn + 1
                if stillborn == _PATIENCE:
                    raise LoadError(f"{stillborn} workers in a row did not come to judge: {death.message}")
                record, left = _aftermath(worker, death)
                if record:
                    yield record
                if left and left[0].places:
                    waiting.appendleft(left)
    finally:
        for worker in workers:
            worker.kill()
