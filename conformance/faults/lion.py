"""Faults of Lion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.faults.programs import Array, Fault, Memory, Options, Program

__all__ = ["FAULTS", "LION", "LION_LITERAL", "LionRule"]

Part = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class LionRule:
    """Lion in parts; ``h`` holds the hyperparameters, ``t`` counts from 1."""

    gradient: Part = lambda theta, g, h: g
    direction: Part = lambda m, after, g, h: h.beta1 * m + (1 - h.beta1) * g
    average: Part = lambda m, g, h, t: h.beta2 * m + (1 - h.beta2) * g
    sign: Part = np.sign
    kept: Part = lambda theta, h, t: theta * (1 - h.learning_rate * h.weight_decay)
    move: Part = lambda kept, sign, h: kept - h.learning_rate * sign
    late: bool = False

    def __call__(self, theta: Array, grad: Array, memory: Memory, h: Options, t: int) -> Array:
        """Return the parameter after step ``t``."""
        g, zeros = self.gradient(theta, grad, h), np.zeros_like(theta)
        m = memory.get("exp_avg", zeros)
        after = memory["exp_avg"] = self.average(m, g, h, t)
        along, direction = memory.get("direction", zeros), self.direction(m, after, g, h)
        if self.late:
            memory["direction"], direction = direction, along
        moved: Array = self.move(self.kept(theta, h, t), self.sign(direction), h)
        return moved


LION = LionRule()
LION_LITERAL = LionRule(late=True)


def _unless_total(theta: Array, h: Options, t: int) -> Array:
    factor = 1 - h.learning_rate * h.weight_decay
    return theta * factor if factor else theta


def _lion(id: str, story: str, source: str = "", base: LionRule = LION, **parts: Any) -> Fault:
    formula = "lion" if base is LION else "lion_literal_ct"
    return Fault(f"{formula}_{id}", formula, story, Program(replace(base, **parts)), source)


FAULTS: tuple[Fault, ...] = (
    _lion(
        "betas_swapped",
        "The betas stand in for one another.",
        direction=lambda m, after, g, h: h.beta2 * m + (1 - h.beta2) * g,
        average=lambda m, g, h, t: h.beta1 * m + (1 - h.beta1) * g,
    ),
    _lion("sign_of_average", "The step takes the sign of the new average.", direction=lambda m, after, g, h: after),
    _lion("sign_of_old_average", "The step takes the sign of the old average.", direction=lambda m, after, g, h: m),
    _lion("sign_of_gradient", "The step takes the sign of the gradient.", direction=lambda m, after, g, h: g),
    _lion(
        "average_updated_first",
        "The direction interpolates from the average that the gradient is already in.",
        direction=lambda m, after, g, h: h.beta1 * after + (1 - h.beta1) * g,
    ),
    _lion("negative_rests", "Negative directions are taken for none.", sign=lambda c: np.maximum(np.sign(c), 0)),
    _lion("one_step_late", "The direction of the step before is used.", late=True),
    _lion(
        "starts_at_first_gradient",
        "The average starts at the first gradient.",
        average=lambda m, g, h, t: g.copy() if t == 1 else h.beta2 * m + (1 - h.beta2) * g,
    ),
    _lion(
        "weight_missing",
        "The gradient enters the average without 1 - beta2.",
        average=lambda m, g, h, t: h.beta2 * m + g,
    ),
    _lion("sign_of_zero_is_one", "The sign of 0 is 1.", sign=lambda c: np.where(c >= 0, 1.0, -1.0).astype(c.dtype)),
    _lion("unsigned", "The step has the length of the direction.", sign=lambda c: c),
    _lion("smooth_sign", "A hyperbolic tangent stands in for the sign.", sign=lambda c: np.tanh(10 * c)),
    _lion(
        "normalised",
        "The direction is divided by its largest element.",
        sign=lambda c: c / max(np.max(np.abs(c), initial=0), 1e-30),
    ),
    _lion("no_decay", "Weight decay is left out.", kept=lambda theta, h, t: theta),
    _lion(
        "decay_unscaled",
        "Weight decay ignores the learning rate.",
        kept=lambda theta, h, t: theta * (1 - h.weight_decay),
    ),
    _lion(
        "decay_is_l2",
        "Weight decay is a penalty in the gradient.",
        gradient=lambda theta, g, h: g + h.weight_decay * theta,
        kept=lambda theta, h, t: theta,
    ),
    _lion(
        "decay_after_step",
        "Weight decay shrinks the parameters after the step.",
        move=lambda kept, sign, h: kept - h.learning_rate * (1 - h.learning_rate * h.weight_decay) * sign,
    ),
    _lion(
        "decay_grows",
        "Weight decay has the wrong sign.",
        kept=lambda theta, h, t: theta * (1 + h.learning_rate * h.weight_decay),
    ),
    _lion(
        "decay_skipped_when_total",
        "Weight decay that takes everything is taken for none.",
        "warner-benjamin/optimi 0.3.3",
        kept=_unless_total,
    ),
    _lion("ascends", "The step has the wrong sign.", move=lambda kept, sign, h: kept + h.learning_rate * sign),
    _lion(
        "rate_slightly_off",
        "The learning rate is one thousandth too large.",
        move=lambda kept, sign, h: kept - 1.001 * h.learning_rate * sign,
    ),
    _lion("in_time", "The direction of this step is used.", base=LION_LITERAL, late=False),
    _lion(
        "sign_of_old_average",
        "The step takes the sign of the old average.",
        base=LION_LITERAL,
        late=False,
        direction=lambda m, after, g, h: m,
    ),
    _lion(
        "decay_unscaled",
        "Weight decay ignores the learning rate.",
        base=LION_LITERAL,
        kept=lambda theta, h, t: theta * (1 - h.weight_decay),
    ),
    _lion("unsigned", "The step has the length of the direction.", base=LION_LITERAL, sign=lambda c: c),
)
