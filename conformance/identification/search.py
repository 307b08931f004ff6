"""The search for what a subject computes: a candidate is dropped only by an observation outside its bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, repeat

import numpy as np

from conformance.identification.probes import Candidate, Probe
from conformance.identification.results import Departure
from conformance.session import Session, fingerprint
from conformance.specimen import SubjectFailure
from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.bound import Enclosure, Walk, bound
from oracle.formula import Formula
from properties.cases import Call, Training
from properties.subject import Floats, Rejected

__all__ = ["Evidence", "Finding", "Search", "asked"]

#: How many of the remaining candidates a probe is chosen for; with more, a choice costs as much as trying.
_SAMPLE = 16

#: Among how many of the probes that are left one is chosen.
_CHOICE = 16

_EXACT = Precision(FLOAT64, FLOAT64, FLOAT64)

#: What a subject showed after each step of a probe, or None if it refused the input.
Ask = Callable[[Probe], "Sequence[Floats] | None"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """The observation that told the answer from its last rival.

    Parameters
    ----------
    probe : Probe
    rival : Candidate
        The last that was dropped.
    step, index : int
    rivals : tuple of float, float
        What the rival allows there.
    observed : float
    answer : tuple of float, float
        What the answer allows there.
    """

    probe: Probe
    rival: Candidate
    step: int
    index: int
    rivals: tuple[float, float]
    observed: float
    answer: tuple[float, float]


@dataclass(eq=False)
class Finding:
    """What a search leaves.

    Parameters
    ----------
    classes : list of list of Candidate
        Those that were not dropped; the candidates of one class give the same numbers.
    dropped : dict of Candidate to Departure
    used : list of Probe
        In the order in which they were chosen; the last ones only confirm.
    refused : list of str
        Names of probes whose hyperparameters the subject refuses.
    evidence : Evidence, optional
    """

    classes: list[list[Candidate]] = field(default_factory=list)
    dropped: dict[Candidate, Departure] = field(default_factory=dict)
    used: list[Probe] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    evidence: Evidence | None = None


class _Path:
    """The enclosures of a candidate on an input, each computed when it is asked for."""

    def __init__(self, formula: Formula, run: Training | Call, precision: Precision) -> None:
        self._coming = (
            map(partial(_called, formula, precision), repeat(run))  # which fails again where it fails
            if isinstance(run, Call)
            else _walked(formula, run, precision)
        )
        self._known: list[Enclosure] = []

    def after(self, step: int) -> Enclosure:
        """Return the enclosure of the parameters after a step, which counts from 1, or of a result."""
        while len(self._known) < step:
            self._known.append(next(self._coming))
        return self._known[step - 1]


def _walked(formula: Formula, training: Training, precision: Precision) -> Iterator[Enclosure]:
    walk = Walk(formula, training.params[0], precision=precision)
    for update, rows in zip(training.steps, training.hyperparameters(), strict=True):
        (grad,) = update.grads
        assert grad is not None  # probes miss none
        yield walk.step(grad, rows[0])[0]


def _called(formula: Formula, precision: Precision, call: Call) -> Enclosure:
    enclosure: Enclosure = bound(formula, *call.arrays, precision=precision, **call.hyperparameters)
    return enclosure


class Search:
    """Compares one subject with candidates in one precision.

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

    def screen(self, candidates: Sequence[Candidate], pool: Sequence[Probe], finding: Finding) -> list[Candidate]:
        """Return the candidates that all probes leave, in the order of the pool, and note the others."""
        remaining = list(candidates)
        for probe in pool:
            remaining = self._tried(remaining, probe, finding)
        return remaining

    def run(self, candidates: Sequence[Candidate], pool: Sequence[Probe], finding: Finding | None = None) -> Finding:
        """Drop candidates until no probe of the pool drops another one.

        Each probe is chosen for the pairs that it separates; when nothing is left to separate, the others confirm
        what remains, or drop that too.
        """
        finding = finding or Finding()
        remaining, unused = list(candidates), list(pool)
        while unused and remaining:
            probe = self._choice(remaining, unused)
            unused.remove(probe)
            remaining = self._tried(remaining, probe, finding)
        # What no bound of the inputs that were answered contains was not seen to be so.
        finding.classes = self._classes([one for one in remaining if self._seen(one, finding.used)], pool)
        if finding.classes:
            finding.evidence = self._evidence(finding, finding.classes[0][0])
        return finding

    def contains(self, candidate: Candidate, probe: Probe) -> bool:
        """Whether a candidate allows all that the subject shows on a probe."""
        shown = self._ask(probe)
        return shown is None or _departure(self._path(candidate, probe, self._precision), probe, shown, 0) is None

    def _tried(self, candidates: list[Candidate], probe: Probe, finding: Finding) -> list[Candidate]:
        """Run the subject on a probe, and return the candidates that are left."""
        shown = self._ask(probe)
        if shown is None:
            finding.refused = list(dict.fromkeys([*finding.refused, probe.name]))
            return candidates
        if probe not in finding.used:
            finding.used.append(probe)
        return self._kept(candidates, probe, shown, finding)

    def _path(self, candidate: Candidate, probe: Probe, precision: Precision) -> _Path:
        """Return the path of the program that a candidate is where some hyperparameters are 0."""
        alike = candidate.settled(probe.absent(candidate.hyperparameters))
        key = self._session.once(("fingerprint", probe), lambda: fingerprint(probe.run))
        return self._session.once(("path", alike, key, precision), lambda: _Path(alike.formula, probe.run, precision))

    def _kept(
        self, candidates: Iterable[Candidate], probe: Probe, shown: Sequence[Floats], finding: Finding
    ) -> list[Candidate]:
        """Return the candidates that contain what was shown, and note where the others do not."""
        departures: dict[_Path, Departure | None] = {}
        kept = []
        for candidate in candidates:
            if not probe.serves(candidate):
                kept.append(candidate)
                continue
            path = self._path(candidate, probe, self._precision)
            if path not in departures:
                passed = sum(other.serves(candidate) for other in finding.used[: finding.used.index(probe)])
                departures[path] = _departure(path, probe, shown, passed)
            departure = departures[path]
            if departure is None:
                kept.append(candidate)
            else:
                finding.dropped[candidate] = departure
        return kept

    def _choice(self, candidates: Sequence[Candidate], unused: Sequence[Probe]) -> Probe:
        """Return the first probe that separates half of the pairs of candidates, or else the one that separates most."""
        if len(candidates) == 1:
            return unused[0]
        sample = candidates[:: -(-len(candidates) // _SAMPLE)]
        pairs = len(sample) * (len(sample) - 1) // 2
        best, most = unused[0], -1
        for probe in unused[:_CHOICE]:
            count = sum(self._separated(one, other, probe) for one, other in combinations(sample, 2))
            if count > most:
                best, most = probe, count
            if 2 * count >= pairs:
                break
        return best

    def _separated(self, one: Candidate, other: Candidate, probe: Probe) -> bool:
        if not (probe.serves(one) and probe.serves(other)):
            return False
        ours, theirs = (self._path(candidate, probe, self._precision) for candidate in (one, other))
        return ours is not theirs and any(_apart(ours.after(step), theirs.after(step)) for step in probe.steps)

    def _evidence(self, finding: Finding, answer: Candidate) -> Evidence | None:
        """Return the rival that lasted longest among those that were dropped last, where the answer was looked at."""
        for probe in reversed([probe for probe in finding.used if probe.serves(answer)]):
            here = [
                (rival, gone)
                for rival, gone in finding.dropped.items()
                # Another evaluation of the answer is no rival.
                if gone.probe == probe.name and not gone.shapes and (not rival.id or rival.id != answer.id)
            ]
            if here:
                rival, gone = min(here, key=lambda entry: (-entry[1].step, entry[1].error_over_bound))
                allowed = self._path(answer, probe, self._precision).after(gone.step).interval(gone.index)
                return Evidence(probe, rival, gone.step, gone.index, (gone.low, gone.high), gone.observed, allowed)
        return None

    def _seen(self, candidate: Candidate, used: Sequence[Probe]) -> bool:
        """Whether a candidate has a bound on some probe that the subject answered."""
        paths = ((self._path(candidate, probe, self._precision), probe) for probe in used if probe.serves(candidate))
        return any(bool(path.after(step).bounded.any()) for path, probe in paths for step in probe.steps)

    def _classes(self, candidates: Sequence[Candidate], pool: Sequence[Probe]) -> list[list[Candidate]]:
        """Put together what has the same exact values; of a class that has them, only points of the lattice.

        They are compared on all probes, those that the subject refused included.
        """
        classes: list[list[Candidate]] = []
        for candidate in candidates:
            for members in classes:
                if self.equal(candidate, members[0], pool):
                    members.append(candidate)
                    break
            else:
                classes.append([candidate])
        return [[one for one in members if not one.slip] or members for members in classes]

    def equal(self, one: Candidate, other: Candidate, pool: Sequence[Probe]) -> bool:
        """Whether two candidates have the same exact values on all probes."""
        return all(self._same(one, other, probe) for probe in _common(one, other, pool))

    def _same(self, one: Candidate, other: Candidate, probe: Probe) -> bool:
        """Whether no value differs, to 128 bits: inputs without any pattern leave no room for chance."""
        ours, theirs = (self._path(candidate, probe, _EXACT) for candidate in (one, other))
        try:
            return ours is theirs or not any(_unequal(ours.after(step), theirs.after(step)) for step in probe.steps)
        except (ValueError, IndexError):  # one of them takes no arrays of such shapes
            return False


def _common(one: Candidate, other: Candidate, pool: Sequence[Probe]) -> list[Probe]:
    """Return the probes that serve both, or else those that serve either."""
    both = [probe for probe in pool if probe.serves(one) and probe.serves(other)]
    return both or [probe for probe in pool if probe.serves(one) or probe.serves(other)]


def _apart(one: Enclosure, other: Enclosure) -> bool:
    """Whether no result fits both."""
    return one.error.shape != other.error.shape or bool(np.any(one.separation(other) > 1))


def _unequal(one: Enclosure, other: Enclosure) -> bool:
    """Whether the exact values differ, however little."""
    return one.error.shape != other.error.shape or bool(np.any(one.differs(other)))


def _departure(path: _Path, probe: Probe, shown: Sequence[Floats], passed: int) -> Departure | None:
    """Return the first step and element that lie outside."""
    for step in probe.steps:
        enclosure = path.after(step)
        if shown[step - 1].shape != enclosure.error.shape:
            shapes = shown[step - 1].shape, enclosure.error.shape
            return Departure(probe.name, step, passed=passed, shapes=shapes, given=probe.given)
        ratios = enclosure.ratio(shown[step - 1])
        index = int(np.argmax(ratios))
        if (ratio := float(ratios.flat[index])) > 1:
            low, high = enclosure.interval(index)
            came = float(shown[step - 1].flat[index])
            return Departure(probe.name, step, index, low, high, came, ratio, passed, given=probe.given)
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
    if isinstance(probe.run, Call):
        return [np.asarray(answer)]
    params = [row[0] for row in answer.params]  # type: ignore[attr-defined]  # an Observation
    for step, param in enumerate(params, 1):
        if param.shape != probe.run.params[0].shape:
            raise SubjectFailure(f"the parameter has shape {param.shape} after step {step} of {probe.name!r}")
    return params
