"""What the documents state, each line of it, and what covers it.

The register is ``statements.toml``: entries of the documents with their statements, and the discrepancies
found in them. A line is covered by claims (``adam.step_bound``) or by tests
(``tests/statements/test_adam.py::test_first_step_is_a_sign``), or it is quoted with a reason.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from oracle.errors import StatementError

__all__ = ["KINDS", "Discrepancy", "Entry", "Register", "Statement", "is_test", "read", "register"]

#: How a line is covered: ``property`` by claims that implementations are held to, the next three by tests of the
#: oracle (symbolic proof, enumeration of every outcome of a draw or of every case, any other exact test), ``quoted`` by nothing.
KINDS = ("property", "proof", "enumeration", "test", "quoted")

Line = TypeVar("Line", bound="Statement")

_COVER = re.compile(r"[a-z]\w*\.[a-z]\w*|tests/[\w/]+\.py::test_\w+")
_LABEL = re.compile(r"[CP][1-9]\d*")
_DISCREPANCY = re.compile(r"D\d{3}")


@dataclass(frozen=True)
class Statement:
    """One line of the documents, or one that follows from it.

    Parameters
    ----------
    id : str
        ``adam.P3``; of an entry itself ``adam``, of a discrepancy ``D012``.
    says : str
        Its content.
    kind : str
        One of `KINDS`.
    by : tuple of str
        The claims and tests that cover it; empty if it is quoted.
    reason : str
        Why a quoted line has nothing to check; else empty.
    """

    id: str
    says: str
    kind: str
    by: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Entry(Statement):
    """A formula, algorithm or theorem of the documents.

    Parameters
    ----------
    statements : tuple of Statement
        What is stated of it (``C1``...), and what follows (``P1``...).
    """

    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Discrepancy(Statement):
    """A place where a document departs from what is established, or says too little.

    Parameters
    ----------
    mathematical : bool
        Whether it changes what is computed; typography, naming and losses of a conversion do not.
    printed, established : str
        The two forms.
    reading : str
        Which one the oracle takes, and the name of the other.
    counterexample : str
        The smallest numbers, or the proof, that tell them apart.
    """

    mathematical: bool
    printed: str
    established: str
    reading: str
    counterexample: str


@dataclass(frozen=True)
class Register:
    """Everything that the documents state.

    Parameters
    ----------
    entries : tuple of Entry
        In the order of the file.
    discrepancies : tuple of Discrepancy
        By number.
    """

    entries: tuple[Entry, ...]
    discrepancies: tuple[Discrepancy, ...]

    def __iter__(self) -> Iterator[Statement]:
        """Every line: each entry before its statements, and the discrepancies last."""
        for entry in self.entries:
            yield entry
            yield from entry.statements
        yield from self.discrepancies


def is_test(cover: str) -> bool:
    """Whether what covers a line is a test, and not a claim."""
    return cover.startswith("tests/")


@functools.cache
def register() -> Register:
    """Return the register of the documents.

    Examples
    --------
    >>> adam = next(entry for entry in register().entries if entry.id == "adam")
    >>> [statement.id for statement in adam.statements[:3]]
    ['adam.C1', 'adam.C2', 'adam.C3']
    """
    return read(importlib.resources.files("oracle").joinpath("statements.toml").read_text("utf-8"))


def read(text: str) -> Register:
    """Read a register.

    Parameters
    ----------
    text : str
        TOML with the tables ``entries.<id>``, ``entries.<id>.statements`` and ``discrepancies.<id>``.

    Raises
    ------
    StatementError
        If anything is missing, unknown or empty: naming the line and the key.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StatementError(f"the register of statements is no TOML: {error}") from error
    _Fields("the register", tables).close({"entries", "discrepancies"})
    return Register(
        tuple(_entry(id, table) for id, table in tables.get("entries", {}).items()),
        tuple(_discrepancy(id, table) for id, table in sorted(tables.get("discrepancies", {}).items())),
    )


class _Fields:
    """The keys of one table; what is wrong with them is said with its id."""

    def __init__(self, id: str, table: object) -> None:
        if not isinstance(table, Mapping):
            raise StatementError(f"{id}: must be a table, got {table!r}")
        self.id = id
        self.table: Mapping[str, Any] = table

    def require(self, holds: bool, message: str) -> None:
        if not holds:
            raise StatementError(f"{self.id}: {message}")

    def close(self, known: set[str]) -> None:
        unknown = sorted(set(self.table) - known)
        self.require(not unknown, f"unknown key {', '.join(unknown)}; known are {', '.join(sorted(known))}")

    def text(self, key: str, *, needed: bool = True) -> str:
        value = self.table.get(key, "")
        self.require(isinstance(value, str), f"{key} must be a string, got {value!r}")
        self.require(not needed or bool(value.strip()), f"{key} is missing")
        return str(value)

    def names(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key, [])
        self.require(
            isinstance(value, list) and all(isinstance(name, str) for name in value),
            f"{key} must be a list of strings, got {value!r}",
        )
        self.require(len(set(value)) == len(value), f"{key} has a name twice")
        return tuple(value)


def _entry(id: str, table: object) -> Entry:
    fields = _Fields(id, table)
    fields.close({"says", "kind", "by", "reason", "statements"})
    below = _Fields(f"{id}.statements", fields.table.get("statements", {})).table
    for label in below:
        fields.require(bool(_LABEL.fullmatch(label)), f"a statement must be labelled C1 or P1 or so, got {label!r}")
    return _line(Entry, fields, statements=tuple(_statement(f"{id}.{label}", below[label]) for label in below))


def _statement(id: str, table: object) -> Statement:
    fields = _Fields(id, table)
    fields.close({"says", "kind", "by", "reason"})
    return _line(Statement, fields)


def _discrepancy(id: str, table: object) -> Discrepancy:
    fields = _Fields(id, table)
    fields.require(bool(_DISCREPANCY.fullmatch(id)), "a discrepancy must be numbered D001 or so")
    told = ("printed", "established", "reading", "counterexample")
    fields.close({"says", "kind", "by", "reason", "mathematical", *told})
    mathematical = fields.table.get("mathematical")
    fields.require(isinstance(mathematical, bool), f"mathematical must be true or false, got {mathematical!r}")
    texts = {key: fields.text(key, needed=bool(mathematical)) for key in told}
    return _line(Discrepancy, fields, mathematical=mathematical, **texts)


def _line(make: Callable[..., Line], fields: _Fields, **more: object) -> Line:
    """Make a record of what all lines have and of what this one has besides."""
    kind, by = fields.text("kind"), fields.names("by")
    reason = fields.text("reason", needed=False)
    fields.require(kind in KINDS, f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if kind == "quoted":
        fields.require(bool(reason.strip()), "a quoted line needs a reason")
        fields.require(not by, f"a quoted line is covered by nothing, got by={list(by)}")
    else:
        fields.require(not reason, "only a quoted line has a reason")
        fields.require(bool(by), "by is missing")
    for cover in by:
        fields.require(bool(_COVER.fullmatch(cover)), f"by names neither a claim nor a test: {cover!r}")
    covered = [is_test(cover) for cover in by]
    fields.require(kind != "property" or not all(covered), "a property needs a claim")
    fields.require(kind in ("property", "quoted") or any(covered), f"kind {kind} needs a test")
    return make(id=fields.id, says=fields.text("says"), kind=kind, by=by, reason=reason, **more)
