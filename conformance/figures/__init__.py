"""Worked figures: the examples of the documents, drawn from what the oracle computes.

Nothing here computes a formula. matplotlib is imported when something is drawn, and not before.
"""

from __future__ import annotations

from conformance.figures.gallery import FIGURES
from conformance.figures.style import Figure
from conformance.figures.writing import write

__all__ = ["FIGURES", "Figure", "write"]
