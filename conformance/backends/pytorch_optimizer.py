"""pytorch_optimizer: what of its 128 optimizers and its schedulers computes a rule of the catalogue, on the CPU.

Each optimizer one parameter after another, in float64 and bfloat16, and by ``foreach``, in float32 and float16: all of
them in both ways would take twice as long. Some compute a rule with an option that switches their own idea off: SGDP and
AdamP with ``delta=0`` project nothing, QHM with ``nu=1`` has no gradient beside its average, PAdam with ``partial=0.5``
has Adam's root, AdaMod with a third beta of 0 has no memory of its learning rates, FlashAdamW with ``quantize=False``
keeps its averages, and GaLore and Fira project groups that ask for it alone.

Not judged, for the catalogue has no such rule: all other optimizers; decay beside momentum, and beside the epsilon of
AdamC, AdamP, AdaMod, PAdam, GaLore and Fira; Tiger and SignSGD, which are Lion with equal betas, where nothing tells it
from its relatives; PolyScheduler, REXScheduler, Chebyshev steps, and the cooldowns of ``get_wsd_schedule`` that end at 0.
AggMo keeps velocities under the values of their betas, and takes two at least.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.concerns import loads, unloaded, updates_with
from conformance.backends.pytorch_optimizer_schedules import schedules
from conformance.backends.torch_addons import (
    ADAM,
    AVERAGES,
    DECAY,
    L2,
    LION,
    MOMENTUM,
    RATE,
    SINGLE,
    addon,
    environment,
    known,
    raises_when_copied,
    steps_of_groups,
    views_memory,
    writes_gradients,
)
from conformance.backends.torch_clips import ClipFactory
from conformance.records import FOLLOWS
from oracle.arithmetic.formats import FORMATS
from properties.cases import Event, Step, Training
from properties.subject import Group

__all__ = ["backend"]

SEEN = "4.1.0"
DAMPENED = {**MOMENTUM, "dampening": "dampening"}


def _weighs(training: Training) -> bool:
    """Whether an average that has been updated is updated with a beta other than 0: its weight is rounded."""
    started: set[int] = set()
    for step, row in zip(training.steps, training.hyperparameters(), strict=True):
        present = {tensor for tensor, grad in enumerate(step.grads) if grad is not None}
        if any(row[tensor]["beta1"] or row[tensor]["beta2"] for tensor in present & started):
            return True
        started |= present
    return False


def _is_padded(unit: float, training: Training) -> bool:
    """Whether 1e-15 may be half a unit in the last place of a second moment, so that it is not lost in it."""
    moments = [np.zeros(param.shape) for param in training.params]
    for step, row in zip(training.steps, training.hyperparameters(), strict=True):
        for tensor, (grad, values) in enumerate(zip(step.grads, row, strict=True)):
            if grad is None:
                continue
            moments[tensor] = values["beta2"] * moments[tensor] + (1 - values["beta2"]) * grad**2
            # That half is at least half a roundoff of the moment; half as much again, for the moment is rounded too.
            if np.any((moments[tensor] > 0) & (moments[tensor] * unit <= 3e-15)):
                return True
    return False


COPIED = raises_when_copied("maximize and foreach", "reports/findings/pytorch_optimizer_copies.py", SEEN)
COUNTING = "reports/findings/pytorch_optimizer_steps_of_groups.py"
COUNTED = steps_of_groups(COUNTING, SEEN)
VIEWED = views_memory("reports/findings/pytorch_optimizer_strides.py", SEEN)
WRITTEN = "reports/findings/pytorch_optimizer_gradients.py"
PENALTY = writes_gradients(
    "The penalty is added to the gradients where they are kept.", WRITTEN, SEEN, updates_with("l2_penalty")
)
ADVANCED = writes_gradients(
    "Nesterov's momentum is added to the gradients where they are kept; foreach leaves them.",
    WRITTEN,
    SEEN,
    updates_with("momentum"),
)
IDLE = known(
    *(FOLLOWS, "decay_law", "decoupling", "late_group_starts_anew", "any_order"),
    reason="With weight_decouple=False the penalty is added to the gradient after the velocity took it in, so that it has "
    "no effect on the parameters.",
    evidence="By hand: pytorch_optimizer.SGDP([p], lr=0.5, weight_decay=1.0, weight_decouple=False) with a gradient of 0 "
    "leaves p as it is; so does AdamP; reports/findings/pytorch_optimizer_idle_penalty.py",
    versions=SEEN,
    where=updates_with("l2_penalty"),
)
#: How a state is loaded, by claim.
EVENTS: Mapping[str, Event] = {
    "resuming_changes_nothing": "resumed",
    "rewinding_changes_nothing": "rewound",
    "any_order": "resumed",
}
ROUNDED = known(
    *(
        FOLLOWS,
        "step_bound_attained",
        "lone_gradient",
        "late_group_starts_anew",
        "resuming_changes_nothing",
        "rewinding_changes_nothing",
        "any_order",
    ),
    dtypes=("float64",),
    reason="The sums of the powers of the betas are kept in float32, whatever the parameter's dtype, and become its dtype "
    "when a state is loaded.",
    evidence="By hand: the state of a parameter in float64 has beta2_weight in torch.float32, from QHAdam's init_group; "
    "reports/findings/pytorch_optimizer_qhadam_weights.py",
    versions=SEEN,
    where=_weighs,
)


def _loaded(*decay: str) -> Iterator[Expectation]:
    """Yield what loading the weights does in the half types, where few numbers show it; what else there is may be 0."""
    for dtype, (beta1, beta2), grads in (
        ("bfloat16", (0.9, 0.5), (-2.0, 1.0, 0.30078125, -2.0, 0.0)),
        ("float16", (0.3, 0.99), (1.0, 0.5, -2.0)),
    ):
        values = {"learning_rate": 1.0, "beta1": beta1, "beta2": beta2, "eps": 2.0**-10, **dict.fromkeys(decay, 0.0)}
        for name, event in EVENTS.items():
            first, *rest = (np.full(1, grad) for grad in grads)
            steps = (Step((first,)), *(Step((grad,), events=(event,)) for grad in rest))
            yield replace(
                ROUNDED[0],
                property=name,
                dtypes=(dtype,),
                where=loads,
                without=unloaded if name == "any_order" else None,
                inputs={"training": Training((np.zeros(1),), (Group((0,), values),), steps)},
            )


#: One update whose gradient is too small for what is added to its square.
SMALL = Training(
    (np.zeros(1),),
    (Group((0,), {"learning_rate": 1.0, "beta1": 0.5, "beta2": 0.5, "eps": 2.0**-30}),),
    (Step((np.full(1, 2.0**-26),)),),
)
PADDED = tuple(
    entry
    for dtype in (*SINGLE, "bfloat16")  # in float16 it is 0
    for entry in known(
        *(FOLLOWS, "bias_correction", "lone_gradient", "late_group_starts_anew", "any_order"),
        dtypes=(dtype,),
        reason="1e-15 is added to the second moment under the root, beside epsilon: where the gradients are small, the "
        "steps are shorter.",
        evidence="By hand: AdamC([p], lr=1.0, eps=0.0) with a first gradient of 1e-8 moves p by 0.01 and not by 1; the "
        "default exp_avg_sq_eps of BaseOptimizer.apply_ams_bound; reports/findings/pytorch_optimizer_second_epsilon.py",
        versions=SEEN,
        where=partial(_is_padded, FORMATS[dtype].unit),
        inputs={"training": SMALL},
    )
)


def _optimizers() -> Iterator[Implementation]:
    import pytorch_optimizer as library

    buffer = ("momentum_buffer",)
    flat: dict[str, Any] = {"delta": 0.0}
    for formula, label, spellings, exposed, expected, constants in (
        ("gd", "SGDW", RATE, (), (), {}),
        ("momentum_heavy_ball", "SGDW", MOMENTUM, buffer, (), {}),
        ("momentum_torch_dampening", "SGDW", DAMPENED, buffer, (), {}),
        ("momentum_nesterov", "SGDW:nesterov", MOMENTUM, buffer, (), {"nesterov": True}),
        ("sgd_l2", "SGDW:decoupled", {**RATE, **L2}, (), (), {}),
        ("sgd_l2", "SGDW:coupled", {**RATE, **L2}, (), PENALTY, {"weight_decouple": False}),
        ("momentum_heavy_ball", "SGDP:delta=0", MOMENTUM, (), VIEWED, flat),
        ("momentum_nesterov", "SGDP:delta=0,nesterov", MOMENTUM, (), VIEWED, {**flat, "nesterov": True}),
        ("sgd_l2", "SGDP:delta=0,decoupled", {**RATE, **L2}, (), VIEWED, flat),
        (
            *("sgd_l2", "SGDP:delta=0,coupled", {**RATE, **L2}, (), (*VIEWED, *IDLE, *PENALTY)),
            {**flat, "weight_decouple": False},
        ),
        (
            *("weight_decay_unscaled", "SGDP:delta=0,fixed_decay", {**RATE, **DECAY}, (), VIEWED),
            {**flat, "fixed_decay": True},
        ),
        ("momentum_ema", "QHM:nu=1", MOMENTUM, buffer, (), {"nu": 1.0}),
        (
            *("weight_decay_unscaled", "QHM:fixed_decay", {**RATE, **DECAY}, (), ()),
            {"nu": 1.0, "weight_decouple": True, "fixed_decay": True},
        ),
        ("adam", "QHAdam", ADAM, (), (*ROUNDED, *_loaded()), {}),
        ("adam_l2", "QHAdam", {**ADAM, **L2}, (), (*ROUNDED, *_loaded("l2_penalty"), *PENALTY), {}),
        (
            *("adamw", "QHAdam:weight_decouple", {**ADAM, **DECAY}, (), (*ROUNDED, *_loaded("weight_decay"))),
            {"weight_decouple": True},
        ),
        ("adam_eps_hat", "AdamP:delta=0", ADAM, AVERAGES, (*VIEWED, *COUNTED), flat),
        ("adam_eps_hat", "AdamC", ADAM, AVERAGES, (*COUNTED, *PADDED), {}),
        ("adam_eps_hat", "PAdam:partial=0.5", ADAM, AVERAGES, COUNTED, {"partial": 0.5}),
        ("adam_eps_hat", "AdaMod:beta3=0", ADAM, AVERAGES, COUNTED, {"betas": (0.0, 0.0, 0.0)}),
        ("adam_eps_hat", "GaLore", ADAM, AVERAGES, COUNTED, {}),
        ("adam_eps_hat", "Fira", ADAM, AVERAGES, COUNTED, {}),
        (
            "adamw",
            "FlashAdamW:quantize=False",
            {**ADAM, **DECAY},
            AVERAGES,
            steps_of_groups(COUNTING, SEEN, "weight_decay"),
            {"quantize": False},
        ),
        ("lion", "Lion", LION, ("exp_avg",), (), {}),
    ):
        constructor = getattr(library, label.partition(":")[0])
        for path, foreach, dtypes in (
            ("loop", False, ("float64", "bfloat16")),
            ("foreach", True, ("float32", "float16")),
        ):
            advanced = ADVANCED if label == "SGDW:nesterov" and not foreach else ()
            yield addon(
                *(formula, f"pytorch_optimizer.{label}:{path}", constructor, spellings, exposed),
                (*COPIED, *advanced, *expected),
                {"foreach": foreach, **constants},
                dtypes,
            )


def _clip(parameters: Any, *, max_norm: float) -> Any:
    from pytorch_optimizer.optimizer.utils import clip_grad_norm

    return clip_grad_norm(parameters, max_norm)


def backend() -> Backend:
    """Describe the installed pytorch_optimizer.

    Returns
    -------
    Backend
        One implementation for each formula, class and path; its clip, and its schedulers.
    """
    from importlib.metadata import version

    clip = Implementation("clip_by_norm_torch", "pytorch_optimizer.clip_grad_norm", ClipFactory(_clip), SINGLE)
    return Backend("pytorch_optimizer", version("pytorch_optimizer"), (*_optimizers(), clip, *schedules()), environment)
