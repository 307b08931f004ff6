"""The page of the convention map: ``python -m docs.generate.conventions FILE...`` makes it of what ``exactstep map`` wrote."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from conformance.conventions.records import ConventionMap, merged, read
from conformance.conventions.tables import markdown
from docs.generate.markdown import page

__all__ = ["conventions", "main"]

PATH = Path(__file__).parents[1] / "conventions.md"

_ORIGIN = """\
`exactstep map torch --output torch.json` measures a library in the environment that has it, and
`python -m docs.generate.conventions torch.json ...` makes this page of such files."""


def conventions(found: ConventionMap) -> str:
    """Return the page."""
    return page(markdown(found).rstrip(), _ORIGIN)


def main(files: Sequence[str]) -> None:
    """Write the page from files of ``exactstep map --format json``."""
    PATH.write_text(conventions(merged(read(Path(file).read_text("utf-8")) for file in files)), "utf-8")
    sys.stdout.write(f"{PATH}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
