"""Probes of functions: what their formulas are judged by, hostile inputs among them, from which a search chooses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from conformance.identification.probes import Probe
from conformance.session import Session, derived_seed, fingerprint, pinned
from oracle.errors import DomainError
from oracle.formula import Formula
from properties.cases import Call
from properties.catalogue import claims_for
from properties.claims import Space
from properties.drawing import draw_cases

__all__ = ["call_probes"]

#: How many inputs of each kind are in the pool.
_EACH = 2

#: Numbers of an input; larger ones come last, when little is left to compare.
_LARGE = 64

#: Numbers of an array that a reader is shown.
_SHOWN = 8


def call_probes(
    session: Session, formulas: Iterable[Formula], held: Mapping[str, float], defaults: Mapping[str, float], dtype: str
) -> list[Probe]:
    """Return the pool of inputs of functions, or schedules, that are called alike.

    Parameters
    ----------
    session : Session
        Keeps what is drawn, from its seed.
    formulas : iterable of Formula
        What is looked for. An input that is drawn for several is one probe.
    held : mapping of str to float
        Hyperparameters that have one value throughout.
    defaults : mapping of str to float
        Values that the target itself gives some of the others.
    dtype : str
        All numbers are exact in it.
    """
    probes: dict[bytes, Probe] = {}
    for formula in formulas:
        for kind, call in _calls(session, formula, held, defaults, dtype):
            key = fingerprint(call)
            known = probes.get(key)
            if known is None:
                name = f"{kind} {1 + sum(probe.name.partition(' ')[0] == kind for probe in probes.values())}"
                known = Probe(name, _words(formula, call), call)
            if formula not in known.formulas:
                probes[key] = replace(known, formulas=(*known.formulas, formula))
    return sorted(probes.values(), key=lambda probe: _size(probe.call) > _LARGE)


def _size(call: Call) -> int:
    return sum(array.size for array in call.arrays)


def _drawn(formula: Formula, dtype: str, seed: int) -> dict[str, list[Call]]:
    """Draw what a formula is judged by, by kind; the seed is none of the formula's own, so that others get the same."""
    (claim,) = (claim for claim in claims_for(formula.id) if claim.name == "follows_the_formula")
    kinds = claim.inputs(Space(formula, dtype, "quick")).items()
    return {
        kind: [inputs["call"] for inputs in draw_cases(drawn, _EACH, derived_seed("identify", kind, dtype, seed))]
        for kind, (_, drawn) in kinds
    }


def _calls(
    session: Session, formula: Formula, held: Mapping[str, float], defaults: Mapping[str, float], dtype: str
) -> Iterator[tuple[str, Call]]:
    own = {name: defaults[name] for name in formula.hyperparameters if name in defaults}
    drawn = session.once(("drawn", formula, dtype), lambda: _drawn(formula, dtype, session.seed))
    for kind, calls in drawn.items():
        for number, free in enumerate(calls):
            call = pinned(free, held)
            if not number or _size(call) <= _LARGE:
                yield kind, call
            if own and not number and _allowed(formula, own):
                yield kind, pinned(call, own)


def _allowed(formula: Formula, values: Mapping[str, float]) -> bool:
    try:
        formula.require(values)
    except DomainError:
        return False
    return True


def _words(formula: Formula, call: Call) -> str:
    """Write a call down, as far as it can be taken in at a glance."""
    arrays = (f"{name} = {_numbers(array)}" for name, array in zip(formula.arrays, call.arrays, strict=True))
    values = (f"{name} = {value!r}" for name, value in call.hyperparameters.items())
    return ", ".join([*arrays, *values])


def _numbers(array: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return f"{array.tolist()}" if array.size <= _SHOWN else f"an array of shape {array.shape}"
