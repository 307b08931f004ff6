"""All figures under each other."""

from __future__ import annotations

from conformance.figures import FIGURES, Figure
from docs.generate.markdown import code, link, page, prose

__all__ = ["gallery", "shown"]

_INTRODUCTION = """\
# Figures

The worked examples of the documents, drawn from what the oracle computes. `exactstep figures --output DIR` draws them
again, as SVG and PNG."""


def gallery() -> str:
    """Return the page."""
    return page(_INTRODUCTION, *(block for figure in FIGURES for block in _section(figure)))


def shown(figure: Figure, folder: str = "") -> list[str]:
    """Return a figure and what it shows, for a page from which the figures lie in ``folder``."""
    return [f"![{figure.title}]({folder}{figure.name}.svg)", prose(figure.caption)]


def _section(figure: Figure) -> list[str]:
    formulas = ", ".join(link(code(id), f"../formulas/{id}.md") for id in figure.formulas)
    return [f"## {figure.title}", *shown(figure), f"Formulas: {formulas}."]
