"""Identification: what an optimizer, a function or a schedule computes, told by its behaviour alone."""

from __future__ import annotations

from conformance.identification.identifier import FAMILIES, Identifier, identify
from conformance.identification.results import AxisFinding, Departure, Identification, Outcome, Proof

__all__ = ["FAMILIES", "AxisFinding", "Departure", "Identification", "Identifier", "Outcome", "Proof", "identify"]
