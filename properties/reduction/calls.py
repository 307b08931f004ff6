"""Calls simpler than a given one: fewer elements, and simpler numbers.

Every function yields calls of its own kind of simplicity, the most daring ones first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from oracle.arithmetic.formats import FORMATS
from oracle.formula import Formula
from properties.cases import Call
from properties.claims import Space, Violation
from properties.reduction.numbers import pieces, simpler_arrays, simpler_names, simpler_values
from properties.subject import Floats

__all__ = ["simpler_calls"]

_UNIT = ("rd", "dw", "w", "dw", "w")
_CELL = ("rd", "rw", "rw", ".dw", ".ww", ".w")
#: By formula: a letter for each of the last axes of each array. Axes of the same letter have the same length; one
#: with a dot has always the same. Arrays of a formula that is not here have all axes in common.
_AXES: Mapping[str, tuple[str, ...]] = {
    "batch_norm": ("nf", "f", "f"),
    "batch_norm_running_mean": ("nf", "f"),
    "batch_norm_running_variance": ("nf", "f"),
    "batch_norm_running_variance_biased": ("nf", "f"),
    "layer_norm": ("f", "f", "f"),
    "rms_norm": ("f", "f"),
    "loss_cross_entropy": ("nc", "n"),
    "loss_cross_entropy_gradient": ("nc", "n"),
    "loss_combined": ("nc", "n", "pq", "pq"),
    "linear_vjp_input": ("wd", "rw"),
    "linear_vjp_weight": ("rd", "rw"),
    "linear_vjp_bias": ("rw",),
    **dict.fromkeys(("glu", "geglu", "swiglu"), _UNIT),
    "ffn_swiglu": ("rd", "dw", "dw", "wd"),
    **dict.fromkeys(("lstm_cell", "lstm_hidden"), _CELL),
}


def simpler_calls(call: Call, violation: Violation, space: Space) -> tuple[Iterator[Call], ...]:
    """Return simpler calls by kind of simplicity, in the order in which these help a reader most.

    Parameters
    ----------
    call : Call
        Fails a claim.
    violation : Violation
        Where.
    space : Space
        What it was drawn for.
    """
    if space.formula.kind == "schedule":
        return (_simpler_hyperparameters(call, space),)
    parts = _contiguous(call), _fewer_elements(call, violation, space), _simpler_numbers(call, space)
    # Proportions of drawn masks are such that implementations reckon with them exactly.
    return parts if space.formula.drawn else (*parts, _simpler_hyperparameters(call, space))


def _contiguous(call: Call) -> Iterator[Call]:
    """Lay all arrays out in one piece; first of all, since nobody sees from its numbers how an array lies in memory."""
    if not all(array.flags.c_contiguous for array in call.arrays):
        yield replace(call, arrays=tuple(np.array(array, order="C") for array in call.arrays))


def _fewer_elements(call: Call, violation: Violation, space: Space) -> Iterator[Call]:
    """Keep the element that fails, flatten, or leave out parts along an axis."""
    # The axes of a drawn mask are passes, rows and units.
    alike = space.formula.id not in _AXES and not space.formula.drawn
    if alike:
        size = call.arrays[0].size
        if size > 1 and violation.index is not None:
            yield _of_elements(call, [violation.index % size])
        if call.arrays[0].ndim != 1:
            yield _of_elements(call, range(size))
    axes = [_axes(space.formula, position, array) for position, array in enumerate(call.arrays)]
    lengths = {
        name: length
        for names, array in zip(axes, call.arrays, strict=True)
        for name, length in zip(names, array.shape, strict=True)
        if name != "."
    }
    for name, length in lengths.items():
        for piece in pieces(length):
            yield from _without(call, axes, name, piece, space.formula)


def _of_elements(call: Call, places: Sequence[int]) -> Call:
    return replace(call, arrays=tuple(array.reshape(-1)[list(places)] for array in call.arrays))


def _axes(formula: Formula, position: int, array: Floats) -> list[str]:
    """Name the axes of an array: by letters where a formula has them, by their places from the first elsewhere."""
    letters = _AXES[formula.id][position] if formula.id in _AXES else ""
    letters = letters[len(letters) - min(len(letters), array.ndim) :]
    return [*map(str, range(array.ndim - len(letters))), *letters]


def _without(call: Call, axes: Sequence[Sequence[str]], name: str, piece: range, formula: Formula) -> Iterator[Call]:
    """Leave out places along all axes of a name; of classes, those that no sample has."""
    arrays = []
    for argument, mine, array in zip(formula.arrays, axes, call.arrays, strict=True):
        shorter = array
        for axis, letter in enumerate(mine):
            if letter == name:
                shorter = np.delete(shorter, list(piece), axis)
        if name == "c" and argument in formula.integers:
            if np.isin(array, list(piece)).any():
                return
            shorter = array - np.count_nonzero(array.reshape(-1, 1) > np.array(piece), axis=-1)
        arrays.append(shorter)
    yield replace(call, arrays=tuple(arrays))


def _simpler_numbers(call: Call, space: Space) -> Iterator[Call]:
    """Replace numbers of all arrays alike, then of one after the other, and then the names of classes."""
    form, formula = FORMATS[space.dtype], space.formula
    arguments = [(position, name) for position, name in enumerate(formula.arrays) if call.arrays[position].size]
    numbers = [position for position, name in arguments if name not in (*formula.integers, *formula.drawn)]
    alone = [[position] for position in numbers if len(numbers) > 1]
    for chosen in [numbers, *alone] if numbers else ():
        # A unit of 0 does not show whether a mask was drawn for it.
        for arrays in simpler_arrays([call.arrays[position] for position in chosen], form, zeros=not formula.drawn):
            yield _with_arrays(call, dict(zip(chosen, arrays, strict=True)))
    for position, name in arguments:
        if name in formula.integers:
            for array in simpler_names(call.arrays[position]):
                yield _with_arrays(call, {position: array})


def _with_arrays(call: Call, others: Mapping[int, Floats]) -> Call:
    return replace(call, arrays=tuple(others.get(position, array) for position, array in enumerate(call.arrays)))


def _simpler_hyperparameters(call: Call, space: Space) -> Iterator[Call]:
    """Replace values; a run of a schedule has the steps that belong to them, and its levels in the same order."""
    formula, values = space.formula, call.hyperparameters
    for name, value in values.items():
        for simpler in simpler_values(value, formula.draw[name], whole=name in formula.lengths):
            settled = {**values, name: simpler}
            if _order(settled) == _order(values):
                yield call.settled(settled)


def _order(values: Mapping[str, float]) -> list[bool]:
    levels = [value for name, value in values.items() if name.endswith("_value")]
    return [one < other for one in levels for other in levels]
