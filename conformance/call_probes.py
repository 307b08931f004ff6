"""Probes of functions: what their formulas are judged by, hostile inputs among them, from which a search chooses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from conformance.probes import Probe
from conformance.session import derived_seed, fingerprint, pinned
from oracle.errors import DomainError
from oracle.formula import Formula
from properties.cases import Call
from properties.catalogue import claims_for
from properties.claims import Space
from properties.drawing import draw_cases

__all__ = ["call_probes"]

#: How many inputs of each kind are in the pool.
_EACH = 2

#: Numbers of an input; what is larger shows nothing that small ones do not, and costs more.
_LARGEST = {"function": 64, "schedule": 256}

#: Numbers of an array that a reader is shown.
_SHOWN = 8


def call_probes(
    formulas: Iterable[Formula], held: Mapping[str, float], defaults: Mapping[str, float], dtype: str, seed: int
) -> list[Probe]:
    """Return the pool of inputs of functions, or schedules, that are called alike.

    Parameters
    ----------
    formulas : iterable of Formula
        What is looked for. An input that is drawn for several is one probe.
    held : mapping of str to float
        Hyperparameters that have one value throughout.
    defaults : mapping of str to float
        Values that the target itself gives some of the others.
    dtype : str
        All numbers are exact in it.
    seed : int
    """
    probes: dict[bytes, Probe] = {}
    for formula in formulas:
        for kind, call in _calls(formula, held, defaults, dtype, seed):
            key = fingerprint(call)
            known = probes.get(key)
            if known is None:
                name = f"{kind} {1 + sum(probe.name.partition(' ')[0] == kind for probe in probes.values())}"
                known = Probe(name, _words(formula, call), call)
            if formula not in known.formulas:
                probes[key] = replace(known, formulas=(*known.formulas, formula))
    return list(probes.values())


def _calls(
    formula: Formula, held: Mapping[str, float], defaults: Mapping[str, float], dtype: str, seed: int
) -> Iterator[tuple[str, Call]]:
    (claim,) = (claim for claim in claims_for(formula.id) if claim.name == "follows_the_formula")
    own = {name: defaults[name] for name in formula.hyperparameters if name in defaults}
    for kind, (_, drawn) in claim.inputs(Space(formula, dtype, "quick")).items():
        for number, inputs in enumerate(draw_cases(drawn, _EACH, derived_seed("identify", kind, dtype, seed))):
            call = pinned(inputs["call"], held)
            if sum(array.size for array in call.arrays) <= _LARGEST[formula.kind]:
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
