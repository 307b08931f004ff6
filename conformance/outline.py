"""A counterexample's input in words and decimals, short enough to be calculated with by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from oracle.catalogue import get

__all__ = ["outline"]

#: Numbers of an array that a reader is shown; the JSON lines have all.
_ENOUGH = 12
#: Of a longer array: numbers at its beginning, and those named that differ from all others.
_FIRST, _EXCEPTIONS = 4, 2

_HEX = re.compile(r"-?(0x[0-9a-f.]+p[+-]\d+|inf|nan)")

#: What happens before an update, in words.
_EVENTS: Mapping[str, str] = {
    "resumed": "saved and loaded",
    "copied": "deep copied",
    "pickled": "pickled and unpickled",
    "saved": "saved",
    "rewound": "saved, updated and loaded back",
    "add_group": "next group added",
}
#: How gradients come, in words.
_WAYS: Mapping[str, str] = {
    "step_accumulated": "gradients accumulated",
    "step_closure": "gradients from a closure",
    "step_clipped": "gradients clipped",
    "step_sparse": "sparse gradients",
}


def outline(inputs: Mapping[str, Any], formula: str) -> list[str]:
    """Write a counterexample's input as lines, its hex floats as decimals with the same bits.

    Parameters
    ----------
    inputs : mapping of str to object
        By keyword argument of a check: a training, a call, numbers and texts, as a record keeps them.
    formula : str
        Id of the formula that was checked, whose arguments are named.
    """
    lines: list[str] = []
    for name, value in inputs.items():
        if not isinstance(value, Mapping):
            lines.append(f"{name} = {_text(value)}")
        elif "steps" in value:
            lines += _training(value)
        elif "arrays" in value:
            lines += _call(value, formula)
        else:
            lines.append(f"{name}: {_settings(value)}")
    return lines


def _training(training: Mapping[str, Any]) -> Iterator[str]:
    groups = training["groups"]
    for number, group in enumerate(groups):
        tensors = ", ".join(map(str, group["tensors"]))
        whose = f"group {number}, tensor{'s' * (len(group['tensors']) != 1)} {tensors}: " if len(groups) > 1 else ""
        climbs = ["maximize"] if group.get("maximize") else []
        yield whose + ", ".join(filter(None, [_settings(group["hyperparameters"]), *climbs]))

    steps = [_step(step, alone=len(groups) == 1) for step in training["steps"]]
    rows = [(f"param{'s' * (len(training['params']) != 1)}", _arrays(training["params"]))]
    first = 1
    for text, alike in groupby(steps):
        last = first + len(list(alike)) - 1
        rows.append((f"step {first}" if first == last else f"steps {first} to {last}", text))
        first = last + 1
    width = max(len(name) for name, _ in rows)
    yield from (f"{name:<{width}}  {text}" for name, text in rows)


def _step(step: Mapping[str, Any], *, alone: bool) -> str:
    parts = [_EVENTS[event] for event in step.get("events", ())]
    for group, values in step.get("changes", {}).items():
        parts += [("" if alone else f"group {group}: ") + _settings(values)] if values else []
    parts += [f"tensor {tensor} frozen" for tensor in step.get("frozen", ())]
    parts += [_WAYS[step["way"]]] if "way" in step else []
    parts.append(f"grad{'s' * (len(step['grads']) != 1)} {_arrays(step['grads'])}")
    return "; ".join(parts)


def _call(call: Mapping[str, Any], formula: str) -> Iterator[str]:
    rule = get(formula)
    for name, array in zip(rule.arrays, call["arrays"], strict=True):
        if name not in rule.drawn:  # which programs draw for themselves
            yield f"{name} = {_array(array)}"
    if call["hyperparameters"]:
        yield _settings(call["hyperparameters"])


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_text(value)}" for name, value in values.items())


def _arrays(arrays: Sequence[Any]) -> str:
    return ", ".join("missing" if array is None else _array(array) for array in arrays)


def _array(nested: Any) -> str:
    if isinstance(nested, Mapping):
        return f"{_array(nested['values'])}, with strides {tuple(nested['strides'])}"
    array = np.vectorize(_number, otypes=[np.float64])(np.array(nested, dtype=object))
    if array.size <= _ENOUGH:
        return str(array.tolist())
    flat = array.reshape(-1)
    shape = f"{flat.size:,} numbers" if array.ndim == 1 else f"shape {array.shape}"
    values, counts = np.unique(flat, return_counts=True)
    common = float(values[np.argmax(counts)])
    others = np.flatnonzero(flat != common)
    if len(values) == 1:
        return f"[{common!r}, …], {shape}, all equal"
    if len(others) <= _EXCEPTIONS:
        indices = (", ".join(map(str, np.unravel_index(place, array.shape))) for place in others)
        exceptions = (f"{float(flat[place])!r} at {index}" for place, index in zip(others, indices, strict=True))
        return f"[{common!r}, …], {shape}, all equal but {' and '.join(exceptions)}"
    shown = ", ".join(repr(float(value)) for value in flat[:_FIRST])
    return f"[{shown}, …, {float(flat[-1])!r}], {shape}"


def _number(value: Any) -> float:
    return float.fromhex(value) if isinstance(value, str) else float(value)


def _text(value: Any) -> str:
    return repr(float.fromhex(value)) if isinstance(value, str) and _HEX.fullmatch(value) else str(value)
