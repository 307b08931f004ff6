"""Calls of dropout: units, a proportion to keep, a mask, and the seed that an implementation draws its own from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from oracle.arithmetic.formats import FORMATS
from properties.cases import Call
from properties.claims import Space
from properties.strategies.inputs import Inputs, keyword
from properties.strategies.numbers import magnitudes, seeded_arrays, small_arrays

__all__ = ["DROPOUTS", "KEEPS", "dropouts", "dropped"]

#: Calls of the quick profile by kind.
DROPOUTS: Mapping[str, int] = {"short": 6, "zeros": 2, "even": 2, "many": 3}

#: Proportions kept that are told from those removed. A program that is given the latter finds ``1 - (1 - keep)``
#: equal to them, so that its argument costs no rounding.
KEEPS = (0.75, 0.9, 0.25, 0.8, 0.625, 0.125)

#: Proportions kept by kind, where they are not drawn from `KEEPS`: a mask of halves shows most of how it was drawn,
#: and sixteenths are far from tenths, also when the proportion removed is rounded. Of so many units as there are in
#: the finest, some are removed and some kept, unless proportions are rounded to hundredths.
_KEEPS: Mapping[str, tuple[float, ...]] = {
    "even": (0.5,),
    "wide": (0.5,),
    "passes": (0.5,),
    "extreme": (0.9375, 0.0625),
    "finest": (1 - 2.0**-8, 2.0**-8),
}

#: Passes, rows and units by kind; from ``many`` on, neighbours are compared in pairs, which an even number of each
#: leaves none out of.
_SHAPES: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "short": ((1, 1, 4), (2, 1, 3), (1, 3, 2), (2, 7)),
    "zeros": ((1, 2, 4), (1, 1, 7)),
    "even": ((1, 1, 4), (2, 2, 3)),
    "many": ((4, 8, 20), (2, 4, 80), (2, 16, 20)),
    "wide": ((2, 8, 64),),
    "passes": ((128, 1, 8),),
    "extreme": ((2, 32, 128),),
    "finest": ((2, 64, 128),),
}
_SCALES = (1.0, 0.01, 10.0)

#: Units of the kinds that show masks and nothing else: short to print, of either sign.
_PLAIN = (1.0, -2.0, 0.5, -1.0, 3.0)


@st.composite
def dropouts(draw: DrawFn, space: Space, kind: str) -> Call:
    """Draw units, a mask of both kinds of entries, and a proportion to keep.

    Parameters
    ----------
    space : Space
        Formula and dtype; the numbers are exact in the dtype.
    kind : str
        A kind of `DROPOUTS`, or ``wide`` or ``passes`` (halves of long rows, and of many passes), or ``extreme``
        and ``finest`` (many more units, of which nearly all or none are kept).
    """
    form, shape, scale = FORMATS[space.dtype], draw(st.sampled_from(_SHAPES[kind])), draw(st.sampled_from(_SCALES))
    if kind == "many":
        x = draw(seeded_arrays(form, shape, scale, 0.01))
    elif kind in DROPOUTS:
        x = draw(small_arrays(form, shape, scale, magnitudes(zeros=kind == "zeros")))
    else:
        x = np.resize(_PLAIN, shape)
    mask = np.arange(x.size).reshape(shape) % 3 != 1
    keep = draw(st.sampled_from(_KEEPS.get(kind, KEEPS)))
    return Call((x, mask.astype(np.float64)), {"keep": keep})


def dropped(counts: Mapping[str, int] = DROPOUTS) -> Callable[[Space], Inputs]:
    """Return the inputs of a claim about training with dropout: calls of some kinds, each with a seed."""

    def inputs(space: Space) -> Inputs:
        seeds = keyword("seed", st.integers(0, 2**32 - 1))
        drawn: Inputs = {}
        for kind, count in counts.items():
            calls = keyword("call", dropouts(space, kind))
            drawn[kind] = count, st.tuples(calls, seeds).map(lambda parts: parts[0] | parts[1])
        return drawn

    return inputs
