"""Calls of vector-Jacobian products: what a function was applied to, and a cotangent for each of its results."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from oracle.arithmetic.formats import FLOAT16, FORMATS
from properties.cases import Call
from properties.claims import Space
from properties.strategies.curves import ACTIVATIONS, CLASSES, activations, classes
from properties.strategies.numbers import LAYOUTS, magnitudes, seeded_arrays, small_arrays

__all__ = ["LINEAR", "PULLBACKS", "SHARES", "linear_maps", "pullbacks"]

#: Calls of the quick profile by kind.
PULLBACKS: Mapping[str, int] = ACTIVATIONS
SHARES: Mapping[str, int] = {**CLASSES, "stacked": 2}
LINEAR: Mapping[str, int] = {"short": 8, "single": 2, "zeros": 2, "far": 2, "rows": 3, "bulk": 1}

#: Samples, outputs and inputs of a layer.
_SIZES = ((2, 2, 2), (2, 3, 2), (3, 2, 4), (4, 2, 1))
#: More than the blocks in which programs work, and no multiples of them.
_LARGE = {"single": (1, 3, 2), "rows": (17, 5, 7), "bulk": (67, 33, 19)}


@st.composite
def pullbacks(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call of what a function of one array was applied to, a key of `PULLBACKS` or `SHARES`."""
    rows = "scores" in space.formula.arrays
    (x,) = draw((classes if rows else activations)(space, kind)).arrays[:1]
    form = FORMATS[space.dtype]
    if kind == "bulk":
        return Call((x, draw(seeded_arrays(form, x.shape, 1.0, floor=0.01))), {})
    upstream = draw(small_arrays(form, x.shape, 1.0, magnitudes(1)))
    return Call((x, upstream), {})


@st.composite
def linear_maps(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call of a linear map's gradients, a key of `LINEAR`."""
    form = FORMATS[space.dtype]
    samples, outputs, inputs = _LARGE[kind] if kind in _LARGE else draw(st.sampled_from(_SIZES))
    shapes = {"x": (samples, inputs), "weight": (outputs, inputs), "upstream": (samples, outputs)}
    scale = draw(st.sampled_from((32.0, 2.0**-7) if form is FLOAT16 else (1e6, 1e-6))) if kind == "far" else 1.0
    arrays = []
    for name in space.formula.arrays:
        if kind in {"rows", "bulk"}:
            layout = LAYOUTS[draw(st.sampled_from(tuple(LAYOUTS)))]
            arrays.append(layout(draw(seeded_arrays(form, shapes[name], 2.0))))
        else:
            arrays.append(draw(small_arrays(form, shapes[name], scale, magnitudes(zeros=kind == "zeros"))))
    return Call(tuple(arrays), {})
