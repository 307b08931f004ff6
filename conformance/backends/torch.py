"""PyTorch: the optimizers of ``torch.optim`` and gradient clipping, on the CPU and on CUDA."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.concerns import updates_with
from conformance.backends.torch_clips import ClipFactory
from conformance.backends.torch_dropout import dropouts
from conformance.backends.torch_functions import functions
from conformance.backends.torch_optimizers import OFFERED_BY_TORCH, OptimizerFactory
from conformance.backends.torch_schedules import schedules
from conformance.backends.torch_tensors import DTYPES, devices, to_floats, to_tensor
from conformance.records import FOLLOWS
from properties.cases import Training

__all__ = ["backend", "devices", "to_floats", "to_tensor"]

HALF = ("bfloat16", "float16")

PATHS: Mapping[str, Mapping[str, bool]] = {
    "loop": {"foreach": False, "fused": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}
ADAM = {"learning_rate": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps"}
ADAM_STATE = ("exp_avg", "exp_avg_sq")


def _strides_differ(training: Training) -> bool:
    """Whether a tensor has gaps, or another layout than its gradient."""
    return any(
        grad is not None and not (param.flags.c_contiguous and grad.flags.c_contiguous)
        for step in training.steps
        for param, grad in zip(training.params, step.grads, strict=True)
    )


def _has_momentum(training: Training) -> bool:
    return any(group.hyperparameters.get("momentum") for group in training.groups)


def _starts_late(training: Training) -> bool:
    """Whether a tensor of a group with momentum receives its first gradient after another, and beside it."""
    for group in training.groups:
        started: set[int] = set()
        for step in training.steps:
            present = {tensor for tensor in group.tensors if step.grads[tensor] is not None}
            if group.hyperparameters.get("momentum") and present & started and present - started:
                return True
            started |= present
    return False


def _fills_a_vector(training: Training) -> bool:
    return any(param.size >= 16 for param in training.params)


LATE = Expectation(
    property="missing_gradient_is_no_step",
    dtypes=DTYPES,
    reason="Fused SGD with momentum raises TypeError when a parameter receives its first gradient after another of its "
    "group: buffers are made for all or for none.",
    evidence="reports/findings/torch_fused_sgd_late_gradient.py: of two parameters in SGD(lr=1, momentum=0.5, "
    "fused=True) give only the first a gradient in step 1, and both in step 2; foreach and loop run.",
    versions="2.13.0",
    outcome="crash",
    where=_has_momentum,
)
UNTOUCHED = Expectation(
    property="permutation",
    dtypes=HALF,
    reason="The fused SGD kernel for the CPU computes whole vector blocks of half precision parameters and does not "
    "store them: only the elements after the last whole block change.",
    evidence="https://github.com/pytorch/pytorch/issues/191763; reports/findings/torch_fused_sgd_leaves_half_types.py: "
    "torch.optim.SGD([ones(17)], lr=0.5, fused=True) and a gradient of ones leave 16 of 17 elements at 1.",
    versions="2.12.1, 2.13.0",
    where=_fills_a_vector,
)
STRIDES_IGNORED = Expectation(
    property=FOLLOWS,
    dtypes=DTYPES,
    reason="The fused kernels for the CPU read and write memory in its order whatever the strides: they mistake the "
    "elements of a parameter with gaps, and of a gradient laid out otherwise than its parameter.",
    evidence="reports/findings/torch_fused_ignores_strides.py: p = Parameter(arange(8.)[::2]), torch.optim.SGD([p], lr=1, "
    "fused=True) and a gradient of ones turn [0, 2, 4, 6] into [-1, 1, 4, 6]; fused=False gives [-1, 1, 3, 5].",
    versions="2.13.0",
    where=_strides_differ,
)
STRIDES_REFUSED = Expectation(
    property=FOLLOWS,
    dtypes=DTYPES,
    reason="The fused kernels for CUDA raise RuntimeError for a parameter with gaps, and for a gradient laid out "
    "otherwise than its parameter.",
    evidence="https://github.com/pytorch/pytorch/issues/106951",
    versions="1.13.0",
    outcome="crash",
    where=_strides_differ,
)


GRADIENT_ADVANCED = Expectation(
    property="gradients_are_kept",
    dtypes=DTYPES,
    reason="The foreach path of SGD with Nesterov momentum adds the velocity to the gradients where they are kept; "
    "loop and fused leave them.",
    evidence="reports/findings/torch_foreach_nesterov_changes_gradients.py: of Parameter(zeros(2)) with a gradient of "
    "ones, SGD(lr=1, momentum=0.5, nesterov=True, foreach=True) leaves a gradient of 1.5. "
    "https://github.com/pytorch/pytorch/pull/92706 means to rule it out.",
    versions="2.13.0",
    where=updates_with("momentum"),
)


def _expected(formula: str, name: str, path: str, device: str) -> tuple[Expectation, ...]:
    """Return the known deviations of a class, path and device; what comes first explains a case."""
    if formula == "momentum_nesterov" and path == "foreach":
        return (GRADIENT_ADVANCED,)
    if path != "fused":
        return ()
    known = (STRIDES_IGNORED,) if device == "cpu" else (STRIDES_REFUSED,)
    if name != "SGD":
        return known
    late = (LATE, *(replace(LATE, property=claim, where=_starts_late) for claim in (FOLLOWS, "any_order")))
    untouched = (
        (UNTOUCHED, replace(UNTOUCHED, property=FOLLOWS), replace(UNTOUCHED, property="copies_move_alike", where=None))
        if device == "cpu"
        else ()
    )
    return (*late, *untouched, *known)


def _optimizers(
    formula: str,
    constructor: Callable[..., Any],
    spellings: Mapping[str, str],
    exposed: tuple[str, ...] = (),
    **constants: Any,
) -> Iterator[Implementation]:
    """One implementation for each path and device."""
    name = constructor.__name__
    capabilities: tuple[str, ...] = ("differentiable", "complex", "tensor learning rate")
    # Velocities and penalties cannot mix sparse gradients with dense ones.
    sparse = formula in ("gd", "adagrad")
    capabilities += ("amsgrad", "capturable") if name != "SGD" else () if sparse else ("sparse gradients",)
    offered = inspect.signature(constructor).parameters
    for path, flags in PATHS.items():
        keywords = {flag: value for flag, value in flags.items() if flag in offered}
        if not any(keywords.values()) and path != "loop":
            continue  # RMSprop has no fused kernel
        offers = (*OFFERED_BY_TORCH, "step_sparse") if sparse and path != "fused" else OFFERED_BY_TORCH
        for device in devices():
            if name == "Adagrad" and path == "fused" and device == "cuda":
                continue  # it has one for the CPU only
            yield Implementation(
                formula=formula,
                label=f"torch.optim.{name}:{path}",
                factory=OptimizerFactory(constructor, spellings, {**constants, **keywords}, exposed, offers),
                dtypes=DTYPES,
                devices=(device,),
                state=exposed,
                capabilities=capabilities,
                expected=_expected(formula, name, path, device),
            )


def _implementations() -> Iterator[Implementation]:
    import torch

    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    lr, momentum = {"learning_rate": "lr"}, {"learning_rate": "lr", "momentum": "momentum"}
    adagrad, rmsprop = torch.optim.Adagrad, torch.optim.RMSprop
    buffer = ("momentum_buffer",)
    yield from _optimizers("gd", sgd, lr)
    yield from _optimizers("momentum_heavy_ball", sgd, momentum, buffer, dampening=0.0)
    yield from _optimizers("momentum_torch_dampening", sgd, {**momentum, "dampening": "dampening"}, buffer)
    yield from _optimizers("momentum_nesterov", sgd, momentum, buffer, nesterov=True)
    yield from _optimizers("sgd_l2", sgd, {**lr, "l2_penalty": "weight_decay"})
    yield from _optimizers("adagrad", adagrad, {**lr, "eps": "eps"}, ("sum",))
    yield from _optimizers("rmsprop", rmsprop, {**lr, "alpha": "alpha", "eps": "eps"}, ("square_avg",))
    yield from _optimizers("adam", adam, ADAM, ADAM_STATE)
    yield from _optimizers("adam_l2", adam, {**ADAM, "l2_penalty": "weight_decay"}, ADAM_STATE)
    decoupled = {**ADAM, "weight_decay": "weight_decay"}
    yield from _optimizers("adamw", adamw, decoupled, ADAM_STATE)
    if "decoupled_weight_decay" in adam([torch.zeros(0)]).defaults:  # from 2.7 on
        yield from _optimizers("adamw", adam, decoupled, ADAM_STATE, decoupled_weight_decay=True)
    for formula, clip in (
        ("clip_by_value", torch.nn.utils.clip_grad_value_),
        ("clip_by_norm_torch", torch.nn.utils.clip_grad_norm_),
    ):
        for path in ("loop", "foreach"):
            label = f"torch.nn.utils.{clip.__name__}:{path}"
            yield Implementation(
                formula=formula,
                label=label,
                factory=ClipFactory(functools.partial(clip, foreach=path == "foreach")),
                dtypes=DTYPES,
                devices=devices(),
                capabilities=("several tensors",),
            )
    yield from dropouts()
    yield from functions()
    yield from schedules()


def _unclaimed() -> Iterator[Implementation]:
    """Options that lead away from every formula, and classes with all that they offer."""
    import torch

    lr, decay = {"learning_rate": "lr"}, {"weight_decay": "weight_decay"}
    averages = {**lr, "alpha": "alpha", "eps": "eps", **decay}
    rmsprop, buffers = torch.optim.RMSprop, ("square_avg",)
    whole = {**lr, "momentum": "momentum", "dampening": "dampening", **decay}
    sums = {**lr, "eps": "eps", "initial_accumulator": "initial_accumulator_value", **decay}
    yield from _optimizers("", torch.optim.SGD, whole, ("momentum_buffer",))
    yield from _optimizers("", torch.optim.Adagrad, sums, ("sum",))
    yield from _optimizers("", rmsprop, {**averages, "momentum": "momentum"}, buffers)
    yield from _optimizers("", rmsprop, averages, buffers, centered=True)
    yield from _optimizers("", torch.optim.Adam, {**ADAM, **decay}, ADAM_STATE, amsgrad=True)


def _environment() -> dict[str, str]:
    import torch

    facts = {"torch": torch.__version__, "cpu": torch.backends.cpu.get_cpu_capability()}
    facts["threads"] = str(torch.get_num_threads())
    if torch.cuda.is_available():
        facts |= {"cuda": str(torch.version.cuda), "gpu": torch.cuda.get_device_name()}
    return facts


def backend() -> Backend:
    """Describe the installed torch.

    Returns
    -------
    Backend
        One implementation for each formula, class, path (loop, foreach, fused) and reachable device.
    """
    import torch

    return Backend("torch", torch.__version__, tuple(_implementations()), _environment, tuple(_unclaimed()))
