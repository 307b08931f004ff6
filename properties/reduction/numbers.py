"""Numbers that are easier to calculate with than given ones."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np

from oracle.arithmetic.formats import Format
from oracle.domains import Domain
from properties.strategies.numbers import copied, few_digits
from properties.subject import Floats

__all__ = ["digits", "pieces", "simpler_arrays", "simpler_names", "simpler_values"]

#: The magnitudes that are easiest to calculate with, from the easiest; any other counts by its digits.
_EASIEST = (0.0, 1.0, 2.0, 0.5, 3.0)
#: Those of a hyperparameter: never 0, which would take away what it stands for.
_EASIEST_SETTINGS = (1.0, 0.5, 0.1)
#: Numbers are rounded to so many digits; what needs more keeps them.
_ROUNDED = (1, 2, 3)
#: Of more different numbers than this, none is simplified alone.
_DISTINCT = 12
#: Of more numbers than this, none is set to 0 unless all are: a reader sees more in what is equal everywhere.
_SINGLY = 64
#: Into more pieces than this nothing is cut: there would be more of them than candidates.
_PIECES = 16
#: Decimal digits that any number of 53 bits needs at most.
_ALL_DIGITS = 17


@functools.lru_cache(maxsize=2**14)
def digits(value: float, form: Format) -> int:
    """Return how many significant decimal digits tell a number of a format from its neighbours."""
    return next(
        (count for count in range(1, _ALL_DIGITS) if _rounded(value, count, form) == value),
        _ALL_DIGITS,
    )


def _rounded(value: float, count: int, form: Format) -> float:
    return float(form.round(np.array(few_digits(value, count))))


def pieces(count: int, most: int = _PIECES) -> Iterator[range]:
    """Yield ranges of so many positions, to be left out: halves, quarters, and so on down to single ones.

    Parameters
    ----------
    count : int
    most : int
        Into how many pieces all of it is cut.
    """
    length = count
    while length > 1 and -(-count // (length := -(-length // 2))) <= most:
        yield from (range(first, min(first + length, count)) for first in range(0, count, length))


def simpler_arrays(arrays: Sequence[Floats], form: Format, *, zeros: bool = True) -> Iterator[tuple[Floats, ...]]:
    """Yield arrays of the same shapes with simpler numbers, the most daring ones first.

    At first equal numbers stay equal, and all keep their signs: either may be what makes them fail.

    Parameters
    ----------
    arrays : sequence of array
        What is simplified together.
    form : Format
        What the numbers are exact in.
    zeros : bool
        Whether numbers may become 0.
    """
    # By their bits, since 0.0 and -0.0 are two numbers here.
    flat = np.concatenate([array.reshape(-1) for array in arrays])
    bits, places = np.unique(flat.view(np.int64), return_inverse=True)
    values = bits.view(np.float64).tolist()
    for simpler in _simpler_numbers(values, form, _EASIEST if zeros else _EASIEST[1:]):
        yield _parted(arrays, np.array(simpler)[places])
    for piece in pieces(flat.size) if zeros and flat.size <= _SINGLY else ():
        if np.any(flat[piece]):
            yield _parted(arrays, np.where(np.isin(np.arange(flat.size), piece), 0.0, flat))


def simpler_names(array: Floats) -> Iterator[Floats]:
    """Yield arrays in which one name, as those of classes are, is replaced by a smaller one."""
    for value in np.unique(array):
        for other in (0.0, 1.0):
            if other < value:
                yield np.where(array == value, other, array)


def _parted(arrays: Sequence[Floats], flat: Floats) -> tuple[Floats, ...]:
    """Return copies of arrays, in the same layouts, with the numbers of a flat one."""
    parts = np.split(flat, np.cumsum([array.size for array in arrays])[:-1])
    filled = tuple(map(copied, arrays))
    for array, part in zip(filled, parts, strict=True):
        array[...] = part.reshape(array.shape)
    return filled


def _simpler_numbers(values: list[float], form: Format, easiest: Sequence[float]) -> Iterator[list[float]]:
    def attempts(value: float) -> tuple[float, ...]:
        rounded = (_rounded(value, count, form) for count in _ROUNDED)
        return (*(float(np.copysign(easy, value)) for easy in easiest), *rounded, abs(value))

    def rank(value: float) -> tuple[float, ...]:
        return _rank(value, form)

    for others in zip(*map(attempts, values), strict=True):
        simpler = [min(pair, key=rank) for pair in zip(others, values, strict=True)]
        if any(rank(other) < rank(value) for other, value in zip(simpler, values, strict=True)):
            yield simpler
    for position, value in enumerate(values if len(values) <= _DISTINCT else ()):
        for other in attempts(value):
            if rank(other) < rank(value):
                yield [*values[:position], other, *values[position + 1 :]]


def _rank(value: float, form: Format) -> tuple[float, ...]:
    """Order numbers by how hard they are to calculate with."""
    size, negative = abs(value), bool(np.signbit(value))
    if size in _EASIEST:
        return (0, _EASIEST.index(size), negative)
    return (1, digits(size, form), abs(np.log10(size)), negative)


def simpler_values(value: float, domain: Domain, *, whole: bool) -> Iterator[float]:
    """Yield simpler values of a hyperparameter, the simplest ones first.

    Parameters
    ----------
    value : float
    domain : Domain
        Where they lie.
    whole : bool
        Whether it is a length, the simpler the smaller it is.
    """
    if whole:
        found = [*range(1, 6), value // 2, value - 1]
        simpler = [type(value)(other) for other in dict.fromkeys(found) if 0 < other < value]
    else:
        rounded = [few_digits(value, count) for count in _ROUNDED]
        ordered = list(dict.fromkeys((*_EASIEST_SETTINGS, *rounded, value)))
        simpler = ordered[: ordered.index(value)]
    # An end of an interval, such as a momentum of 1, takes away what the hyperparameter stands for.
    ends = (domain.low, domain.high)
    yield from (other for other in simpler if other in domain and (whole or other not in ends))
