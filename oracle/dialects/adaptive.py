"""AdaGrad and RMSProp as programs write them: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from oracle.arithmetic.primitives import bias_correction, moving_average, namespace, quotient, stored
from oracle.dialects.family import Family, Variation, times
from oracle.formula import Array, Scalar
from oracle.optimizers.adagrad import adagrad, adagrad_eps_inside
from oracle.optimizers.rmsprop import rmsprop, rmsprop_eps_inside

__all__ = ["ADAPTIVE", "AdaptiveAxes", "AdaptiveState"]


@dataclass(frozen=True)
class AdaptiveAxes:
    """A place on the axes of the family; the defaults are ``adagrad``."""

    memory: Literal["sum", "average", "unweighted", "swapped", "mean", "none"] = "sum"
    epsilon: Literal["outside", "inside", "absent", "maximum"] = "outside"
    of: Literal["square", "modulus"] = "square"
    read: Literal["current", "lagged"] = "current"
    start: float = 0
    corrected: bool = False
    centered: bool = False
    root: bool = True
    ascends: bool = False
    rate: float = 1


class AdaptiveState(NamedTuple):
    """What some program of the family remembers; ``sum`` and ``square_avg`` are the same array by two names."""

    step: int
    sum: Array
    square_avg: Array
    grad_avg: Array


def adaptive_dialect(
    param: Array,
    grad: Array,
    state: AdaptiveState,
    *,
    axes: AdaptiveAxes,
    learning_rate: Scalar,
    eps: Scalar,
    alpha: Scalar = 0.9,
) -> tuple[Array, AdaptiveState]:
    """Make the step of one place on the axes."""
    xp = namespace(param, grad)
    step = state.step + 1
    magnitude = xp.abs(grad) if axes.of == "modulus" else grad**2
    before = state.sum if axes.memory in ("sum", "mean") else state.square_avg
    gathered = _gathered(axes.memory, alpha, before, magnitude)
    grad_avg = moving_average(alpha, state.grad_avg, grad) if axes.centered else state.grad_avg

    second = before if axes.read == "lagged" else gathered
    if axes.start:
        second = second + axes.start
    if axes.memory == "mean":
        second = second / step
    if axes.corrected:
        second = quotient(second, bias_correction(alpha, step))
    if axes.centered:
        second = second - grad_avg**2
    update = quotient(times(axes.rate, learning_rate) * grad, _denominator(axes, second, eps))
    update = -update if axes.ascends else update
    return param - update, AdaptiveState(step, gathered, gathered, grad_avg)


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
