"""A convention map as Markdown that can be read in a terminal too: a table for each family, of what differs in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from conformance.conventions.models import DTYPES
from conformance.conventions.records import Cell, ConventionMap, Library, Row

__all__ = ["markdown"]

_TITLES: Mapping[str, str] = {
    "momentum": "Descent and momentum",
    "adaptive": "AdaGrad and RMSProp",
    "adam": "Adam",
    "lion": "Lion",
    "optimizer": "Optimizers of no known family",
    "clip": "Clips",
    "schedule": "Schedules",
}

_LEGEND = """\
A row is one program as its backend sets it up: its keywords that were varied, and those that it was given. Paths that
measured the same share a row. What is the same in all rows of a table stands above it. A question mark is what no input
decided; the note says why. Values with = between them are the same program there. The arithmetic in a dtype is the
strictest whose bounds contain all that was shown; what rounds a little more may still lie within. Defaults are read from
signatures, and nothing else is."""


def markdown(found: ConventionMap) -> str:
    """Return a page: versions, seeds, and the tables."""
    versions = "\n".join(f"- {_installed(library)}" for library in found.libraries)
    return "\n\n".join(["# What libraries compute", versions, _LEGEND, *_tables(found)]) + "\n"


def _installed(library: Library) -> str:
    facts = [f"{name} {value}" for name, value in library.environment.items() if name != library.name]
    left = f"; {len(library.unmapped)} functions have no conventions here" if library.unmapped else ""
    return f"**{library.name} {library.version}**, seed {library.seed} ({', '.join(facts)}){left}"


def _tables(found: ConventionMap) -> Iterator[str]:
    """Yield headings, tables and notes."""
    groups: dict[str, list[Row]] = {}
    for library in found.libraries:
        for row in library.rows:
            groups.setdefault(row.family or row.kind, []).append(row)
    order = [*_TITLES, *sorted(set(groups) - set(_TITLES))]
    for group in (group for group in order if group in groups):
        yield f"## {_TITLES.get(group, group.capitalize())}"
        yield from _group(groups[group])


def _group(rows: Sequence[Row]) -> Iterator[str]:
    fullest = sorted(rows, key=lambda row: -len(row.cells))  # whose order is the order of the columns
    names = list(dict.fromkeys(name for row in fullest for name in row.cells))
    same = {name: rows[0].cells[name] for name in names if len(rows) > 1 and _agree(rows, name)}
    notes: list[str] = []
    if same:
        shared = (f"{_head(name)}: {_cell(name, cell, notes)}" for name, cell in same.items())
        yield f"In all rows: {'; '.join(shared)}."
    columns = [
        ["program", *(f"`{row.name}`" for row in rows)],
        ["keywords", *map(_keywords, rows)],
        ["paths", *(", ".join(row.paths) for row in rows)],
    ]
    differing = [name for name in names if name not in same]
    columns += [[_head(name), *(_cell(name, row.cells.get(name), notes) for row in rows)] for name in differing]
    yield "\n".join(_table([column for column in columns if any(column[1:])]))
    if notes:
        yield "\n".join(f"{number}. {note}" for number, note in enumerate(notes, 1))


def _keywords(row: Row) -> str:
    return ", ".join([*row.varied, *(f"{name}={value}" for name, value in row.held.items())])


def _head(name: str) -> str:
    return f"arithmetic in {name}" if name in DTYPES else name


def _agree(rows: Sequence[Row], name: str) -> bool:
    return all(row.cells.get(name) == rows[0].cells.get(name) for row in rows)


def _cell(name: str, cell: Cell | None, notes: list[str]) -> str:
    """Return a cell's text, and a reference to its note if a reader needs that."""
    if cell is None:
        return ""
    told = cell.value if cell.decided else f"? {cell.value}".strip()
    if not cell.reason or (cell.decided and name != "computes"):
        return told
    if cell.reason not in notes:
        notes.append(cell.reason)
    return f"{told} ({notes.index(cell.reason) + 1})"


def _table(columns: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose columns are aligned."""
    escaped = [[text.replace("|", "\\|") for text in column] for column in columns]
    widths = [max(map(len, column)) for column in escaped]
    for number, row in enumerate(zip(*escaped, strict=True)):
        yield f"| {' | '.join(text.ljust(width) for text, width in zip(row, widths, strict=True))} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
