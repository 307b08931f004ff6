"""The survey: every optimizer, clip and schedule of some backends, measured."""

from __future__ import annotations

import platform
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version

from conformance import api
from conformance.backends import Backend, Implementation
from conformance.conventions.clips import clip, is_clip
from conformance.conventions.defaults import constants
from conformance.conventions.optimizers import optimizer
from conformance.conventions.records import ConventionMap, Kind, Library, Measured, Row
from conformance.conventions.schedules import schedule
from conformance.errors import UsageError
from conformance.guard import guard
from conformance.session import Session, derived_seed
from conformance.version import __version__
from oracle.catalogue import get

__all__ = ["convention_map", "mapped_kind"]

_MEASURES: Mapping[Kind, Callable[[Session, Implementation, str], Measured]] = {
    "optimizer": optimizer,
    "clip": clip,
    "schedule": schedule,
}


def convention_map(
    backends: str | Backend | Sequence[str | Backend],
    *,
    seed: int = 0,
    device: str = "cpu",
) -> ConventionMap:
    """Measure what the optimizers, clips and schedules of some libraries compute, convention by convention.

    Nothing is taken from names or documentation, but defaults, which are read from signatures: a cell says what
    inputs told, or why they did not. What raises costs its own row; what kills the process ends the survey.

    Parameters
    ----------
    backends : str, Backend, or sequence of these
        As `run` takes them: names such as ``"torch"``, ``"module:object"``, or Backends.
    seed : int
        What the inputs' numbers are drawn from, at least 0.
    device : str

    Returns
    -------
    ConventionMap
        The same for the same arguments and libraries.

    Raises
    ------
    UsageError
        Naming the argument, what it may be and what it was; as `LoadError` if a backend cannot be loaded.
    """
    given = [backends] if isinstance(backends, str | Backend) else list(backends)
    if not given:
        raise UsageError(f"backends must name one at least, got {backends!r}")
    loaded = [api.plan_of(backend, seed=seed, device=device)[0] for backend in given]
    names = [backend.name for backend in loaded]
    if len(set(names)) < len(names):
        raise UsageError(f"backends must differ, got {', '.join(names)}")
    session = Session("quick", seed)
    return ConventionMap(tuple(_library(session, backend, device) for backend in loaded))


def _library(session: Session, backend: Backend, device: str) -> Library:
    """Measure all that there are conventions for."""
    given = (*backend.implementations, *backend.unclaimed)
    here = [one for one in given if device.partition(":")[0] in one.devices]
    rows = [(one.formula, _row(session, kind, one, device)) for one in here if (kind := mapped_kind(one))]
    environment = {
        "exactstep": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "numpy": version("numpy"),
        **backend.environment(),
    }
    unmapped = tuple(dict.fromkeys(one.label for one in here if not mapped_kind(one)))
    return Library(backend.name, backend.version, environment, session.seed, _joined(rows), unmapped)


def _row(session: Session, kind: Kind, implementation: Implementation, device: str) -> Row:
    name, _, path = implementation.label.partition(":")
    with guard(derived_seed(implementation.label, "conventions", session.seed)):
        family, varied, cells = _MEASURES[kind](session, implementation, device)
    return Row(kind, family, name, varied, constants(implementation), (path,), cells)


def mapped_kind(implementation: Implementation) -> Kind | None:
    """Say what a backend sets an implementation up as; None if there are no conventions for it."""
    kind = get(implementation.formula).kind if implementation.formula else "optimizer"
    if kind == "function":
        return "clip" if is_clip(implementation) else None
    return kind


def _joined(rows: Sequence[tuple[str, Row]]) -> tuple[Row, ...]:
    """Make one row of the paths that are set up for the same formula and measured the same."""
    groups: dict[Hashable, list[Row]] = {}
    for formula, row in rows:
        measured = (formula, row.kind, row.family, row.name, row.varied, tuple(row.cells.items()))
        groups.setdefault(measured, []).append(row)
    return tuple(map(_one_of, groups.values()))


def _one_of(group: Sequence[Row]) -> Row:
    first = group[0]
    shared = {name: value for name, value in first.held.items() if all(row.held.get(name) == value for row in group)}
    paths = tuple(dict.fromkeys(path for row in group for path in row.paths))
    named = () if paths == ("",) else tuple(path or "plain" for path in paths)
    return replace(first, held=shared, paths=named)
