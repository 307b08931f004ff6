"""Numbers and arrays that are exact in a dtype, many of them with few digits."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from oracle.arithmetic.formats import Format
from properties.subject import Floats

__all__ = [
    "LAYOUTS",
    "choice",
    "copied",
    "few_digits",
    "laid_out",
    "magnitudes",
    "seeded_arrays",
    "small_arrays",
    "whole",
]

_TENTHS = (10, 20, 30, 40, 5, 1, 15, 25, 2, 3, 7, 9, 12, 18, 33, 37)

_DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Floats]] = {
    "normal": lambda random, shape: random.normal(size=shape),
    "uniform": lambda random, shape: random.uniform(-1.0, 1.0, size=shape),
    "heavy": lambda random, shape: random.normal(size=shape) * np.exp(random.normal(size=shape)),
}

#: Ways to lay an array out in memory; none changes its values.
LAYOUTS: dict[str, Callable[[Floats], Floats]] = {
    "contiguous": lambda array: array,
    "transposed": lambda array: np.array(array, order="F"),
    "strided": lambda array: np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array,
}


# A strategy that is made anew for each draw costs more than what is drawn from it.
choice, whole = functools.cache(st.sampled_from), functools.cache(st.integers)


def copied(array: Floats) -> Floats:
    """Copy an array with its strides, which `numpy.copy` gives up if there are gaps."""
    if array.size == 0 or min(array.strides, default=0) < 0:
        return array.copy()
    return laid_out(array, array.strides)


def laid_out(array: Floats, strides: tuple[int, ...]) -> Floats:
    """Copy an array that is not empty to memory of its own, with strides in bytes of which none is negative."""
    extent = sum((length - 1) * stride for length, stride in zip(array.shape, strides, strict=True))
    memory = np.zeros(extent // array.itemsize + 1)
    copy = np.lib.stride_tricks.as_strided(memory, array.shape, strides)
    copy[...] = array
    return copy


def few_digits(value: float, digits: int = 3) -> float:
    """Round a hyperparameter to a few decimal digits."""
    return float(f"{value:.{digits}g}")


@functools.cache
def magnitudes(spread: int = 0, *, zeros: bool = False) -> SearchStrategy[float]:
    """Draw signed numbers between 0.1 and 4, or smaller by up to ``spread`` decades.

    Each is one choice among a table, the simplest first, so that large inputs are drawn fast.

    Parameters
    ----------
    spread : int
        Decades below that are drawn too.
    zeros : bool
        Whether 0.0 and -0.0 are drawn, together for about a third of the numbers.
    """
    table = [
        sign * tenths / 10 * 10.0**-decade for decade in range(spread + 1) for tenths in _TENTHS for sign in (1.0, -1.0)
    ]
    if zeros:
        table = [0.0, -0.0] * (len(table) // 4) + table
    return st.sampled_from(table)


@functools.cache
@st.composite
def small_arrays(
    draw: DrawFn, form: Format, shape: tuple[int, ...], scale: float, numbers: SearchStrategy[float]
) -> Floats:
    """Draw arrays element by element, of numbers that are easy to read.

    Parameters
    ----------
    form : Format
        What the numbers are rounded to.
    shape : tuple of int
    scale : float
        Factor of all numbers.
    numbers : strategy of float
    """
    count = int(np.prod(shape))
    values = np.array([draw(numbers) for _ in range(count)], dtype=np.float64)
    return form.round(scale * values).reshape(shape)


@functools.cache
@st.composite
def seeded_arrays(draw: DrawFn, form: Format, shape: tuple[int, ...], scale: float, floor: float = 0.0) -> Floats:
    """Draw arrays from a seed and the shape of a distribution: for arrays too large to draw one by one.

    Parameters
    ----------
    form, shape, scale
        As in `small_arrays`.
    floor : float
        Smallest magnitude, before scaling.
    """
    random = np.random.Generator(np.random.Philox(draw(whole(0, 2**16 - 1))))
    values = _DISTRIBUTIONS[draw(choice(tuple(_DISTRIBUTIONS)))](random, shape)
    values = np.copysign(np.maximum(np.abs(values), floor), values)
    return form.round(scale * np.clip(values, -4.0, 4.0))
