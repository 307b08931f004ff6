"""The judge judged: which claim notices which seeded fault, after how many cases."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

from conformance.backends import Implementation
from conformance.bench import Bench
from conformance.engine import check_id
from conformance.errors import UsageError
from conformance.faults import FAULTS, Fault
from conformance.guard import guard
from conformance.selection import selector
from conformance.session import PROFILES, Session, derived_seed
from conformance.specimen import Specimen, SubjectFailure
from oracle.arithmetic.formats import FORMATS, precision_models
from oracle.catalogue import get
from oracle.formula import Formula
from properties.catalogue import CLAIMS, claims_for
from properties.claims import Claim, Violation
from properties.subject import Rejected

__all__ = ["Kill", "Matrix", "read", "selftest"]


@dataclass(frozen=True)
class Kill:
    """What one claim makes of one fault.

    Parameters
    ----------
    fault, formula, claim : str
    cases : int
        How many inputs it took to notice; 0 if none did.
    seconds : float
        How long that took, with the oracle's work on inputs that no fault before had been asked about.
    """

    fault: str
    formula: str
    claim: str
    cases: int
    seconds: float


@dataclass(frozen=True)
class Matrix:
    """Faults by claims.

    Parameters
    ----------
    profile, dtype : str
    seed : int
    kills : tuple of Kill
        One for each fault and each claim about its formula that was tried on it.
    """

    profile: str
    dtype: str
    seed: int
    kills: tuple[Kill, ...] = field(default_factory=tuple)

    @property
    def faults(self) -> tuple[str, ...]:
        """Ids of the faults."""
        return tuple(dict.fromkeys(kill.fault for kill in self.kills))

    @property
    def survivors(self) -> tuple[str, ...]:
        """Faults that no claim notices."""
        caught = self._caught()
        return tuple(fault for fault in self.faults if fault not in caught)

    @property
    def unexplained(self) -> tuple[str, ...]:
        """Faults that no claim notices although nothing keeps one from it."""
        return tuple(fault for fault in self.survivors if not _beyond(fault))

    @property
    def first_cases(self) -> dict[str, int]:
        """By fault that is noticed, the fewest inputs that a claim takes."""
        return {fault: min(kill.cases for kill in kills) for fault, kills in self._caught().items()}

    @property
    def first_seconds(self) -> dict[str, float]:
        """By fault that is noticed, the shortest time that a claim takes."""
        return {fault: min(kill.seconds for kill in kills) for fault, kills in self._caught().items()}

    @property
    def alone(self) -> dict[str, str]:
        """By fault that one claim notices and no other, the claim."""
        return {fault: kills[0].claim for fault, kills in self._caught().items() if len(kills) == 1}

    def _caught(self) -> dict[str, list[Kill]]:
        """Return by fault that is noticed what the claims made of it that do notice."""
        caught: dict[str, list[Kill]] = {}
        for kill in self.kills:
            if kill.cases:
                caught.setdefault(kill.fault, []).append(kill)
        return caught

    def noticed_by(self, claim: str) -> tuple[str, ...]:
        """Return the faults that a claim notices."""
        return tuple(kill.fault for kill in self.kills if kill.claim == claim and kill.cases)

    def summary(self) -> str:
        """Return the share of faults that are noticed, the survivors, and what each claim contributes."""
        fewest, shortest = sorted(self.first_cases.values()), sorted(self.first_seconds.values())
        lines = [
            f"{len(fewest)} of {len(self.faults)} faults noticed in {self.dtype}, profile {self.profile}, seed {self.seed}"
        ]
        if fewest:
            lines.append(
                f"  cases until the first claim notices: median {fewest[len(fewest) // 2]}, at most {fewest[-1]}"
            )
            lines.append(
                f"  seconds until the fastest claim notices: median {shortest[len(shortest) // 2]:.3f}, "
                f"at most {shortest[-1]:.3f}"
            )
        lines += [f"  survives  {fault}{_because(fault)}" for fault in self.survivors]
        lines += ["", f"  {'noticed':>7}  {'alone':>5}  claim"]
        alone = list(self.alone.values())
        for claim in dict.fromkeys(claim.name for claim in CLAIMS):
            if any(kill.claim == claim for kill in self.kills):
                lines.append(f"  {len(self.noticed_by(claim)):>7}  {alone.count(claim):>5}  {claim}")
        return "\n".join(lines)

    def as_json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(asdict(self), indent=1)


def read(text: str) -> Matrix:
    """Return the matrix that `Matrix.as_json` wrote."""
    entries = json.loads(text)
    return Matrix(**{**entries, "kills": tuple(Kill(**kill) for kill in entries["kills"])})


def _beyond(fault: str) -> str:
    return next((each.beyond for each in FAULTS if each.id == fault), "")


def _because(fault: str) -> str:
    beyond = _beyond(fault)
    return f": {beyond}" if beyond else ""


def selftest(
    select: str | None = None,
    *,
    profile: str = "quick",
    dtype: str = "float64",
    seed: int = 0,
    first: bool = False,
    progress: Callable[[Fault, int, int], None] | None = None,
) -> Matrix:
    """Run every claim on every seeded fault of its formula, up to the first input that shows it.

    Parameters
    ----------
    select : str, optional
        Only pairs whose id, ``formula.claim@fault``, matches: parts of ids with ``and``, ``or``, ``not``.
    profile, dtype : str
        Faults that honest programs of the dtype are as far off as are left out.
    seed : int
    first : bool
        Whether to stop at the first claim that notices a fault, those that name it being tried before the others: this
        tells what survives, and not who notices.
    progress : callable, optional
        Called with each fault, the number of faults that are over, and the number of all.

    Raises
    ------
    UsageError
        If nothing matches, or an argument is none of its values.
    """
    if profile not in PROFILES:
        raise UsageError(f"profile must be among {', '.join(PROFILES)}, got profile={profile!r}")
    if dtype not in FORMATS:
        raise UsageError(f"dtype must be among {', '.join(FORMATS)}, got dtype={dtype!r}")
    wanted = selector(select)
    chosen = [(fault, claims) for fault in FAULTS if (claims := _claims(fault, wanted, dtype))]
    if not chosen:
        raise UsageError(f"select must match formula.claim@fault, got select={select!r}")
    kills: list[Kill] = []
    session, formula = Session(profile, seed), ""
    for number, (fault, claims) in enumerate(sorted(chosen, key=lambda pair: pair[0].formula), 1):
        if fault.formula != formula:
            session.forget()
            formula = fault.formula
        kills += _kills(session, fault, claims, dtype, first=first)
        if progress:
            progress(fault, number, len(chosen))
    return Matrix(profile, dtype, seed, tuple(kills))


def _claims(fault: Fault, wanted: Callable[[str], bool], dtype: str) -> list[Claim]:
    if dtype not in fault.dtypes:
        return []
    found = [
        claim
        for claim in claims_for(fault.formula)
        if wanted(check_id(fault.formula, claim.name, fault.id, dtype, "cpu"))
    ]
    return sorted(found, key=lambda claim: fault.id not in claim.catches)


def _kills(session: Session, fault: Fault, claims: Sequence[Claim], dtype: str, *, first: bool) -> Iterator[Kill]:
    specimen = Specimen(Implementation(fault.formula, fault.id, fault.make, (dtype,)), dtype, "cpu", session.counts)
    for claim in claims:
        started = time.perf_counter()
        with guard(derived_seed(fault.id, claim.name, session.seed)):
            cases = _until_noticed(session, claim, specimen)
        yield Kill(fault.id, fault.formula, claim.name, cases, time.perf_counter() - started)
        if first and cases:
            return


def _until_noticed(session: Session, claim: Claim, specimen: Specimen) -> int:
    """Return how many cases it takes until the claim has failed for every accepted evaluation; 0 if one holds."""
    if any(name not in specimen.implementation.offers for name in claim.needs):
        return 0
    formula = get(specimen.implementation.formula)
    counts = [_first_failure(session, claim, specimen, formula.programs[name]) for name in formula.accepted()]
    return 0 if 0 in counts else max(counts)


def _first_failure(session: Session, claim: Claim, specimen: Specimen, formula: Formula) -> int:
    """Return the number of the first case that fails, counted from 1, or 0."""
    original = get(specimen.implementation.formula)
    for number, case in enumerate(session.cases(claim, original, specimen.dtype), 1):
        bench = Bench(session, specimen, specimen.transcript(case), formula, precision_models(specimen.dtype)[-1])
        try:
            claim.check(bench, **case.inputs)
        except (Violation, SubjectFailure):
            return number
        except Rejected:
            continue
    return 0
