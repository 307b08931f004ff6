"""Inquiries into optimizers: one target in one lattice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from conformance.identification.findings import axes_of, notes_on
from conformance.identification.inquiry import Inquiry
from conformance.identification.offers import Offer
from conformance.identification.probes import SCREENS, Candidate, Probe, probes
from conformance.identification.results import AxisFinding
from conformance.identification.search import Finding, asked
from conformance.session import Session
from conformance.specimen import Specimen, SubjectFailure
from oracle.arithmetic.formats import Precision
from oracle.dialects.lattice import Dialect, Lattice
from properties.subject import Floats

__all__ = ["OptimizerInquiry"]

#: Beside hyperparameters that the target does not offer, only dialects with so few unusual values are tried.
_UNUSUAL = 2

#: Without these there is still a rule.
_OPTIONAL = ("dampening", "initial_accumulator", "schedule_multiplier", "weight_decay")


class OptimizerInquiry(Inquiry):
    """One target in one lattice."""

    def __init__(self, session: Session, lattice: Lattice, offered: Offer, dtypes: Sequence[str], device: str) -> None:
        super().__init__(session, lattice.name, lattice.hyperparameters, offered, dtypes, device)
        self._lattice = lattice
        self._heeds = True

    @property
    def _remark(self) -> str:
        return "" if self._heeds else "a learning rate that changes is not heeded, so it was left as it is"

    def settle(self) -> SubjectFailure | None:
        """Find out what the target refuses to have varied, and whether it heeds a changed learning rate."""
        widest = self._dtypes[0]
        try:
            self._hold_what_is_refused()
            changing = next(probe for probe in self._pool(widest) if probe.name == "rates")
            shown, still = (self._ask(widest, probe) for probe in (changing, changing.unchanged()))
        except SubjectFailure as failure:
            return failure
        self._heeds = shown is None or still is None or not np.array_equal(shown, still, equal_nan=True)
        return None

    def _hold_what_is_refused(self) -> None:
        """Leave those hyperparameters at the target's own values, or at 0, that it refuses to have varied."""
        widest = self._dtypes[0]
        for name in self._lattice.hyperparameters:
            self._held = self._fixed | next(self._hidden())
            if self._ask(widest, self._pool(widest)[0]) is not None:
                return
            offered = self._offer
            if name not in _OPTIONAL or name not in offered.spellings:
                continue
            rest = {other: spelling for other, spelling in offered.spellings.items() if other != name}
            self._fixed |= {name: offered.defaults.get(name, 0.0)}
            self._offer = replace(offered, spellings=rest)

    def _attempts(self, precision: Precision) -> Sequence[dict[str, float]]:
        """Return all under the strictest precision; what fits none there is tried without hidden values."""
        attempts = list(self._hidden())
        return attempts if precision == self.models[0] else attempts[:1]

    def _hidden(self) -> Iterator[dict[str, float]]:
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
        search = self._compared(self._dtypes[0], precision)
        lattice, absent, finding, pool = self._lattice, self._absent(), Finding(), self._pool(self._dtypes[0])
        decays = "weight_decay" in self._offer.spellings
        # Where the screens have no weight decay, all ways to decay are one, until little else is left.
        still = absent | {"weight_decay"} if decays else absent
        dialects: list[Candidate] = [
            dialect
            for dialect in (*lattice.points(still), *lattice.slips(absent))
            if not hidden or dialect.unusual <= _UNUSUAL
        ]
        left = [one for one in search.screen(dialects, pool[:SCREENS], finding) if isinstance(one, Dialect)]
        slips = [dialect for dialect in left if dialect.slip]
        points = [dialect for dialect in left if not dialect.slip]
        if decays:
            points = list(lattice.beside(points, "weight_decay", absent))
        return search.run([*points, *slips], pool[SCREENS:], finding)

    def _pool(self, dtype: str) -> list[Probe]:  # noqa: ARG002 - all numbers are exact in every dtype
        varied = tuple(self._offer.spellings)
        key = ("probes", varied, tuple(self._held.items()), tuple(self._offer.defaults.items()))
        pool = self._session.once(key, lambda: probes(self._held, varied, self._offer.defaults, self._session.seed))
        if self._heeds:
            return pool
        return self._session.once((*key, "unchanged"), lambda: [probe.unchanged() for probe in pool])

    def _absent(self) -> frozenset[str]:
        known = {*self._offer.spellings, *(name for name, value in self._held.items() if value)}
        return frozenset(self._lattice.hyperparameters) - known

    def _answered(self, specimen: Specimen, probe: Probe) -> Sequence[Floats] | None:
        return asked(specimen.train(probe.training), probe)

    def _confirming(self, dtype: str, finding: Finding) -> tuple[Sequence[Candidate], Sequence[Probe]]:  # noqa: ARG002
        return [members[0] for members in finding.classes], finding.used

    def _explained(self, finding: Finding) -> tuple[tuple[AxisFinding, ...], tuple[str, ...]]:
        first = finding.classes[0][0]
        assert isinstance(first, Dialect)
        return axes_of(self._lattice, finding, self._absent()), notes_on(first)
