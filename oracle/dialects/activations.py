"""Activations as programs write them: every place on the axes along which they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from oracle.activations.gelu import gelu, gelu_sigmoid, gelu_tanh
from oracle.activations.relu import relu
from oracle.activations.sigmoid import sigmoid
from oracle.activations.silu import silu
from oracle.arithmetic import curves
from oracle.arithmetic.primitives import namespace
from oracle.dialects.family import Family, Variation
from oracle.formula import Array, NoState

__all__ = ["ACTIVATIONS", "ActivationAxes"]

LOGISTIC = ("sigmoid",)
RECTIFIER = ("relu",)


@dataclass(frozen=True)
class ActivationAxes:
    """A place on the axes of the family; the defaults are ``relu``."""

    gate: Literal["step", "leaky", "capped", "modulus", "logistic", "normal", "cubic", "tanh", "hard"] = "step"
    scale: float = 1
    alone: bool = False


def activation_dialect(x: Array, *, axes: ActivationAxes) -> Array:
    """Activate as at one place on the axes."""
    xp = namespace(x)
    zero = xp.zeros_like(x)
    scaled = x if axes.scale == 1 else axes.scale * x
    if axes.gate in {"step", "leaky", "capped", "modulus"}:
        return {
            "step": lambda: xp.maximum(scaled, zero),
            "leaky": lambda: xp.maximum(x, 0.01 * x),
            "capped": lambda: xp.minimum(xp.maximum(x, zero), 6 + zero),
            "modulus": lambda: xp.abs(x),
        }[axes.gate]()
    gate = {
        "logistic": lambda: curves.sigmoid(scaled),
        "normal": lambda: curves.normal_cdf(scaled),
        "cubic": lambda: curves.sigmoid(2 * curves.tanh_argument(x)),
        "tanh": lambda: xp.tanh(scaled) if axes.alone else curves.sigmoid(math.sqrt(8 / math.pi) * x),
        "hard": lambda: xp.minimum(xp.maximum(x / 6 + 0.5, zero), 1 + zero),
    }[axes.gate]()
    return gate if axes.alone else x * gate


ACTIVATIONS = Family(
    body=activation_dialect,
    state_type=NoState,
    named={
        relu: ActivationAxes(),
        sigmoid: ActivationAxes(gate="logistic", alone=True),
        gelu: ActivationAxes(gate="normal"),
        gelu_tanh: ActivationAxes(gate="cubic"),
        gelu_sigmoid: ActivationAxes(gate="logistic", scale=1.702),
        silu: ActivationAxes(gate="logistic"),
    },
    variations={
        "leaky": Variation("negative numbers keep a hundredth of their size", {"gate": "leaky"}, only=RECTIFIER),
        "capped": Variation("large numbers become 6", {"gate": "capped"}, only=RECTIFIER),
        "modulus": Variation("negative numbers lose their signs", {"gate": "modulus"}, only=RECTIFIER),
        "negative": Variation("the signs are mistaken for each other", {"scale": -1}, only=RECTIFIER),
        "hard": Variation("straight lines stand for the logistic function", {"gate": "hard"}, only=("sigmoid", "silu")),
        "base_two": Variation("powers of 2 stand for powers of e", {"scale": math.log(2)}, only=LOGISTIC),
        "mirrored": Variation("the exponent has the wrong sign", {"scale": -1}, only=LOGISTIC),
        "tanh": Variation("the hyperbolic tangent stands for the logistic function", {"gate": "tanh"}, only=LOGISTIC),
        "normal": Variation("the normal distribution stands for the logistic one", {"gate": "normal"}, only=LOGISTIC),
        "steeper": Variation(
            "the argument of the gate is one per cent too large", {"scale": 1.01}, only=("sigmoid", "silu", "gelu")
        ),
        "unscaled": Variation(
            "the error function takes the number without dividing it by the root of 2",
            {"scale": math.sqrt(2)},
            only=("gelu",),
        ),
        "without_cube": Variation("the cube is missing", {"gate": "tanh"}, only=("gelu_tanh",)),
        "rounded": Variation("the constant is 1.7", {"scale": 1.7}, only=("gelu_sigmoid",)),
    },
)
