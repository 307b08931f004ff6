"""Feed-forward blocks as programs write them: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from oracle.arithmetic.curves import normal_cdf, sigmoid
from oracle.arithmetic.primitives import namespace
from oracle.dialects.family import Family, Variation
from oracle.formula import Array, NoState
from oracle.gating.blocks import ffn_swiglu

__all__ = ["BLOCKS", "BlockAxes"]


@dataclass(frozen=True)
class BlockAxes:
    """A place on the axes of the family; the defaults are ``ffn_swiglu``."""

    activation: Literal["swish", "logistic", "normal", "none"] = "swish"
    swapped: bool = False
    gated: bool = True


def block_dialect(x: Array, w: Array, v: Array, w2: Array, *, axes: BlockAxes) -> Array:
    """Feed forward as at one place on the axes."""
    matmul = namespace(x).matmul
    u, other = matmul(x, v if axes.swapped else w), matmul(x, w if axes.swapped else v)
    active = {
        "swish": lambda: u * sigmoid(u),
        "logistic": lambda: sigmoid(u),
        "normal": lambda: u * normal_cdf(u),
        "none": lambda: u,
    }[axes.activation]()
    return matmul(active * other if axes.gated else active, w2)


BLOCKS = Family(
    body=block_dialect,
    state_type=NoState,
    named={ffn_swiglu: BlockAxes()},
    variations={
        "swapped": Variation("the activation is on the other branch", {"swapped": True}),
        "bilinear": Variation("there is no activation", {"activation": "none"}),
        "logistic": Variation("the logistic function alone is the activation", {"activation": "logistic"}),
        "normal": Variation("GELU stands for SiLU", {"activation": "normal"}),
        "ungated": Variation("the second branch is not multiplied in", {"gated": False}),
    },
)
