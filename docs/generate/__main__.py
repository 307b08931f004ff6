"""Write the pages, and draw the figures on them."""

from __future__ import annotations

import sys
from pathlib import Path

from conformance.figures import write
from docs.generate.coverage import coverage
from docs.generate.errata import errata
from docs.generate.figures import gallery
from docs.generate.formulas import formula_pages
from oracle.statements import register

__all__ = ["main", "pages"]

DOCS = Path(__file__).parents[1]


def pages() -> dict[str, str]:
    """Return every generated page by its path in this folder."""
    lines = register()
    return {
        "coverage.md": coverage(lines),
        "errata.md": errata(lines),
        "figures/README.md": gallery(),
        **{f"formulas/{name}": text for name, text in formula_pages(lines)},
    }


def main() -> None:
    """Write every page, and remove those of formulas that are gone."""
    made = pages()
    figures = write(DOCS / "figures")
    for page in (DOCS / "formulas").glob("*.md"):
        if f"formulas/{page.name}" not in made:
            page.unlink()
    for name, text in made.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    sys.stdout.write(f"{len(made)} pages and {len(figures)} pictures in {DOCS}\n")


if __name__ == "__main__":
    main()
