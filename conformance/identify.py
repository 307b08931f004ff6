"""Identification: which formula, or which point of a family, an optimizer computes, told by its behaviour alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.errors import UsageError
from conformance.findings import axes_of, closeness, named, notes_on, proof_of, told
from conformance.guard import guard
from conformance.identification import Departure, Identification, Outcome
from conformance.offers import Offer, offer
from conformance.probes import SCREENS, Probe, probes
from conformance.search import Finding, Search, asked
from conformance.session import Session, derived_seed
from conformance.specimen import Specimen, SubjectFailure
from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision, precision_models
from oracle.dialects import LATTICES
from oracle.dialects.family import SPELLING
from oracle.dialects.lattice import Lattice

__all__ = ["Identifier", "identify"]

DTYPES = ("float64", "float32")

#: Beyond the honest models of float64: what leaks is named, and the dialect all the same.
_LEAKS = {
    "scalars in float32": Precision(FLOAT64, FLOAT64, FLOAT32),
    "computed in float32": Precision(FLOAT64, FLOAT32, FLOAT32),
}

#: Beside hyperparameters that the target does not offer, only dialects with so few unusual values are tried.
_UNUSUAL = 2

#: Without these there is still a rule.
_OPTIONAL = ("dampening", "initial_accumulator", "schedule_multiplier", "weight_decay")


def identify(
    target: Any,
    family: str | None = None,
    *,
    seed: int = 0,
    dtypes: Sequence[str] | None = None,
    device: str = "cpu",
    hyperparameters: Mapping[str, float] | None = None,
) -> Identification:
    """Say which dialect an optimizer speaks, without being told what it claims.

    Parameters
    ----------
    target : class, factory or str
        A subclass of ``torch.optim.Optimizer`` or a ``functools.partial`` of one, a StepperFactory, an
        Implementation; or one of these as ``"package.module:name"`` or ``"path/to/file.py:name"``.
    family : {"momentum", "adaptive", "adam", "lion"}, optional
        Where to look; by default in all of them, those first whose hyperparameters the target offers.
    seed : int
        What the inputs' numbers are drawn from, at least 0.
    dtypes : sequence of {"float64", "float32"}, optional
        The widest decides, and the others confirm; both if not given.
    device : str
    hyperparameters : mapping of str to float, optional
        Values that are not varied, by the oracle's names: for what the target does not offer, or cannot change.

    Returns
    -------
    Identification

    Raises
    ------
    UsageError
        If an argument is wrong; as `LoadError` if a string names nothing that can be imported.
    """
    return Identifier(Session("quick", seed)).identify(
        target, family, dtypes=dtypes or DTYPES, device=device, fixed=dict(hyperparameters or {})
    )


class Identifier:
    """Identifies targets; those after the first are spared what the oracle knows already.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def identify(
        self,
        target: Any,
        family: str | None = None,
        *,
        dtypes: Sequence[str] = DTYPES,
        device: str = "cpu",
        fixed: Mapping[str, float],
    ) -> Identification:
        """See the function `identify`."""
        seed = self._session.seed
        _require(family, seed, dtypes, fixed)
        lattices = [LATTICES[family]] if family else list(LATTICES.values())
        offers = {lattice: offer(target, lattice.hyperparameters, _spelled(fixed)) for lattice in lattices}
        # Those first of whose hyperparameters the target offers most, the simpler of two.
        lattices.sort(key=lambda lattice: -_fit(lattice, offers[lattice]))
        label = offers[lattices[0]].implementation.label
        with guard(derived_seed(label, "identify", seed)):
            runs = [_Run(self._session, lattice, offers[lattice], dtypes, device) for lattice in lattices]
            failures = [run.settle() for run in runs]
            # A factory raises an error where it is not given what it needs: then it is of no such family.
            working = [run for run, failure in zip(runs, failures, strict=True) if failure is None]
            try:
                if working:
                    return self._answer(working)
                failure = failures[0]
            except SubjectFailure as raised:
                failure = raised
            return replace(runs[0].blank, outcome="crash", message=str(failure))

    def _answer(self, runs: Sequence[_Run]) -> Identification:
        failed = []
        for precision in runs[0].models:
            for run in runs:
                finding = run.search(precision)
                if finding.classes:
                    return run.answer(finding, precision)
                failed.append((run, finding))
        # Of those that agreed on as many inputs, the family whose hyperparameters it offers.
        run, finding = min(failed[: len(runs)], key=lambda entry: closeness(entry[1])[0])
        return run.nothing(finding)


class _Run:
    """One target in one lattice."""

    def __init__(self, session: Session, lattice: Lattice, offered: Offer, dtypes: Sequence[str], device: str) -> None:
        self._session = session
        self._lattice = lattice
        self._offer = offered
        self._dtypes = sorted(dtypes, key=DTYPES.index)
        self._specimens = {
            dtype: Specimen(offered.implementation, dtype, device, session.counts) for dtype in self._dtypes
        }
        self._fixed = {
            name: value for name, value in offered.implementation.fixed.items() if name in lattice.hyperparameters
        }
        self._shown: dict[tuple[str, Probe], Any] = {}
        self._held: Mapping[str, float] = {}
        self._heeds = True

    @property
    def models(self) -> tuple[Precision, ...]:
        """Precision models of the dtype that decides, from strict to loose."""
        models = precision_models(self._dtypes[0])
        return (*models, *_LEAKS.values()) if self._dtypes[0] == "float64" else models

    @property
    def blank(self) -> Identification:
        """An answer without an answer."""
        return Identification(
            target=self._offer.implementation.label,
            outcome="none of the known",
            matching=dict(self._offer.spellings),
            defaults={name: value for name, value in self._offer.defaults.items() if name in self._offer.spellings},
            held=dict(self._held),
            left={name: repr(value) for name, value in self._offer.left.items()},
            message="" if self._heeds else "a learning rate that changes is not heeded, so it was left as it is",
            seed=self._session.seed,
        )

    def settle(self) -> SubjectFailure | None:
        """Find out what the target refuses to have varied, and whether it heeds a changed learning rate.

        Returns
        -------
        SubjectFailure or None
            If it fails at the first input.
        """
        try:
            self._hold_what_is_refused()
            changing = next(probe for probe in self._pool() if probe.name == "rates")
            shown, still = (self._ask(self._dtypes[0], probe) for probe in (changing, changing.unchanged()))
        except SubjectFailure as failure:
            return failure
        self._heeds = shown is None or still is None or not np.array_equal(shown, still, equal_nan=True)
        return None

    def _hold_what_is_refused(self) -> None:
        """Leave those hyperparameters at the target's own values, or at 0, that it refuses to have varied."""
        for name in self._lattice.hyperparameters:
            self._held = self._fixed | next(self._attempts())
            if self._ask(self._dtypes[0], self._pool()[0]) is not None:
                return
            offered = self._offer
            if name not in _OPTIONAL or name not in offered.spellings:
                continue
            rest = {other: spelling for other, spelling in offered.spellings.items() if other != name}
            self._fixed |= {name: offered.defaults.get(name, 0.0)}
            self._offer = replace(offered, spellings=rest)

    def search(self, precision: Precision) -> Finding:
        """Look for the dialect, with each customary value of what the target does not offer.

        What fits none under the strictest precision is tried under the others without hidden values.
        """
        finding = Finding()
        if all(self._ask(self._dtypes[0], probe) is None for probe in self._pool()):
            finding.refused = [probe.name for probe in self._pool()]
            return finding
        attempts = list(self._attempts())
        for hidden in attempts if precision == self.models[0] else attempts[:1]:
            self._held = self._fixed | hidden
            found = self._searched(precision, bool(hidden))
            if found.classes or closeness(found) < closeness(finding):
                finding = found
            if found.classes:
                break
        return finding

    def _attempts(self) -> Iterator[dict[str, float]]:
        """Yield customary values of hyperparameters that the target does not offer, weight decay last."""
        lacking = {
            name: values
            for name, values in self._lattice.customary.items()
            if name not in self._offer.spellings and name not in self._fixed
        }
        decays = lacking.pop("weight_decay", ())
        for values in itertools.product(*lacking.values()):
            yield dict(zip(lacking, values, strict=True))
        for decay in decays:
            yield {name: values[0] for name, values in lacking.items()} | {"weight_decay": decay}

    def _searched(self, precision: Precision, hidden: bool) -> Finding:
        search = Search(self._session, precision, lambda probe: self._ask(self._dtypes[0], probe))
        lattice, absent, finding, pool = self._lattice, self._absent(), Finding(), self._pool()
        decays = "weight_decay" in self._offer.spellings
        # Where the screens have no weight decay, all ways to decay are one, until little else is left.
        still = absent | {"weight_decay"} if decays else absent
        dialects = [
            dialect
            for dialect in (*lattice.points(still), *lattice.slips(absent))
            if not hidden or dialect.unusual <= _UNUSUAL
        ]
        left = search.screen(dialects, pool[:SCREENS], finding)
        slips = [dialect for dialect in left if dialect.slip]
        points = [dialect for dialect in left if not dialect.slip]
        if decays:
            points = list(lattice.beside(points, "weight_decay", absent))
        return search.run([*points, *slips], pool[SCREENS:], finding)

    def _pool(self) -> list[Probe]:
        varied = tuple(self._offer.spellings)
        key = ("probes", varied, tuple(self._held.items()), tuple(self._offer.defaults.items()))
        pool = self._session.once(key, lambda: probes(self._held, varied, self._offer.defaults, self._session.seed))
        if self._heeds:
            return pool
        return self._session.once((*key, "unchanged"), lambda: [probe.unchanged() for probe in pool])

    def _absent(self) -> frozenset[str]:
        known = {*self._offer.spellings, *(name for name, value in self._held.items() if value)}
        return frozenset(self._lattice.hyperparameters) - known

    def _ask(self, dtype: str, probe: Probe) -> Sequence[Any] | None:
        key = (dtype, probe)
        if key not in self._shown:
            self._shown[key] = asked(self._specimens[dtype].train(probe.training), probe)
        shown: Sequence[Any] | None = self._shown[key]
        return shown

    def answer(self, finding: Finding, precision: Precision) -> Identification:
        """Tell what was found, and confirm it in the other dtypes."""
        (first, *_), *others = finding.classes
        models = {self._dtypes[0]: _words(precision)}
        departures = []
        for dtype in self._dtypes[1:]:
            model, departure = self._confirmed(dtype, finding)
            if departure is None:
                models[dtype] = model
            else:
                departures.append(f"in {self._dtypes[0]} it is {named(first)}; in {dtype} it departs: {departure}")
        if departures:
            return replace(self.nothing(finding), precision=models, message="; ".join(departures))
        left = [dialect for members in finding.classes for dialect in members]
        # Among conventions that nothing told apart, slips are the least likely.
        dialects = [dialect for dialect in left if not dialect.slip] or left
        slips = len(left) - len(dialects)
        axes = axes_of(self._lattice, finding, self._absent())
        outcome: Outcome = "undecided" if others else "identified"
        return replace(
            self.blank,
            outcome=outcome,
            family=self._lattice.name,
            dialects=tuple(named(dialect) for dialect in dialects),
            formula="" if others else first.id,
            source=first.named.source if first.named and not others else (),
            axes=axes,
            notes=() if others else notes_on(first),
            precision=models,
            message="; ".join(filter(None, [self.blank.message, f"or one of {slips} known slips" if slips else ""])),
            proof=proof_of(finding),
            **told(finding),
        )

    def nothing(self, finding: Finding) -> Identification:
        """Tell what came closest."""
        return replace(
            self.blank,
            family=self._lattice.name if finding.dropped else "",
            message=self.blank.message if finding.used else "nothing was seen: every input was refused",
            **told(finding),
        )

    def _confirmed(self, dtype: str, finding: Finding) -> tuple[str, Departure | None]:
        """Return the strictest model of another dtype that contains what the target shows there."""
        dialects = [members[0] for members in finding.classes]
        for precision in precision_models(dtype):
            search = Search(self._session, precision, lambda probe: self._ask(dtype, probe))
            again = search.run(dialects, finding.used)
            if again.classes:
                return _words(precision), None
        return "nothing was seen", next(iter(again.dropped.values()), None)


def _words(precision: Precision) -> str:
    leak = next((words for words, model in _LEAKS.items() if model is precision), "")
    return f"{precision} ({leak})" if leak else str(precision)


def _fit(lattice: Lattice, offered: Offer) -> int:
    """Return how many of a family's hyperparameters a target offers or has set, less those that it lacks."""
    known = {*offered.spellings, *offered.implementation.fixed}.intersection(lattice.hyperparameters)
    lacking = set(lattice.customary) - known - {"weight_decay"}
    return len(known) - len(lacking)


def _spelled(fixed: Mapping[str, float]) -> dict[str, float]:
    return {SPELLING.get(name, name): value for name, value in fixed.items()}


def _require(family: object, seed: object, dtypes: object, fixed: Mapping[str, Any]) -> None:
    if family is not None and family not in LATTICES:
        raise UsageError(f"family must be among {', '.join(LATTICES)}, got family={family!r}")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed must be an integer of at least 0, got seed={seed!r}")
    if not isinstance(dtypes, list | tuple) or not dtypes or any(name not in DTYPES for name in dtypes):
        raise UsageError(f"dtypes must be a sequence of names among {', '.join(DTYPES)}, got dtypes={dtypes!r}")
    known = dict.fromkeys(name for lattice in LATTICES.values() for name in (*lattice.hyperparameters, "l2_penalty"))
    unknown = sorted(set(fixed) - set(known))
    if unknown:
        raise UsageError(f"hyperparameters must be among {', '.join(known)}, got {', '.join(unknown)}")
    for name, value in fixed.items():
        if not isinstance(value, int | float) or not 0 <= value < np.inf:
            raise UsageError(f"hyperparameters must be finite numbers of at least 0, got {name}={value!r}")
