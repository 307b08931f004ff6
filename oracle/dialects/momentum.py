"""Descent and momentum as programs write them: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from oracle.arithmetic.primitives import bias_correction, decayed, moving_average, namespace, quotient, stored
from oracle.dialects.family import Family, Variation, times
from oracle.dialects.lattice import HISTORY, WITHOUT_RATE, Axis, Lattice, Names, Reparametrisation, decay
from oracle.formula import Array, Scalar
from oracle.optimizers.descent import gd, sgd_l2, weight_decay_unscaled
from oracle.optimizers.momentum import (
    momentum_ema,
    momentum_heavy_ball,
    momentum_nesterov,
    momentum_torch_dampening,
)

__all__ = ["MOMENTUM", "MOMENTUM_LATTICE", "MomentumAxes", "MomentumDialectState"]

BARE = ("gd", "sgd_l2", "weight_decay_unscaled")


@dataclass(frozen=True)
class MomentumAxes:
    """A place on the axes of the family; the defaults are ``momentum_heavy_ball``."""

    entering: Literal["whole", "complement", "dampened", "alone"] = "whole"
    first_whole: bool = False
    read: Literal["velocity", "nesterov", "lagged", "ahead", "sign", "sign of velocity"] = "velocity"
    corrected: bool = False
    rate_inside: bool = False
    ascends: bool = False
    rate: float = 1
    fixed_momentum: float | None = None
    decay: Literal["none", "l2", "scaled", "unscaled", "squared"] = "none"
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

    if axes.decay == "l2":
        grad = grad + decay * param
    grad = rate * grad if axes.rate_inside else grad
    weight = {"whole": 1, "alone": 1, "complement": 1 - momentum, "dampened": 1 - dampening}[axes.entering]
    entering = times(weight, grad)
    if axes.entering == "alone" or (axes.first_whole and step == 1):
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
    elif axes.read == "sign of velocity":
        direction = namespace(grad).sign(velocity)
    direction = quotient(direction, bias_correction(momentum, step)) if axes.corrected else direction
    update = direction if axes.rate_inside else rate * direction
    update = -update if axes.ascends else update
    new_state = MomentumDialectState(step, velocity)
    if axes.decay in ("none", "l2"):
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
        gd: MomentumAxes(entering="alone"),
        sgd_l2: MomentumAxes(entering="alone", decay="scaled"),
        weight_decay_unscaled: MomentumAxes(entering="alone", decay="unscaled"),
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
        "accumulating": Variation(
            "gradients of earlier steps are not cleared", {"entering": "whole", "fixed_momentum": 1.0}, only=BARE
        ),
        "hidden_momentum": Variation(
            "a momentum of 0.9 is at work", {"entering": "whole", "fixed_momentum": 0.9}, only=BARE
        ),
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


def _admitted(place: MomentumAxes) -> bool:
    """Whether a place makes sense: only an average from zero has a bias, and factors do not change a sign."""
    averaged = place.entering == "complement" and not place.first_whole
    signed = place.read == "sign of velocity"
    return not (
        (place.corrected and (signed or not averaged))
        or (place.rate_inside and (signed or place.entering == "alone"))
        or (place.read == "nesterov" and place.entering == "alone")
    )


def _settled(place: MomentumAxes, absent: Names) -> MomentumAxes:
    """Settle what is the same: every line is an identity that the tests prove."""
    if "weight_decay" in absent and place.fixed_decay is None:
        place = replace(place, decay="none")
    if place.decay in ("none", "l2"):
        place = replace(place, decay_after=False)
    if place.entering == "dampened" and "dampening" in absent:
        place = replace(place, entering="whole")
    if place.entering == "whole":  # what comes before the first gradient is zero
        place = replace(place, first_whole=False)
    if HISTORY in absent and place.entering == "whole" and place.read in ("velocity", "sign of velocity"):
        place = replace(place, entering="alone", rate_inside=False)
    if place.entering == "alone" and place.decay == "l2" and place.read == "velocity":
        place = replace(place, decay="scaled")
    return place


MOMENTUM_LATTICE = Lattice(
    MOMENTUM,
    "momentum",
    axes=(
        Axis(
            "momentum",
            {
                "none": {"entering": "alone", "first_whole": False},
                "decaying sum (heavy ball)": {"entering": "whole", "first_whole": False},
                "moving average (EMA)": {"entering": "complement", "first_whole": False},
                "dampened sum that starts with the whole gradient": {"entering": "dampened", "first_whole": True},
                "dampened sum": {"entering": "dampened", "first_whole": False},
                "moving average that starts with the whole gradient": {"entering": "complement", "first_whole": True},
            },
            needs="momentum",
        ),
        Axis(
            "step",
            {
                "along the velocity": {"read": "velocity"},
                "along the velocity one step ahead (Nesterov)": {"read": "nesterov"},
                "along the sign of the velocity": {"read": "sign of velocity"},
            },
        ),
        Axis(
            "learning rate",
            {"outside the velocity": {"rate_inside": False}, "inside the velocity": {"rate_inside": True}},
        ),
        Axis("bias correction", {"none": {"corrected": False}, "of the velocity": {"corrected": True}}),
        Axis("weight decay", decay("scaled"), needs="weight_decay"),
    ),
    customary={"momentum": (0.9, 0.99, 0.5), "weight_decay": (0.01, 0.0005, 0.0001)},
    admitted=_admitted,
    settled=_settled,
    reparametrisations=(
        *(
            Reparametrisation(
                {"momentum": "moving average (EMA)", "bias correction": "none", "step": step, "weight decay": decay},
                {"momentum": "decaying sum (heavy ball)"},
                {"learning_rate": "learning_rate * (1 - momentum)"},
                "momentum",
            )
            for step in ("along the velocity", "along the velocity one step ahead (Nesterov)")
            for decay in ("none", "L2, in the gradient")
        ),
        Reparametrisation(
            {"momentum": "decaying sum (heavy ball)", "learning rate": "inside the velocity"},
            {"momentum": "decaying sum (heavy ball)", "learning rate": "outside the velocity"},
            {},
            "learning_rate",
        ),
        *WITHOUT_RATE,
    ),
)
