"""What the records of a backend promise by themselves, before any subject is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from conformance.backends import Backend, Implementation
from conformance.engine import why_unsupported
from conformance.identification.probes import VALUES
from conformance.kit.steppers import METHODS
from oracle import catalogue
from oracle.arithmetic.formats import FORMATS
from oracle.errors import UnknownFormulaError
from oracle.formula import Formula
from properties.catalogue import claims_for

__all__ = ["faults_of_records"]


def faults_of_records(backend: Backend) -> list[str]:
    """Return what is wrong with a backend's records, in a line each."""
    if not backend.implementations:
        return [f"{backend.name} has no implementations"]
    counted = Counter(
        f"{entry.formula}@{entry.label}[{dtype},{device}]"
        for entry in backend.implementations
        for dtype in entry.dtypes
        for device in entry.devices
    )
    faults = [
        f"{name}: promises a label of its own, but {count} have it" for name, count in counted.items() if count > 1
    ]
    for entry in backend.implementations:
        faults += [f"{entry.formula}@{entry.label}: {fault}" for fault in _faults(entry)]
    return faults


def _faults(entry: Implementation) -> Iterator[str]:
    try:
        formula = catalogue.get(entry.formula)
        formula.accepted(entry.evaluation)
    except UnknownFormulaError as error:
        yield f"promises a formula and an evaluation that there are, but {error}"
        return
    if not entry.label:
        yield "promises a label, but has none"
    yield from _beyond("dtypes", entry.dtypes, FORMATS)
    if not entry.dtypes or not entry.devices:
        yield "promises a dtype and a device, but declares none"
    optimizer = formula.kind == "optimizer"
    fields = [name for name in formula.state_type._fields if name != "step"] if optimizer else []
    yield from _beyond("state", entry.state, fields)
    offers = getattr(entry.factory, "offers", ())
    yield from _beyond("offers", (*offers, *getattr(entry.factory, "withheld", ())), (*METHODS, "maximize"))
    if offers and not optimizer:
        yield f"promises {', '.join(offers)}, but that is asked of optimizers alone"
    yield from _settings(entry, formula)
    yield from _expectations(entry)


def _settings(entry: Implementation, formula: Formula) -> Iterator[str]:
    yield from _beyond("fixed", entry.fixed, formula.hyperparameters)
    for name, value in entry.fixed.items():
        if name in formula.domain and value not in formula.domain[name]:
            yield f"promises that {name} is fixed in its domain {formula.domain[name]}, but it is {value!r}"
    family = {name for other in catalogue.FORMULAS for name in other.hyperparameters} | {*VALUES}
    yield from _beyond("kept", entry.kept, sorted(family - {*formula.hyperparameters}))


def _expectations(entry: Implementation) -> Iterator[str]:
    claims: Mapping[str, object] = {claim.name: claim for claim in claims_for(entry.formula)}
    for known in entry.expected:
        yield from _beyond("expected properties", (known.property,), claims)
        yield from _beyond(f"dtypes of what is expected of {known.property}", known.dtypes, entry.dtypes)
        for name, text in (("reason", known.reason), ("evidence", known.evidence)):
            if not text.strip():
                yield f"promises the {name} of what is expected of {known.property}, but there is none"
    for claim in claims_for(entry.formula):
        asked = [known for known in entry.expected if known.property == claim.name]
        if asked and entry.dtypes and (why := why_unsupported(claim, entry, entry.dtypes[0], entry.devices[0])):
            yield f"promises that {claim.name} is known to fail, but it is not checked: {why}"


def _beyond(what: str, names: Collection[str], known: Collection[str]) -> Iterator[str]:
    strange = [name for name in names if name not in known]
    if strange:
        yield f"promises {what} among {', '.join(known) or 'none'}, but names {', '.join(strange)}"
