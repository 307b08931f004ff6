"""Faults of Adam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.faults.adagrad import scaled_by_parameter
from conformance.faults.programs import Array, Fault, Memory, Options, Program

__all__ = ["ADAM", "FAULTS", "AdamRule", "Part"]

Part = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class AdamRule:
    """Adam in parts; ``h`` holds the hyperparameters, ``t`` counts from 1."""

    gradient: Part = lambda theta, g, h: g
    first: Part = lambda m, g, h: h.beta1 * m + (1 - h.beta1) * g
    second: Part = lambda v, g, m, h: h.beta2 * v + (1 - h.beta2) * g * g
    corrections: Part = lambda h, t: (1 - h.beta1**t, 1 - h.beta2**t)
    ratio: Part = lambda m, v, c1, c2, h: (m / c1) / (np.sqrt(v / c2) + h.eps)
    decay: Part = lambda theta, g, h, t: theta
    move: Part = lambda theta, ratio, h: theta - h.learning_rate * ratio

    def __call__(self, theta: Array, grad: Array, memory: Memory, h: Options, t: int) -> Array:
        """Return the parameter after step ``t``."""
        g = self.gradient(theta, grad, h)
        zeros = np.zeros_like(theta)
        m = memory["exp_avg"] = self.first(memory.get("exp_avg", zeros), g, h)
        v = memory["exp_avg_sq"] = self.second(memory.get("exp_avg_sq", zeros), g, m, h)
        ratio = self.ratio(m, v, *self.corrections(h, t), h)
        moved: Array = self.move(self.decay(theta, grad, h, t), ratio, h)
        return moved


ADAM = AdamRule()


def _stepped(theta: Array, m: Array, v: Array, h: Options, t: int) -> Array:
    """Move by honest Adam's last lines, from other moments."""
    moved: Array = ADAM.move(theta, ADAM.ratio(m, v, *ADAM.corrections(h, t), h), h)
    return moved


def _lagging_first(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    before = memory.get("exp_avg", np.zeros_like(theta))
    ADAM(theta, g, memory, h, t)
    return _stepped(theta, before, memory["exp_avg_sq"], h, t)


def _lagging_second(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    before = memory.get("exp_avg_sq", np.zeros_like(theta))
    ADAM(theta, g, memory, h, t)
    return _stepped(theta, memory["exp_avg"], before, h, t)


def _amsgrad(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    largest = memory.get("largest", np.zeros_like(theta))
    ADAM(theta, g, memory, h, t)
    memory["largest"] = np.maximum(largest, memory["exp_avg_sq"])
    return _stepped(theta, memory["exp_avg"], memory["largest"], h, t)


def _nesterov(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    ADAM(theta, g, memory, h, t)
    return _stepped(theta, ADAM.first(memory["exp_avg"], g, h), memory["exp_avg_sq"], h, t)


def _late(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    rule = ADAM if t <= 100 else replace(ADAM, corrections=lambda h, t: (1.0, 1.0))
    return rule(theta, g, memory, h, t)


def _zero_skipped(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    before = {name: memory.get(name, np.zeros_like(theta)) for name in ("exp_avg", "exp_avg_sq")}
    moved = ADAM(theta, g, memory, h, t)
    memory.update({name: np.where(g == 0, old, memory[name]) for name, old in before.items()})
    return np.where(g == 0, theta, moved)


def _float32_scalars(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    narrow = type(h)(**{name: float(np.float32(value)) for name, value in vars(h).items()})
    return ADAM(theta, g, memory, narrow, t)


def _float32_state(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    moved = ADAM(theta, g, memory, h, t)
    memory.update({name: entry.astype(np.float32).astype(theta.dtype) for name, entry in memory.items()})
    return moved


def _adam(id: str, story: str, source: str = "", **parts: Part) -> Fault:
    return Fault(f"adam_{id}", "adam", story, Program(replace(ADAM, **parts)), source)


CORRECTIONS = (
    _adam(
        "no_bias_correction",
        "The moments are used as they are.",
        "oxiglade/mlx-rs #301",
        corrections=lambda h, t: (1.0, 1.0),
    ),
    _adam(
        "first_moment_uncorrected",
        "Only the second moment is corrected.",
        corrections=lambda h, t: (1.0, 1 - h.beta2**t),
    ),
    _adam(
        "second_moment_uncorrected",
        "Only the first moment is corrected.",
        corrections=lambda h, t: (1 - h.beta1**t, 1.0),
    ),
    _adam(
        "step_from_two",
        "The step is counted up before it is first used, and starts at 2.",
        corrections=lambda h, t: (1 - h.beta1 ** (t + 1), 1 - h.beta2 ** (t + 1)),
    ),
    _adam(
        "second_correction_off_by_one",
        "The second correction uses the count of the next step.",
        corrections=lambda h, t: (1 - h.beta1**t, 1 - h.beta2 ** (t + 1)),
    ),
    _adam(
        "bias_correction_multiplied",
        "The first moment is multiplied by its correction, not divided.",
        "karpathy/convnetjs PR #70",
        corrections=lambda h, t: (1 / (1 - h.beta1**t), 1 - h.beta2**t),
    ),
    Fault(
        "adam_correction_dropped_after_100_steps",
        "adam",
        "The corrections are taken for 1 after step 100.",
        Program(_late),
    ),
)

EPSILONS = (
    _adam(
        "eps_inside_root",
        "Epsilon is added to the second moment, under the root.",
        ratio=lambda m, v, c1, c2, h: (m / c1) / np.sqrt(v / c2 + h.eps),
    ),
    _adam(
        "eps_hat_for_eps",
        "Epsilon is added before the second moment is corrected.",
        "tensorflow/tensorflow #35102",
        ratio=lambda m, v, c1, c2, h: (m / c1) / ((np.sqrt(v) + h.eps) / np.sqrt(c2)),
    ),
    _adam(
        "eps_missing",
        "Epsilon is accepted and not used.",
        "pytorch/pytorch PR #92551",
        ratio=lambda m, v, c1, c2, h: np.where(v == 0, 0.0 * m, (m / c1) / np.sqrt(v / c2)),
    ),
    _adam(
        "zero_over_zero",
        "Numerator and denominator are first divided by the root, which may be zero.",
        ratio=lambda m, v, c1, c2, h: (m / c1 / np.sqrt(v / c2)) / (1 + h.eps / np.sqrt(v / c2)),
    ),
    _adam(
        "eps_subtracted",
        "Epsilon is subtracted from the root.",
        "keras-team/keras commit 2f003f9f",
        ratio=lambda m, v, c1, c2, h: (m / c1) / (np.sqrt(v / c2) - h.eps),
    ),
    _adam(
        "eps_as_floor",
        "The root is not increased by epsilon, it is kept from falling below.",
        ratio=lambda m, v, c1, c2, h: (m / c1) / np.maximum(np.sqrt(v / c2), h.eps),
    ),
    _adam(
        "eps_ten_times_too_large",
        "Epsilon is multiplied by ten.",
        ratio=lambda m, v, c1, c2, h: (m / c1) / (np.sqrt(v / c2) + 10 * h.eps),
    ),
)

MOMENTS = (
    _adam(
        "betas_swapped",
        "Each moment decays at the other's rate.",
        first=lambda m, g, h: h.beta2 * m + (1 - h.beta2) * g,
        second=lambda v, g, m, h: h.beta1 * v + (1 - h.beta1) * g * g,
        corrections=lambda h, t: (1 - h.beta2**t, 1 - h.beta1**t),
    ),
    _adam(
        "second_moment_decays_with_beta1",
        "Both moments decay at the rate of the first.",
        second=lambda v, g, m, h: h.beta1 * v + (1 - h.beta2) * g * g,
    ),
    _adam(
        "absolute_gradient",
        "The second moment averages the modulus of the gradient, not its square.",
        second=lambda v, g, m, h: h.beta2 * v + (1 - h.beta2) * np.abs(g),
    ),
    _adam(
        "second_moment_of_first_moment",
        "The second moment averages the square of the first moment.",
        second=lambda v, g, m, h: h.beta2 * v + (1 - h.beta2) * m * m,
    ),
    _adam(
        "first_weight_missing",
        "The gradient enters the first moment with weight 1.",
        first=lambda m, g, h: h.beta1 * m + g,
    ),
    _adam(
        "second_weight_missing",
        "The squared gradient enters the second moment with weight 1.",
        second=lambda v, g, m, h: h.beta2 * v + g * g,
    ),
    _adam(
        "second_moment_of_positive_gradients",
        "Negative gradients are left out of the second moment.",
        second=lambda v, g, m, h: h.beta2 * v + (1 - h.beta2) * np.maximum(g, 0) ** 2,
    ),
    _adam(
        "second_moment_averaged_over_tensor",
        "Every element is divided by the root of the tensor's mean second moment.",
        ratio=lambda m, v, c1, c2, h: (m / c1) / (np.sqrt((v / c2).mean()) + h.eps) if m.size else m,
    ),
    _adam(
        "moments_shared_in_row",
        "The second moment of a row's first element serves the whole row.",
        ratio=lambda m, v, c1, c2, h: (m / c1) / (np.sqrt((v[..., :1] if v.ndim else v) / c2) + h.eps),
    ),
    _adam(
        "no_root",
        "The second moment divides without a root.",
        ratio=lambda m, v, c1, c2, h: (m / c1) / (v / c2 + h.eps),
    ),
    _adam(
        "beta2_slightly_off",
        "The weight of the squared gradient is one per cent too large.",
        second=lambda v, g, m, h: (1 - 1.01 * (1 - h.beta2)) * v + 1.01 * (1 - h.beta2) * g * g,
    ),
    Fault(
        "adam_lagging_first_moment",
        "adam",
        "The step uses the first moment from before the gradient came in.",
        Program(_lagging_first),
    ),
    Fault(
        "adam_lagging_second_moment",
        "adam",
        "The step uses the second moment from before the gradient came in.",
        Program(_lagging_second),
    ),
    Fault("adam_amsgrad", "adam", "The second moment never falls: AMSGrad by default.", Program(_amsgrad)),
    Fault("adam_nesterov", "adam", "The first moment looks one step ahead.", Program(_nesterov)),
)

STEPS = (
    _adam(
        "step_scaled_by_parameter",
        "Steps are scaled by the root mean square of the parameters.",
        move=scaled_by_parameter,
    ),
    _adam(
        "ascends",
        "The step is added.",
        "pytorch/pytorch #11678",
        move=lambda theta, ratio, h: theta + h.learning_rate * ratio,
    ),
    _adam(
        "learning_rate_slightly_off",
        "The learning rate is a millionth too large.",
        move=lambda theta, ratio, h: theta - h.learning_rate * 1.000001 * ratio,
    ),
    _adam(
        "step_clipped_to_rate",
        "No element moves further than the learning rate.",
        move=lambda theta, ratio, h: theta - h.learning_rate * np.clip(ratio, -1, 1),
    ),
    Fault(
        "adam_zero_gradient_skipped",
        "adam",
        "Elements with a zero gradient keep parameter and moments, as in sparse updates.",
        Program(_zero_skipped),
    ),
    Fault(
        "adam_scalars_in_float32",
        "adam",
        "A float64 run rounds its hyperparameters to float32.",
        Program(_float32_scalars),
    ),
    Fault(
        "adam_float32_state",
        "adam",
        "A float64 run keeps its moments in float32.",
        Program(_float32_state),
        "databricks/flashoptim #2",
    ),
)

FAULTS = CORRECTIONS + EPSILONS + MOMENTS + STEPS
