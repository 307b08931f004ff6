"""What runs in a process of its own: it judges what it is sent, and may die of it."""

from __future__ import annotations

import faulthandler
import io
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from contextlib import redirect_stdout, suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path

from conformance.errors import SubjectGone
from conformance.plan import Plan
from conformance.remote.host import TRACE
from conformance.session import Counts, Session

__all__ = ["end_subject", "serve"]


def serve(
    tasks: Connection,
    cells: MutableSequence[int],
    trace: str,
    recipe: bytes,
    path: Sequence[str],
    environment: Mapping[str, str],
) -> None:
    """Make a plan, say that it is there, and judge the tasks that come, until the process is killed.

    Parameters
    ----------
    tasks : Connection
        Brings ``(number, places)`` of tasks, and takes None once the plan is there, then records.
        A text instead of None says why there is no plan.
    cells : mutable sequence of int
        Shared memory in which the parent sees that the work goes on.
    trace : str
        The file for a traceback, should a signal end this process.
    recipe : bytes
        A pickled function without arguments that returns the plan.
    path, environment
        ``sys.path`` and ``os.environ`` of the parent.
    """
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(environment)
    os.environ[TRACE] = trace
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt goes to the parent, which ends its workers
    os.dup2(2, 1)  # what a subject prints from C is no part of what the parent prints
    faulthandler.enable(Path(trace).open("w"), all_threads=False)  # noqa: SIM115 - open as long as this process lives
    threading.Thread(target=_end_with_parent, args=(trace, cells), daemon=True).start()
    make: Callable[[], Plan]
    try:
        with redirect_stdout(io.StringIO()):  # what is printed on import the parent has shown
            make = pickle.loads(recipe)
            plan = make()
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent says it
        tasks.send(f"{type(error).__name__}: {error}")
        return
    units = plan.units()
    try:
        with suppress(EOFError, BrokenPipeError):  # the parent is gone
            tasks.send(None)
            while True:
                number, places = tasks.recv()
                session = Session(plan.profile, plan.seed, Counts(cells))
                for record in plan.judge(units[number].at(places), session):
                    tasks.send(record)
    except SubjectGone as gone:
        _follow(gone.code)
    _leave(trace)


def _follow(code: int) -> None:
    """End as the subject's interpreter did: the parent need not know which of the two it was."""
    faulthandler.disable()  # the trace holds what the other has written
    if code >= 0:
        os._exit(code)
    with suppress(OSError):  # of SIGKILL
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)


def end_subject(cells: MutableSequence[int], worker: int) -> None:
    """End the process in which a worker's subject is being asked, if it is another than the worker.

    It may hang, and then never see that the worker has ended; one that is not asked ends by itself.

    Parameters
    ----------
    cells : mutable sequence of int
        Those of the worker.
    worker : int
        Its number.
    """
    process = Counts(cells).asking
    if process not in (0, worker):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _end_with_parent(trace: str, cells: MutableSequence[int]) -> None:
    parent = parent_process()
    assert parent is not None  # this process was spawned
    parent.join()
    end_subject(cells, os.getpid())
    _leave(trace)


def _leave(trace: str) -> None:
    """End, now that nobody is left to judge for, and clean up in the parent's stead."""
    Path(trace).unlink(missing_ok=True)
    os._exit(1)
