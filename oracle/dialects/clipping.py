"""Clipping as programs write it: every place on the axes along which they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from oracle.arithmetic.primitives import euclidean_norm, namespace, quotient, rescaled
from oracle.clipping.by_norm import clip_by_norm, clip_by_norm_torch
from oracle.clipping.by_value import clip_by_value
from oracle.dialects.family import Family, Variation
from oracle.formula import Array, NoState, Scalar

__all__ = ["CLIPPING", "ClippingAxes"]

LENGTHS = ("clip_by_norm", "clip_by_norm_torch")
VALUES = ("clip_by_value",)


@dataclass(frozen=True)
class ClippingAxes:
    """A place on the axes of the family; the defaults are ``clip_by_norm``."""

    manner: Literal["shorten", "scale", "unit", "box", "high", "low", "zero", "modulus", "saturate"] = "shorten"
    size: Literal["euclidean", "l1", "squared", "root mean square"] = "euclidean"
    added: float = 0


def clipping_dialect(grad: Array, *, axes: ClippingAxes, max_norm: Scalar) -> Array:
    """Clip as at one place on the axes."""
    xp = namespace(grad)
    return {
        "shorten": lambda: rescaled(grad, max_norm, _size(axes, grad)),
        "scale": lambda: quotient(max_norm * grad, _size(axes, grad)),
        "unit": lambda: quotient(grad, _size(axes, grad)),
        "box": lambda: xp.maximum(-max_norm, xp.minimum(max_norm, grad)),
        "high": lambda: xp.minimum(max_norm, grad),
        "low": lambda: xp.maximum(-max_norm, grad),
        "zero": lambda: xp.where(xp.abs(grad) <= max_norm, grad, xp.zeros_like(grad)),
        "modulus": lambda: xp.minimum(max_norm, xp.abs(grad)),
        "saturate": lambda: max_norm * xp.sign(grad),
    }[axes.manner]()


def _size(axes: ClippingAxes, grad: Array) -> Array:
    """Measure a gradient."""
    xp = namespace(grad)
    size = {
        "euclidean": lambda: euclidean_norm(grad),
        "l1": lambda: xp.sum(xp.abs(grad)),
        "squared": lambda: xp.sum(grad**2),
        "root mean square": lambda: xp.sqrt(xp.sum(grad**2) / max(math.prod(grad.shape), 1)),
    }[axes.size]()
    return size + axes.added if axes.added else size


CLIPPING = Family(
    body=clipping_dialect,
    state_type=NoState,
    named={
        clip_by_value: ClippingAxes(manner="box"),
        clip_by_norm: ClippingAxes(),
        clip_by_norm_torch: ClippingAxes(added=1e-6),
    },
    variations={
        "always_rescaled": Variation(
            "gradients that fit are lengthened to the threshold", {"manner": "scale"}, only=LENGTHS
        ),
        "unit": Variation("the gradient always gets unit length", {"manner": "unit"}, only=LENGTHS),
        "l1": Variation("the norm sums moduli", {"size": "l1"}, only=LENGTHS),
        "squared": Variation("the squared norm is compared and divides", {"size": "squared"}, only=LENGTHS),
        "root_mean_square": Variation(
            "the root mean square stands for the norm", {"size": "root mean square"}, only=LENGTHS
        ),
        "high_only": Variation("only positive coordinates are clipped", {"manner": "high"}, only=VALUES),
        "low_only": Variation("only negative coordinates are clipped", {"manner": "low"}, only=VALUES),
        "zeroed": Variation("coordinates past the threshold become zero", {"manner": "zero"}, only=VALUES),
        "modulus": Variation("coordinates lose their signs", {"manner": "modulus"}, only=VALUES),
        "saturated": Variation("every coordinate is moved to the threshold", {"manner": "saturate"}, only=VALUES),
    },
)
