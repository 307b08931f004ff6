"""Faults of RMSProp."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.faults.adagrad import Part, SquaresRule, inside
from conformance.faults.programs import Array, Fault, Memory, Options, Program

__all__ = ["FAULTS", "RMSPROP", "RMSPROP_INSIDE"]


def _averaged(s: Array, g: Array, h: Options, t: int) -> Array:
    average: Array = h.alpha * s + (1 - h.alpha) * g * g
    return average


RMSPROP = SquaresRule(gather=_averaged)
RMSPROP_INSIDE = SquaresRule(gather=_averaged, ratio=inside)


def _centered(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    mean = memory["mean"] = h.alpha * memory.get("mean", np.zeros_like(theta)) + (1 - h.alpha) * g
    rule = replace(RMSPROP, read=lambda before, after, h, t: np.maximum(after - mean * mean, 0))
    return rule(theta, g, memory, h, t)


def _with_momentum(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    moved = RMSPROP(np.zeros_like(theta), g, memory, h, t)
    memory["velocity"] = 0.5 * memory.get("velocity", np.zeros_like(theta)) + moved
    result: Array = theta + memory["velocity"]
    return result


def _rmsprop(id: str, story: str, source: str = "", base: SquaresRule = RMSPROP, **parts: Part) -> Fault:
    formula = "rmsprop" if base is RMSPROP else "rmsprop_eps_inside"
    return Fault(f"{formula}_{id}", formula, story, Program(replace(base, **parts)), source)


FAULTS: tuple[Fault, ...] = (
    _rmsprop("eps_inside_root", "Epsilon is added inside the root.", "optax.rmsprop, by default", ratio=inside),
    _rmsprop("eps_missing", "Epsilon is not added.", ratio=lambda g, s, h: g / np.sqrt(s)),
    _rmsprop(
        "eps_as_floor", "Epsilon replaces a smaller root.", ratio=lambda g, s, h: g / np.maximum(np.sqrt(s), h.eps)
    ),
    _rmsprop("weight_missing", "The square enters without 1 - alpha.", gather=lambda s, g, h, t: h.alpha * s + g * g),
    _rmsprop(
        "weights_swapped",
        "Alpha weighs the new square.",
        gather=lambda s, g, h, t: (1 - h.alpha) * s + h.alpha * g * g,
    ),
    _rmsprop("sums", "Squares are summed as in AdaGrad.", gather=lambda s, g, h, t: s + (1 - h.alpha) * g * g),
    _rmsprop(
        "bias_corrected", "The average is bias-corrected.", read=lambda before, after, h, t: after / (1 - h.alpha**t)
    ),
    _rmsprop(
        "starts_at_the_first_square",
        "The average starts at the first square.",
        gather=lambda s, g, h, t: g * g if t == 1 else _averaged(s, g, h, t),
    ),
    _rmsprop(
        "starts_at_one",
        "The average starts at 1.",
        "tf.train.RMSPropOptimizer",
        gather=lambda s, g, h, t: _averaged(s + 1 if t == 1 else s, g, h, t),
    ),
    _rmsprop("lags", "The gradient's own square is left out of what divides it.", read=lambda b, a, h, t: b),
    _rmsprop("no_root", "The average divides without its root.", ratio=lambda g, s, h: g / (s + h.eps)),
    _rmsprop(
        "absolute_gradient",
        "Moduli are averaged and not squares.",
        gather=lambda s, g, h, t: h.alpha * s + (1 - h.alpha) * np.abs(g),
    ),
    _rmsprop(
        "never_falls",
        "The largest average so far divides.",
        gather=lambda s, g, h, t: np.maximum(s, _averaged(s, g, h, t)),
    ),
    _rmsprop("ascends", "The step has the wrong sign.", move=lambda theta, ratio, h: theta + h.learning_rate * ratio),
    Fault("rmsprop_centered", "rmsprop", "The squared average gradient is subtracted.", Program(_centered)),
    Fault("rmsprop_with_momentum", "rmsprop", "A velocity gathers the steps.", Program(_with_momentum)),
    _rmsprop(
        "eps_outside",
        "Epsilon is added outside the root.",
        "torch.optim.RMSprop",
        base=RMSPROP_INSIDE,
        ratio=lambda g, s, h: g / (np.sqrt(s) + h.eps),
    ),
    _rmsprop(
        "eps_on_average",
        "Epsilon is gathered into the average in every step.",
        base=RMSPROP_INSIDE,
        gather=lambda s, g, h, t: _averaged(s, g, h, t) + h.eps,
        ratio=lambda g, s, h: g / np.sqrt(s),
    ),
    _rmsprop(
        "weight_missing",
        "The square enters without 1 - alpha.",
        base=RMSPROP_INSIDE,
        gather=lambda s, g, h, t: h.alpha * s + g * g,
    ),
    _rmsprop(
        "lags",
        "The gradient's own square is left out of what divides it.",
        base=RMSPROP_INSIDE,
        read=lambda b, a, h, t: b,
    ),
)
