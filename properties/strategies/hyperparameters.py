"""Hyperparameters under which a formula's neighbours can be told from it.

Ordinary values often show nothing: beside parameters of order 1 a small step drowns in their
rounding, and beside gradients of order 1 a small epsilon does. What is drawn here is steered: large
learning rates, epsilon near the gradients, momentum and decay that are never negligible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from oracle.formula import Formula
from properties.strategies.numbers import choice, few_digits

__all__ = ["STEERING", "Steering", "adjusted", "common_values", "decay_factor", "scheduled", "steered_hyperparameters"]


@dataclass(frozen=True)
class Steering:
    """What is drawn in a dtype.

    Parameters
    ----------
    learning_rates, beta1, beta2, momenta, eps : tuple of float
        Values; ``eps`` in units of the gradients.
    changes : tuple of float
        Factors by which a learning rate changes between steps.
    scales : tuple of float
        Magnitudes of gradients.
    extremes : mapping of str to float
        Magnitudes far from 1, by name; the same names in every dtype.
    spread : int
        Decades that small gradients may lie below that.
    steps : int
        Steps after which bounds are still narrow.
    common_eps : float
        The customary epsilon, if the dtype holds it.
    """

    learning_rates: tuple[float, ...]
    beta1: tuple[float, ...]
    beta2: tuple[float, ...]
    momenta: tuple[float, ...]
    eps: tuple[float, ...]
    changes: tuple[float, ...]
    scales: tuple[float, ...]
    extremes: Mapping[str, float]
    spread: int
    steps: int
    common_eps: float = 1e-8


_WIDE: dict[str, Any] = {
    "learning_rates": (0.5, 0.1, 0.3, 1.0),
    "beta1": (0.9, 0.5, 0.75, 0.99, 0.1, 0.0),
    "beta2": (0.999, 0.75, 0.9, 0.99, 0.5, 0.95),
    "momenta": (0.9, 0.5, 0.75, 0.99),
    "eps": (1.0, 0.1, 0.3, 3.0, 10.0),
    "changes": (0.5, 0.1, 2.0, 0.3, 0.0),
    "scales": (1.0, 1.0, 0.01, 10.0),
}
_NARROW: dict[str, Any] = {
    "learning_rates": (0.5, 1.0, 0.25, 0.1),
    "beta1": (0.5, 0.75),
    "beta2": (0.75, 0.5),
    "momenta": (0.5, 0.75, 0.9),
    "changes": (0.5, 0.25, 2.0, 0.0),
}

#: By dtype. float16 leaves its range in the squares of small gradients and in 1/eps.
STEERING: Mapping[str, Steering] = {
    "float64": Steering(
        **_WIDE, extremes={"smallest": 1e-60, "small": 1e-9, "large": 1e5, "largest": 1e60}, spread=3, steps=4
    ),
    "float32": Steering(
        **_WIDE, extremes={"smallest": 1e-12, "small": 1e-8, "large": 1e5, "largest": 1e12}, spread=3, steps=4
    ),
    "bfloat16": Steering(
        **_NARROW,
        eps=(1.0, 0.3, 3.0, 0.1),
        scales=(1.0, 1.0, 0.01, 10.0),
        extremes={"smallest": 1e-12, "small": 1e-8, "large": 1e3, "largest": 1e12},
        spread=1,
        steps=3,
    ),
    "float16": Steering(
        **_NARROW,
        eps=(1.0, 0.3, 3.0, 0.1),
        scales=(1.0, 2.0, 0.5, 4.0),
        extremes={"smallest": 0.25, "small": 0.5, "large": 4.0, "largest": 8.0},
        spread=0,
        steps=3,
        common_eps=1e-2,
    ),
}

#: What one step may take off a parameter, as a part of it.
_DECAYS = (0.5, 0.1, 0.25, 0.9)
#: Penalty gradients in units of the loss gradients.
_PENALTIES = (1.0, 0.5, 0.2, 3.0)


def scheduled(formula: Formula) -> tuple[str, ...]:
    """Hyperparameters that a schedule changes during training."""
    return tuple(name for name in ("schedule_multiplier", "learning_rate") if name in formula.hyperparameters)


def adjusted(formula: Formula) -> tuple[str, ...]:
    """Hyperparameters whose value of the moment is all that counts.

    The betas of moments are none: their powers may be kept as running products, and their sums unnormalised.
    """
    names = ("eps", "weight_decay", "l2_penalty", "dampening", "momentum")
    return tuple(name for name in names if name in formula.hyperparameters)


def decay_factor(formula: Formula, values: Mapping[str, float]) -> float:
    """What multiplies the decay coefficient of a formula: the learning rate, the schedule's multiplier, or nothing."""
    if formula.id == "weight_decay_unscaled":
        return 1.0
    return values.get("schedule_multiplier", values["learning_rate"])


@st.composite
def steered_hyperparameters(
    draw: DrawFn, formula: Formula, dtype: str, grad_scale: float, param_scale: float
) -> dict[str, float]:
    """Draw hyperparameters inside the formula's draw domain.

    Parameters
    ----------
    formula : Formula
    dtype : str
    grad_scale, param_scale : float
        Magnitudes of gradients and parameters; a parameter scale of 0 stands for parameters that
        only the updates have moved.

    Returns
    -------
    dict of str to float
    """
    steering = STEERING[dtype]
    values: dict[str, float] = {}
    for name in formula.hyperparameters:
        match name:
            case "learning_rate":
                values[name] = draw(choice(steering.learning_rates))
            case "schedule_multiplier":
                values[name] = draw(choice((0.5, 1.0, 0.25)))
            case "beta1" | "beta2":
                values[name] = draw(choice(getattr(steering, name)))
            case "alpha":
                values[name] = draw(choice(steering.momenta))
            case "momentum":
                # Nesterov's and torch's dampened momentum of 0 are other rules to those who implement them.
                still = (0.0,) if formula.id in ("momentum_ema", "momentum_heavy_ball") else ()
                values[name] = draw(choice((*steering.momenta, *still)))
            case "dampening":
                values[name] = draw(choice((0.5, 0.25, 0.75)))
            case "eps" if formula.id.endswith("eps_inside"):  # in the unit of a squared gradient
                values[name] = few_digits((grad_scale * draw(choice(steering.eps))) ** 2)
            case "eps":
                values[name] = few_digits(grad_scale * draw(choice(steering.eps)))
            case "weight_decay":
                values[name] = few_digits(draw(choice(_DECAYS)) / decay_factor(formula, values))
            case "l2_penalty" if "beta1" in formula.hyperparameters:
                moved = param_scale or values["learning_rate"]
                values[name] = few_digits(draw(choice(_PENALTIES)) * grad_scale / moved)
            case "l2_penalty":
                values[name] = few_digits(draw(choice(_DECAYS)) / decay_factor(formula, values))
            case _:
                raise LookupError(f"no values to draw for the hyperparameter {name} of {formula.id}")
    return values


def common_values(formula: Formula, dtype: str) -> dict[str, float]:
    """Return the values that libraries give hyperparameters by default."""
    table = {
        "learning_rate": 1e-3,
        "schedule_multiplier": 1.0,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": STEERING[dtype].common_eps,
        "alpha": 0.99,
        "momentum": 0.9,
        "dampening": 0.5,
        "weight_decay": 0.01,
        "l2_penalty": 0.01,
    }
    return {name: table[name] for name in formula.hyperparameters}
