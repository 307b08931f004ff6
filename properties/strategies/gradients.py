"""Calls of vector-Jacobian products: what activations are called with, and a cotangent for each number."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from oracle.arithmetic.formats import FORMATS
from properties.cases import Call
from properties.claims import Space
from properties.strategies.curves import ACTIVATIONS, activations
from properties.strategies.numbers import magnitudes, small_arrays

__all__ = ["PULLBACKS", "pullbacks"]

#: Calls of the quick profile by kind.
PULLBACKS: Mapping[str, int] = ACTIVATIONS


@st.composite
def pullbacks(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw one kind of call, a key of `PULLBACKS`."""
    (x,) = draw(activations(space, kind)).arrays
    if kind == "zeros":
        x.flat[0] = 0.0  # where a rectifier has no slope, and programs choose one
    upstream = draw(small_arrays(FORMATS[space.dtype], x.shape, 1.0, magnitudes(1)))
    return Call((x, upstream), {})
