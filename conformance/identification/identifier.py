"""The way from a target to an answer: who is asked, in which order, and which answer is the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.errors import UsageError
from conformance.guard import guard
from conformance.identification.findings import closeness
from conformance.identification.functions import FunctionInquiry
from conformance.identification.inquiry import DTYPES, Inquiry
from conformance.identification.offers import Offer, called, function_offers, is_optimizer, offer
from conformance.identification.optimizers import OptimizerInquiry
from conformance.identification.results import Identification
from conformance.session import Session, derived_seed
from conformance.specimen import SubjectFailure
from oracle.dialects import LATTICES, VARIANTS
from oracle.dialects.family import SPELLING
from oracle.dialects.lattice import Lattice
from oracle.dialects.variants import Variant
from oracle.formula import Formula

__all__ = ["FAMILIES", "Identifier", "identify"]

#: Where to look, by what is beside the families of optimizers: kinds of formulas.
_KINDS: Mapping[str, str] = {"functions": "function", "schedules": "schedule"}

#: What `identify` can be told about where to look.
FAMILIES = (*LATTICES, *_KINDS)


def identify(
    target: Any,
    family: str | None = None,
    *,
    seed: int = 0,
    dtypes: Sequence[str] | None = None,
    device: str = "cpu",
    hyperparameters: Mapping[str, float] | None = None,
) -> Identification:
    """Say what an optimizer, a function or a schedule computes, without being told what it claims.

    Parameters
    ----------
    target : class, function, factory or str
        As `conformance.targets.implementation` takes it: a class of optimizers or schedulers, a function of arrays or
        of the step, or one of these as ``"package.module:name"`` or ``"path/to/file.py:name"``.
    family : {"momentum", "adaptive", "adam", "lion", "functions", "schedules"}, optional
        Where to look; by default wherever the target's signature allows, there first where it is met best.
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
        updates = family in LATTICES or (family is None and is_optimizer(target))
        inquiries = (
            self._into_optimizer(target, family, dtypes, device, fixed)
            if updates
            else self._into_function(target, family, dtypes, device, fixed)
        )
        first = inquiries[0]
        with guard(derived_seed(first.blank.target, "identify", seed)):
            failures = [inquiry.settle() for inquiry in inquiries]
            # What raises an error where it is not given what it needs is of no such family.
            working = [inquiry for inquiry, failure in zip(inquiries, failures, strict=True) if failure is None]
            try:
                if working:
                    return self._answer(working)
                failure = failures[0]
            except SubjectFailure as raised:
                failure = raised
            return replace(first.blank, outcome="crash", message=str(failure))

    def _into_optimizer(
        self, target: Any, family: str | None, dtypes: Sequence[str], device: str, fixed: Mapping[str, float]
    ) -> Sequence[Inquiry]:
        lattices = [LATTICES[family]] if family else list(LATTICES.values())
        offers = {lattice: offer(target, lattice.hyperparameters, _spelled(fixed)) for lattice in lattices}
        # A factory makes 0 of what it declares and is not given, and then computes what it never does.
        lattices = [lattice for lattice in lattices if not offers[lattice].unheard] or lattices
        # Those first of whose hyperparameters the target offers most, the simpler of two.
        lattices.sort(key=lambda lattice: -_fit(lattice, offers[lattice]))
        return [OptimizerInquiry(self._session, lattice, offers[lattice], dtypes, device) for lattice in lattices]

    def _into_function(
        self, target: Any, family: str | None, dtypes: Sequence[str], device: str, fixed: Mapping[str, float]
    ) -> Sequence[Inquiry]:
        kinds = [_KINDS[family]] if family else list(_KINDS.values())
        groups = [group for group in _GROUPS if group[0].base.kind in kinds]
        offers = function_offers(target, [group[0].base for group in groups], fixed, dtypes)
        offered = [(group, own) for group, own in zip(groups, offers, strict=True) if own is not None]
        offered.sort(key=lambda entry: _need(entry[0][0].base, entry[1]))
        return [FunctionInquiry(self._session, group, own, dtypes, device) for group, own in offered]

    def _answer(self, inquiries: Sequence[Inquiry]) -> Identification:
        failed = []
        for precision in inquiries[0].models:
            for inquiry in inquiries:
                finding = inquiry.search(precision)
                if finding.classes:
                    return inquiry.answer(finding, precision)
                failed.append((inquiry, finding))
        # Of those that agreed on as many inputs, the family whose hyperparameters it offers.
        inquiry, finding = min(failed[: len(inquiries)], key=lambda entry: closeness(entry[1])[0])
        return inquiry.nothing(finding)


def _grouped(candidates: Sequence[Variant]) -> list[Sequence[Variant]]:
    """Put together what is called with the same arrays and hyperparameters."""
    groups: dict[Any, list[Variant]] = {}
    for candidate in candidates:
        groups.setdefault(called(candidate.base), []).append(candidate)
    return list(groups.values())


_GROUPS = _grouped(VARIANTS)


def _fit(lattice: Lattice, offered: Offer) -> int:
    """Return how many of a family's hyperparameters a target offers or has set, less those that it lacks."""
    known = {*offered.spellings, *offered.implementation.fixed}.intersection(lattice.hyperparameters)
    lacking = set(lattice.customary) - known - {"weight_decay"}
    return len(known) - len(lacking)


def _need(formula: Formula, offered: Offer) -> tuple[int, ...]:
    """Return what puts those first that take most of what a target offers, and want nothing that it does not."""
    hidden = set(formula.hyperparameters) - {*offered.spellings, *offered.implementation.fixed}
    return -len(offered.spellings), len(hidden), -offered.named, offered.spare, -len(formula.arrays)


def _spelled(fixed: Mapping[str, float]) -> dict[str, float]:
    return {SPELLING.get(name, name): value for name, value in fixed.items()}


def _require(family: object, seed: object, dtypes: object, fixed: Mapping[str, Any]) -> None:
    if family is not None and family not in FAMILIES:
        raise UsageError(f"family must be among {', '.join(FAMILIES)}, got family={family!r}")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed must be an integer of at least 0, got seed={seed!r}")
    if not isinstance(dtypes, list | tuple) or not dtypes or any(name not in DTYPES for name in dtypes):
        raise UsageError(f"dtypes must be a sequence of names among {', '.join(DTYPES)}, got dtypes={dtypes!r}")
    known = dict.fromkeys(name for lattice in LATTICES.values() for name in (*lattice.hyperparameters, "l2_penalty"))
    known |= dict.fromkeys(name for candidate in VARIANTS for name in candidate.hyperparameters)
    unknown = sorted(set(fixed) - set(known))
    if unknown:
        raise UsageError(f"hyperparameters must be among {', '.join(known)}, got {', '.join(unknown)}")
    for name, value in fixed.items():
        if not isinstance(value, int | float) or not 0 <= value < np.inf:
            raise UsageError(f"hyperparameters must be finite numbers of at least 0, got {name}={value!r}")
