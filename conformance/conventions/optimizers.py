"""What one optimizer computes, convention by convention."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from conformance.backends import Implementation
from conformance.conventions.defaults import defaults
from conformance.conventions.models import DTYPES, NOT_DECLARED, told
from conformance.conventions.records import Cell, Measured, undecided
from conformance.conventions.storage import exact_path, in_half
from conformance.identification.identifier import Identifier
from conformance.identification.inquiry import DTYPES as WIDE
from conformance.identification.probes import VALUES
from conformance.identification.results import AxisFinding, Identification
from conformance.session import Session
from oracle.dialects import LATTICES
from oracle.dialects.lattice import Dialect

__all__ = ["optimizer"]


def optimizer(session: Session, implementation: Implementation, device: str) -> Measured:
    """Measure an optimizer; one after another, for they share what the oracle knows of a session's inputs."""
    dtypes = [dtype for dtype in WIDE if dtype in implementation.dtypes]
    if not dtypes:
        declared = ", ".join(implementation.dtypes)
        return Measured(
            "", (), {"computes": undecided(f"float64 or float32 must tell, the backend declares {declared}")}
        )
    found = Identifier(session).identify(implementation, dtypes=dtypes, device=device, fixed={})
    dialect = _dialect(found)
    varied = tuple(dict.fromkeys(spelling.partition("[")[0] for spelling in found.matching.values()))
    cells = {
        "computes": _computed(found, dialect),
        **{axis.name: _axis(axis) for axis in found.axes},
        "defaults": defaults(implementation, varied),
        **{dtype: _precision(found, dtype, implementation) for dtype in WIDE},
        **in_half(session, implementation, found, dialect, DTYPES[-1], device),
    }
    return Measured(found.family if found.dialects else "", varied, cells)


def _computed(found: Identification, dialect: Dialect | None) -> Cell:
    if found.outcome == "identified":
        words = found.dialects[0].removeprefix(f"{found.formula}: ")  # a slip's id says less than its words
        return Cell(dialect.id or words if dialect else words, reason=_conditions(found, dialect))
    if found.outcome == "undecided":
        return undecided("no input that it takes tells them apart", " | ".join(found.dialects))
    if found.outcome == "crash" or not found.excluded:
        return undecided(found.message or "no dialect has a bound for what it shows")
    nearest, departure = found.excluded[0]
    way = f"{found.message}; " if found.message else ""
    return Cell(f"none of the known ({found.rivals} tried)", reason=f"{way}nearest: {nearest}; {departure}")


def _conditions(found: Identification, dialect: Dialect | None) -> str:
    """Say at which values it was found of hyperparameters that were not varied, and what else there is to know."""
    values = {**{name: VALUES[name] for name in found.matching}, **found.held}
    told = [f"{name}={value:g}" for name, value in found.held.items() if dialect and _matters(dialect, values, name)]
    return "; ".join(filter(None, [found.message, f"with {', '.join(told)} throughout" if told else ""]))


def _matters(dialect: Dialect, values: Mapping[str, float], name: str) -> bool:
    """Whether a dialect would compute something else if a hyperparameter were half as large."""
    halved = {**values, name: values[name] / 2}
    return not np.array_equal(exact_path(dialect, values), exact_path(dialect, halved))


def _axis(axis: AxisFinding) -> Cell:
    if not axis.decided:
        return undecided(axis.reason, " | ".join(axis.values))
    varied = not axis.reason or len(axis.values) > 1
    return Cell(" = ".join(axis.values) + ("" if varied else ", not varied"), reason=axis.reason)


def _precision(found: Identification, dtype: str, implementation: Implementation) -> Cell:
    if dtype not in implementation.dtypes:
        return undecided(NOT_DECLARED)
    if dtype not in found.precision:
        return undecided("what it computes is not known")
    return Cell(told(found.precision[dtype]))


def _dialect(found: Identification) -> Dialect | None:
    """Return what was found as a point that can be evaluated; None if it is none of the lattice, or not one."""
    if not found.identified:
        return None
    lattice = LATTICES[found.family]
    plain = lattice.at(type(next(iter(lattice.family.named.values())))())
    point = lattice.moved(plain, {axis.name: axis.values[0] for axis in found.axes})
    return point if found.formula == point.id else None
