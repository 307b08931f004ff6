"""The convention map: what each optimizer, clip and schedule of a library computes, measured, in tables."""

from __future__ import annotations

from conformance.conventions.records import Cell, ConventionMap, Library, Row
from conformance.conventions.survey import convention_map

__all__ = ["Cell", "ConventionMap", "Library", "Row", "convention_map"]
