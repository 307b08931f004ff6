"""Faults of Adam's weight decay, coupled and decoupled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.faults.adam import ADAM, AdamRule, Part
from conformance.faults.programs import Array, Fault, Memory, Options, Program

__all__ = ["ADAMW", "ADAM_L2", "FAULTS"]

ADAM_L2 = AdamRule(gradient=lambda theta, g, h: g + h.l2_penalty * theta)
ADAMW = AdamRule(decay=lambda theta, g, h, t: theta - h.learning_rate * h.weight_decay * theta)


def _penalty_in_first_moment_only(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    bare = replace(ADAM_L2, second=lambda v, penalised, m, h: ADAM.second(v, g, m, h))
    return bare(theta, g, memory, h, t)


def _decay_in_numerator(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    moved = ADAM(theta, g, memory, h, t)
    _, c2 = ADAM.corrections(h, t)
    pull: Array = h.learning_rate * h.weight_decay * theta / (np.sqrt(memory["exp_avg_sq"] / c2) + h.eps)
    return moved - pull


def _first_learning_rate_decay(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    rate = memory.setdefault("initial_rate", h.learning_rate)
    return replace(ADAMW, decay=lambda theta, g, h, t: theta * (1 - rate * h.weight_decay))(theta, g, memory, h, t)


def _adamw(id: str, story: str, source: str = "", **parts: Part) -> Fault:
    return Fault(f"adamw_{id}", "adamw", story, Program(replace(ADAMW, **parts)), source)


def _adam_l2(id: str, story: str, source: str = "", **parts: Part) -> Fault:
    return Fault(f"adam_l2_{id}", "adam_l2", story, Program(replace(ADAM_L2, **parts)), source)


FAULTS = (
    _adam_l2("penalty_ignored", "The penalty has no effect.", "fastai/fastai2 #246", gradient=lambda theta, g, h: g),
    _adam_l2(
        "penalty_subtracted",
        "The penalty is subtracted from the gradient, so that weights grow.",
        "chainer/chainer #261",
        gradient=lambda theta, g, h: g - h.l2_penalty * theta,
    ),
    _adam_l2(
        "is_decoupled",
        "The penalty shrinks the parameters beside the step, as in AdamW.",
        "deepspeedai/DeepSpeed PR #8307, flagos-ai/FlagGems #4988",
        gradient=lambda theta, g, h: g,
        decay=lambda theta, g, h, t: theta - h.learning_rate * h.l2_penalty * theta,
    ),
    Fault(
        "adam_l2_penalty_not_in_second_moment",
        "adam_l2",
        "The squared gradient is taken without the penalty.",
        Program(_penalty_in_first_moment_only),
        "apache/mxnet #5099",
    ),
    _adamw(
        "no_decay",
        "The decay has no effect.",
        "nntrainer/nntrainer PR #3527",
        decay=lambda theta, g, h, t: theta,
    ),
    _adamw(
        "decay_is_l2",
        "The decay is added to the gradient, and runs through the moments.",
        "keras-team/keras #19051",
        decay=lambda theta, g, h, t: theta,
        gradient=lambda theta, g, h: g + h.weight_decay * theta,
    ),
    _adamw(
        "decay_unscaled",
        "The decay is not multiplied by the learning rate.",
        decay=lambda theta, g, h, t: theta - h.weight_decay * theta,
    ),
    _adamw(
        "decay_times_learning_rate_squared",
        "The decay is multiplied by the learning rate twice.",
        decay=lambda theta, g, h, t: theta - h.learning_rate**2 * h.weight_decay * theta,
    ),
    _adamw(
        "decay_after_step",
        "The parameters decay after the step, not before.",
        "bitsandbytes-foundation/bitsandbytes #2010",
        decay=lambda theta, g, h, t: theta,
        move=lambda theta, ratio, h: (theta - h.learning_rate * ratio) * (1 - h.learning_rate * h.weight_decay),
    ),
    _adamw(
        "decay_twice",
        "The parameters decay before the step and after it.",
        move=lambda theta, ratio, h: (theta - h.learning_rate * ratio) * (1 - h.learning_rate * h.weight_decay),
    ),
    _adamw(
        "decay_grows",
        "The decay is added, so that weights grow.",
        "chainer/chainer #261",
        decay=lambda theta, g, h, t: theta + h.learning_rate * h.weight_decay * theta,
    ),
    _adamw(
        "decay_bias_corrected",
        "The learning rate carries the bias corrections, and scales the decay with them.",
        "Oneflow-Inc/oneflow PR #5960",
        decay=lambda theta, g, h, t: (
            theta - h.learning_rate * np.sqrt(1 - h.beta2**t) / (1 - h.beta1**t) * h.weight_decay * theta
        ),
    ),
    _adamw(
        "decay_skipped_when_total",
        "There is no decay when learning rate times decay is 1: the factor 0 is taken for absence.",
        "optimi 0.3.3",
        decay=lambda theta, g, h, t: theta * ((1 - h.learning_rate * h.weight_decay) or 1.0),
    ),
    _adamw(
        "decay_skipped_for_zero_gradient",
        "Elements with a zero gradient do not decay.",
        "tensorflow/addons #767",
        decay=lambda theta, g, h, t: theta - np.where(g == 0, 0, h.learning_rate * h.weight_decay * theta),
    ),
    _adamw(
        "decay_skipped_for_one_dimension",
        "Only tensors of two dimensions and more decay.",
        decay=lambda theta, g, h, t: theta - h.learning_rate * h.weight_decay * theta if theta.ndim > 1 else theta,
    ),
    Fault(
        "adamw_decay_in_numerator",
        "adamw",
        "The decay is added to the first moment where it is read, and divided like it.",
        Program(_decay_in_numerator),
    ),
    Fault(
        "adamw_decay_uses_first_learning_rate",
        "adamw",
        "The decay is scaled by the learning rate of the first step for ever.",
        Program(_first_learning_rate_decay),
        "kozistr/pytorch_optimizer PR #170",
    ),
)
