"""torch-optimizer: what of it computes a rule of the catalogue, on the CPU.

Some classes do so with an option that switches their own idea off: SGDP and AdamP with ``delta=0`` project nothing, LARS
scales no learning rate without a decay, AggMo with one beta has one velocity, QHM with ``nu=1`` has no gradient beside its
average, AdaMod with ``beta3=0`` has no memory of its learning rates, Lamb with ``adam`` and ``debias`` trusts everything.

Not judged, for the catalogue has no such rule: A2Grad, AccSGD, AdaBelief, AdaBound, Adafactor, Adahessian, Apollo,
DiffGrad, Lookahead, MADGRAD, NovoGrad, PID, RAdam, Ranger, Shampoo, SWATS and Yogi; decay beside momentum, or beside the
epsilon of AdaMod and Lamb.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.backends import Backend, Implementation
from conformance.backends.concerns import updates_with
from conformance.backends.torch_addons import (
    ADAM,
    AVERAGES,
    DECAY,
    L2,
    MOMENTUM,
    RATE,
    addon,
    environment,
    known,
    raises_when_copied,
    views_memory,
    writes_gradients,
)
from conformance.records import FOLLOWS
from properties.cases import Training

__all__ = ["backend"]

SEEN = "0.3.0"
DAMPENED = {**MOMENTUM, "dampening": "dampening"}


def _changes_momentum(training: Training) -> bool:
    """Whether the momentum of a group changes after an update."""
    first, *rest = training.hyperparameters()
    return any(
        values["momentum"] != before["momentum"] for rates in rest for values, before in zip(rates, first, strict=True)
    )


CONSTANT = known(
    *(FOLLOWS, "decay_law", "decoupling", "sign_symmetry", "late_group_starts_anew", "any_order"),
    reason="The decay takes lr * weight_decay off every parameter, whatever its value and its sign: the parameter is no "
    "factor of it.",
    evidence="By hand: torch_optimizer.SGDW([p], lr=1.0, weight_decay=0.5) with a gradient of 0 makes -0.5 of 0; its last "
    "line is p.data.add_(weight_decay, alpha=-group['lr']); reports/findings/torch_optimizer_sgdw_decay.py",
    versions=SEEN,
    where=updates_with("l2_penalty"),
)
KEYED = known(
    *(FOLLOWS, "unrolled_weights", "any_order"),
    reason="Velocities are kept under the value of their momentum, so that another value finds none: KeyError.",
    evidence="By hand: step AggMo([p], betas=(0.9,)), set param_groups[0]['betas'] = (0.5,), and step again; "
    "reports/findings/torch_optimizer_aggmo_momentum.py",
    versions=SEEN,
    outcome="crash",
    where=_changes_momentum,
    without=Training.unchanging,
)
PENALTY = writes_gradients(
    "The penalty is added to the gradients where they are kept.",
    "reports/findings/torch_optimizer_gradients.py",
    SEEN,
    updates_with("l2_penalty"),
)
COPIED = raises_when_copied("debias, adam and clamp_value", "reports/findings/torch_optimizer_lamb_copies.py", SEEN)
VIEWED = views_memory("reports/findings/torch_optimizer_strides.py", SEEN)


def _implementations() -> Iterator[Implementation]:
    import torch_optimizer as library

    buffer = ("momentum_buffer",)
    flat: dict[str, Any] = {"delta": 0.0}
    for formula, label, spellings, exposed, expected, constants in (
        ("gd", "SGDW", RATE, (), (), {}),
        ("momentum_heavy_ball", "SGDW", MOMENTUM, buffer, (), {}),
        ("momentum_torch_dampening", "SGDW", DAMPENED, buffer, (), {}),
        ("momentum_nesterov", "SGDW:nesterov", MOMENTUM, buffer, (), {"nesterov": True}),
        ("sgd_l2", "SGDW", {**RATE, **L2}, (), CONSTANT, {}),
        ("momentum_heavy_ball", "SGDP:delta=0", MOMENTUM, (), VIEWED, flat),
        ("momentum_nesterov", "SGDP:delta=0,nesterov", MOMENTUM, (), VIEWED, {**flat, "nesterov": True}),
        ("sgd_l2", "SGDP:delta=0", {**RATE, **L2}, (), VIEWED, flat),
        ("momentum_heavy_ball", "LARS", MOMENTUM, buffer, (), {}),
        ("momentum_nesterov", "LARS:nesterov", MOMENTUM, buffer, (), {"nesterov": True}),
        ("momentum_heavy_ball", "AggMo", {**RATE, "momentum": "betas[0]"}, (), KEYED, {"betas": (0.0,)}),
        ("momentum_ema", "QHM:nu=1", MOMENTUM, buffer, (), {"nu": 1.0}),
        ("sgd_l2", "QHM:grad", {**RATE, **L2}, (), PENALTY, {"weight_decay_type": "grad"}),
        ("sgd_l2", "QHM:direct", {**RATE, **L2}, (), (), {"weight_decay_type": "direct"}),
        ("adam", "QHAdam", ADAM, (), (), {}),
        ("adam_l2", "QHAdam", {**ADAM, **L2}, (), PENALTY, {}),
        ("adamw", "QHAdam:decouple_weight_decay", {**ADAM, **DECAY}, (), (), {"decouple_weight_decay": True}),
        ("adamw", "AdamP:delta=0", {**ADAM, **DECAY}, AVERAGES, VIEWED, flat),
        ("adam_eps_hat", "AdaMod:beta3=0", ADAM, AVERAGES, (), {"beta3": 0.0}),
        (
            *(
                "adam_eps_hat",
                "Lamb:adam,debias",
                ADAM,
                AVERAGES,
                COPIED,
            ),
            {"adam": True, "debias": True},
        ),
    ):
        constructor = getattr(library, label.partition(":")[0])
        yield addon(formula, f"torch_optimizer.{label}", constructor, spellings, exposed, expected, constants)


def backend() -> Backend:
    """Describe the installed torch-optimizer.

    Returns
    -------
    Backend
        One implementation for each formula and class.
    """
    from importlib.metadata import version

    return Backend("torch-optimizer", version("torch-optimizer"), tuple(_implementations()), environment)
