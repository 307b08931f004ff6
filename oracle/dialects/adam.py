"""Adam as programs write it: every place on the axes along which they differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from oracle.arithmetic.primitives import (
    bias_correction,
    decayed,
    interpolated,
    moving_average,
    namespace,
    quotient,
    stored,
)
from oracle.dialects.family import Family, Variation, times
from oracle.dialects.lattice import HISTORY, WITHOUT_RATE, Axis, Lattice, Names, decay
from oracle.formula import Array, Scalar
from oracle.optimizers.adam import adam, adam_eps_hat, adam_l2
from oracle.optimizers.adam_bourmaud import adam_bourmaud_literal_k1
from oracle.optimizers.adamw import adamw, adamw_paper_scaling

__all__ = ["ADAM", "ADAM_LATTICE", "AdamAxes", "AdamDialectState"]

Correction = Literal["divided", "multiplied", "none"]


@dataclass(frozen=True)
class AdamAxes:
    """A place on the axes of the family; the defaults are ``adam``."""

    epsilon: Literal["outside", "hat", "inside", "inside hat", "absent", "maximum"] = "outside"
    first_correction: Correction = "divided"
    second_correction: Correction = "divided"
    count: Literal["from one", "from two", "lagging"] = "from one"
    betas: Literal["own", "swapped", "shared"] = "own"
    written_back: bool = False
    first: Literal["average", "sum"] = "average"
    second: Literal["average", "sum"] = "average"
    second_of: Literal["square", "modulus", "average", "undecayed"] = "square"
    read_first: Literal["current", "lagged", "nesterov", "ahead"] = "current"
    read_second: Literal["current", "lagged", "largest", "largest corrected"] = "current"
    root: bool = True
    ascends: bool = False
    rate: float = 1
    multiplied: bool = True
    decay: Literal["none", "l2", "inside", "decoupled", "unscaled", "scheduled", "squared"] = "none"
    decay_after: bool = False
    decay_scale: int = 1


class AdamDialectState(NamedTuple):
    """What some program of the family remembers."""

    step: int
    exp_avg: Array
    exp_avg_sq: Array
    max_exp_avg_sq: Array


def adam_dialect(
    param: Array,
    grad: Array,
    state: AdamDialectState,
    *,
    axes: AdamAxes,
    learning_rate: Scalar,
    beta1: Scalar,
    beta2: Scalar,
    eps: Scalar,
    weight_decay: Scalar = 0,
    schedule_multiplier: Scalar = 1,
) -> tuple[Array, AdamDialectState]:
    """Make the step of one place on the axes."""
    xp = namespace(param, grad)
    multiplier = schedule_multiplier if axes.multiplied else 1
    rate = times(axes.rate, times(multiplier, learning_rate))
    decay = times(axes.decay_scale, weight_decay)
    beta1, beta2 = {"own": (beta1, beta2), "swapped": (beta2, beta1), "shared": (beta1, beta1)}[axes.betas]
    step = state.step + 1
    count = max(step - 1, 1) if axes.count == "lagging" else step + int(axes.count == "from two")

    loss_grad = grad
    if axes.decay == "l2":
        grad = grad + decay * param
    weight1, weight = bias_correction(beta1, count), bias_correction(beta2, count)
    exp_avg = _gathered(axes, axes.first, beta1, state.exp_avg, grad)
    if axes.written_back:
        exp_avg = stored(_corrected(axes.first_correction, exp_avg, weight1))
    seconds = {"square": grad, "average": exp_avg, "undecayed": loss_grad}
    magnitude = xp.abs(grad) if axes.second_of == "modulus" else seconds[axes.second_of] ** 2
    exp_avg_sq = _gathered(axes, axes.second, beta2, state.exp_avg_sq, magnitude)
    if axes.written_back:
        exp_avg_sq = stored(_corrected(axes.second_correction, exp_avg_sq, weight))

    first = state.exp_avg if axes.read_first == "lagged" else exp_avg
    if axes.read_first in ("nesterov", "ahead"):
        first = moving_average(beta1, exp_avg, grad)
    second = state.exp_avg_sq if axes.read_second == "lagged" else exp_avg_sq
    if axes.read_second == "largest":
        second = xp.maximum(state.max_exp_avg_sq, second)
    largest = second
    if not axes.written_back:
        if axes.read_first == "ahead" and axes.first_correction == "divided":
            next_weight1 = bias_correction(beta1, count + 1)
            first = beta1 * quotient(exp_avg, next_weight1) + (1 - beta1) * quotient(grad, weight1)
        else:
            first = _corrected(axes.first_correction, first, weight1)
        second = _corrected(axes.second_correction, second, weight)
    if axes.read_second == "largest corrected":
        largest = second = xp.maximum(state.max_exp_avg_sq, stored(second))

    if axes.decay == "inside":
        first = first + decay * param
    update = quotient(rate * first, _denominator(axes, second, eps, weight))
    update = -update if axes.ascends else update
    new_state = AdamDialectState(step, exp_avg, exp_avg_sq, largest)
    rates = {"decoupled": rate, "unscaled": 1, "scheduled": multiplier, "squared": rate * rate}
    if axes.decay not in rates:
        return param - update, new_state
    if axes.decay_after:
        return decayed(param - update, rates[axes.decay], decay), new_state
    return decayed(param, rates[axes.decay], decay) - update, new_state


def _gathered(axes: AdamAxes, form: Literal["average", "sum"], beta: Scalar, memory: Array, new: Array) -> Array:
    """Gather a value with the weight 1 - beta, or with the weight 1; what is corrected first is not stored yet."""
    if form == "average":
        return (interpolated if axes.written_back else moving_average)(beta, memory, new)
    total = beta * memory + new
    return total if axes.written_back else stored(total)


def _corrected(form: Correction, value: Array, weight: Scalar) -> Array:
    """Correct the bias of an average, the wrong way round, or not at all."""
    if form == "none":
        return value
    return quotient(value, weight) if form == "divided" else value * weight


def _denominator(axes: AdamAxes, second: Array, eps: Scalar, weight: Scalar) -> Array:
    """Place epsilon."""
    xp = namespace(second)
    if axes.epsilon in ("inside", "inside hat"):
        return xp.sqrt(second + (eps / weight if axes.epsilon == "inside hat" else eps))
    root = xp.sqrt(second) if axes.root else second
    if axes.epsilon == "absent":
        return root
    if axes.epsilon == "maximum":
        return xp.maximum(root, eps)
    return root + (eps / namespace(weight).sqrt(weight) if axes.epsilon == "hat" else eps)


# Uncorrected it is the others' without_correction; and its second moment grows for long, so that it is the largest.
_CORRECTED_APART = ("adam", "adam_eps_hat", "adam_l2", "adamw", "adamw_paper_scaling")

ADAM = Family(
    body=adam_dialect,
    state_type=AdamDialectState,
    named={
        adam: AdamAxes(),
        adamw: AdamAxes(decay="decoupled"),
        adam_l2: AdamAxes(decay="l2"),
        adam_eps_hat: AdamAxes(epsilon="hat"),
        adamw_paper_scaling: AdamAxes(decay="scheduled"),
        adam_bourmaud_literal_k1: AdamAxes(written_back=True),
    },
    variations={
        "eps_hat": Variation("epsilon is added before the bias correction (eps-hat form)", {"epsilon": "hat"}),
        "eps_inside": Variation("epsilon is added inside the root", {"epsilon": "inside"}),
        "without_eps": Variation("epsilon is not added", {"epsilon": "absent"}),
        "eps_maximum": Variation("the root is replaced by epsilon where it is smaller", {"epsilon": "maximum"}),
        "without_correction": Variation(
            "no bias correction is applied",
            {"first_correction": "none", "second_correction": "none"},
            only=_CORRECTED_APART,
        ),
        "first_uncorrected": Variation("the first moment is not bias-corrected", {"first_correction": "none"}),
        "second_uncorrected": Variation("the second moment is not bias-corrected", {"second_correction": "none"}),
        "correction_multiplied": Variation(
            "the moments are multiplied by the bias corrections",
            {"first_correction": "multiplied", "second_correction": "multiplied"},
        ),
        "step_from_two": Variation("the step count of the bias correction starts at 2", {"count": "from two"}),
        "step_lagging": Variation(
            "the step count of the bias correction stays at 1 for two steps", {"count": "lagging"}
        ),
        "betas_swapped": Variation("beta1 and beta2 are swapped", {"betas": "swapped"}),
        "betas_shared": Variation("beta1 is used for both moments", {"betas": "shared"}),
        "first_unnormalised": Variation("the gradient enters the first moment without (1 - beta1)", {"first": "sum"}),
        "second_unnormalised": Variation("the square enters the second moment without (1 - beta2)", {"second": "sum"}),
        "second_of_modulus": Variation("the second moment averages |g| and not g^2", {"second_of": "modulus"}),
        "second_of_average": Variation("the second moment averages m^2 and not g^2", {"second_of": "average"}),
        "second_undecayed": Variation(
            "the penalty stays out of the second moment", {"second_of": "undecayed"}, only=("adam_l2",)
        ),
        "first_lagged": Variation("the first moment of the previous step is used", {"read_first": "lagged"}),
        "second_lagged": Variation("the second moment of the previous step is used", {"read_second": "lagged"}),
        "without_root": Variation("the second moment divides without its root", {"root": False}),
        "nesterov": Variation("the first moment looks one step ahead (Nesterov)", {"read_first": "nesterov"}),
        "amsgrad": Variation(
            "the largest second moment so far divides (AMSGrad)", {"read_second": "largest"}, only=_CORRECTED_APART
        ),
        "ascent": Variation("the step has the wrong sign", {"ascends": True}),
        "rate_off": Variation("the learning rate is one thousandth too large", {"rate": 1.001}),
        "decay_unscaled": Variation(
            "weight decay ignores the learning rate", {"decay": "unscaled"}, only=("adamw_paper_scaling",)
        ),
        "rate_squared": Variation("weight decay is scaled by the squared rate", {"decay": "squared"}, "weight_decay"),
        "decay_after": Variation(
            "weight decay shrinks the parameters after the step",
            {"decay_after": True},
            only=("adamw", "adamw_paper_scaling"),
        ),
        "decay_inside": Variation(
            "weight decay joins the first moment and is divided by the root", {"decay": "inside"}, "weight_decay"
        ),
        "decay_doubled": Variation("weight decay is twice as strong", {"decay_scale": 2}, "weight_decay"),
        "decay_grows": Variation("weight decay has the wrong sign", {"decay_scale": -1}, "weight_decay"),
        "multiplier_absent": Variation(
            "the schedule's multiplier is ignored", {"multiplied": False}, "schedule_multiplier"
        ),
    },
)


def _admitted(place: AdamAxes) -> bool:
    """Whether a place makes sense: nothing is told from a correction that is not made, or from what is written back."""
    first, second = place.first_correction != "none", place.second_correction != "none"
    return not (
        (place.written_back and (place.read_first != "current" or place.read_second != "current"))
        or (place.written_back and not (first or second))
        or (place.read_first == "ahead" and not first)
        or (place.read_second == "largest corrected" and not second)
        or (place.epsilon in _EARLY and not second)
    )


def _settled(place: AdamAxes, absent: Names) -> AdamAxes:
    """Settle what is the same: every line is an identity that the tests prove."""
    if "weight_decay" in absent:
        place = replace(place, decay="none")
    if place.decay == "scheduled" and "schedule_multiplier" in absent:
        place = replace(place, decay="unscaled")
    if place.decay in ("none", "l2", "inside"):
        place = replace(place, decay_after=False)
    if place.first_correction == place.second_correction == "none" and place.epsilon not in _EARLY:
        place = replace(place, count="from one")
    if HISTORY in absent:
        second = "current" if place.read_second.startswith("largest") else place.read_second
        count = "from one" if place.count == "lagging" else place.count
        written_back = place.written_back and place.second_of == "average"
        place = replace(place, read_second=second, count=count, written_back=written_back)
    return place


#: Places of epsilon before the bias correction.
_EARLY = ("hat", "inside hat")

ADAM_LATTICE = Lattice(
    ADAM,
    "adam",
    axes=(
        Axis(
            "epsilon",
            {
                "outside the root": {"epsilon": "outside"},
                "outside the root, before the bias correction (eps-hat)": {"epsilon": "hat"},
                "inside the root": {"epsilon": "inside"},
                "inside the root, before the bias correction": {"epsilon": "inside hat"},
                "absent": {"epsilon": "absent"},
                "a floor of the root": {"epsilon": "maximum"},
            },
            needs="eps",
        ),
        Axis(
            "bias correction",
            {
                "of both moments": {"first_correction": "divided", "second_correction": "divided"},
                "of neither moment": {"first_correction": "none", "second_correction": "none"},
                "of the second moment alone": {"first_correction": "none", "second_correction": "divided"},
                "of the first moment alone": {"first_correction": "divided", "second_correction": "none"},
            },
        ),
        Axis(
            "step count",
            {
                "starts at 1": {"count": "from one"},
                "starts at 2": {"count": "from two"},
                "stays at 1 for two steps": {"count": "lagging"},
            },
        ),
        Axis(
            "second moment",
            {
                "of this step": {"read_second": "current"},
                "largest so far, then corrected (AMSGrad)": {"read_second": "largest"},
                "largest of the corrected ones so far (AMSGrad)": {"read_second": "largest corrected"},
            },
        ),
        Axis(
            "first moment",
            {
                "of this step": {"read_first": "current"},
                "one step ahead (Nesterov)": {"read_first": "nesterov"},
                "one step ahead, each part with its own correction (Nesterov)": {"read_first": "ahead"},
            },
        ),
        Axis(
            "kept for the next step",
            {"the moments": {"written_back": False}, "the corrected moments": {"written_back": True}},
        ),
        Axis(
            "weight decay",
            {
                **decay("decoupled"),
                "decoupled, times the schedule alone": {"decay": "scheduled", "decay_after": False},
                "in the numerator, divided by the root": {"decay": "inside", "decay_after": False},
            },
            needs="weight_decay",
        ),
    ),
    customary={"beta1": (0.9,), "beta2": (0.999, 0.99, 0.95), "eps": (1e-8, 1e-7, 1e-6), "weight_decay": (0.01,)},
    admitted=_admitted,
    settled=_settled,
    reparametrisations=WITHOUT_RATE,
)
