"""Lion as programs write it: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from oracle.arithmetic.primitives import decayed, interpolated, moving_average, namespace, stored
from oracle.dialects.family import Family, Variation, times
from oracle.dialects.lattice import WITHOUT_RATE, Axis, Lattice, Names, decay
from oracle.formula import Array, Scalar
from oracle.optimizers.lion import lion, lion_literal_ct

__all__ = ["LION", "LION_LATTICE", "LionAxes", "LionDialectState"]


@dataclass(frozen=True)
class LionAxes:
    """A place on the axes of the family; the defaults are ``lion``."""

    along: Literal["direction", "previous direction", "average", "previous average", "gradient"] = "direction"
    betas: Literal["own", "swapped", "shared"] = "own"
    average: Literal["average", "sum"] = "average"
    signed: bool = True
    sign_of_zero: int = 0
    decay: Literal["decoupled", "unscaled", "l2", "none"] = "decoupled"
    decay_after: bool = False
    decay_scale: int = 1
    ascends: bool = False
    rate: float = 1


class LionDialectState(NamedTuple):
    """What some program of the family remembers."""

    exp_avg: Array
    direction: Array


def lion_dialect(
    param: Array,
    grad: Array,
    state: LionDialectState,
    *,
    axes: LionAxes,
    learning_rate: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    weight_decay: Scalar = 0,
) -> tuple[Array, LionDialectState]:
    """Make the step of one place on the axes."""
    rate = times(axes.rate, learning_rate)
    decay = times(axes.decay_scale, weight_decay)
    beta1, beta2 = {"own": (beta1, beta2), "swapped": (beta2, beta1), "shared": (beta1, beta1)}[axes.betas]
    if axes.decay == "l2":
        grad = grad + decay * param
    kept = axes.along == "previous direction"
    direction = (moving_average if kept else interpolated)(beta1, state.exp_avg, grad)
    if axes.average == "sum":
        exp_avg = stored(beta2 * state.exp_avg + grad)
    else:
        exp_avg = moving_average(beta2, state.exp_avg, grad)

    along = {
        "direction": direction,
        "previous direction": state.direction,
        "average": exp_avg,
        "previous average": state.exp_avg,
        "gradient": grad,
    }[axes.along]
    update = rate * (_sign(axes, along) if axes.signed else along)
    update = -update if axes.ascends else update
    new_state = LionDialectState(exp_avg, direction if kept else state.direction)
    if axes.decay in ("l2", "none"):
        return param - update, new_state
    scale = 1 if axes.decay == "unscaled" else rate
    if axes.decay_after:
        return decayed(param - update, scale, decay), new_state
    return decayed(param, scale, decay) - update, new_state


def _sign(axes: LionAxes, along: Array) -> Array:
    xp = namespace(along)
    if axes.sign_of_zero:
        return xp.where(along >= 0, xp.ones_like(along), -xp.ones_like(along))
    return xp.sign(along)


LION = Family(
    body=lion_dialect,
    state_type=LionDialectState,
    named={lion: LionAxes(), lion_literal_ct: LionAxes(along="previous direction")},
    variations={
        "betas_swapped": Variation("beta1 and beta2 are swapped", {"betas": "swapped"}),
        "betas_shared": Variation("beta1 is used for the average too", {"betas": "shared"}),
        "of_average": Variation("the step takes the sign of the new average m_t", {"along": "average"}),
        "of_previous": Variation("the step takes the sign of the old average m_(t-1)", {"along": "previous average"}),
        "of_gradient": Variation("the step takes the sign of the gradient", {"along": "gradient"}),
        "unsigned": Variation("the step has the length of the direction, not of its sign", {"signed": False}),
        "sign_of_zero_is_one": Variation("the sign of 0 is 1", {"sign_of_zero": 1}),
        "average_unnormalised": Variation("the gradient enters the average without (1 - beta2)", {"average": "sum"}),
        "decay_unscaled": Variation("weight decay ignores the learning rate", {"decay": "unscaled"}),
        "decay_absent": Variation("weight decay is left out", {"decay": "none"}),
        "decay_l2": Variation("weight decay is a penalty in the gradient", {"decay": "l2"}),
        "decay_after": Variation("weight decay shrinks the parameters after the step", {"decay_after": True}),
        "decay_doubled": Variation("weight decay is twice as strong", {"decay_scale": 2}),
        "decay_grows": Variation("weight decay has the wrong sign", {"decay_scale": -1}),
        "ascent": Variation("the step has the wrong sign", {"ascends": True}),
        "rate_off": Variation("the learning rate is one thousandth too large", {"rate": 1.001}),
    },
)


def _settled(place: LionAxes, absent: Names) -> LionAxes:
    """Settle what is the same: every line is an identity that the tests prove."""
    if "weight_decay" in absent:
        place = replace(place, decay="none")
    if place.decay in ("none", "l2"):
        place = replace(place, decay_after=False)
    return place


LION_LATTICE = Lattice(
    LION,
    "lion",
    axes=(
        Axis(
            "sign",
            {
                "of the interpolated gradient": {"along": "direction"},
                "of the interpolated gradient of the step before": {"along": "previous direction"},
                "of the new average": {"along": "average"},
                "of the old average": {"along": "previous average"},
            },
        ),
        Axis("sign of zero", {"0": {"sign_of_zero": 0}, "1": {"sign_of_zero": 1}}),
        Axis("weight decay", decay("decoupled"), needs="weight_decay"),
    ),
    customary={"beta1": (0.9,), "beta2": (0.99,), "weight_decay": (0.001, 0.01)},
    admitted=lambda place: True,  # noqa: ARG005 - all combinations make sense
    settled=_settled,
    reparametrisations=WITHOUT_RATE,
)
