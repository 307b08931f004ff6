"""Honest programs for AdaGrad and RMSProp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.helpers.programs.adam_programs import RATIOS, ROOTS, Moments, Update
from tests.helpers.programs.averages import SQUARE_AVERAGES, Average
from tests.helpers.programs.kit import Floats, Kit, Tensor

__all__ = ["ADAPTIVE_IDS", "AXES", "AdaptiveForm", "run_adaptive"]

ADAPTIVE_IDS = ("adagrad", "adagrad_eps_inside", "rmsprop", "rmsprop_eps_inside")
AXES: dict[str, tuple[Any, ...]] = {
    "average": tuple(name for name in SQUARE_AVERAGES if not name.startswith("corrected")),
    "sum": ("square_added", "fused"),
    "root": tuple(ROOTS),
    "ratio": tuple(name for name in RATIOS if name != "one_array"),  # which needs an average of gradients
    "inside": ("beside_the_quotient", "beside_what_is_kept"),
    "end": ("subtract", "add", "fused"),
    "kept_wide": ("nothing", "state", "param", "everything"),
}


@dataclass(frozen=True)
class AdaptiveForm:
    """One program: a choice on each axis along which honest programs differ."""

    average: str
    sum: str
    root: str
    ratio: str
    inside: str
    end: str
    kept_wide: str

    @classmethod
    def draw(cls, rng: np.random.Generator) -> AdaptiveForm:
        """Draw each choice with equal chances."""
        return cls(**{axis: choices[rng.integers(len(choices))] for axis, choices in AXES.items()})


class _Sum:
    """A sum of squares, read like an average."""

    def __init__(self, kit: Kit, form: str, zeros: Tensor, *, wide: bool) -> None:
        self._kit, self._form, self._kept, self._wide = kit, form, zeros, wide

    def update(self, new: Tensor, weight: Any) -> None:
        """Add the square of a gradient."""
        fused = self._form == "fused"
        result = self._kit.multiply_add(new, new, self._kept) if fused else self._kept + new * new
        self._kept = result if self._wide else self._kit.stored(result)

    def read(self, weight: Any) -> tuple[Tensor, Any]:
        """Return the sum, and the 1 that it is divided by."""
        return self._kept, weight

    def shown(self) -> Floats:
        """Return the sum as exposed state."""
        return self._kit.shown(self._kept)


def run_adaptive(
    kit: Kit,
    form: AdaptiveForm,
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
    theta, zeros, one = kit.array(param), kit.array(np.zeros_like(param)), kit.scalar(1.0)
    wide = form.kept_wide in ("state", "everything")
    squares: Any
    if formula.startswith("adagrad"):
        name, squares = "sum", _Sum(kit, form.sum, zeros, wide=wide)
    else:
        alpha = kit.scalar(hyperparameters[0]["alpha"])
        name, squares = "square_avg", Average(kit, form.average, alpha, zeros, squares=True, wide=wide)
    history = []
    for grad, values in zip(grads, hyperparameters, strict=True):
        scalars = {name: kit.scalar(value) for name, value in values.items()}
        new = kit.array(grad)
        squares.update(new, one)
        moments = _moments(kit, form, formula, new, squares.read(one), scalars["eps"])
        denominator = ROOTS[form.root](kit, moments.v, moments.v_weight) + moments.eps
        theta = _ended(kit, form, theta, RATIOS[form.ratio](kit, moments, scalars["learning_rate"], denominator))
        theta = theta if form.kept_wide in ("param", "everything") else kit.stored(theta)
        shown = squares.shown()
        history.append((kit.shown(theta), {} if shown is None else {name: shown}))
    return history


def _moments(kit: Kit, form: AdaptiveForm, formula: str, grad: Tensor, kept: tuple[Tensor, Any], eps: Any) -> Moments:
    """Return gradient and squares as the parts of one of Adam's ratios."""
    one, average = kit.scalar(1.0), None
    second, weight = kept
    if not formula.endswith("eps_inside"):
        return Moments(grad, one, second, weight, eps, eps * kit.sqrt(weight), average, grad)  # type: ignore[arg-type]
    if form.inside == "beside_the_quotient":
        second, weight = second / weight + eps, one
    else:
        second = second + eps * weight
    nothing = kit.scalar(0.0)
    return Moments(grad, one, second, weight, nothing, nothing, average, grad)  # type: ignore[arg-type]


def _ended(kit: Kit, form: AdaptiveForm, theta: Tensor, update: Update) -> Tensor:
    if update.scale is not None and form.end == "fused":
        return kit.multiply_add(-update.scale, update.tensor, theta)
    if update.scale is not None and form.end == "add":
        return theta + update.tensor * -update.scale
    return theta - update.value()
