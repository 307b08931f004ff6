"""Faults of plain descent, of momentum, and of the decay that goes with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conformance.faults.programs import Array, Fault, Memory, Options, Program, Rule

__all__ = ["AVERAGE", "DAMPENED", "FAULTS", "GD", "HEAVY_BALL", "NESTEROV", "SGD_L2", "unscaled_decay"]

Buffer = Callable[[Array | None, Array, Options], Array]
Direction = Callable[[Array, Array, Options], Array]


def _moves(direction: Callable[[Array, Array, Options], Array]) -> Rule:
    """Build a rule without memory: the parameter minus learning rate times direction."""

    def rule(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
        moved: Array = theta - h.learning_rate * direction(theta, g, h)
        return moved

    return rule


def _momentum(buffer: Buffer, direction: Direction = lambda v, g, h: v) -> Rule:
    """Build a momentum rule; ``buffer`` receives None before the first step."""

    def rule(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
        v = memory["momentum_buffer"] = buffer(memory.get("momentum_buffer"), g, h)
        moved: Array = theta - h.learning_rate * direction(v, g, h)
        return moved

    return rule


def _accumulated(v: Array | None, g: Array, h: Options) -> Array:
    return g.copy() if v is None else h.momentum * v + g


def _averaged(v: Array | None, g: Array, h: Options) -> Array:
    average: Array = h.momentum * (0 * g if v is None else v) + (1 - h.momentum) * g
    return average


GD = _moves(lambda theta, g, h: g)
HEAVY_BALL = _momentum(_accumulated)
AVERAGE = _momentum(_averaged)
DAMPENED = _momentum(lambda v, g, h: g.copy() if v is None else h.momentum * v + (1 - h.dampening) * g)
NESTEROV = _momentum(_accumulated, lambda v, g, h: g + h.momentum * v)
SGD_L2 = _moves(lambda theta, g, h: g + h.l2_penalty * theta)


def unscaled_decay(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    """Decay whatever the learning rate."""
    moved: Array = theta - h.learning_rate * g - h.weight_decay * theta
    return moved


def _stale(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    before = memory.get("momentum_buffer", np.zeros_like(theta))
    HEAVY_BALL(theta, g, memory, h, t)
    moved: Array = theta - h.learning_rate * before
    return moved


def _rate_in_buffer(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    before = memory.get("momentum_buffer", np.zeros_like(theta))
    v = memory["momentum_buffer"] = h.momentum * before + h.learning_rate * g
    moved: Array = theta - v
    return moved


def _aliased(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    buffer = g if t == 1 else h.momentum * g + g
    moved: Array = theta - h.learning_rate * buffer
    return moved


def _hidden_momentum(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    memory["last"] = 0.1 * memory.get("last", np.zeros_like(theta)) + h.learning_rate * g
    moved: Array = theta - memory["last"]
    return moved


def _trusting(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    step = HEAVY_BALL(np.zeros_like(theta), g, memory, h, t)
    lengths = [float(np.sqrt(np.sum(np.square(array, dtype=np.float64)))) for array in (theta, step)]
    moved: Array = theta + step * (lengths[0] / lengths[1] if all(lengths) else 1.0)
    return moved


def _stale_look_ahead(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    before = memory.get("momentum_buffer", np.zeros_like(theta))
    HEAVY_BALL(theta, g, memory, h, t)
    moved: Array = theta - h.learning_rate * (g + h.momentum * before)
    return moved


def _undecayed_at_rest(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    moved: Array = theta - h.learning_rate * g - (h.weight_decay * theta if np.any(g) else 0 * theta)
    return moved


PLAIN = (
    Fault("gd_ascent", "gd", "The step is added.", Program(_moves(lambda theta, g, h: -g))),
    Fault(
        "gd_gradient_averaged",
        "gd",
        "The gradient is divided by the number of elements.",
        Program(_moves(lambda theta, g, h: g / max(g.size, 1))),
    ),
    Fault(
        "gd_signed",
        "gd",
        "Only the gradient's sign is used, and the sign of zero is 1.",
        Program(_moves(lambda theta, g, h: np.where(g >= 0, 1.0, -1.0))),
    ),
    Fault(
        "gradient_clipped_from_below",
        "gd",
        "Gradients below -1/2 are raised to it.",
        Program(_moves(lambda theta, g, h: np.maximum(g, -0.5))),
    ),
    Fault(
        "sign_of_zero_is_one",
        "gd",
        "Gradients are sign times magnitude, and a zero counts as 1.",
        Program(_moves(lambda theta, g, h: np.where(g == 0, 1.0, g))),
    ),
    Fault(
        "gd_negative_zero_moves",
        "gd",
        "A zero gradient of negative sign counts as -1.",
        Program(_moves(lambda theta, g, h: np.where((g == 0) & np.signbit(g), -1.0, g))),
    ),
    Fault(
        "update_rounded_down",
        "gd",
        "Directions are rounded down to multiples of 1/1024.",
        Program(_moves(lambda theta, g, h: np.floor(1024 * g) / 1024)),
    ),
    Fault(
        "gd_hidden_momentum",
        "gd",
        "A tenth of the last step is repeated.",
        Program(_hidden_momentum),
    ),
)

DECAYS = (
    Fault(
        "sgd_l2_penalty_ignored",
        "sgd_l2",
        "The penalised gradient is computed and thrown away.",
        Program(GD),
        "huggingface/pytorch-image-models commit cdcd0a92",
    ),
    Fault(
        "sgd_l2_decay_grows",
        "sgd_l2",
        "The penalty is subtracted from the gradient, so that weights grow.",
        Program(_moves(lambda theta, g, h: g - h.l2_penalty * theta)),
        "chainer/chainer #261",
    ),
    Fault(
        "sgd_l2_penalty_multiplies_gradient",
        "sgd_l2",
        "The gradient is multiplied by one plus the penalty.",
        Program(_moves(lambda theta, g, h: g * (1 + h.l2_penalty * theta))),
        "apache/mxnet #8925",
    ),
    Fault(
        "sgd_l2_penalty_not_scaled",
        "sgd_l2",
        "The penalty is not multiplied by the learning rate.",
        Program(lambda theta, g, memory, h, t: theta - h.learning_rate * g - h.l2_penalty * theta),
    ),
    Fault(
        "sgd_l2_penalty_halved",
        "sgd_l2",
        "The penalty is taken for the coefficient of the squared norm, without its factor 2 or 1/2.",
        Program(_moves(lambda theta, g, h: g + 2 * h.l2_penalty * theta)),
    ),
    Fault(
        "weight_decay_unscaled_scaled",
        "weight_decay_unscaled",
        "The decay is multiplied by the learning rate.",
        Program(_moves(lambda theta, g, h: g + h.weight_decay * theta)),
    ),
    Fault(
        "weight_decay_unscaled_after_step",
        "weight_decay_unscaled",
        "The parameters decay after the step.",
        Program(lambda theta, g, memory, h, t: (theta - h.learning_rate * g) * (1 - h.weight_decay)),
        "bitsandbytes-foundation/bitsandbytes #2010",
    ),
    Fault(
        "weight_decay_unscaled_skipped_for_zero_gradient",
        "weight_decay_unscaled",
        "A tensor whose gradient is zero does not decay.",
        Program(_undecayed_at_rest),
        "tensorflow/addons #767",
    ),
)

MOMENTUM = (
    Fault(
        "momentum_without_normalisation",
        "momentum_ema",
        "The gradient enters with weight 1: the heavy ball.",
        Program(HEAVY_BALL),
    ),
    Fault(
        "momentum_ema_first_buffer_is_gradient",
        "momentum_ema",
        "The first buffer is the gradient itself, not its weighted part.",
        Program(_momentum(lambda v, g, h: g.copy() if v is None else _averaged(v, g, h))),
    ),
    Fault(
        "momentum_ema_gradient_of_first_element",
        "momentum_ema",
        "The gradient of the first element moves them all.",
        Program(_momentum(lambda v, g, h: _averaged(v, np.full_like(g, np.sum(g.ravel()[:1])), h))),
    ),
    Fault(
        "momentum_ema_weights_swapped",
        "momentum_ema",
        "The momentum weighs the gradient, its complement the buffer.",
        Program(_momentum(lambda v, g, h: (1 - h.momentum) * (0 * g if v is None else v) + h.momentum * g)),
    ),
    Fault(
        "momentum_heavy_ball_averages",
        "momentum_heavy_ball",
        "The gradient enters with weight one minus momentum.",
        Program(AVERAGE),
    ),
    Fault(
        "momentum_heavy_ball_ignored",
        "momentum_heavy_ball",
        "The momentum has no effect.",
        Program(GD),
    ),
    Fault(
        "momentum_heavy_ball_stale_buffer",
        "momentum_heavy_ball",
        "The step uses the buffer from before the gradient came in.",
        Program(_stale),
    ),
    Fault(
        "momentum_heavy_ball_aliases_gradient",
        "momentum_heavy_ball",
        "The buffer is the gradient's own memory, which every new gradient overwrites.",
        Program(_aliased),
        "pytorch/pytorch Muon, bfloat16 buffer",
    ),
    Fault(
        "momentum_rate_in_buffer",
        "momentum_heavy_ball",
        "The buffer holds steps, not gradients, so that a new learning rate leaves the old steps as they were.",
        Program(_rate_in_buffer),
        "keras-team/keras SGD",
    ),
    Fault(
        "momentum_heavy_ball_looks_ahead",
        "momentum_heavy_ball",
        "The step looks ahead as Nesterov's does.",
        Program(NESTEROV),
    ),
    Fault(
        "momentum_heavy_ball_trust_ratio",
        "momentum_heavy_ball",
        "Steps have the length of the parameters, as in LARS.",
        Program(_trusting),
    ),
    Fault(
        "momentum_dampened_first_step",
        "momentum_torch_dampening",
        "The first gradient is dampened too.",
        Program(_momentum(lambda v, g, h: h.momentum * (0 * g if v is None else v) + (1 - h.dampening) * g)),
        "ml-explore/mlx SGD",
    ),
    Fault(
        "momentum_torch_dampening_ignored",
        "momentum_torch_dampening",
        "The dampening has no effect.",
        Program(HEAVY_BALL),
    ),
    Fault(
        "momentum_torch_dampening_on_buffer",
        "momentum_torch_dampening",
        "The dampening shortens the buffer, not the gradient.",
        Program(_momentum(lambda v, g, h: g.copy() if v is None else (1 - h.dampening) * h.momentum * v + g)),
    ),
    Fault(
        "nesterov_lookahead_missing",
        "momentum_nesterov",
        "The step is the buffer: the heavy ball.",
        Program(HEAVY_BALL),
    ),
    Fault(
        "momentum_nesterov_stale_look_ahead",
        "momentum_nesterov",
        "The look ahead uses the buffer from before the gradient came in.",
        Program(_stale_look_ahead),
    ),
    Fault(
        "momentum_nesterov_averages",
        "momentum_nesterov",
        "The buffer is a moving average.",
        Program(_momentum(_averaged, lambda v, g, h: g + h.momentum * v)),
    ),
)

FAULTS = PLAIN + DECAYS + MOMENTUM
