"""Honest programs for clipping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.helpers.programs.kit import DTYPES, Floats, Inapplicable, Kit, Tensor, nonzero

__all__ = ["AXES", "CLIP_IDS", "SCALED_AXES", "ClipForm", "run_clip"]

CLIP_IDS = ("clip_by_norm", "clip_by_norm_torch", "clip_by_value")
_STABILISER = 1e-6  # what clip_by_norm_torch adds to the norm

Values = NDArray[Any]


def _in_turn(terms: Values) -> Any:
    total = terms.dtype.type(0)
    for term in terms:
        total = total + term
    return total


def _pairwise(terms: Values) -> Any:
    if terms.size <= 2:
        return _in_turn(terms)
    half = terms.size // 2
    return _pairwise(terms[:half]) + _pairwise(terms[half:])


def _compensated(terms: Values) -> Any:
    """Kahan's sum."""
    total = lost = terms.dtype.type(0)
    for term in terms:
        corrected = term - lost
        new = total + corrected
        lost = (new - total) - corrected
        total = new
    return total


SUMS: dict[str, Callable[[Values], Any]] = {
    "in_turn": _in_turn,
    "backwards": lambda terms: _in_turn(terms[::-1]),
    "pairwise": _pairwise,
    "strided": lambda terms: _in_turn(np.asarray([_in_turn(terms[lane::4]) for lane in range(4)])),
    "ascending": lambda terms: _in_turn(np.sort(terms)),
    "compensated": _compensated,
}
_VALUE_FORMS = ("nested", "outer_first", "where", "sign")
_COEFFICIENTS = (
    "minimum",
    "branch",
    "strict_branch",
    "divided",
    "product_first",
    "over_maximum",
    "coefficient_over_maximum",
    "divided_by_maximum",
    "divided_by_excess",
    "reciprocals",
    "reciprocals_product_first",
)
AXES: dict[str, tuple[Any, ...]] = {
    "value": _VALUE_FORMS,
    "summation": tuple(SUMS),
    "squares": ("accumulate", "compute", "float64"),
    "norm": ("plain", "scaled", "of_norms", "of_rounded_norms"),
    "coefficient": _COEFFICIENTS,
    "norm_as_scalar": (False, True),
}
#: Of the programs that stay in the range at every scale.
SCALED_AXES: dict[str, tuple[Any, ...]] = {
    **AXES,
    "norm": ("scaled", "scaled_by_power", "scaled_of_norms"),
    "coefficient": ("minimum", "branch", "strict_branch", "coefficient_over_maximum"),
}


@dataclass(frozen=True)
class ClipForm:
    """One program: a choice on each axis along which honest programs differ."""

    value: str
    summation: str
    squares: str
    norm: str
    coefficient: str
    norm_as_scalar: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, axes: Mapping[str, tuple[Any, ...]] = AXES) -> ClipForm:
        """Draw each choice with equal chances."""
        return cls(**{axis: choices[rng.integers(len(choices))] for axis, choices in axes.items()})


def run_clip(kit: Kit, form: ClipForm, formula: str, grad: Floats, threshold: float) -> Floats:
    """Clip with one program.

    Raises
    ------
    Inapplicable
        If the form has no meaning for these inputs.
    """
    values, limit = kit.array(grad), kit.scalar(threshold)
    if formula == "clip_by_value":
        return kit.shown(_clipped_by_value(kit, form.value, values, limit))
    length = Tensor(kit, kit.rounded(np.asarray(_norm(kit, form, values.values))))
    norm: Any = kit.scalar(float(length.values)) if form.norm_as_scalar else length
    if formula == "clip_by_norm_torch":
        norm = norm + kit.scalar(_STABILISER)
    return kit.shown(_rescaled(kit, form.coefficient, values, limit, norm))


def _clipped_by_value(kit: Kit, form: str, values: Tensor, limit: Any) -> Tensor:
    bound = kit.full(values, limit).values
    given = values.values
    if form == "nested":
        result = np.maximum(np.minimum(given, bound), -bound)
    elif form == "outer_first":
        result = np.minimum(np.maximum(given, -bound), bound)
    elif form == "where":
        result = np.where(given > bound, bound, np.where(given < -bound, -bound, given))
    else:
        result = np.sign(given) * np.minimum(np.abs(given), bound)
    return Tensor(kit, kit.rounded(result))


def _norm(kit: Kit, form: ClipForm, given: Values) -> Any:
    """Return the Euclidean norm in the format of the accumulator."""

    def length(part: Values) -> Any:
        if form.squares == "compute":
            terms = kit.rounded(part * part).astype(kit.accumulate)
        else:
            wide = part.astype(DTYPES["float64"] if form.squares == "float64" else kit.accumulate)
            terms = wide * wide
            terms = terms if form.squares == "float64" else kit.rounded(terms, kit.accumulate)
        return np.sqrt(SUMS[form.summation](terms))

    if form.norm == "plain":
        return length(given)

    def scaled(part: Values) -> Any:
        largest = np.max(np.abs(part), initial=0)
        if largest == 0:
            return largest.astype(kit.accumulate)
        if form.norm == "scaled_by_power":
            largest = np.exp2(np.floor(np.log2(largest.astype(np.float64)))).astype(part.dtype)
        return largest.astype(kit.accumulate) * length(kit.rounded(part / largest))

    if form.norm == "scaled_of_norms":
        return scaled(kit.rounded(np.asarray([scaled(part) for part in np.array_split(given, 3)])))
    if form.norm.startswith("scaled"):
        if not np.any(given):
            raise Inapplicable  # there is nothing to divide by
        return scaled(given)
    parts = np.asarray([length(part) for part in np.array_split(given, 3)])
    if form.norm == "of_rounded_norms":
        parts = parts.astype(kit.compute)
    return length(parts)


def _rescaled(kit: Kit, form: str, grad: Tensor, limit: Any, norm: Any) -> Tensor:
    one = kit.scalar(1.0)
    size = float(norm.values) if isinstance(norm, Tensor) else float(norm)
    edge = float(np.asarray(kit.entered(limit)).astype(np.float64)) if isinstance(norm, Tensor) else float(limit)
    above = size >= edge
    if form == "minimum":
        coefficient = limit / norm
        return grad * (coefficient if _number(coefficient) < 1 else one)
    if size == 0:
        raise Inapplicable  # the other forms divide by it
    if form == "branch":
        return grad * (limit / norm) if above else grad
    if form == "strict_branch":
        return grad * (limit / norm) if size > edge else grad
    if form == "divided":
        return (grad / norm) * limit if above else grad
    if form == "product_first":
        return (grad * limit) / norm if above else grad
    larger = norm if above else limit
    if form == "over_maximum":
        return (grad * limit) / larger
    if form == "coefficient_over_maximum":
        return grad * (limit / larger)
    if form == "divided_by_maximum":
        return (grad / larger) * limit
    if form == "divided_by_excess":
        excess = norm / nonzero(limit)
        return grad / (excess if _number(excess) > 1 else one)
    smaller = min(one / norm, one / nonzero(limit), key=_number)
    if form == "reciprocals":
        return grad * (limit * smaller)
    return (grad * limit) * smaller


def _number(value: Any) -> float:
    return float(value.values) if isinstance(value, Tensor) else float(value)
