"""The search for the dialect that a subject speaks: a dialect is dropped only by an observation outside its bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from conformance.identification import Departure
from conformance.probes import Probe
from conformance.session import Session, fingerprint
from conformance.specimen import SubjectFailure
from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.bound import Enclosure, Walk
from oracle.dialects.lattice import Dialect
from properties.cases import Training
from properties.subject import Floats, Rejected

__all__ = ["Evidence", "Finding", "Search", "asked"]

#: How many of the remaining dialects a probe is chosen for; with more, a choice costs as much as trying.
_SAMPLE = 16

_EXACT = Precision(FLOAT64, FLOAT64, FLOAT64)

#: What a subject showed after each step of a probe, or None if it refused its hyperparameters.
Ask = Callable[[Probe], "Sequence[Floats] | None"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """The observation that told the answer from its last rival.

    Parameters
    ----------
    probe : Probe
    rival : Dialect
        The last that was dropped.
    step, index : int
    rivals : tuple of float, float
        What the rival allows there.
    observed : float
    answer : tuple of float, float
        What the answer allows there, when it is known.
    """

    probe: Probe
    rival: Dialect
    step: int
    index: int
    rivals: tuple[float, float]
    observed: float
    answer: tuple[float, float] = (-np.inf, np.inf)


@dataclass(eq=False)
class Finding:
    """What a search leaves.

    Parameters
    ----------
    classes : list of list of Dialect
        Those that were not dropped; the dialects of one class give the same numbers.
    dropped : dict of Dialect to Departure
    used : list of Probe
        In the order in which they were chosen; the last ones only confirm.
    refused : list of str
        Names of probes whose hyperparameters the subject refuses.
    evidence : Evidence, optional
    """

    classes: list[list[Dialect]] = field(default_factory=list)
    dropped: dict[Dialect, Departure] = field(default_factory=dict)
    used: list[Probe] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    evidence: Evidence | None = None


class _Path:
    """The enclosures of a dialect on a training, each computed when it is asked for."""

    def __init__(self, dialect: Dialect, training: Training, precision: Precision) -> None:
        self._walk = Walk(dialect.formula, training.params[0], precision=precision)
        self._steps = iter(zip(training.steps, training.hyperparameters(), strict=True))
        self._known: list[Enclosure] = []

    def after(self, step: int) -> Enclosure:
        """Return the parameters' enclosure after a step, which counts from 1."""
        while len(self._known) < step:
            update, rows = next(self._steps)
            (grad,) = update.grads
            assert grad is not None  # probes miss none
            self._known.append(self._walk.step(grad, rows[0])[0])
        return self._known[step - 1]


class Search:
    """Compares one subject with dialects in one precision.

    Parameters
    ----------
    session : Session
        Keeps enclosures, which are the same for all subjects that are shown the same probes.
    precision : Precision
    ask : callable
        Runs the subject on a probe.
    """

    def __init__(self, session: Session, precision: Precision, ask: Ask) -> None:
        self._session = session
        self._precision = precision
        self._ask = ask

    def screen(self, dialects: Sequence[Dialect], pool: Sequence[Probe], finding: Finding) -> list[Dialect]:
        """Return the dialects that all probes leave, in the order of the pool, and note the others."""
        remaining = list(dialects)
        for probe in pool:
            remaining = self._tried(remaining, probe, finding)
        return remaining

    def run(self, dialects: Sequence[Dialect], pool: Sequence[Probe], finding: Finding | None = None) -> Finding:
        """Drop dialects until no probe of the pool drops another one.

        Each probe is chosen for the pairs that it separates; when nothing is left to separate, the others confirm
        what remains, or drop that too.
        """
        finding = finding or Finding()
        remaining, unused = list(dialects), list(pool)
        while unused and remaining:
            probe = self._choice(remaining, unused)
            unused.remove(probe)
            remaining = self._tried(remaining, probe, finding)
        # What no bound of the inputs that were answered contains was not seen to be so.
        finding.classes = self._classes([one for one in remaining if self._seen(one, finding.used)], pool)
        if finding.classes and (found := finding.evidence):
            allowed = self._path(finding.classes[0][0], found.probe, self._precision).after(found.step)
            finding.evidence = replace(found, answer=allowed.interval(found.index))
        return finding

    def _tried(self, dialects: list[Dialect], probe: Probe, finding: Finding) -> list[Dialect]:
        """Run the subject on a probe, and return the dialects that are left."""
        shown = self._ask(probe)
        if shown is None:
            finding.refused = list(dict.fromkeys([*finding.refused, probe.name]))
            return dialects
        if probe not in finding.used:
            finding.used.append(probe)
        remaining = self._kept(dialects, probe, shown, finding)
        if remaining and len(remaining) < len(dialects):
            finding.evidence = _evidence(finding, probe)
        return remaining

    def _path(self, dialect: Dialect, probe: Probe, precision: Precision) -> _Path:
        """Return the path of the program that a dialect is where some hyperparameters are 0."""
        alike = dialect.settled(probe.absent(dialect.lattice.hyperparameters))
        key = self._session.once(("fingerprint", probe), lambda: fingerprint(probe.training))
        return self._session.once(("path", alike, key, precision), lambda: _Path(alike, probe.training, precision))

    def _kept(
        self, dialects: Iterable[Dialect], probe: Probe, shown: Sequence[Floats], finding: Finding
    ) -> list[Dialect]:
        """Return the dialects that contain what was shown, and note where the others do not."""
        departures: dict[_Path, Departure | None] = {}
        kept = []
        for dialect in dialects:
            path = self._path(dialect, probe, self._precision)
            if path not in departures:
                departures[path] = _departure(path, probe, shown, finding.used.index(probe))
            departure = departures[path]
            if departure is None:
                kept.append(dialect)
            else:
                finding.dropped[dialect] = departure
        return kept

    def _choice(self, dialects: Sequence[Dialect], unused: Sequence[Probe]) -> Probe:
        """Return the first probe that separates half of the pairs of dialects, or else the one that separates most."""
        if len(dialects) == 1:
            return unused[0]
        sample = dialects[:: -(-len(dialects) // _SAMPLE)]
        pairs = len(sample) * (len(sample) - 1) // 2
        best, most = unused[0], -1
        for probe in unused:
            count = sum(self._separated(one, other, probe) for one, other in combinations(sample, 2))
            if count > most:
                best, most = probe, count
            if 2 * count >= pairs:
                break
        return best

    def _separated(self, one: Dialect, other: Dialect, probe: Probe) -> bool:
        ours, theirs = (self._path(dialect, probe, self._precision) for dialect in (one, other))
        return ours is not theirs and any(
            bool(np.any(ours.after(step).separation(theirs.after(step)) > 1)) for step in _steps(probe)
        )

    def _seen(self, dialect: Dialect, used: Sequence[Probe]) -> bool:
        """Whether a dialect has a bound on some probe that the subject answered."""
        paths = ((self._path(dialect, probe, self._precision), probe) for probe in used)
        return any(bool(path.after(step).bounded.any()) for path, probe in paths for step in _steps(probe))

    def _classes(self, dialects: Sequence[Dialect], pool: Sequence[Probe]) -> list[list[Dialect]]:
        """Put together what has the same exact values; of a class that has them, only points of the lattice.

        They are compared on all probes, those that the subject refused included.
        """
        classes: list[list[Dialect]] = []
        for dialect in dialects:
            for members in classes:
                if all(self._same(dialect, members[0], probe) for probe in pool):
                    members.append(dialect)
                    break
            else:
                classes.append([dialect])
        return [[one for one in members if not one.slip] or members for members in classes]

    def _same(self, one: Dialect, other: Dialect, probe: Probe) -> bool:
        """Whether no value differs, to 128 bits: inputs without any pattern leave no room for chance."""
        ours, theirs = (self._path(dialect, probe, _EXACT) for dialect in (one, other))
        return ours is theirs or not any(
            bool(np.any(ours.after(step).differs(theirs.after(step)))) for step in _steps(probe)
        )


def _evidence(finding: Finding, probe: Probe) -> Evidence:
    """Return the rival that lasted longest among those that a probe dropped."""
    here = {rival: gone for rival, gone in finding.dropped.items() if gone.probe == probe.name}
    rival, gone = min(here.items(), key=lambda entry: (-entry[1].step, entry[1].error_over_bound))
    return Evidence(probe, rival, gone.step, gone.index, (gone.low, gone.high), gone.observed)


def _steps(probe: Probe) -> range:
    return range(1, len(probe.training.steps) + 1)


def _departure(path: _Path, probe: Probe, shown: Sequence[Floats], passed: int) -> Departure | None:
    """Return the first step and element that lie outside."""
    for step in _steps(probe):
        enclosure = path.after(step)
        ratios = enclosure.ratio(shown[step - 1])
        index = int(np.argmax(ratios))
        if (ratio := float(ratios.flat[index])) > 1:
            low, high = enclosure.interval(index)
            return Departure(probe.name, step, index, low, high, float(shown[step - 1].flat[index]), ratio, passed)
    return None


def asked(answer: object, probe: Probe) -> Sequence[Floats] | None:
    """Return the parameters that an answer of a specimen shows; None if it refused.

    Raises
    ------
    SubjectFailure
        If a parameter has not kept its shape.
    """
    if isinstance(answer, Rejected):
        return None
    params = [row[0] for row in answer.params]  # type: ignore[attr-defined]  # an Observation
    for step, param in enumerate(params, 1):
        if param.shape != probe.training.params[0].shape:
            raise SubjectFailure(f"the parameter has shape {param.shape} after step {step} of {probe.name!r}")
    return params
