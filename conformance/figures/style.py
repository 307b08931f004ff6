"""What all figures have in common: their record, their colours, and how lines are told apart without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["BLACK", "BLUE", "GREY", "LINES", "ORANGE", "SETTINGS", "Canvas", "Figure", "arrow"]

Canvas = Any  # a figure of matplotlib

#: Of the palette by Okabe and Ito, whose colours are told apart with any colour vision.
BLUE, ORANGE, GREEN, PURPLE, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#000000", "#777777"

#: Lines in order of use: each differs from the others in its dashes and its marker, and not in colour alone.
LINES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": ORANGE, "linestyle": "--", "marker": "s"},
    {"color": GREEN, "linestyle": "-.", "marker": "^"},
    {"color": PURPLE, "linestyle": ":", "marker": "D"},
)

#: Settings of matplotlib under which every figure is drawn, whatever the user's own are.
SETTINGS: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that text is the same everywhere
    "font.size": 10,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "savefig.dpi": 150,
    "svg.fonttype": "path",
    "svg.hashsalt": "exactstep",  # ids that are the same in every run
}


@dataclass(frozen=True)
class Figure:
    """A figure, and what it shows.

    Parameters
    ----------
    name : str
        Of its files.
    title : str
        What it shows, in a few words.
    caption : str
        What can be seen in it; ``$...$`` is mathematics.
    formulas : tuple of str
        Ids of the formulas on whose pages it belongs.
    size : tuple of float
        Width and height in inches.
    draw : callable
        ``draw(canvas)`` draws it on an empty figure of matplotlib.
    """

    name: str
    title: str
    caption: str
    formulas: tuple[str, ...]
    size: tuple[float, float]
    draw: Callable[[Canvas], None]


def arrow(axes: Any, start: tuple[float, float], end: tuple[float, float], **style: Any) -> None:
    """Draw an arrow between two points of the data."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, **style})
