"""Findings of a search in the words of an identification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.identification.probes import Candidate
from conformance.identification.results import AxisFinding, Departure, Proof
from conformance.identification.search import Finding
from oracle.dialects.lattice import Dialect, Lattice

__all__ = ["axes_of", "closeness", "named", "notes_on", "proof_of", "told"]

#: How many of the nearest rivals are told, beside the formulas with a citation.
_NEAREST = 8


def axes_of(lattice: Lattice, finding: Finding, absent: frozenset[str]) -> tuple[AxisFinding, ...]:
    """Say what is known of each axis."""
    groups = ([one for one in members if isinstance(one, Dialect)] for members in finding.classes)
    classes = [members for members in groups if not members[0].slip]
    answers = [members[0] for members in classes]
    if not answers:
        return ()
    alike = [_alike(lattice, members, absent) for members in classes]
    axes = []
    for axis in lattice.axes:
        told = tuple(dict.fromkeys(dialect.values[axis.name] for dialect in answers))
        same = tuple(dict.fromkeys(place for places in alike for place in places[axis.name]))
        if len(told) > 1:
            reason = "no input that the target takes tells them apart"
            reason += f": the target offers no {axis.needs}" if axis.needs in absent else ""
            axes.append(AxisFinding(axis.name, told, False, reason))
        elif axis.needs in absent:
            axes.append(AxisFinding(axis.name, told, True, f"the target offers no {axis.needs}, and shows none"))
        elif len(same) > 1:
            axes.append(AxisFinding(axis.name, same, True, "the same for this dialect"))
        else:
            axes.append(AxisFinding(axis.name, told, True))
    return tuple(axes)


def _alike(lattice: Lattice, members: Sequence[Dialect], absent: frozenset[str]) -> dict[str, list[str]]:
    """Return the values, by axis, of all places that are the same program as the first of a class."""
    first = members[0]
    # What is the same only because the target offers less is no choice that somebody made.
    here = lattice.settled(first.place, ())
    alike = lattice.alike(first, absent)
    places = [place for place in alike if lattice.settled(place, ()) == here]
    found: dict[str, list[str]] = {}
    for axis in lattice.axes:
        others = [axis.value(place) for place in places if _differ_alone(lattice, place, first, axis.name)]
        others += [member.values[axis.name] for member in members if axis.name in member.values]
        found[axis.name] = list(dict.fromkeys([first.values[axis.name], *others]))
    return found


def _differ_alone(lattice: Lattice, place: Any, first: Dialect, name: str) -> bool:
    return all(axis.name == name or axis.value(place) == first.values[axis.name] for axis in lattice.axes)


def notes_on(dialect: Dialect) -> tuple[str, ...]:
    """Return the other points that it is in other hyperparameters, and the condition."""
    notes = []
    for rule in dialect.lattice.reparametrisations:
        for here, there, told in ((rule.one, rule.other, rule.hyperparameters), (rule.other, rule.one, {})):
            if not dialect.slip and all(dialect.values[name] == value for name, value in here.items()):
                other = dialect.lattice.moved(dialect, there)
                given = ", ".join(f"{name} = {value}" for name, value in told.items())
                way = f" with {given}" if given else ""
                if told or not rule.hyperparameters:
                    notes.append(
                        f"while {rule.constant} stays as it is, the same as {other.id or other.describe()}{way}"
                    )
    return tuple(notes)


def proof_of(finding: Finding) -> Proof | None:
    """Return the observation that told the answer from its last rival, if it had one."""
    found = finding.evidence
    if found is None:
        return None
    return Proof(
        found.probe.name,
        found.probe.purpose,
        found.probe.run,
        named(found.rival),
        found.step,
        found.index,
        found.answer,
        found.rivals,
        found.observed,
        found.probe.given,
    )


def told(finding: Finding) -> dict[str, Any]:
    """Return what an answer keeps of a search in any case."""
    answers = {named(one) for members in finding.classes for one in members}
    rivals = [entry for entry in finding.dropped.items() if named(entry[0]) not in answers]
    ranked = sorted(rivals, key=lambda entry: _lateness(entry[1]))
    nearest = [entry for place, entry in enumerate(ranked) if place < _NEAREST or entry[0].named]
    return {
        "excluded": tuple((named(dialect), departure) for dialect, departure in nearest),
        "rivals": len(rivals),
        "probes": tuple(probe.name for probe in finding.used),
        "refused": tuple(finding.refused),
    }


def _lateness(departure: Departure) -> tuple[float, ...]:
    return -departure.passed, -departure.step, departure.error_over_bound


def closeness(finding: Finding) -> tuple[float, ...]:
    """Return how late, and then how little, the target left the nearest dialect; what is nearer is smaller."""
    return min((_lateness(departure) for departure in finding.dropped.values()), default=(1, 0, 0.0))


def named(candidate: Candidate) -> str:
    """Return the id, if there is one, and the words."""
    return f"{candidate.id}: {candidate.describe()}" if candidate.id else candidate.describe()
