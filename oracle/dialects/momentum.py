"""Descent and momentum as programs write them: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from oracle.arithmetic.primitives import bias_correction, decayed, moving_average, namespace, quotient, stored
from oracle.dialects.family import Family, Variation, times
from oracle.formula import Array, Scalar
from oracle.optimizers.descent import gd, sgd_l2, weight_decay_unscaled
from oracle.optimizers.momentum import (
    momentum_ema,
    momentum_heavy_ball,
    momentum_nesterov,
    momentum_torch_dampening,
)

__all__ = ["MOMENTUM", "MomentumAxes", "MomentumDialectState"]

BARE = ("gd", "sgd_l2", "weight_decay_unscaled")


@dataclass(frozen=True)
class MomentumAxes:
    """A place on the axes of the family; the defaults are ``gd``, where there is no momentum."""

    entering: Literal["whole", "complement", "dampened"] = "whole"
    first_whole: bool = False
    read: Literal["velocity", "nesterov", "lagged", "ahead", "sign"] = "velocity"
    corrected: bool = False
    rate_inside: bool = False
    ascends: bool = False
    rate: float = 1
    fixed_momentum: float | None = None
    decay: Literal["none", "scaled", "unscaled", "squared"] = "none"
    decay_after: bool = False
    decay_of: Literal["parameter", "sign"] = "parameter"
    decay_scale: int = 1
    fixed_decay: float | None = None


class MomentumDialectState(NamedTuple):
    """What some program of the family remembers."""

    step: int
    momentum_buffer: Array


def momentum_dialect(
    param: Array,
    grad: Array,
    state: MomentumDialectState,
    *,
    axes: MomentumAxes,
    learning_rate: Scalar,
    momentum: Scalar = 0,
    dampening: Scalar = 0,
    weight_decay: Scalar = 0,
) -> tuple[Array, MomentumDialectState]:
    """Make the step of one place on the axes."""
    rate = times(axes.rate, learning_rate)
    momentum = momentum if axes.fixed_momentum is None else axes.fixed_momentum
    decay = times(axes.decay_scale, weight_decay if axes.fixed_decay is None else axes.fixed_decay)
    step = state.step + 1

    grad = rate * grad if axes.rate_inside else grad
    weight = {"whole": 1, "complement": 1 - momentum, "dampened": 1 - dampening}[axes.entering]
    entering = grad if axes.entering == "whole" else weight * grad
    if axes.first_whole and step == 1:
        velocity = stored(grad)
    elif axes.entering == "complement":
        velocity = moving_average(momentum, state.momentum_buffer, grad)
    else:
        velocity = stored(momentum * state.momentum_buffer + entering)

    direction = velocity
    if axes.read == "nesterov":
        direction = entering + momentum * velocity
    elif axes.read == "ahead":
        direction = grad + velocity
    elif axes.read == "lagged":
        direction = state.momentum_buffer
    elif axes.read == "sign":
        direction = namespace(grad).sign(grad)
    direction = quotient(direction, bias_correction(momentum, step)) if axes.corrected else direction
    update = direction if axes.rate_inside else rate * direction
    update = -update if axes.ascends else update
    new_state = MomentumDialectState(step, velocity)
    if axes.decay == "none":
        return param - update, new_state
    pull = {"scaled": rate, "unscaled": 1, "squared": rate * rate}[axes.decay]
    if axes.decay_of == "sign":
        return param - pull * decay * namespace(param).sign(param) - update, new_state
    if axes.decay_after:
        return decayed(param - update, pull, decay), new_state
    return decayed(param, pull, decay) - update, new_state


MOMENTUM = Family(
    body=momentum_dialect,
    state_type=MomentumDialectState,
    named={
        gd: MomentumAxes(),
        sgd_l2: MomentumAxes(decay="scaled"),
        weight_decay_unscaled: MomentumAxes(decay="unscaled"),
        momentum_ema: MomentumAxes(entering="complement"),
        momentum_heavy_ball: MomentumAxes(),
        momentum_torch_dampening: MomentumAxes(entering="dampened", first_whole=True),
        momentum_nesterov: MomentumAxes(read="nesterov"),
    },
    variations={
        "first_gradient": Variation(
            "the first gradient fills the buffer whole", {"first_whole": True}, only=("momentum_ema",)
        ),
        "first_damped": Variation(
            "the first gradient is dampened like the others", {"first_whole": False}, only=("momentum_torch_dampening",)
        ),
        "nesterov": Variation("the velocity looks one step ahead (Nesterov)", {"read": "nesterov"}, "momentum"),
        "ahead_undamped": Variation(
            "the velocity is added to the gradient without momentum", {"read": "ahead"}, only=("momentum_nesterov",)
        ),
        "lagged": Variation("the velocity of the previous step is used", {"read": "lagged"}),
        "corrected": Variation("the velocity is bias-corrected", {"corrected": True}, "momentum"),
        "rate_inside": Variation(
            "the learning rate is inside the buffer, so that changing it acts late", {"rate_inside": True}, "momentum"
        ),
        "ascent": Variation("the step has the wrong sign", {"ascends": True}),
        "rate_off": Variation("the learning rate is one thousandth too large", {"rate": 1.001}),
        "sign": Variation("only the gradient's sign is used", {"read": "sign"}, only=BARE),
        "accumulating": Variation("gradients of earlier steps are not cleared", {"fixed_momentum": 1.0}, only=BARE),
        "hidden_momentum": Variation("a momentum of 0.9 is at work", {"fixed_momentum": 0.9}, only=BARE),
        "hidden_decay": Variation(
            "a weight decay of 0.01 is at work", {"decay": "scaled", "fixed_decay": 0.01}, only=("gd",)
        ),
        "rate_squared": Variation("weight decay is scaled by the squared rate", {"decay": "squared"}, "weight_decay"),
        "decay_after": Variation(
            "weight decay shrinks the parameters after the step", {"decay_after": True}, "weight_decay"
        ),
        "decay_l1": Variation("weight decay takes the parameters' signs", {"decay_of": "sign"}, "weight_decay"),
        "decay_doubled": Variation("weight decay is twice as strong", {"decay_scale": 2}, "weight_decay"),
        "decay_grows": Variation("weight decay has the wrong sign", {"decay_scale": -1}, "weight_decay"),
    },
)
