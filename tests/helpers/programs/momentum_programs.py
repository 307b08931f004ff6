"""Honest programs for descent with and without momentum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.helpers.programs.adam_programs import DECAYS, Update
from tests.helpers.programs.averages import AVERAGES, Average
from tests.helpers.programs.kit import Floats, Inapplicable, Kit, Tensor

__all__ = ["AXES", "MOMENTUM_IDS", "MomentumForm", "run_momentum"]

MOMENTUM_IDS = (
    "gd",
    "momentum_ema",
    "momentum_heavy_ball",
    "momentum_nesterov",
    "momentum_torch_dampening",
    "sgd_l2",
    "weight_decay_unscaled",
)
AXES: dict[str, tuple[Any, ...]] = {
    "average": tuple(name for name in AVERAGES if not name.startswith("corrected")),
    "buffer": ("two_products", "fused_new", "fused_old", "velocity"),
    "lookahead": ("printed", "fused", "distributed", "distributed_sum", "expanded"),
    "decay": tuple(DECAYS),
    "end": ("subtract", "add", "fused", "distributed"),
    "kept_wide": ("nothing", "state", "param", "everything"),
}


@dataclass(frozen=True)
class MomentumForm:
    """One program: a choice on each axis along which honest programs differ."""

    average: str
    buffer: str
    lookahead: str
    decay: str
    end: str
    kept_wide: str

    @classmethod
    def draw(cls, rng: np.random.Generator) -> MomentumForm:
        """Draw each choice with equal chances."""
        return cls(**{axis: choices[rng.integers(len(choices))] for axis, choices in AXES.items()})


def run_momentum(
    kit: Kit,
    form: MomentumForm,
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
    narrow = form.kept_wide in ("nothing", "param") and kit.precision.storage is not kit.precision.compute
    changing = len({values["learning_rate"] for values in hyperparameters}) > 1
    if form.buffer == "velocity" and (narrow or changing):
        raise Inapplicable  # a velocity remembers the rates of its gradients, and rounds to storage in another scale
    theta = kit.array(param)
    program = _Program(kit, form, formula, kit.array(np.zeros_like(param)), hyperparameters[0])
    history = []
    for grad, values in zip(grads, hyperparameters, strict=True):
        scalars = {name: kit.scalar(value) for name, value in values.items()}
        theta = program.moved(theta, kit.array(grad), scalars)
        theta = theta if form.kept_wide in ("param", "everything") else kit.stored(theta)
        shown = program.shown()
        history.append((kit.shown(theta), {} if shown is None else {"momentum_buffer": shown}))
    return history


class _Program:
    """What a program remembers between steps."""

    def __init__(self, kit: Kit, form: MomentumForm, formula: str, zeros: Tensor, values: Mapping[str, float]) -> None:
        self._kit, self._form, self._formula = kit, form, formula
        self._wide = form.kept_wide in ("state", "everything")
        self._buffer: Tensor | None = None
        self._zeros = zeros
        self._average = None
        if formula == "momentum_ema":
            beta = kit.scalar(values["momentum"])
            self._average = Average(kit, form.average, beta, zeros, squares=False, wide=self._wide)

    def shown(self) -> Floats | None:
        """Return the buffer, where the program keeps the formula's."""
        if self._average is not None:
            return self._average.shown()
        if self._buffer is None or self._form.buffer == "velocity":
            return None
        return self._kit.shown(self._buffer)

    def moved(self, theta: Tensor, grad: Tensor, scalars: Mapping[str, Any]) -> Tensor:
        """Return the parameters after one step."""
        kit, form, rate = self._kit, self._form, scalars["learning_rate"]
        if self._formula == "gd":
            return self._ended(theta, Update(grad, rate))
        if self._formula == "sgd_l2":
            return self._decayed(theta, rate, scalars["l2_penalty"], lambda rate: Update(grad, rate))
        if self._formula == "weight_decay_unscaled":
            one = kit.scalar(1.0)
            return self._decayed(theta, one, scalars["weight_decay"], lambda outer: Update(grad, outer * rate))
        if self._average is not None:
            self._average.update(grad, kit.scalar(1.0))
            return self._ended(theta, Update(self._average.value(), rate))
        if self._formula == "momentum_nesterov":
            return self._nesterov(theta, grad, scalars)
        before = self._zeros if self._buffer is None else self._buffer
        first = self._buffer is None
        buffer = self._pushed(grad, scalars)
        if form.buffer == "velocity":
            return self._ended(theta, Update(buffer, None))
        if form.end == "distributed" and not first:
            share = rate * (kit.scalar(1.0) - scalars["dampening"]) if "dampening" in scalars else rate
            return theta - (rate * scalars["momentum"]) * before - share * grad
        return self._ended(theta, Update(buffer, rate))

    def _decayed(self, theta: Tensor, rate: Any, decay: Any, update: Any) -> Tensor:
        if decay == 0:
            return self._ended(theta, update(rate))
        return DECAYS[self._form.decay](self._kit, theta, rate, decay, update)

    def _pushed(self, grad: Tensor, scalars: Mapping[str, Any]) -> Tensor:
        """Take a gradient into the buffer."""
        kit, form, momentum = self._kit, self._form, scalars["momentum"]
        weight = scalars["learning_rate"] if form.buffer == "velocity" else None
        first = self._buffer is None
        if self._formula == "momentum_torch_dampening" and not first:
            share = kit.scalar(1.0) - scalars["dampening"]
            weight = share if weight is None else weight * share
        buffer = self._zeros if self._buffer is None else self._buffer
        if first and self._formula == "momentum_torch_dampening":
            result = grad if weight is None else weight * grad
        elif form.buffer == "fused_new" and weight is not None:
            result = kit.multiply_add(weight, grad, momentum * buffer)
        elif form.buffer in ("fused_old", "fused_new"):
            result = kit.multiply_add(momentum, buffer, grad if weight is None else weight * grad)
        else:
            result = momentum * buffer + (grad if weight is None else weight * grad)
        self._buffer = result if self._wide else kit.stored(result)
        return self._buffer

    def _nesterov(self, theta: Tensor, grad: Tensor, scalars: Mapping[str, Any]) -> Tensor:
        kit, form, momentum, rate = self._kit, self._form, scalars["momentum"], scalars["learning_rate"]
        before = self._zeros if self._buffer is None else self._buffer
        buffer = self._pushed(grad, scalars)
        if form.buffer == "velocity":
            return theta - (momentum * buffer + rate * grad)
        if form.lookahead == "distributed":
            return theta - rate * grad - (rate * momentum) * buffer
        if form.lookahead == "distributed_sum":
            return theta - (rate * grad + (rate * momentum) * buffer)
        if form.lookahead == "expanded":
            ahead = (kit.scalar(1.0) + momentum) * grad + (momentum * momentum) * before
        elif form.lookahead == "fused":
            ahead = kit.multiply_add(momentum, buffer, grad)
        else:
            ahead = grad + momentum * buffer
        return self._ended(theta, Update(ahead, rate))

    def _ended(self, theta: Tensor, update: Update) -> Tensor:
        kit, end = self._kit, self._form.end
        if update.scale is not None and end == "fused":
            return kit.multiply_add(-update.scale, update.tensor, theta)
        if update.scale is not None and end == "add":
            return theta + update.tensor * -update.scale
        return theta - update.value()
