"""Honest programs for Adam and its relatives, in many thousands of forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.helpers.programs.averages import AVERAGES, SQUARE_AVERAGES, Average
from tests.helpers.programs.kit import POWERS, Floats, Inapplicable, Kit, Tensor, nonzero

__all__ = ["ADAM_IDS", "AXES", "DECAYS", "AdamForm", "Update", "run_adam"]

ADAM_IDS = ("adam", "adam_eps_hat", "adam_bourmaud_literal_k1", "adam_l2", "adamw", "adamw_paper_scaling")


@dataclass(frozen=True)
class Moments:
    """What a ratio is made of; the corrected moments are ``m / m_weight`` and ``v / v_weight``."""

    m: Tensor
    m_weight: Any
    v: Tensor
    v_weight: Any
    eps: Any  # stands beside the corrected root
    eps_folded: Any  # stands beside the root of v itself
    average: Average
    grad: Tensor


@dataclass(frozen=True)
class Update:
    """An update ``tensor * scale``; a scale of None is 1."""

    tensor: Tensor
    scale: Any = None

    def value(self) -> Tensor:
        return self.tensor if self.scale is None else self.tensor * self.scale


Root = Callable[[Kit, Tensor, Any], Tensor]
ROOTS: dict[str, Root] = {
    "root_of_quotient": lambda kit, v, weight: kit.sqrt(v / weight),
    "root_of_product": lambda kit, v, weight: kit.sqrt(v * (kit.scalar(1.0) / weight)),
    "quotient_of_roots": lambda kit, v, weight: kit.sqrt(v) / kit.sqrt(weight),
    "root_times_reciprocal": lambda kit, v, weight: kit.sqrt(v) * (kit.scalar(1.0) / kit.sqrt(weight)),
    "root_times_root_of_reciprocal": lambda kit, v, weight: kit.sqrt(v) * kit.sqrt(kit.scalar(1.0) / weight),
}
_Ratio = Callable[[Kit, Moments, Any, Tensor], Update]  # kit, moments, learning rate, corrected root + eps


def _capturable(kit: Kit, parts: Moments, rate: Any, denominator: Tensor) -> Update:
    step = nonzero(rate / parts.m_weight)
    scale = nonzero(kit.sqrt(parts.v_weight) * step)
    return Update(parts.m / (kit.sqrt(parts.v) / scale + parts.eps / step))


def _capturable_divided_twice(kit: Kit, parts: Moments, rate: Any, denominator: Tensor) -> Update:
    step = nonzero(rate / parts.m_weight)
    root = kit.sqrt(parts.v) / kit.sqrt(parts.v_weight)
    return Update(parts.m / (root / step + parts.eps / step))


def _folded(kit: Kit, parts: Moments, rate: Any, denominator: Tensor) -> Update:
    step = rate * kit.sqrt(parts.v_weight) / parts.m_weight
    return Update(parts.m / (kit.sqrt(parts.v) + parts.eps_folded), step)


def _folded_first(kit: Kit, parts: Moments, rate: Any, denominator: Tensor) -> Update:
    step = rate * kit.sqrt(parts.v_weight) / parts.m_weight
    return Update((step * parts.m) / (kit.sqrt(parts.v) + parts.eps_folded))


def _crossed(kit: Kit, parts: Moments, rate: Any, denominator: Tensor) -> Update:
    numerator = parts.m * kit.sqrt(parts.v_weight)
    return Update(numerator / (kit.sqrt(parts.v) + parts.eps_folded), rate / parts.m_weight)


def _reciprocal_root(kit: Kit, parts: Moments, rate: Any, denominator: Tensor) -> Update:
    scaled = parts.v / parts.v_weight
    smallest = 4 * kit.precision.compute.smallest_normal
    if np.any(scaled.values.astype(np.float64) < smallest):
        raise Inapplicable  # the reciprocal root of (nearly) nothing overflows where the printed order does not
    inverse = kit.sqrt(scaled).reciprocal()
    return Update((parts.m / parts.m_weight) * inverse * rate / (inverse * parts.eps + kit.scalar(1.0)))


def _one_array(kit: Kit, parts: Moments, rate: Any, denominator: Tensor) -> Update:
    """Distribute lr / (weight * denominator) over the two terms of the average."""
    average = parts.average
    if not average.is_plain:
        raise Inapplicable
    factor = kit.full(denominator, nonzero(rate / parts.m_weight)) / denominator
    rest = kit.scalar(1.0) - average.beta
    return Update((factor * average.beta) * average.previous + (factor * rest) * parts.grad)


RATIOS: dict[str, _Ratio] = {
    "printed": lambda kit, parts, rate, den: Update((rate * (parts.m / parts.m_weight)) / den),
    "rate_last": lambda kit, parts, rate, den: Update((parts.m / parts.m_weight) / den, rate),
    "rate_first": lambda kit, parts, rate, den: Update((rate * parts.m) / parts.m_weight / den),
    "weight_last": lambda kit, parts, rate, den: Update(parts.m / den, rate / parts.m_weight),
    "value_first": lambda kit, parts, rate, den: Update(((rate / parts.m_weight) * parts.m) / den),
    "reciprocals": lambda kit, parts, rate, den: Update(
        parts.m * (kit.scalar(1.0) / parts.m_weight) * rate * den.reciprocal()
    ),
    "inverse_denominator": lambda kit, parts, rate, den: Update(parts.m * den.reciprocal(), rate / parts.m_weight),
    "inverse_of_both": lambda kit, parts, rate, den: Update(parts.m * (parts.m_weight * den).reciprocal(), rate),
    "rate_in_denominator": lambda kit, parts, rate, den: Update((parts.m / parts.m_weight) / (den / nonzero(rate))),
    "all_in_denominator": lambda kit, parts, rate, den: Update(parts.m / (den * (parts.m_weight / nonzero(rate)))),
    "rate_over_denominator": lambda kit, parts, rate, den: Update(
        (kit.full(den, rate) / den) * (parts.m / parts.m_weight)
    ),
    "folded": _folded,
    "folded_first": _folded_first,
    "crossed": _crossed,
    "capturable": _capturable,
    "capturable_divided_twice": _capturable_divided_twice,
    "reciprocal_root": _reciprocal_root,
    "one_array": _one_array,
}

# Each takes kit, parameter, rate, decay, and the update as a function of the rate it is to hold.
_Decay = Callable[[Kit, Tensor, Any, Any, Callable[[Any], Update]], Tensor]


def _parenthesis(kit: Kit, param: Tensor, rate: Any, decay: Any, update: Callable[[Any], Update]) -> Tensor:
    return param - rate * (update(kit.scalar(1.0)).value() + decay * param)


def _additive_object(kit: Kit, param: Tensor, rate: Any, decay: Any, update: Callable[[Any], Update]) -> Tensor:
    return param + -rate * (update(kit.scalar(1.0)).value() + decay * param)


def _parenthesis_fused(kit: Kit, param: Tensor, rate: Any, decay: Any, update: Callable[[Any], Update]) -> Tensor:
    inner = kit.multiply_add(decay, param, update(kit.scalar(1.0)).value())
    return kit.multiply_add(-rate, inner, param)


DECAYS: dict[str, _Decay] = {
    "factored": lambda kit, param, rate, decay, update: param * (kit.scalar(1.0) - rate * decay) - update(rate).value(),
    "factored_fused": lambda kit, param, rate, decay, update: kit.multiply_add(
        param, kit.scalar(1.0) - rate * decay, -update(rate).value()
    ),
    "separate": lambda kit, param, rate, decay, update: param - (rate * decay) * param - update(rate).value(),
    "separate_arrays": lambda kit, param, rate, decay, update: param - rate * (decay * param) - update(rate).value(),
    "separate_after": lambda kit, param, rate, decay, update: param - update(rate).value() - decay * (rate * param),
    "separate_fused": lambda kit, param, rate, decay, update: (
        kit.multiply_add(-(rate * decay), param, param) - update(rate).value()
    ),
    "summed": lambda kit, param, rate, decay, update: param - (update(rate).value() + (rate * decay) * param),
    "parenthesis": _parenthesis,
    "parenthesis_fused": _parenthesis_fused,
    "additive_object": _additive_object,
}

AXES: dict[str, tuple[Any, ...]] = {
    "first": AVERAGES,
    "second": SQUARE_AVERAGES,
    "root": tuple(ROOTS),
    "ratio": tuple(RATIOS),
    "power": POWERS,
    "decay": tuple(DECAYS),
    "end": ("subtract", "add", "fused"),
    "penalty": ("separate", "fused"),
    "kept_wide": ("nothing", "state", "param", "everything"),
}


@dataclass(frozen=True)
class AdamForm:
    """One program: a choice on each axis along which honest programs differ."""

    first: str
    second: str
    root: str
    ratio: str
    power: str
    decay: str
    end: str
    penalty: str
    kept_wide: str

    @classmethod
    def draw(cls, rng: np.random.Generator) -> AdamForm:
        """Draw each choice with equal chances."""
        return cls(**{axis: choices[rng.integers(len(choices))] for axis, choices in AXES.items()})


def run_adam(
    kit: Kit,
    form: AdamForm,
    formula: str,
    param: Floats,
    grads: Sequence[Floats],
    hyperparameters: Sequence[Mapping[str, float]],
) -> list[tuple[Floats, dict[str, Floats]]]:
    """Train with one program, and return parameters and exposed state after every step.

    Raises
    ------
    Inapplicable
        If the form has no meaning for these inputs.
    """
    theta = kit.array(param)
    zeros = kit.array(np.zeros_like(param))
    scalars = {name: kit.scalar(value) for name, value in hyperparameters[0].items()}
    wide_state = form.kept_wide in ("state", "everything")
    written_back = formula == "adam_bourmaud_literal_k1"
    wide = wide_state or written_back
    first = Average(kit, form.first, scalars["beta1"], zeros, squares=False, wide=wide)
    second = Average(kit, form.second, scalars["beta2"], zeros, squares=True, wide=wide)
    if written_back and (form.ratio == "one_array" or not (first.is_plain and second.is_plain)):
        raise Inapplicable  # another scale than that of the corrected average which is kept
    history = []
    for step, (grad, values) in enumerate(zip(grads, hyperparameters, strict=True), start=1):
        scalars = {name: kit.scalar(value) for name, value in values.items()}
        new = kit.array(grad)
        if formula == "adam_l2":
            penalty = scalars["l2_penalty"]
            new = kit.multiply_add(penalty, theta, new) if form.penalty == "fused" else new + penalty * theta
        weight1 = nonzero(kit.weight(first.beta, step, form.power))
        weight2 = nonzero(kit.weight(second.beta, step, form.power))
        first.update(new, weight1)
        second.update(new, weight2)
        if written_back:
            reciprocal = "product" in form.root or "reciprocal" in form.root
            first.correct(weight1, reciprocal=reciprocal, wide=wide_state)
            second.correct(weight2, reciprocal=reciprocal, wide=wide_state)
            weight1 = weight2 = kit.scalar(1.0)
        m, m_weight = first.read(weight1)
        v, v_weight = second.read(weight2)
        eps = scalars["eps"]
        if formula == "adam_eps_hat":
            folded = eps if second.is_plain else eps * kit.sqrt(v_weight / weight2)
            eps = eps / kit.sqrt(weight2)
        else:
            folded = eps * kit.sqrt(v_weight)
        moments = Moments(m, m_weight, v, v_weight, eps, folded, first, new)
        theta = _moved(kit, form, theta, moments, scalars)
        theta = theta if form.kept_wide in ("param", "everything") else kit.stored(theta)
        shown = {"exp_avg": first.shown(), "exp_avg_sq": second.shown()}
        history.append((kit.shown(theta), {name: value for name, value in shown.items() if value is not None}))
    return history


def _moved(kit: Kit, form: AdamForm, theta: Tensor, moments: Moments, scalars: Mapping[str, Any]) -> Tensor:
    """Return the new parameter."""
    denominator = ROOTS[form.root](kit, moments.v, moments.v_weight) + moments.eps

    def update(rate: Any) -> Update:
        return RATIOS[form.ratio](kit, moments, rate, denominator)

    rate = scalars["learning_rate"]
    decay = scalars.get("weight_decay", kit.scalar(0.0))
    if "schedule_multiplier" in scalars:
        base, outer = rate, scalars["schedule_multiplier"]
        if decay != 0:
            return DECAYS[form.decay](kit, theta, outer, decay, lambda rate: update(rate * base))
        rate = outer * base
    if decay != 0:
        return DECAYS[form.decay](kit, theta, rate, decay, update)
    moved = update(rate)
    if moved.scale is not None and form.end == "fused":
        return kit.multiply_add(-moved.scale, moved.tensor, theta)
    if moved.scale is not None and form.end == "add":
        return theta + moved.tensor * -moved.scale
    return theta - moved.value()
