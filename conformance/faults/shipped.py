"""Faults after bugs that were shipped, which no module beside tells of."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.faults.adam import ADAM
from conformance.faults.bookkeeping import FirstGroupOptions
from conformance.faults.clipping import Clip
from conformance.faults.curves import gelu, tanh_gelu
from conformance.faults.descent import GD
from conformance.faults.lifecycle import MemoriesLost
from conformance.faults.lion import LION
from conformance.faults.normalization import RMS_NORM, Norm
from conformance.faults.programs import Array, Bookkeeping, Fault, Memory, Options, Program
from conformance.faults.rmsprop import RMSPROP
from conformance.faults.schedules import Rates
from oracle.arithmetic.formats import BFLOAT16
from properties.subject import Floats

__all__ = ["FAULTS"]


class SavedInHalf(Bookkeeping):
    """Counters and memories are saved in bfloat16."""

    def restore(self, saved: Bookkeeping) -> None:
        """Round what is taken over."""
        super().restore(saved)
        self.steps = [int(BFLOAT16.round(np.array(float(step)))) for step in self.steps]
        self.memories = [
            {name: BFLOAT16.round(np.array(entry, dtype=np.float64)) for name, entry in memory.items()}
            for memory in self.memories
        ]


class StopsAtEmpty(Bookkeeping):
    """A tensor without elements ends the update."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Forget what comes after the first empty tensor."""
        empty = next((number for number, grad in enumerate(grads) if grad is not None and grad.size == 0), len(grads))
        super().step([grad if number < empty else None for number, grad in enumerate(grads)])


def _at_step(count: Callable[[int], int]) -> Program:
    """Correct Adam's moments by another count of the steps."""
    return Program(lambda theta, g, memory, h, t: ADAM(theta, g, memory, h, count(t)))


def _penalty_in_place(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    g += h.l2_penalty * theta
    return GD(theta, g, memory, h, t)


def _centred_by_squares(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    rule = replace(RMSPROP, read=lambda before, after, h, t: np.maximum(after - after * after, 0))
    return rule(theta, g, memory, h, t)


def _sigmoid(x: Array) -> Array:
    return np.asarray(np.exp(x) / (1 + np.exp(x)))


def _scaled_clip(g: Array, limit: float) -> Array:
    scaled = 65536 * g
    norm = np.sqrt(np.sum(scaled * scaled))
    return np.asarray(scaled * np.where(norm > limit, limit / np.where(norm == 0, 1, norm), 1) / 65536)


def _until_one(t: int, peak_value: float, end_value: float, warmup_steps: int, decay_steps: int) -> float:
    rate = peak_value * t / warmup_steps
    if rate < 1 or t <= warmup_steps:
        return rate
    return end_value + (peak_value - end_value) * max(0.0, 1 - (t - warmup_steps) / decay_steps)


def _falls_to_half(t: int, peak_value: float, end_value: float, warmup_steps: int, decay_steps: int) -> float:
    if t <= warmup_steps:
        return peak_value * t / warmup_steps
    return end_value + (peak_value / 2 - end_value) * max(0.0, 1 - (t - warmup_steps) / decay_steps)


def _own_floor(t: int, init_value: float, peak_value: float, half_cycle_steps: int) -> float:
    floor, part = 0.3 * peak_value, t % (2 * half_cycle_steps) / half_cycle_steps
    return floor + (peak_value - floor) * min(part, 2 - part)


def _function(formula: str, what: str, story: str, source: str, body: Callable[..., Any]) -> Fault:
    return Fault(f"{formula}_{what}", formula, story, Norm(body), source)


OPTIMIZERS = (
    Fault(
        "adam_step_counter_in_bfloat16",
        "adam",
        "The counter is a bfloat16, and rests at 256.",
        _at_step(lambda t: min(t, 256)),
        "pytorch/pytorch #74424",
    ),
    Fault(
        "adam_step_counter_in_float16",
        "adam",
        "The counter is a float16, and rests at 2048.",
        _at_step(lambda t: min(t, 2048)),
        "pytorch/pytorch #74424",
        beyond="the trainings of the quick profile have 260 steps at most",
    ),
    Fault(
        "adam_step_counted_apart",
        "adam",
        "Two processes take turns, and each counts its own steps.",
        _at_step(lambda t: (t + 1) // 2),
        "ikostrikov/pytorch-a3c #12",
    ),
    Fault(
        "adam_saved_in_bfloat16",
        "adam",
        "Averages and counters are saved in bfloat16.",
        Program(ADAM, SavedInHalf),
        "vllm-project/speculators PR #899",
    ),
    Fault(
        "lion_average_lost_on_load",
        "lion",
        "The average is not saved.",
        Program(LION, MemoriesLost),
        "lucidrains/lion-pytorch #20",
    ),
    Fault(
        "sgd_l2_penalty_added_in_place",
        "sgd_l2",
        "The penalty is added to the gradient where the caller keeps it.",
        Program(_penalty_in_place),
        "pytorch/pytorch #12218",
    ),
    Fault(
        "rmsprop_centred_by_squares",
        "rmsprop",
        "The average of the squares is taken for that of the gradients, and its square subtracted from it.",
        Program(_centred_by_squares),
        "keras-team/keras commit 32b15912",
    ),
    Fault(
        "rmsprop_second_group_uses_first",
        "rmsprop",
        "All groups use the first group's hyperparameters.",
        Program(RMSPROP, FirstGroupOptions),
        "deepspeedai/DeepSpeed PR #8171",
    ),
    Fault(
        "gd_stops_at_empty_tensor",
        "gd",
        "Tensors after an empty one stay.",
        Program(GD, StopsAtEmpty),
        "pytorch/pytorch #140066",
    ),
)

FUNCTIONS = (
    _function(
        "gelu_tanh",
        "constants_swapped",
        "The two constants stand in for one another.",
        "huggingface/transformers PR #11514",
        lambda x: tanh_gelu(x, math.sqrt(2 / math.pi), 0.044715),
    ),
    _function(
        "gelu_tanh",
        "cut_off",
        "Numbers below -3 become 0.",
        "tenstorrent/tt-metal #56517",
        lambda x: np.where(x < -3, 0, tanh_gelu(x)),
    ),
    _function(
        "geglu",
        "both_activated",
        "The activation is applied to both branches.",
        "kakaobrain/trident PR #101",
        lambda x, w, b, v, c: gelu(x @ w + b) * gelu(x @ v + c),
    ),
    _function(
        "rms_norm",
        "gain_of_first_feature",
        "The gain of the first feature scales all.",
        "keras-team/keras #19642",
        replace(RMS_NORM, affine=lambda y, w: w[:1] * y),
    ),
    _function(
        "bce_with_logits_gradient",
        "overflows",
        "The exponential of large scores overflows, and the quotient is NaN.",
        "google-deepmind/optax PR #1346",
        lambda z, y: (_sigmoid(z) - y) / z.size,
    ),
    Fault(
        "clip_before_unscaled",
        "clip_by_norm",
        "Gradients are clipped while a loss scale of 65536 still multiplies them.",
        Clip(_scaled_clip),
        "Lightning-AI/pytorch-lightning #9599",
    ),
)

SCHEDULES = (
    Fault(
        "schedule_linear_decay_warmup_until_one",
        "schedule_linear_decay_warmup",
        "The warm-up ends when the rate is 1, which lower peaks never reach.",
        Rates(_until_one),
        "facebookresearch/ParlAI PR #4384",
    ),
    Fault(
        "schedule_linear_decay_warmup_falls_to_half",
        "schedule_linear_decay_warmup",
        "After the warm-up the rate goes on from half of its peak.",
        Rates(_falls_to_half),
        "PaddlePaddle/PaddleDetection PR #4611",
    ),
    Fault(
        "schedule_triangular_own_floor",
        "schedule_triangular",
        "The rate that the optimizer was made with replaces the lowest one.",
        Rates(_own_floor),
        "pytorch/pytorch #21965",
    ),
)

FAULTS = OPTIMIZERS + FUNCTIONS + SCHEDULES
