"""Floating-point formats, and the precision in which a program may work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["BFLOAT16", "FLOAT16", "FLOAT32", "FLOAT64", "FORMATS", "Format", "Precision", "precision_models"]


@dataclass(frozen=True)
class Format:
    """A binary floating-point format.

    Parameters
    ----------
    name : str
        The name that frameworks give the dtype.
    bits : int
        Significant bits, the hidden one included.
    min_exponent, max_exponent : int
        Exponents of the smallest and of the largest normal binade.
    """

    name: str
    bits: int
    min_exponent: int
    max_exponent: int

    @property
    def unit(self) -> float:
        """Unit roundoff: the largest relative error of one rounding to nearest."""
        return 2.0**-self.bits

    @property
    def smallest_normal(self) -> float:
        """The smallest positive normal number."""
        return 2.0**self.min_exponent

    @property
    def smallest_subnormal(self) -> float:
        """The smallest positive number."""
        return 2.0 ** (self.min_exponent - self.bits + 1)

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return (2.0 - 2.0 ** (1 - self.bits)) * 2.0**self.max_exponent

    def round(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Round float64 values to the nearest number of the format, ties to even.

        Parameters
        ----------
        values : array of float64, shape (...)

        Returns
        -------
        array of float64, shape (...)
            Numbers of the format, or infinities past its range.
        """
        values = np.asarray(values, dtype=np.float64)
        if self.bits == 53:
            return values
        _, exponent = np.frexp(values)
        quantum = np.maximum(exponent, self.min_exponent + 1) - self.bits
        rounded = np.ldexp(np.rint(np.ldexp(values, -quantum)), quantum)
        return np.where(np.abs(rounded) > self.largest, np.copysign(np.inf, values), rounded)

    def spacing(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """One unit in the last place of the binade of each value; of 0, the smallest subnormal number."""
        mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64))
        normal = np.where(mantissa == 0, self.min_exponent + 1, np.maximum(exponent, self.min_exponent + 1))
        spacing: NDArray[np.float64] = np.ldexp(1.0, normal - self.bits)
        return spacing


FLOAT64 = Format("float64", 53, -1022, 1023)
FLOAT32 = Format("float32", 24, -126, 127)
BFLOAT16 = Format("bfloat16", 8, -126, 127)
FLOAT16 = Format("float16", 11, -14, 15)
FORMATS = {form.name: form for form in (FLOAT64, FLOAT32, BFLOAT16, FLOAT16)}


@dataclass(frozen=True)
class Precision:
    """Where a program rounds, to nearest.

    Parameters
    ----------
    storage : Format
        Parameters and exposed state.
    compute : Format
        Every intermediate array.
    scalars : Format
        Arithmetic among hyperparameters.
    entry : Format, optional
        What a scalar is rounded to when it meets an array; ``compute`` if not given.
    accumulate : Format, optional
        Reductions; the wider of ``compute`` and float32 if not given.
    readout : Format, optional
        What the judge sees of a better hidden copy; ``storage`` if not given.
    flush_to_zero : bool, optional
        Whether results below the smallest normal number may become 0; admitted if not given,
        except in float16, whose smallest normal number is so large that it would hide everything.
    """

    storage: Format
    compute: Format
    scalars: Format
    entry: Format = None  # type: ignore[assignment]  # filled in by __post_init__, as are the three below
    accumulate: Format = None  # type: ignore[assignment]
    readout: Format = None  # type: ignore[assignment]
    flush_to_zero: bool = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        wide = self.compute if self.compute.bits >= FLOAT32.bits else FLOAT32
        defaults = {
            "entry": self.compute,
            "accumulate": wide,
            "readout": self.storage,
            "flush_to_zero": self.compute is not FLOAT16,
        }
        for name, default in defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)

    def __str__(self) -> str:
        return f"compute {self.compute.name}, scalars {self.scalars.name}"

    def with_scalars(self, scalars: Format) -> Precision:
        """The same precision with other scalars."""
        return replace(self, scalars=scalars)

    @cached_property
    def unit(self) -> float:
        """Largest relative error of one operation on arrays; half formats round through float32."""
        inner = FLOAT32.unit if self.compute.bits < FLOAT32.bits else 0.0
        return self.compute.unit + inner + self.compute.unit * inner  # (1 + u)(1 + inner) - 1, which would cancel

    @cached_property
    def underflow(self) -> float:
        """Largest absolute error of one operation whose result underflows."""
        if self.flush_to_zero:
            return self.compute.smallest_normal
        inner = FLOAT32.smallest_normal if self.compute.bits < FLOAT32.bits else 0.0
        return self.compute.smallest_subnormal / 2 + inner

    @cached_property
    def entry_roundings(self) -> float:
        """Rounding of a scalar that meets an array, in units of `unit`; may exceed 1."""
        return 1.0 if self.entry is self.compute else self.entry.unit / self.unit

    @cached_property
    def entry_underflow(self) -> float:
        """Absolute error of a scalar that meets an array in another format than the arithmetic's."""
        return self.rounding_to(self.entry)[1]

    @cached_property
    def accumulation_unit(self) -> float:
        """Largest relative error of one addition of a reduction."""
        return self.unit if self.accumulate is self.compute else self.accumulate.unit

    @cached_property
    def chain_underflow(self) -> float:
        """Largest absolute error of one partial product, which may be one of scalars alone."""
        return self.underflow + self.entry_underflow

    @property
    def reduced(self) -> Format:
        """Format of smaller range that a sum passes: the accumulator's, and the arithmetic's once it is summed."""
        return min(self.accumulate, self.compute, key=lambda form: form.largest)

    @property
    def narrows_reductions(self) -> bool:
        """Whether the result of a reduction is rounded once more, from the accumulator's format."""
        return self.accumulate is not self.compute

    def rounding_to(self, form: Format) -> tuple[float, float]:
        """Relative and absolute error of rounding a computed number to a format, 0 if it is the format computed in."""
        if form is self.compute:
            return 0.0, 0.0
        flushed = self.flush_to_zero and form is not FLOAT16
        return form.unit, form.smallest_normal if flushed else form.smallest_subnormal / 2

    def preimage_radius(self, shown: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far a hidden copy may lie from what is shown of it, perhaps rounded through float32 on the way.

        Parameters
        ----------
        shown : array of float64, shape (...)
            Numbers of the readout format.
        """
        form = self.readout
        relative = form.unit + (2 * FLOAT32.unit if form.bits < FLOAT32.bits else 0.0)
        flushed = self.flush_to_zero and form is not FLOAT16
        return np.abs(shown) * relative + (form.smallest_normal if flushed else form.smallest_subnormal)


def precision_models(dtype: str) -> tuple[Precision, ...]:
    """The precisions in which a program for a dtype may work, from strict to loose.

    Parameters
    ----------
    dtype : str
        A key of `FORMATS`.

    Returns
    -------
    tuple of Precision
    """
    form = FORMATS[dtype]
    if form is FLOAT64:
        return (Precision(form, form, form),)
    if form is FLOAT32:
        return (Precision(form, form, FLOAT64), Precision(form, form, FLOAT32))
    return (Precision(form, FLOAT32, FLOAT64), Precision(form, form, FLOAT64), Precision(form, form, FLOAT32))
