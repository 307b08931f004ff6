"""Calls of normalization layers and of running statistics.

Spreads are of the order of the root of epsilon, since an epsilon that is small beside the variance
cannot be seen; rows are short, since bounds grow with their length; shifts are often zero, since a
shift hides what it is added to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from oracle.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, FORMATS, Format
from properties.cases import Call
from properties.claims import Space
from properties.strategies.numbers import LAYOUTS, few_digits, magnitudes, seeded_arrays, small_arrays
from properties.subject import Floats

__all__ = ["BATCHES", "LAYERS", "STATISTICS", "normalizations"]

#: Calls of the quick profile by kind.
BATCHES: Mapping[str, int] = {"short": 8, "exact": 4, "offset": 3, "constant": 2, "single": 2, "rows": 3, "bulk": 1}
LAYERS: Mapping[str, int] = {**BATCHES, "stacked": 2}
STATISTICS: Mapping[str, int] = {"short": 8, "exact": 4, "offset": 3, "constant": 2, "rows": 3, "bulk": 1}

#: Samples and features; layers that normalize samples get them exchanged.
_SHAPES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "short": ((4, 2), (2, 3), (3, 2), (7, 2)),
    "exact": ((3, 2), (5, 2), (6, 1), (7, 2)),
    "offset": ((4, 2), (3, 3)),
    "constant": ((3, 2), (7, 2)),
    "single": ((1, 2), (1, 3)),
    "rows": ((11, 5), (33, 4)),
    "bulk": ((1025, 2),),
}
_STACKS = ((2, 3, 5), (2, 1, 4), (5,))
_EPS = (1.0, 0.3, 3.0, 0.1)
_MOMENTA = (0.5, 0.1, 0.25, 0.75)


@dataclass(frozen=True)
class _Steering:
    """What is drawn in a dtype: spreads, and distances of the mean from zero in units of them."""

    spreads: tuple[float, ...]
    offsets: tuple[float, ...]


_STEERING: Mapping[Format, _Steering] = {
    FLOAT64: _Steering((1.0, 0.01, 10.0, 3e-3), (1e6, -1e6, 1e5)),
    FLOAT32: _Steering((1.0, 0.01, 10.0, 3e-3), (100.0, -1000.0, 30.0)),
}
_HALF = _Steering((1.0, 0.1, 4.0), (4.0, -8.0))
_HALF_RANGE = _Steering((1.0, 0.5, 4.0), (4.0, -8.0))


@st.composite
def normalizations(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call.

    Parameters
    ----------
    space : Space
        Formula and dtype; the numbers of its calls are exact in the dtype.
    kind : str
        A key of `BATCHES`, `LAYERS` or `STATISTICS`, whichever the formula has.
    """
    form = FORMATS[space.dtype]
    steering = _STEERING.get(form, _HALF_RANGE if form is FLOAT16 else _HALF)
    spread = draw(st.sampled_from(steering.spreads))
    x = draw(_samples(space, form, kind, spread, steering.offsets))
    if "eps" not in space.formula.hyperparameters and "running" not in space.formula.arrays:
        x = _varying(x)
    size = x.shape[-1]
    values: dict[str, float] = {}
    arrays = [x]
    for name in space.formula.arrays[1:]:
        scale = 1.0
        if name == "running":
            scale = spread if space.formula.id.endswith("mean") else spread**2
        if name == "bias" and draw(st.booleans()):
            arrays.append(np.zeros(size))
        elif size > 8:
            arrays.append(draw(seeded_arrays(form, (size,), scale, floor=0.1)))
        else:
            arrays.append(draw(small_arrays(form, (size,), scale, magnitudes())))
    if "running_variance" in space.formula.id:
        arrays[-1] = np.abs(arrays[-1])
    if "eps" in space.formula.hyperparameters:
        values["eps"] = few_digits(spread**2 * draw(st.sampled_from(_EPS)))
    if "momentum" in space.formula.hyperparameters:
        values["momentum"] = draw(st.sampled_from(_MOMENTA))
    return Call(tuple(arrays), values)


def _varying(x: Floats) -> Floats:
    """Return samples of which no feature is constant: without epsilon such a one has no value."""
    constant = np.ptp(x, axis=0) == 0
    x = x.copy(order="K")
    x[0] = np.where(constant, np.where(x[0] == 0, 1.0, -x[0]), x[0])
    return x


def _samples(
    space: Space, form: Format, kind: str, spread: float, offsets: tuple[float, ...]
) -> SearchStrategy[Floats]:
    by_sample = space.formula.id in ("layer_norm", "rms_norm")
    if kind == "stacked":
        return _drawn(form, _STACKS, spread, (0.0,))
    shapes = tuple(shape[::-1] if by_sample else shape for shape in _SHAPES[kind])
    match kind:
        case "exact":
            return _integers(shapes)
        case "offset":
            return _drawn(form, shapes, spread, offsets)
        case "constant":
            return _constant(form, shapes, spread)
        case "rows" | "bulk":
            return _seeded(form, shapes, spread)
    return _drawn(form, shapes, spread, (0.0,))


@st.composite
def _drawn(
    draw: DrawFn, form: Format, shapes: tuple[tuple[int, ...], ...], spread: float, offsets: tuple[float, ...]
) -> Floats:
    x = draw(small_arrays(form, draw(st.sampled_from(shapes)), spread, magnitudes()))
    return form.round(x + spread * draw(st.sampled_from(offsets)))


@st.composite
def _seeded(draw: DrawFn, form: Format, shapes: tuple[tuple[int, ...], ...], spread: float) -> Floats:
    layout = LAYOUTS[draw(st.sampled_from(tuple(LAYOUTS)))]
    return layout(draw(seeded_arrays(form, draw(st.sampled_from(shapes)), spread)))


@st.composite
def _integers(draw: DrawFn, shapes: tuple[tuple[int, ...], ...]) -> Floats:
    """Draw small integers, whose mean and variance are fractions that no binary format holds."""
    shape = draw(st.sampled_from(shapes))
    numbers = st.integers(-9, 9)
    return np.array([float(draw(numbers)) for _ in range(int(np.prod(shape)))]).reshape(shape)


@st.composite
def _constant(draw: DrawFn, form: Format, shapes: tuple[tuple[int, ...], ...], spread: float) -> Floats:
    """Draw arrays of one number, whose variance is 0."""
    shape = draw(st.sampled_from(shapes))
    return np.full(shape, draw(small_arrays(form, (1,), spread, magnitudes(zeros=True)))[0])
