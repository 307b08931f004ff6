"""What a record keeps of its cases: the ranges that were drawn, and the input that fails, there and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import numpy as np

from conformance.session import Case
from oracle.formula import Formula
from properties.cases import Call, Event, Step, Training, Way
from properties.claims import Violation
from properties.strategies.numbers import laid_out
from properties.strategies.runs import Run
from properties.subject import Floats, Group

__all__ = ["counterexample", "decoded", "demands", "encoded", "ranges"]


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

    An array that lies otherwise in memory than row by row also keeps its strides, in elements.

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
        values = encoded(value.tolist())
        if value.flags.c_contiguous or min(value.strides) < 0:
            return values
        return {"values": values, "strides": [stride // value.itemsize for stride in value.strides]}
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


def decoded(inputs: Mapping[str, Any], formula: Formula) -> dict[str, Any]:
    """Return the inputs of a check that a record keeps, bit for bit: what `encoded` made JSON of.

    Parameters
    ----------
    inputs : mapping of str to object
        By keyword argument of the check.
    formula : Formula
        That it is about.

    Raises
    ------
    ValueError
        If they are no inputs of a check; as `KeyError` or `TypeError` for some.
    """
    return {name: _input(value, formula) for name, value in inputs.items()}


def _input(value: Any, formula: Formula) -> Training | Call | float:
    if not isinstance(value, Mapping):
        return _number(value)
    if "steps" in value:
        return Training(
            tuple(_array(param) for param in value["params"]),
            tuple(_group(**group) for group in value["groups"]),
            tuple(_step(**step) for step in value["steps"]),
        )
    arrays = tuple(_array(array) for array in value["arrays"])
    return (Run if formula.kind == "schedule" else Call)(arrays, _settings(value["hyperparameters"]))


def _group(tensors: Sequence[int], hyperparameters: Mapping[str, Any], maximize: bool = False) -> Group:
    return Group(tuple(tensors), _settings(hyperparameters), maximize)


def _step(
    grads: Sequence[Any],
    changes: Mapping[str, Any],
    events: Sequence[Event] = (),
    way: Way = "step",
    frozen: Sequence[int] = (),
) -> Step:
    return Step(
        tuple(None if grad is None else _array(grad) for grad in grads),
        {int(group): _settings(values) for group, values in changes.items()},
        tuple(events),
        way,
        tuple(frozen),
    )


def _settings(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: _number(value) for name, value in values.items()}


def _array(value: Any) -> Floats:
    if not isinstance(value, Mapping):
        return np.array(_numbers(value), dtype=np.float64)
    values, strides = np.array(_numbers(value["values"]), dtype=np.float64), value["strides"]
    if not values.size or min(strides, default=0) < 0:
        raise ValueError(f"strides must be those of numbers, none of them negative, got {strides!r}")
    return laid_out(values, tuple(stride * values.itemsize for stride in strides))


def _numbers(value: Any) -> Any:
    return [_numbers(entry) for entry in value] if isinstance(value, list) else _number(value)


def _number(value: Any) -> float:
    """Return a number of an input; whole ones are as they are."""
    if isinstance(value, str):
        return float.fromhex(value)
    if isinstance(value, int):
        return value
    raise TypeError(f"a number must be whole or a hex string, got {value!r}")


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
