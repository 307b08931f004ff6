"""Inquiries: one target, compared with all candidates of one kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import replace

from conformance.identification.findings import closeness, named, proof_of, told
from conformance.identification.offers import Offer
from conformance.identification.probes import Candidate, Probe
from conformance.identification.results import AxisFinding, Departure, Identification, Outcome
from conformance.identification.search import Finding, Search
from conformance.session import Session
from conformance.specimen import Specimen, SubjectFailure
from oracle.arithmetic.formats import FLOAT32, FLOAT64, Format, Precision, precision_models
from properties.subject import Floats

__all__ = ["DTYPES", "LEAKS", "Inquiry"]

DTYPES = ("float64", "float32")

#: Beyond the honest models of float64: what leaks is named, and what is computed all the same.
LEAKS = {
    "scalars in float32": Precision(FLOAT64, FLOAT64, FLOAT32),
    "computed in float32": Precision(FLOAT64, FLOAT32, FLOAT32),
}

#: Scalars with digits enough that none is taken for one of float32.
_BETWEEN = Precision(FLOAT64, FLOAT64, Format("between", 38, FLOAT64.min_exponent, FLOAT64.max_exponent))

#: On one of so many inputs at least.
_MANY = 3


class Inquiry(ABC):
    """One target, and what it may compute if it is of one kind.

    Parameters
    ----------
    session : Session
    family : str
        What the kind is called.
    hyperparameters : collection of str
        Those that candidates take.
    offered : Offer
    dtypes : sequence of str
        The widest decides.
    device : str
    """

    def __init__(
        self,
        session: Session,
        family: str,
        hyperparameters: Collection[str],
        offered: Offer,
        dtypes: Sequence[str],
        device: str,
    ) -> None:
        self._session = session
        self.family = family
        self._offer = offered
        self._dtypes = sorted(dtypes, key=DTYPES.index)
        self._specimens = {
            dtype: Specimen(offered.implementation, dtype, device, session.counts) for dtype in self._dtypes
        }
        self._fixed = {name: value for name, value in offered.implementation.fixed.items() if name in hyperparameters}
        self._held: dict[str, float] = {}
        self._shown: dict[tuple[str, Probe], Sequence[Floats] | None] = {}

    # -- What each kind does in its own way --------------------------------------------------------------------------

    @abstractmethod
    def settle(self) -> SubjectFailure | None:
        """Find out how the target can be asked.

        Returns
        -------
        SubjectFailure or None
            If it cannot.
        """

    @abstractmethod
    def _attempts(self, precision: Precision) -> Sequence[dict[str, float]]:
        """Return customary values of hyperparameters that the target does not offer, the first to be tried first."""

    @abstractmethod
    def _searched(self, precision: Precision, hidden: bool) -> Finding:
        """Search with the hyperparameters held, some of which may be hidden in the target."""

    @abstractmethod
    def _pool(self, dtype: str) -> list[Probe]:
        """Return all inputs of a dtype, with the hyperparameters held."""

    @abstractmethod
    def _answered(self, specimen: Specimen, probe: Probe) -> Sequence[Floats] | None:
        """Run the target, which may refuse."""

    @abstractmethod
    def _confirming(self, dtype: str, finding: Finding) -> tuple[Sequence[Candidate], Sequence[Probe]]:
        """Return what is to hold in another dtype as well, and the inputs on which it is to."""

    @abstractmethod
    def _explained(self, finding: Finding) -> tuple[tuple[AxisFinding, ...], tuple[str, ...]]:
        """Return what is known of each axis, and notes."""

    @property
    @abstractmethod
    def _remark(self) -> str:
        """What else is to be said of any answer."""

    # -- What all do alike ------------------------------------------------------------------------------------------

    @property
    def models(self) -> tuple[Precision, ...]:
        """Precision models of the dtype that decides, from strict to loose."""
        models = precision_models(self._dtypes[0])
        return (*models, *LEAKS.values()) if self._dtypes[0] == "float64" else models

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
            message=self._remark,
            seed=self._session.seed,
        )

    def search(self, precision: Precision) -> Finding:
        """Look for what the target computes, with each customary value of what it does not offer."""
        finding = Finding()
        pool = self._pool(self._dtypes[0])
        if all(self._ask(self._dtypes[0], probe) is None for probe in pool):
            finding.refused = [probe.name for probe in pool]
            return finding
        for hidden in self._attempts(precision):
            self._held = self._fixed | hidden
            found = self._searched(precision, bool(hidden))
            if precision in LEAKS.values():
                found.classes = [members for members in found.classes if self._leaks(members[0], found)]
            if found.classes or closeness(found) < closeness(finding):
                finding = found
            if found.classes:
                break
        return finding

    def _leaks(self, candidate: Candidate, finding: Finding) -> bool:
        """Whether what many inputs show is further from a candidate than much finer scalars than float32's allow.

        A leak shows wherever something is rounded, and by as much; what departs here and there, or by far less, is
        another function.
        """
        finer = self._compared(self._dtypes[0], _BETWEEN)
        looked = [probe for probe in finding.used if probe.serves(candidate)]
        return _MANY * sum(not finer.contains(candidate, probe) for probe in looked) >= len(looked)

    def _ask(self, dtype: str, probe: Probe) -> Sequence[Floats] | None:
        key = (dtype, probe)
        if key not in self._shown:
            self._shown[key] = self._answered(self._specimens[dtype], probe)
        return self._shown[key]

    def _compared(self, dtype: str, precision: Precision) -> Search:
        """Return a search among candidates in one dtype."""
        return Search(self._session, precision, lambda probe: self._ask(dtype, probe))

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
        left = [candidate for members in finding.classes for candidate in members]
        # Among conventions that nothing told apart, slips are the least likely.
        candidates = [candidate for candidate in left if not candidate.slip] or left
        slips = len(left) - len(candidates)
        axes, notes = self._explained(finding)
        outcome: Outcome = "undecided" if others else "identified"
        return replace(
            self.blank,
            outcome=outcome,
            family=self.family,
            dialects=tuple(dict.fromkeys(named(candidate) for candidate in candidates)),
            formula="" if others else first.id,
            source=() if others else first.source,
            axes=axes,
            notes=() if others else notes,
            precision=models,
            message="; ".join(filter(None, [self._remark, f"or one of {slips} known slips" if slips else ""])),
            proof=proof_of(finding),
            **told(finding),
        )

    def nothing(self, finding: Finding) -> Identification:
        """Tell what came closest."""
        return replace(
            self.blank,
            family=self.family if finding.dropped else "",
            message=self._remark if finding.used else "nothing was seen: every input was refused",
            **told(finding),
        )

    def _confirmed(self, dtype: str, finding: Finding) -> tuple[str, Departure | None]:
        """Return the strictest model of another dtype that contains what the target shows there."""
        candidates, pool = self._confirming(dtype, finding)
        for precision in precision_models(dtype):
            again = self._compared(dtype, precision).run(candidates, pool)
            if again.classes:
                return _words(precision), None
        return "nothing was seen", next(iter(again.dropped.values()), None)


def _words(precision: Precision) -> str:
    leak = next((words for words, model in LEAKS.items() if model is precision), "")
    return f"{precision} ({leak})" if leak else str(precision)
