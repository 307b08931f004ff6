"""Gated linear units as programs write them: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from oracle.arithmetic.curves import affine, normal_cdf, sigmoid
from oracle.arithmetic.primitives import namespace
from oracle.dialects.family import Family, Variation
from oracle.formula import Array, NoState
from oracle.gating.gates import geglu, glu, swiglu

__all__ = ["GATING", "GatingAxes"]


@dataclass(frozen=True)
class GatingAxes:
    """A place on the axes of the family; the defaults are ``glu``."""

    activation: Literal["logistic", "normal", "swish", "none"] = "logistic"
    swapped: bool = False
    bias: bool = True
    gate_bias: bool = True


def gating_dialect(x: Array, w: Array, b: Array, v: Array, c: Array, *, axes: GatingAxes) -> Array:
    """Gate as at one place on the axes."""
    zeros_like = namespace(x).zeros_like
    first = affine(x, w, b if axes.bias else zeros_like(b))
    second = affine(x, v, c if axes.gate_bias else zeros_like(c))
    if axes.swapped:
        first, second = second, first
    return {
        "logistic": lambda: first * sigmoid(second),
        "normal": lambda: first * normal_cdf(first) * second,
        "swish": lambda: first * sigmoid(first) * second,
        "none": lambda: first * second,
    }[axes.activation]()


GATING = Family(
    body=gating_dialect,
    state_type=NoState,
    named={
        glu: GatingAxes(),
        geglu: GatingAxes(activation="normal"),
        swiglu: GatingAxes(activation="swish"),
    },
    variations={
        "swapped": Variation("the activation is on the other branch", {"swapped": True}),
        "without_bias": Variation("the first bias is dropped", {"bias": False}),
        "without_gate_bias": Variation("the second bias is dropped", {"gate_bias": False}),
        "bilinear": Variation("there is no activation", {"activation": "none"}),
    },
)
