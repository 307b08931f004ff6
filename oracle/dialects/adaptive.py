"""AdaGrad and RMSProp as programs write them: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from oracle.arithmetic.primitives import bias_correction, decayed, moving_average, namespace, quotient, stored
from oracle.dialects.family import Family, Variation, times
from oracle.dialects.lattice import HISTORY, WITHOUT_RATE, Axis, Lattice, Names, Reparametrisation, decay
from oracle.formula import Array, Scalar
from oracle.optimizers.adagrad import adagrad, adagrad_eps_inside
from oracle.optimizers.rmsprop import rmsprop, rmsprop_eps_inside

__all__ = ["ADAPTIVE", "ADAPTIVE_LATTICE", "AdaptiveAxes", "AdaptiveState"]


@dataclass(frozen=True)
class AdaptiveAxes:
    """A place on the axes of the family; the defaults are ``adagrad``."""

    memory: Literal["sum", "average", "unweighted", "swapped", "mean", "none"] = "sum"
    epsilon: Literal["outside", "inside", "absent", "maximum"] = "outside"
    of: Literal["square", "modulus"] = "square"
    read: Literal["current", "lagged"] = "current"
    start: float | Literal["given"] = 0
    corrected: bool = False
    centered: bool = False
    root: bool = True
    ascends: bool = False
    rate: float = 1
    velocity: Literal["none", "whole", "with rate"] = "none"
    decay: Literal["none", "l2", "decoupled", "unscaled"] = "none"
    decay_after: bool = False


class AdaptiveState(NamedTuple):
    """What some program of the family remembers; ``sum`` and ``square_avg`` are the same array by two names."""

    step: int
    sum: Array
    square_avg: Array
    grad_avg: Array
    momentum_buffer: Array


def adaptive_dialect(
    param: Array,
    grad: Array,
    state: AdaptiveState,
    *,
    axes: AdaptiveAxes,
    learning_rate: Scalar,
    eps: Scalar,
    alpha: Scalar = 0.9,
    momentum: Scalar = 0,
    weight_decay: Scalar = 0,
    initial_accumulator: Scalar = 0,
) -> tuple[Array, AdaptiveState]:
    """Make the step of one place on the axes."""
    xp = namespace(param, grad)
    step = state.step + 1
    rate = times(axes.rate, learning_rate)
    if axes.decay == "l2":
        grad = grad + weight_decay * param
    magnitude = xp.abs(grad) if axes.of == "modulus" else grad**2
    before = state.sum if axes.memory in ("sum", "mean") else state.square_avg
    if axes.start and step == 1:
        before = before + (initial_accumulator if axes.start == "given" else axes.start)
    gathered = _gathered(axes.memory, alpha, before, magnitude)
    grad_avg = moving_average(alpha, state.grad_avg, grad) if axes.centered else state.grad_avg

    second = before if axes.read == "lagged" else gathered
    if axes.memory == "mean":
        second = second / step
    if axes.corrected:
        second = quotient(second, bias_correction(alpha, step))
    if axes.centered:
        second = second - grad_avg**2
    outside = axes.velocity == "whole"
    update = quotient(grad if outside else rate * grad, _denominator(axes, second, eps))
    if axes.velocity != "none":
        update = stored(momentum * state.momentum_buffer + update)
    new_state = AdaptiveState(step, gathered, gathered, grad_avg, update)
    update = rate * update if outside else update
    update = -update if axes.ascends else update
    if axes.decay in ("none", "l2"):
        return param - update, new_state
    scale = 1 if axes.decay == "unscaled" else rate
    if axes.decay_after:
        return decayed(param - update, scale, weight_decay), new_state
    return decayed(param, scale, weight_decay) - update, new_state


def _gathered(form: str, alpha: Scalar, memory: Array, new: Array) -> Array:
    """Take a square into the memory."""
    if form == "none":
        return stored(new)
    if form == "average":
        return moving_average(alpha, memory, new)
    if form == "swapped":
        return moving_average(1 - alpha, memory, new)
    return stored((alpha * memory if form == "unweighted" else memory) + new)


def _denominator(axes: AdaptiveAxes, second: Array, eps: Scalar) -> Array:
    """Place epsilon."""
    xp = namespace(second)
    if axes.epsilon == "inside":
        return xp.sqrt(second + eps)
    root = xp.sqrt(second) if axes.root else second
    if axes.epsilon == "absent":
        return root
    return xp.maximum(root, eps) if axes.epsilon == "maximum" else root + eps


_ADAGRADS = ("adagrad", "adagrad_eps_inside")

ADAPTIVE = Family(
    body=adaptive_dialect,
    state_type=AdaptiveState,
    named={
        adagrad: AdaptiveAxes(),
        rmsprop: AdaptiveAxes(memory="average"),
        adagrad_eps_inside: AdaptiveAxes(epsilon="inside"),
        rmsprop_eps_inside: AdaptiveAxes(memory="average", epsilon="inside"),
    },
    variations={
        "without_eps": Variation("epsilon is not added", {"epsilon": "absent"}),
        "eps_maximum": Variation("the root is replaced by epsilon where it is smaller", {"epsilon": "maximum"}),
        "without_root": Variation("the squares divide without their root", {"root": False, "epsilon": "outside"}),
        "lagged": Variation("the squares before this step divide", {"read": "lagged"}),
        "without_weights": Variation(
            "the square enters the average without (1 - alpha)", {"memory": "unweighted"}, "alpha"
        ),
        "weights_swapped": Variation(
            "alpha weighs the new square and not the old ones", {"memory": "swapped"}, "alpha"
        ),
        "corrected": Variation("the average is bias-corrected, as Adam's is", {"corrected": True}, "alpha"),
        "centered": Variation("the squared average is subtracted (centered form)", {"centered": True}, "alpha"),
        "forgetting": Variation(
            "the sum loses a tenth of the old squares in every step", {"memory": "unweighted"}, only=_ADAGRADS
        ),
        "mean": Variation("the squares are averaged over all steps and not summed", {"memory": "mean"}, only=_ADAGRADS),
        "initial_tenth": Variation("the sum starts at 0.1", {"start": 0.1}, only=_ADAGRADS),
        "of_modulus": Variation("|g| is gathered and not g^2", {"of": "modulus"}),
        "memoryless": Variation("the gradient is divided by its own modulus alone", {"memory": "none"}),
        "ascent": Variation("the step has the wrong sign", {"ascends": True}),
        "rate_off": Variation("the learning rate is one thousandth too large", {"rate": 1.001}),
    },
)


def _admitted(place: AdaptiveAxes) -> bool:
    """Whether a place makes sense: a sum has no bias, and nobody subtracts a mean from it."""
    return place.memory == "average" or not (place.corrected or place.centered)


def _settled(place: AdaptiveAxes, absent: Names) -> AdaptiveAxes:
    """Settle what is the same: every line is an identity that the tests prove."""
    if "weight_decay" in absent:
        place = replace(place, decay="none")
    if place.decay in ("none", "l2"):
        place = replace(place, decay_after=False)
    if "momentum" in absent or HISTORY in absent:
        place = replace(place, velocity="none")
    if place.start == "given" and "initial_accumulator" in absent:
        place = replace(place, start=0)
    return place


ADAPTIVE_LATTICE = Lattice(
    ADAPTIVE,
    "adaptive",
    axes=(
        Axis("squares", {"summed (AdaGrad)": {"memory": "sum"}, "averaged (RMSProp)": {"memory": "average"}}),
        Axis(
            "epsilon",
            {
                "outside the root": {"epsilon": "outside"},
                "inside the root": {"epsilon": "inside"},
                "absent": {"epsilon": "absent"},
                "a floor of the root": {"epsilon": "maximum"},
            },
            needs="eps",
        ),
        Axis(
            "start of the squares",
            {
                "0": {"start": 0},
                "the initial accumulator": {"start": "given"},
                "0.1": {"start": 0.1},
                "1": {"start": 1.0},
            },
        ),
        Axis("bias correction", {"none": {"corrected": False}, "of the average": {"corrected": True}}),
        Axis("centered", {"no": {"centered": False}, "yes": {"centered": True}}),
        Axis(
            "momentum",
            {
                "none": {"velocity": "none"},
                "of the quotients": {"velocity": "whole"},
                "of the quotients times the learning rate": {"velocity": "with rate"},
            },
            needs="momentum",
        ),
        Axis("weight decay", decay("decoupled"), needs="weight_decay"),
    ),
    customary={"alpha": (0.9, 0.99), "eps": (1e-8, 1e-7, 1e-10), "weight_decay": (0.01,)},
    admitted=_admitted,
    settled=_settled,
    reparametrisations=(
        Reparametrisation(
            {"momentum": "of the quotients times the learning rate"},
            {"momentum": "of the quotients"},
            {},
            "learning_rate",
        ),
        *WITHOUT_RATE,
    ),
)
