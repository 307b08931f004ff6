"""The errors of the runner.

::

    UsageError (ValueError)      an argument that the runner cannot work with
    └── LoadError                a target or a backend that could not be loaded
    Relayed                      what a subject raised in another interpreter
    SubjectGone (BaseException)  the other interpreter has ended
"""

from __future__ import annotations

from collections.abc import Sequence
from traceback import FrameSummary

__all__ = ["LoadError", "Relayed", "SubjectGone", "UsageError"]


class UsageError(ValueError):
    """An argument that the runner cannot work with."""


class LoadError(UsageError):
    """A target or a backend that could not be loaded."""


class Relayed(Exception):
    """What a subject raised in another interpreter.

    Parameters
    ----------
    kind : str
        Name of its class there.
    message : str
    frames : sequence of FrameSummary
        Its traceback there, the innermost last.
    """

    def __init__(self, kind: str, message: str, frames: Sequence[FrameSummary]) -> None:
        super().__init__(message)
        self.kind, self.frames = kind, frames


class SubjectGone(BaseException):
    """The interpreter that a subject lived in has ended, and the process that asked it has nothing left to judge.

    It is no `Exception`: no subject raised it, and no check can go on.

    Parameters
    ----------
    code : int
        How it ended, as `subprocess` says it: negative for a signal.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"the subject's interpreter has ended with code {code}")
        self.code = code
