"""Right implementations in odd forms, which no claim may call wrong: re-associated, lerped, unnormalised, folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.faults.adam import ADAM
from conformance.faults.clipping import Clip
from conformance.faults.decay import ADAM_L2, ADAMW
from conformance.faults.descent import GD, HEAVY_BALL
from conformance.faults.programs import Program, Rule

__all__ = ["FORMS"]


def options_as(convert: Callable[[float], Any], rule: Rule) -> Rule:
    """Hand converted hyperparameters to a rule."""
    return lambda theta, g, memory, h, t: rule(
        theta, g, memory, SimpleNamespace(**{name: convert(value) for name, value in vars(h).items()}), t
    )


def narrow_scalars(rule: Rule) -> Rule:
    """Compute with hyperparameters of the arrays' own type, as a GPU kernel does."""
    return lambda theta, g, memory, h, t: options_as(theta.dtype.type, rule)(theta, g, memory, h, t)


def moments(theta, g, memory, h):
    """Lerp both moments."""
    m, v = (memory.get(name, np.zeros_like(theta)) for name in ("exp_avg", "exp_avg_sq"))
    memory["exp_avg"] = m + (1 - h.beta1) * (g - m)
    memory["exp_avg_sq"] = v + (1 - h.beta2) * (g * g - v)
    return memory["exp_avg"], memory["exp_avg_sq"]


def folded_adam(theta, g, memory, h, t):
    m, v = moments(theta, g + getattr(h, "l2_penalty", 0.0) * theta, memory, h)
    root = np.sqrt(1 - h.beta2**t)
    size = h.learning_rate * getattr(h, "schedule_multiplier", 1.0) * root / (1 - h.beta1**t)
    decayed = theta * (1 - decay_rate(h))
    return decayed - size * m / (np.sqrt(v) + h.eps * root)


def unnormalised_adam(theta, g, memory, h, t):
    """Keep plain weighted sums, and scale them where they are read; multiply by reciprocals."""
    penalised = theta * getattr(h, "l2_penalty", 0.0) + g
    s = memory["s"] = h.beta1 * memory.get("s", np.zeros_like(theta)) + penalised
    q = memory["q"] = h.beta2 * memory.get("q", np.zeros_like(theta)) + penalised * penalised
    for name, beta in (("power1", h.beta1), ("power2", h.beta2)):
        memory[name] = memory.get(name, 1.0) * beta
    m = s * ((1 - h.beta1) / (1 - memory["power1"]))
    v = q * ((1 - h.beta2) / (1 - memory["power2"]))
    ratio = m * (1 / (np.sqrt(v) + h.eps))
    rate = h.learning_rate * getattr(h, "schedule_multiplier", 1.0)
    return theta - (rate * ratio + decay_rate(h) * theta)


def decay_rate(h):
    """Return what the parameters lose in a step, relative to their size."""
    decay = getattr(h, "weight_decay", 0.0)
    return decay * getattr(h, "schedule_multiplier", h.learning_rate)


def eps_hat(theta, g, memory, h, t):
    m, v = moments(theta, g, memory, h)
    return theta - (h.learning_rate / (1 - h.beta1**t)) * (m / ((np.sqrt(v) + h.eps) / np.sqrt(1 - h.beta2**t)))


def averaged(theta, g, memory, h, t):
    v = memory.get("v", np.zeros_like(theta))
    memory["v"] = v + (1 - h.momentum) * (g - v)
    return theta - h.learning_rate * memory["v"]


def distributed_heavy_ball(theta, g, memory, h, t):
    v = memory.get("v", np.zeros_like(theta))
    memory["v"] = g + v * h.momentum
    return theta - h.learning_rate * h.momentum * v - h.learning_rate * g


def dampened(theta, g, memory, h, t):
    v = memory["v"] = g.copy() if t == 1 else (1 - h.dampening) * g + h.momentum * memory["v"]
    return theta - h.learning_rate * v


def look_ahead(theta, g, memory, h, t):
    v = memory.get("v", np.zeros_like(theta))
    memory["v"] = h.momentum * v + g
    return theta - h.learning_rate * ((1 + h.momentum) * g + h.momentum * h.momentum * v)


def by_norm(added: float, form: str) -> Callable[..., Any]:
    def clip(g, limit):
        largest = np.max(np.abs(g), initial=0)
        if form == "scaled norm" and largest:
            norm = largest * np.sqrt(np.sum((g / largest) ** 2))
        else:
            norm = np.sqrt(np.sum(np.sort((g * g).reshape(-1))))
        norm = norm + added
        if form == "quotient":
            return g * limit / np.maximum(norm, limit) if max(norm, limit) else g
        return g * np.minimum(1, limit / norm) if norm else g

    return clip


ADAM_FORMS = {"folded": folded_adam, "unnormalised": unnormalised_adam, "narrow scalars": narrow_scalars(folded_adam)}

#: Factories by formula and form.
FORMS: Mapping[str, Mapping[str, Any]] = {
    formula: {name: Program(rule) for name, rule in rules.items()}
    for formula, rules in {
        "gd": {
            "printed": GD,
            "negative rate": lambda theta, g, memory, h, t: theta + (-h.learning_rate) * g,
            "narrow scalars": narrow_scalars(GD),
        },
        "momentum_ema": {"lerp": averaged, "narrow scalars": narrow_scalars(averaged)},
        "momentum_heavy_ball": {"printed": HEAVY_BALL, "distributed": distributed_heavy_ball},
        "momentum_torch_dampening": {"swapped sum": dampened},
        "momentum_nesterov": {"one sum": look_ahead},
        "sgd_l2": {
            "factored": lambda theta, g, memory, h, t: (
                theta * (1 - h.learning_rate * h.l2_penalty) - h.learning_rate * g
            )
        },
        "weight_decay_unscaled": {
            "factored": lambda theta, g, memory, h, t: theta * (1 - h.weight_decay) - h.learning_rate * g
        },
        "adam": {"printed": ADAM, **ADAM_FORMS},
        "adam_eps_hat": {"lerp": eps_hat},
        "adam_l2": {"printed": ADAM_L2, **ADAM_FORMS},
        "adamw": {"printed": ADAMW, **ADAM_FORMS},
        "adamw_paper_scaling": ADAM_FORMS,
    }.items()
} | {
    "clip_by_value": {
        "bounds": Clip(lambda g, c: np.maximum(-c, np.minimum(g, c))),
        "sign and magnitude": Clip(lambda g, c: np.copysign(np.minimum(np.abs(g), c), g)),
    },
    "clip_by_norm": {form: Clip(by_norm(0.0, form)) for form in ("minimum", "scaled norm", "quotient")},
    "clip_by_norm_torch": {form: Clip(by_norm(1e-6, form)) for form in ("minimum", "scaled norm", "quotient")},
}
