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

from conformance.plan import Plan
from conformance.session import Counts, Session

__all__ = ["serve"]


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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt goes to the parent, which ends its workers
    os.dup2(2, 1)  # what a subject prints from C is no part of what the parent prints
    faulthandler.enable(Path(trace).open("w"), all_threads=False)  # noqa: SIM115 - open as long as this process lives
    threading.Thread(target=_end_with_parent, args=(trace,), daemon=True).start()
    make: Callable[[], Plan]
    try:
        with redirect_stdout(io.StringIO()):  # what is printed on import the parent has shown
            make = pickle.loads(recipe)
            plan = make()
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent says it
        tasks.send(f"{type(error).__name__}: {error}")
        return
    units = plan.units()
    with suppress(EOFError, BrokenPipeError):  # the parent is gone
        tasks.send(None)
        while True:
            number, places = tasks.recv()
            session = Session(plan.profile, plan.seed, Counts(cells))
            for record in plan.judge(units[number].at(places), session):
                tasks.send(record)
    _leave(trace)


def _end_with_parent(trace: str) -> None:
    parent = parent_process()
    assert parent is not None  # this process was spawned
    parent.join()
    _leave(trace)


def _leave(trace: str) -> None:
    """End, now that nobody is left to judge for, and clean up in the parent's stead."""
    Path(trace).unlink(missing_ok=True)
    os._exit(1)
