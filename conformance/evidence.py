"""What a record keeps of its cases: the ranges that were drawn, and the input that fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import numpy as np

from conformance.session import Case
from properties.cases import Call
from properties.claims import Violation

__all__ = ["counterexample", "demands", "encoded", "ranges"]


def ranges(cases: Sequence[Case]) -> dict[str, list[float]]:
    """Return the smallest and largest value drawn of each hyperparameter, of ``steps`` and of ``sizes``."""
    drawn: dict[str, list[float]] = {}

    def include(name: str, values: Iterable[float]) -> None:
        for value in values:
            known = drawn.setdefault(name, [float(value), float(value)])
            known[:] = [min(known[0], float(value)), max(known[1], float(value))]

    for case in cases:
        for run in case.runs:
            if isinstance(run, Call):
                settings: Iterable[Mapping[str, float]] = [run.hyperparameters]
                include("sizes", (array.size for array in run.arrays))
            else:
                settings = [values for row in run.hyperparameters() for values in row]
                include("sizes", (param.size for param in run.params))
                include("steps", [len(run.steps)])
            for values in settings:
                for name, value in values.items():
                    include(name, [value])
    return dict(sorted(drawn.items()))


def demands(cases: Iterable[Case]) -> set[str]:
    """Return what the trainings of some cases ask of an optimizer beyond updates."""
    return {name for case in cases for run in case.runs if not isinstance(run, Call) for name in run.demands}


def encoded(value: Any) -> Any:
    """Return a value as JSON knows it: records and arrays by their contents, floats as hex strings.

    Parameters
    ----------
    value : object
        Made of records, mappings, sequences, arrays, numbers, strings and None.

    Raises
    ------
    TypeError
        If it contains something else.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, np.ndarray):
        return encoded(value.tolist())
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float):
        return float(value).hex()
    if isinstance(value, Mapping):
        return {str(name): encoded(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(entry) for entry in value]
    if is_dataclass(value):
        entries = [(part, getattr(value, part.name)) for part in fields(value)]
        # What is as it is by default says nothing.
        told = [(part.name, entry) for part, entry in entries if part.default is MISSING or entry != part.default]
        return {name: encoded(entry) for name, entry in told}
    raise TypeError(f"a report cannot hold {value!r}")


def counterexample(inputs: Mapping[str, Any], violation: Violation | None = None) -> dict[str, Any]:
    """Return what a record keeps of a failing case.

    Parameters
    ----------
    inputs : mapping of str to object
        Keyword arguments of the claim's check.
    violation : Violation, optional
        Where it fails and by how much; not given for a crash.
    """
    found = {"inputs": encoded(inputs)}
    if violation is not None:
        names = ("quantity", "step", "tensor", "index", "low", "high", "observed", "error_over_bound", "ulps")
        found |= {name: encoded(getattr(violation, name)) for name in names}
    return found
