"""Calls: what a function's check is run on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from oracle.arithmetic.formats import FLOAT16, FORMATS, Format
from properties.cases import Call
from properties.claims import Space
from properties.strategies.hyperparameters import STEERING
from properties.strategies.numbers import LAYOUTS, few_digits, magnitudes, seeded_arrays, small_arrays
from properties.subject import Floats

__all__ = ["CLIPPINGS", "clippings"]

#: Calls of the quick profile by kind.
CLIPPINGS: Mapping[str, int] = {
    "short": 8,
    "exact": 6,
    "just_inside": 2,
    "just_outside": 2,
    "tiny": 4,
    "smallest": 2,
    "small": 1,
    "large": 1,
    "largest": 2,
    "lines": 3,
    "rows": 3,
    "blocks": 3,
    "cubes": 1,
    "deep": 1,
    "scalar": 2,
    "zeros": 2,
    "nothing": 1,
    "bulk": 1,
    "tiniest": 2,
    "hugest": 2,
}

_SHORT = ((2,), (1,), (3,), (4,))
_LINES = ((7,), (33,))
_ROWS = ((3, 11), (11, 3))
_BLOCKS = ((8,), (16,), (4, 4), (64,))
_SCALES = (1.0, 0.01, 10.0)
#: Thresholds in units of the quantity they are compared with.
_FACTORS = (0.5, 2.0, 0.9, 1.1, 0.01)
_CLIPPING = (0.5, 0.9, 0.01)
_FAR = (0.5, 1e-4, 1e-7, 2.0)
_NEAR = (0.5, 0.9, 2.0)
#: Magnitudes next to the ends of the range, by dtype.
_UTMOST: Mapping[str, Mapping[str, float]] = {
    "float64": {"tiniest": 1e-300, "hugest": 1e300},
    "float32": {"tiniest": 1e-36, "hugest": 1e36},
    "bfloat16": {"tiniest": 1e-36, "hugest": 1e36},
    "float16": {"tiniest": 2.0**-10, "hugest": 2.0**11},
}
#: Vectors of integers with an integer norm, so that a threshold can equal the norm.
_TUPLES = ((3.0, 4.0), (1.0, 2.0, 2.0), (2.0, 3.0, 6.0), (1.0, 4.0, 8.0), (2.0, 6.0, 9.0), (5.0,))


def _threshold_name(space: Space) -> str:
    """Return the name of the one hyperparameter of a clipping rule."""
    (name,) = space.formula.hyperparameters
    return name


def clippings(space: Space, kind: str) -> SearchStrategy[Call]:
    """Return the strategy of one kind of call of a clipping rule.

    Parameters
    ----------
    space : Space
        Formula and dtype; the numbers of its calls are exact in the dtype.
    kind : str
        A key of `CLIPPINGS`.
    """
    form = FORMATS[space.dtype]
    match kind:
        case "short":
            grads = _arrays(form, _SHORT, _SCALES, magnitudes(2))
        case "exact":
            return _exact(space, form, (1.0, 0.5, 2.0))
        case "just_inside" | "just_outside":
            hair = 2.0 ** -(form.bits // 2)
            return _exact(space, form, (1.0 + hair if kind == "just_inside" else 1.0 - hair,))
        case "tiny":
            # Where the 1e-6 that torch adds to the norm is seen; float16 has no squares of such numbers.
            scales = (1.0,) if form is FLOAT16 else (1e-5, 1e-6, 1e-4)
            grads = _arrays(form, _SHORT, scales, magnitudes())
        case "smallest" | "small" | "large" | "largest":
            grads = _arrays(form, _SHORT, (STEERING[space.dtype].extremes[kind],), magnitudes())
            return _clipped(space, grads, _CLIPPING if form is FLOAT16 else _FAR)
        case "tiniest" | "hugest":
            # Where squares leave the range, and nothing but a scaled norm has a bound.
            grads = _arrays(form, _SHORT, (_UTMOST[space.dtype][kind],), magnitudes())
            return _clipped(space, grads, _NEAR)
        case "lines":
            grads = _seeded(form, _LINES)
        case "rows":
            return _clipped(space, _seeded(form, _ROWS), _CLIPPING)
        case "blocks":
            return _clipped(space, _seeded(form, _BLOCKS), _CLIPPING)
        case "cubes":
            return _clipped(space, _seeded(form, ((2, 3, 4),)), _CLIPPING)
        case "deep":
            return _clipped(space, _seeded(form, ((3, 1, 2, 2),)), _CLIPPING)
        case "scalar":
            return _clipped(space, _arrays(form, ((),), _SCALES, magnitudes()), _CLIPPING)
        case "zeros":
            grads = _arrays(form, _SHORT, _SCALES, magnitudes(zeros=True))
        case "nothing":
            grads = _arrays(form, _SHORT, (1.0,), st.sampled_from((0.0, -0.0)))
        case _:
            return _clipped(space, _seeded(form, ((4097,),)), _CLIPPING)
    return _clipped(space, grads)


@st.composite
def _arrays(
    draw: DrawFn,
    form: Format,
    shapes: tuple[tuple[int, ...], ...],
    scales: tuple[float, ...],
    numbers: SearchStrategy[float],
) -> Floats:
    return draw(small_arrays(form, draw(st.sampled_from(shapes)), draw(st.sampled_from(scales)), numbers))


@st.composite
def _seeded(draw: DrawFn, form: Format, shapes: tuple[tuple[int, ...], ...]) -> Floats:
    layout = LAYOUTS[draw(st.sampled_from(tuple(LAYOUTS)))]
    return layout(draw(seeded_arrays(form, draw(st.sampled_from(shapes)), draw(st.sampled_from(_SCALES)))))


@st.composite
def _clipped(draw: DrawFn, space: Space, grads: SearchStrategy[Floats], factors: tuple[float, ...] = _FACTORS) -> Call:
    grad = draw(grads)
    reach = _reach(_threshold_name(space), grad) or 1.0
    return Call((grad,), {_threshold_name(space): few_digits(draw(st.sampled_from(factors)) * reach)})


@st.composite
def _exact(draw: DrawFn, space: Space, form: Format, factors: tuple[float, ...]) -> Call:
    """Draw gradients whose norm and largest element are numbers of the format, and thresholds in units of these."""
    exponents = (0, 1, -3) if form is FLOAT16 else (0, 1, -3, -17, 10)
    numbers = np.array(draw(st.sampled_from(_TUPLES))) * 2.0 ** draw(st.sampled_from(exponents))
    signs = [draw(st.sampled_from((1.0, -1.0))) for _ in numbers]
    grad = form.round(numbers * signs)
    factor = draw(st.sampled_from(factors))
    return Call((grad,), {_threshold_name(space): factor * _reach(_threshold_name(space), grad)})


def _reach(threshold: str, grad: Floats) -> float:
    """Return what a threshold is compared with."""
    largest = float(np.max(np.abs(grad)))
    if threshold == "clip_value" or largest == 0:
        return largest
    # A power of two changes no digit of what is scaled by it.
    scale = 2.0 ** np.floor(np.log2(largest))
    return float(scale * np.sqrt(np.sum((grad / scale) ** 2)))
