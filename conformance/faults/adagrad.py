"""Faults of AdaGrad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.faults.programs import Array, Fault, Memory, Options, Program

__all__ = ["ADAGRAD", "ADAGRAD_INSIDE", "FAULTS", "SquaresRule", "inside", "scaled_by_parameter"]

Part = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class SquaresRule:
    """AdaGrad in parts, or RMSProp; ``h`` holds the hyperparameters, ``t`` counts from 1."""

    gather: Part = lambda s, g, h, t: s + g * g
    read: Part = lambda before, after, h, t: after
    ratio: Part = lambda g, s, h: g / (np.sqrt(s) + h.eps)
    move: Part = lambda theta, ratio, h: theta - h.learning_rate * ratio

    def __call__(self, theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
        """Return the parameter after step ``t``."""
        before = memory.get("squares", np.zeros_like(theta))
        after = memory["squares"] = self.gather(before, g, h, t)
        moved: Array = self.move(theta, self.ratio(g, self.read(before, after, h, t), h), h)
        return moved


def inside(g: Array, s: Array, h: Options) -> Array:
    """Divide with epsilon inside the root."""
    ratio: Array = g / np.sqrt(s + h.eps)
    return ratio


ADAGRAD = SquaresRule()
ADAGRAD_INSIDE = SquaresRule(ratio=inside)


def _adagrad(id: str, story: str, source: str = "", base: SquaresRule = ADAGRAD, **parts: Part) -> Fault:
    formula = "adagrad" if base is ADAGRAD else "adagrad_eps_inside"
    return Fault(f"{formula}_{id}", formula, story, Program(replace(base, **parts)), source)


def scaled_by_parameter(theta: Array, ratio: Array, h: Options) -> Array:
    """Scale a step by the size of the parameters, or by a thousandth if they are smaller."""
    size = np.sqrt(np.sum(theta * theta) / max(theta.size, 1))
    moved: Array = theta - h.learning_rate * np.maximum(size, 1e-3) * ratio
    return moved


def _restarted(s: Array, g: Array, h: Options, t: int) -> Array:
    """Forget everything every third step, as a restarted accumulator does."""
    return g * g if t % 3 == 0 else s + g * g


FAULTS: tuple[Fault, ...] = (
    _adagrad("eps_inside_root", "Epsilon is added inside the root.", "keras.optimizers.Adagrad", ratio=inside),
    _adagrad("eps_missing", "Epsilon is not added.", ratio=lambda g, s, h: g / np.sqrt(s)),
    _adagrad(
        "starts_at_a_tenth", "The sum of squares starts at 0.1.", "optax.adagrad", read=lambda b, a, h, t: a + 0.1
    ),
    _adagrad("forgets", "A tenth of the sum is lost in every step.", gather=lambda s, g, h, t: 0.9 * s + g * g),
    _adagrad("averages", "The squares are averaged over all steps.", read=lambda b, a, h, t: a / t),
    _adagrad("lags", "The gradient's own square is left out of what divides it.", read=lambda b, a, h, t: b),
    _adagrad("restarts", "The sum is dropped in every third step.", gather=_restarted),
    _adagrad("absolute_gradient", "Moduli are summed and not squares.", gather=lambda s, g, h, t: s + np.abs(g)),
    _adagrad(
        "signed_squares",
        "Squares are summed with the gradients' signs.",
        gather=lambda s, g, h, t: np.abs(s + g * np.abs(g)),
    ),
    _adagrad("no_root", "The sum divides without its root.", ratio=lambda g, s, h: g / (s + h.eps)),
    _adagrad(
        "sum_shared_by_tensor",
        "One sum over all elements divides them all.",
        gather=lambda s, g, h, t: s + np.sum(g * g),
    ),
    _adagrad(
        "sum_of_first_element",
        "The sum of the first element divides them all.",
        read=lambda b, a, h, t: np.full_like(a, np.sum(a.ravel()[:1])),
    ),
    _adagrad("no_memory", "Only the current square divides.", gather=lambda s, g, h, t: g * g),
    _adagrad(
        "step_scaled_by_parameter",
        "Steps are scaled by the root mean square of the parameters.",
        "transformers.Adafactor, by default",
        move=scaled_by_parameter,
    ),
    _adagrad("ascends", "The step has the wrong sign.", move=lambda theta, ratio, h: theta + h.learning_rate * ratio),
    _adagrad(
        "eps_outside",
        "Epsilon is added outside the root.",
        "torch.optim.Adagrad",
        base=ADAGRAD_INSIDE,
        ratio=lambda g, s, h: g / (np.sqrt(s) + h.eps),
    ),
    _adagrad(
        "eps_squared",
        "The square of epsilon is added.",
        base=ADAGRAD_INSIDE,
        ratio=lambda g, s, h: g / np.sqrt(s + h.eps * h.eps),
    ),
    _adagrad(
        "lags",
        "The gradient's own square is left out of what divides it.",
        base=ADAGRAD_INSIDE,
        read=lambda b, a, h, t: b,
    ),
    _adagrad(
        "forgets",
        "A tenth of the sum is lost in every step.",
        base=ADAGRAD_INSIDE,
        gather=lambda s, g, h, t: 0.9 * s + g * g,
    ),
)
