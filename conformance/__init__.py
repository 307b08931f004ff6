"""Exactstep: says whether an implementation is the formula that it claims to be.

    >>> from conformance import check, run

`check` judges one optimizer or function, `run` a framework.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

__all__ = ["Report", "UsageError", "check", "run"]


def _require_neighbours() -> None:
    """Say what shadows the packages beside this one: their names are common words."""
    home = Path(__file__).resolve().parent.parent
    for name in ("oracle", "properties"):
        spec = find_spec(name)
        origin = spec.origin if spec and spec.origin else "nothing"
        if not Path(origin).resolve().is_relative_to(home / name):
            raise ImportError(f"exactstep's package {name!r} must lie in {home}, but {origin} shadows it on sys.path")


_require_neighbours()

# Only now it is known that imports find ours.
from conformance.api import check, run
from conformance.errors import UsageError
from conformance.report import Report
