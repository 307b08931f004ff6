"""What comes back through linear maps, as programs write it: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from oracle.arithmetic.primitives import namespace
from oracle.dialects.family import Family, Variation, times
from oracle.differentiation.layers import linear_vjp_bias, linear_vjp_input, linear_vjp_weight
from oracle.formula import Array, NoState

__all__ = ["LINEAR_BIAS", "LINEAR_INPUT", "LINEAR_WEIGHT", "LayerAxes"]


@dataclass(frozen=True)
class LayerAxes:
    """A place on the axes of the families; the defaults are the named formulas."""

    cotangents: Literal["given", "clipped", "mixed"] = "given"
    factor: int = 1
    averaged: bool = False


def _taken(upstream: Array, axes: LayerAxes) -> Array:
    """Take cotangents as they are, or clipped to [-1, 1]."""
    xp = namespace(upstream)
    one = xp.ones_like(upstream)
    return xp.maximum(xp.minimum(upstream, one), -one) if axes.cotangents == "clipped" else upstream


def _weighed(gradient: Array, upstream: Array, axes: LayerAxes) -> Array:
    """Multiply a gradient by the factor, or divide it by the number of samples."""
    return times(axes.factor, gradient / upstream.shape[0] if axes.averaged else gradient)


def input_dialect(weight: Array, upstream: Array, *, axes: LayerAxes) -> Array:
    """Carry cotangents back to samples as at one place on the axes."""
    xp, v = namespace(weight, upstream), _taken(upstream, axes)
    if axes.cotangents == "mixed":
        v = xp.zeros_like(v) + xp.sum(v, axis=0, keepdims=True)
    return _weighed(xp.matmul(v, weight), upstream, axes)


def weight_dialect(x: Array, upstream: Array, *, axes: LayerAxes) -> Array:
    """Carry cotangents back to a matrix as at one place on the axes."""
    xp, v = namespace(x, upstream), _taken(upstream, axes)
    if axes.cotangents == "mixed":
        x, v = xp.sum(x, axis=0, keepdims=True), xp.sum(v, axis=0, keepdims=True)
    return _weighed(xp.matmul(xp.matrix_transpose(v), x), upstream, axes)


def bias_dialect(upstream: Array, *, axes: LayerAxes) -> Array:
    """Carry cotangents back to a bias as at one place on the axes."""
    xp, v = namespace(upstream), _taken(upstream, axes)
    if axes.cotangents == "mixed":
        v = xp.zeros_like(v) + xp.sum(v, axis=-1, keepdims=True)
    return _weighed(xp.sum(v, axis=0), upstream, axes)


def _variations(mixed: str) -> dict[str, Variation]:
    return {
        "averaged": Variation("it is divided by the number of samples", {"averaged": True}),
        "turned": Variation("it has the other sign", {"factor": -1}),
        "doubled": Variation("it is twice as large", {"factor": 2}),
        "mixed": Variation(mixed, {"cotangents": "mixed"}),
        "clipped": Variation("cotangents are clipped to [-1, 1]", {"cotangents": "clipped"}),
    }


LINEAR_INPUT = Family(
    body=input_dialect,
    state_type=NoState,
    named={linear_vjp_input: LayerAxes()},
    variations=_variations("every sample gets the cotangents of all"),
)
LINEAR_WEIGHT = Family(
    body=weight_dialect,
    state_type=NoState,
    named={linear_vjp_weight: LayerAxes()},
    variations=_variations("samples and cotangents are added up before they are multiplied"),
)
LINEAR_BIAS = Family(
    body=bias_dialect,
    state_type=NoState,
    named={linear_vjp_bias: LayerAxes()},
    variations=_variations("every output gets the cotangents of all"),
)
