"""Exactstep: says whether an implementation is the formula that it claims to be.

    >>> from conformance import check, run

`check` judges one optimizer or function, `run` a framework; of an optimizer that claims no formula, `identify` says
what it computes, and `laws` which laws it obeys. `convention_map` tabulates what libraries compute.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

__all__ = [
    "ConventionMap",
    "Identification",
    "LawProfile",
    "Report",
    "UsageError",
    "assert_backend_conforms",
    "assert_conforms",
    "check",
    "convention_map",
    "identify",
    "laws",
    "run",
]


def _import_neighbours() -> None:
    """Import the packages beside this one first: their names are common words, which a user's folder may hold too."""
    home = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(home))
    try:
        for name in ("oracle", "properties"):
            origin = import_module(name).__file__ or "nothing"
            if not Path(origin).resolve().is_relative_to(home / name):
                raise ImportError(f"exactstep's package {name!r} must lie in {home}, but {origin} was imported before")
    finally:
        sys.path.remove(str(home))


_import_neighbours()

from conformance.api import assert_conforms, check, run
from conformance.conventions import ConventionMap, convention_map
from conformance.errors import UsageError
from conformance.identification.identifier import identify
from conformance.identification.results import Identification
from conformance.kit import assert_backend_conforms
from conformance.laws import LawProfile, laws
from conformance.report import Report
