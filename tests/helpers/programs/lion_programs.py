"""Honest programs for Lion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.helpers.programs.adam_programs import DECAYS, Update
from tests.helpers.programs.averages import AVERAGES, Average
from tests.helpers.programs.kit import Floats, Inapplicable, Kit, Tensor, nonzero

__all__ = ["AXES", "LION_IDS", "LionForm", "run_lion"]

LION_IDS = ("lion", "lion_literal_ct")

_Direction = Callable[[Kit, Any, Any, Tensor, Tensor], Tensor]  # kit, beta, 1 - beta, average, gradient


def _lerp(kit: Kit, beta: Any, rest: Any, average: Tensor, grad: Tensor) -> Tensor:
    if rest < kit.scalar(0.5):
        return average + (grad - average) * rest
    return grad - (grad - average) * beta


DIRECTIONS: dict[str, _Direction] = {
    "two_products": lambda kit, beta, rest, average, grad: beta * average + rest * grad,
    "correction": lambda kit, beta, rest, average, grad: average + rest * (grad - average),
    "lerp": _lerp,
    "fused_new": lambda kit, beta, rest, average, grad: kit.multiply_add(rest, grad, beta * average),
    "fused_old": lambda kit, beta, rest, average, grad: kit.multiply_add(beta, average, rest * grad),
    "fused_correction": lambda kit, beta, rest, average, grad: kit.multiply_add(grad - average, rest, average),
    "unnormalised": lambda kit, beta, rest, average, grad: (beta / nonzero(rest)) * average + grad,
}
AXES: dict[str, tuple[Any, ...]] = {
    "direction": tuple(DIRECTIONS),
    "average": tuple(name for name in AVERAGES if not name.startswith("corrected")),
    "decay": tuple(DECAYS),
    "end": ("subtract", "add", "fused", "comparison"),
    "remembered": ("direction", "sign"),
    "kept_wide": ("nothing", "state", "param", "everything"),
}


@dataclass(frozen=True)
class LionForm:
    """One program: a choice on each axis along which honest programs differ."""

    direction: str
    average: str
    decay: str
    end: str
    remembered: str
    kept_wide: str

    @classmethod
    def draw(cls, rng: np.random.Generator) -> LionForm:
        """Draw each choice with equal chances."""
        return cls(**{axis: choices[rng.integers(len(choices))] for axis, choices in AXES.items()})


def run_lion(
    kit: Kit,
    form: LionForm,
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
    late = formula == "lion_literal_ct"
    if late and form.direction == "unnormalised":
        raise Inapplicable  # another scale than that of the direction which is kept
    theta, zeros = kit.array(param), kit.array(np.zeros_like(param))
    wide = form.kept_wide in ("state", "everything")
    average = Average(kit, form.average, kit.scalar(hyperparameters[0]["beta2"]), zeros, squares=False, wide=wide)
    remembered = zeros
    history = []
    for grad, values in zip(grads, hyperparameters, strict=True):
        scalars = {name: kit.scalar(value) for name, value in values.items()}
        new, beta = kit.array(grad), scalars["beta1"]
        direction = DIRECTIONS[form.direction](kit, beta, kit.scalar(1.0) - beta, average.value(), new)
        average.update(new, kit.scalar(1.0))
        if late:
            kept = _sign(kit, direction) if form.remembered == "sign" else direction
            direction, remembered = remembered, kept if wide else kit.stored(kept)
        theta = _moved(kit, form, theta, _sign(kit, direction), scalars)
        theta = theta if form.kept_wide in ("param", "everything") else kit.stored(theta)
        shown = {"exp_avg": average.shown()}
        if late and form.remembered == "direction":
            shown["direction"] = kit.shown(remembered)
        history.append((kit.shown(theta), {name: value for name, value in shown.items() if value is not None}))
    return history


def _sign(kit: Kit, tensor: Tensor) -> Tensor:
    return Tensor(kit, np.sign(tensor.values.astype(np.float64)).astype(tensor.values.dtype))


def _moved(kit: Kit, form: LionForm, theta: Tensor, sign: Tensor, scalars: Mapping[str, Any]) -> Tensor:
    """Return the new parameter."""
    rate, decay = scalars["learning_rate"], scalars["weight_decay"]
    if decay != 0:
        return DECAYS[form.decay](kit, theta, rate, decay, lambda rate: Update(sign, rate))
    if form.end == "fused":
        return kit.multiply_add(-rate, sign, theta)
    if form.end == "add":
        return theta + sign * -rate
    if form.end == "comparison":
        signs, moved = sign.values.astype(np.float64), {1.0: theta - rate, -1.0: theta + rate}
        values = np.where(signs == 0, theta.values, np.where(signs > 0, moved[1.0].values, moved[-1.0].values))
        return Tensor(kit, values.astype(theta.values.dtype))
    return theta - rate * sign
