"""The records of a convention map, as Python and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

from conformance.errors import UsageError

__all__ = ["Cell", "ConventionMap", "Kind", "Library", "Measured", "Row", "merged", "read", "undecided"]

Kind = Literal["optimizer", "clip", "schedule"]

_FORMAT, _VERSION = "exactstep-conventions", 1


@dataclass(frozen=True)
class Cell:
    """What was measured of one convention.

    Parameters
    ----------
    value : str
        In words or numbers; of one that was not decided, the values that are left, if there are few.
    decided : bool
    reason : str
        Why it was not decided; of a decided one, what is to be known of it.
    """

    value: str
    decided: bool = True
    reason: str = ""


class Measured(NamedTuple):
    """What was measured of one implementation.

    Parameters
    ----------
    family : str
        As of a `Row`.
    varied : tuple of str
    cells : mapping of str to Cell
    """

    family: str
    varied: tuple[str, ...]
    cells: Mapping[str, Cell]


def undecided(reason: str, value: str = "") -> Cell:
    """Return the cell of a convention that was not decided, with the first line of the reason."""
    return Cell(value, False, reason.splitlines()[0] if reason else "")


@dataclass(frozen=True)
class Row:
    """One optimizer, clip or schedule, as its backend sets it up.

    Parameters
    ----------
    kind : {"optimizer", "clip", "schedule"}
    family : str
        Of an optimizer, the lattice in which it was found; empty if it was in none.
    name : str
        Its label without the path.
    varied : tuple of str
        Its keywords that were varied.
    held : mapping of str to str
        Keyword arguments that every path of the row is made with.
    paths : tuple of str
        Ways to compute it (``loop``, ``fused``, ...) that measured the same; empty if it has but one.
    cells : mapping of str to Cell
        By convention, ``computes`` first; with few exceptions ``defaults``, and by dtype the strictest arithmetic whose
        bounds contain what was shown. Of an optimizer also the axes of its family, ``state in bfloat16`` and
        ``parameters in bfloat16``; of a clip ``what fits``, ``added to the norm``, ``a matrix``, ``several tensors``,
        ``zeros``, ``an infinite number`` and ``NaN``; of a schedule ``inputs``, ``first rate`` and, if it has such
        lengths, ``warm-up``, ``last rate`` and ``after the end``.
    """

    kind: Kind
    family: str
    name: str
    varied: tuple[str, ...]
    held: Mapping[str, str]
    paths: tuple[str, ...]
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Library:
    """What was measured of one backend.

    Parameters
    ----------
    name, version : str
    environment : mapping of str to str
        What else is installed, and on what machine.
    seed : int
        What the inputs' numbers were drawn from.
    rows : tuple of Row
    unmapped : tuple of str
        Labels of its functions that are no clips: the map has no conventions for them.
    """

    name: str
    version: str
    environment: Mapping[str, str]
    seed: int
    rows: tuple[Row, ...] = ()
    unmapped: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConventionMap:
    """What libraries compute, as far as was measured.

    Parameters
    ----------
    libraries : tuple of Library
    """

    libraries: tuple[Library, ...] = field(default=())

    def as_json(self) -> str:
        """Return all of it as JSON, the same for the same measurements.

        ``{"format": "exactstep-conventions", "version": 1, "libraries": [...]}``; each library, row and cell is an
        object with the fields of `Library`, `Row` and `Cell` by their names, ``rows`` is a list, and ``cells`` an object
        by convention. Names of conventions are those of the families' axes, of clips and of schedules, and change with
        the version.
        """
        return json.dumps({"format": _FORMAT, "version": _VERSION, **asdict(self)}, indent=1) + "\n"


def read(text: str) -> ConventionMap:
    """Return the map that `ConventionMap.as_json` wrote.

    Raises
    ------
    UsageError
        If the text is something else.
    """
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"a convention map must be JSON, got {error}") from error
    known = isinstance(entries, dict) and (entries.get("format"), entries.get("version")) == (_FORMAT, _VERSION)
    if not known:
        raise UsageError(f"a convention map must be of the format {_FORMAT} {_VERSION}, as exactstep map writes it")
    return ConventionMap(tuple(map(_library, entries["libraries"])))


def _library(entries: Mapping[str, Any]) -> Library:
    rows = tuple(map(_row, entries["rows"]))
    return Library(**{**entries, "rows": rows, "unmapped": tuple(entries["unmapped"])})


def _row(entries: Mapping[str, Any]) -> Row:
    cells = {name: Cell(**cell) for name, cell in entries["cells"].items()}
    return Row(**{**entries, "varied": tuple(entries["varied"]), "paths": tuple(entries["paths"]), "cells": cells})


def merged(maps: Iterable[ConventionMap]) -> ConventionMap:
    """Return one map of all libraries of several.

    Raises
    ------
    UsageError
        If two of them have the same library.
    """
    libraries: Sequence[Library] = [library for one in maps for library in one.libraries]
    names = [library.name for library in libraries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"each library must be in one map alone, got several of {', '.join(twice)}")
    return ConventionMap(tuple(libraries))
