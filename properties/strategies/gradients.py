"""Calls of vector-Jacobian products: what activations are called with, and a cotangent for each number."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from oracle.arithmetic.formats import FORMATS
from properties.cases import Call
from properties.claims import Space
from properties.strategies.curves import ACTIVATIONS, activations
from properties.strategies.numbers import magnitudes, seeded_arrays, small_arrays

__all__ = ["PULLBACKS", "pullbacks"]

#: Calls of the quick profile by kind.
PULLBACKS: Mapping[str, int] = ACTIVATIONS


@st.composite
def pullbacks(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call, a key of `PULLBACKS`."""
    (x,) = draw(activations(space, kind)).arrays
    form = FORMATS[space.dtype]
    if kind == "bulk":
        return Call((x, draw(seeded_arrays(form, x.shape, 1.0, floor=0.01))), {})
    upstream = draw(small_arrays(form, x.shape, 1.0, magnitudes(1)))
    return Call((x, upstream), {})
