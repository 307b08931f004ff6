"""Inquiries into functions of arrays and schedules: one target, called in one way."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from conformance.identification.call_probes import call_probes
from conformance.identification.inquiry import Inquiry
from conformance.identification.offers import CUSTOMARY, Offer
from conformance.identification.probes import Candidate, Probe
from conformance.identification.results import AxisFinding
from conformance.identification.search import Finding, asked
from conformance.session import Session
from conformance.specimen import Specimen, SubjectFailure
from oracle.arithmetic.formats import Precision
from oracle.dialects.variants import Variant
from oracle.formula import Formula
from properties.subject import Floats

__all__ = ["FunctionInquiry"]


class FunctionInquiry(Inquiry):
    """One target, and the functions that are called with the same arrays and hyperparameters.

    What it raises is a refusal: a function that is none of these may well fail at arrays that are made for them.
    """

    def __init__(
        self, session: Session, candidates: Sequence[Variant], offered: Offer, dtypes: Sequence[str], device: str
    ) -> None:
        base = candidates[0].base
        known = [dtype for dtype in dtypes if dtype in offered.implementation.dtypes]
        super().__init__(session, f"{base.kind}s", base.hyperparameters, offered, known, device)
        self._candidates = candidates
        self._called_alike = tuple(dict.fromkeys(candidate.base for candidate in candidates))
        self._formulas = self._called_alike
        self._failure: SubjectFailure | None = None

    @property
    def _remark(self) -> str:
        return ""

    def settle(self) -> SubjectFailure | None:
        """Leave those formulas out most of whose inputs the target refuses: what it answers then shows little."""
        self._held = self._fixed | self._hidden()[0]
        pool = self._pool(self._dtypes[0])
        refused = [probe for probe in pool if self._ask(self._dtypes[0], probe) is None]

        def answered(formula: Formula) -> bool:
            return 2 * _serving(refused, formula) < _serving(pool, formula)

        self._formulas = tuple(formula for formula in self._formulas if answered(formula))
        self._candidates = [candidate for candidate in self._candidates if candidate.base in self._formulas]
        return None if self._candidates else self._failure or SubjectFailure("most inputs were refused")

    def _attempts(self, precision: Precision) -> Sequence[dict[str, float]]:  # noqa: ARG002 - they cost little
        return self._hidden()

    def _hidden(self) -> list[dict[str, float]]:
        """Return the combinations of customary values of hyperparameters that the target does not offer."""
        lacking = [
            name
            for name in self._called_alike[0].hyperparameters
            if name not in self._offer.spellings and name not in self._fixed
        ]
        ways = itertools.product(*(CUSTOMARY[name] for name in lacking))
        return [dict(zip(lacking, values, strict=True)) for values in ways]

    def _searched(self, precision: Precision, hidden: bool) -> Finding:  # noqa: ARG002 - whatever is hidden
        dtype = self._dtypes[0]
        search, pool = self._compared(dtype, precision), self._pool(dtype)
        finding = search.run(self._candidates, pool)
        # What has the values of a formula whose own inputs dropped it would go the same way.
        gone = [one for one in _variants(finding.dropped) if not one.slip]

        def contradicted(answer: Variant) -> bool:
            return any(one.base is not answer.base and search.equal(answer, one, pool) for one in gone)

        classes = [members for members in finding.classes if not any(map(contradicted, _variants(members[:1])))]
        # Of a formula and its evaluations, what promises most: the inputs that tell them apart are extremes.
        finding.classes = list(_strongest(classes))
        return finding

    def _pool(self, dtype: str) -> list[Probe]:
        defaults = {name: value for name, value in self._offer.defaults.items() if name in self._offer.spellings}
        key = ("calls", self._called_alike, tuple(self._held.items()), tuple(defaults.items()), dtype)
        pool = self._session.once(
            key, lambda: call_probes(self._session, self._called_alike, self._held, defaults, dtype)
        )
        return [probe for probe in pool if any(formula in probe.formulas for formula in self._formulas)]

    def _answered(self, specimen: Specimen, probe: Probe) -> Sequence[Floats] | None:
        try:
            return asked(specimen.call(probe.call), probe)
        except SubjectFailure as failure:
            self._failure = self._failure or failure
            return None

    def _confirming(self, dtype: str, finding: Finding) -> tuple[Sequence[Candidate], Sequence[Probe]]:
        ids = {candidate.id for members in finding.classes for candidate in members}
        return [candidate for candidate in self._candidates if candidate.id in ids], self._pool(dtype)

    def _explained(self, finding: Finding) -> tuple[tuple[AxisFinding, ...], tuple[str, ...]]:  # noqa: ARG002
        return (), ()


def _strongest(classes: Sequence[list[Candidate]]) -> Iterator[list[Candidate]]:
    """Yield classes without evaluations of a formula that is accepted itself; others of one formula stand alone.

    They have the same values, but are not the same program.
    """
    accepted = {one.evaluates for members in classes for one in _variants(members) if one.id == one.base.id}
    for members in classes:
        others = [one for one in _variants(members) if one.evaluates is None or one.id == one.base.id]
        if others:
            yield [*others]
        for one in _variants(members):
            if one not in others and one.evaluates not in accepted:
                yield [one]


def _variants(members: Iterable[Candidate]) -> list[Variant]:
    return [one for one in members if isinstance(one, Variant)]


def _serving(probes: Iterable[Probe], formula: Formula) -> int:
    return sum(formula in probe.formulas for probe in probes)
