"""Add-ons of torch: optimizers of other packages, which are made, stepped and saved as torch's own are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from conformance.backends import Expectation, Implementation
from conformance.backends.concerns import copies, uncopied, updates_with
from conformance.backends.torch_optimizers import OptimizerFactory
from conformance.backends.torch_tensors import DTYPES
from conformance.records import FOLLOWS
from properties.cases import Step, Training
from properties.subject import Floats, Group

__all__ = [
    "ADAM",
    "AVERAGES",
    "DECAY",
    "L2",
    "LION",
    "MOMENTUM",
    "RATE",
    "SINGLE",
    "addon",
    "environment",
    "known",
    "raises_on_empty_groups",
    "raises_when_copied",
    "steps_of_groups",
    "views_memory",
    "writes_gradients",
]

RATE = {"learning_rate": "lr"}
MOMENTUM = {**RATE, "momentum": "momentum"}
ADAM = {**RATE, "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps"}
L2 = {"l2_penalty": "weight_decay"}
DECAY = {"weight_decay": "weight_decay"}
LION = {**RATE, "beta1": "betas[0]", "beta2": "betas[1]", **DECAY}
AVERAGES = ("exp_avg", "exp_avg_sq")
SINGLE = ("float64", "float32")
NOTHING: Mapping[str, Any] = {}


def addon(
    formula: str,
    label: str,
    constructor: Callable[..., Any],
    spellings: Mapping[str, str],
    exposed: tuple[str, ...] = (),
    expected: Iterable[Expectation] = (),
    constants: Mapping[str, Any] = NOTHING,
    dtypes: tuple[str, ...] = DTYPES,
) -> Implementation:
    """Describe an optimizer on the CPU, with keyword arguments that are the same for every subject."""
    return Implementation(
        formula,
        label,
        OptimizerFactory(constructor, spellings, constants, exposed),
        dtypes,
        state=exposed,
        expected=tuple(expected),
    )


def environment() -> dict[str, str]:
    """Facts about the installation that a report keeps."""
    import torch

    return {"torch": torch.__version__, "cpu": torch.backends.cpu.get_cpu_capability()}


# -- What several of them do -----------------------------------------------------------------------------------------


def known(*properties: str, dtypes: tuple[str, ...] = DTYPES, **facts: Any) -> tuple[Expectation, ...]:
    """Return one known deviation for each of the claims in which it shows."""
    return tuple(Expectation(property=name, dtypes=dtypes, **facts) for name in properties)


def raises_when_copied(attributes: str, script: str, versions: str) -> tuple[Expectation, ...]:
    """Return the deviation of optimizers that keep options where torch copies none."""
    entry: dict[str, Any] = {
        "reason": f"A deep copy raises AttributeError in its first update: {attributes} belong to the optimizer itself, "
        "and torch.optim.Optimizer copies its defaults, groups and state alone.",
        "evidence": f"By hand: give a parameter of copy.deepcopy(optimizer) a gradient, and step; {script}",
        "versions": versions,
        "outcome": "crash",
    }
    return (*known("copying_changes_nothing", **entry), *known("any_order", **entry, where=copies, without=uncopied))


def raises_on_empty_groups(script: str, versions: str) -> tuple[Expectation, ...]:
    """Return the deviation of paths that hand empty lists to torch's foreach functions."""
    return known(
        *(FOLLOWS, "any_order"),
        reason="An update raises RuntimeError if no parameter of a group has a gradient: torch's foreach functions take "
        "no empty lists.",
        evidence=f"By hand: of two groups, give the parameters of one a gradient, and step; {script}",
        versions=versions,
        outcome="crash",
        where=_idles,
        without=Training.completed,
    )


def steps_of_groups(script: str, versions: str, *decay: str) -> tuple[Expectation, ...]:
    """Return the deviation of optimizers that count the updates of groups; what else the formula has may be 0."""
    values = {"learning_rate": 1.0, "beta1": 0.0, "beta2": 0.9375, "eps": 2.0**-10, **dict.fromkeys(decay, 0.0)}
    one = np.ones(1)
    late = Training((one, one), (Group((0, 1), values),), (*[Step((None, one))] * 4, Step((one, one))))
    entry: dict[str, Any] = {
        "reason": "Updates are counted for a group, also those in which a parameter has no gradient: when it has one again, "
        "its averages are corrected as if they were older.",
        "evidence": "By hand: let a parameter have a gradient of 1 in the second update alone; torch.optim.Adam moves it "
        f"by the learning rate; {script}",
        "versions": versions,
    }
    # The claim about missing gradients takes them away from the inputs that it is given.
    return (
        *known("missing_gradient_is_no_step", **entry, where=updates_with("beta1", "beta2")),
        *known(FOLLOWS, "any_order", **entry, where=_returns, without=Training.completed, inputs={"training": late}),
    )


def writes_gradients(
    reason: str, script: str, versions: str, where: Callable[[Training], bool] | None = None
) -> tuple[Expectation, ...]:
    """Return the deviation of optimizers that compute in the memory of the gradients."""
    return known(
        "gradients_are_kept",
        reason=reason,
        evidence=f"By hand: compare p.grad before and after step(); {script}",
        versions=versions,
        where=where,
    )


def views_memory(script: str, versions: str) -> tuple[Expectation, ...]:
    """Return the deviation of optimizers that look at parameters and gradients as at rows of memory."""
    return known(
        FOLLOWS,
        reason="A parameter or gradient of several dimensions whose elements do not lie one after another in memory raises "
        "RuntimeError: it is viewed as one row.",
        evidence=f"By hand: step Parameter(torch.ones(2, 3).t()); {script}",
        versions=versions,
        outcome="crash",
        where=_has_scattered,
    )


def _has_scattered(training: Training) -> bool:
    """Whether the elements of a parameter that is updated, or of its gradient, lie in no row."""
    return any(
        grad is not None and (_is_scattered(param) or _is_scattered(grad))
        for step in training.steps
        for param, grad in zip(training.params, step.grads, strict=True)
    )


def _is_scattered(array: Floats) -> bool:
    axes = [(length, stride) for length, stride in zip(array.shape, array.strides, strict=True) if length > 1]
    if not array.size or any(stride <= 0 for _, stride in axes):
        return False  # torch is given such arrays in order
    return any(outer != length * inner for (_, outer), (length, inner) in pairwise(axes))


def _with_groups(training: Training) -> Iterator[tuple[Step, tuple[Group, ...]]]:
    """Yield each update with the groups that are there by then."""
    count = len(training.groups) - len(training.late_groups)
    for step in training.steps:
        count += step.events.count("add_group")
        yield step, training.groups[:count]


def _idles(training: Training) -> bool:
    """Whether no parameter of a group has a gradient in an update."""
    return any(
        all(step.grads[tensor] is None for tensor in group.tensors)
        for step, groups in _with_groups(training)
        for group in groups
    )


def _returns(training: Training) -> bool:
    """Whether a parameter takes an update, in which a beta is not 0, after one that it missed."""
    missed: set[int] = set()
    for (step, groups), row in zip(_with_groups(training), training.hyperparameters(), strict=True):
        tensors = {tensor for group in groups for tensor in group.tensors}
        corrected = {tensor for tensor in missed if row[tensor]["beta1"] or row[tensor]["beta2"]}
        if any(step.grads[tensor] is not None for tensor in corrected):
            return True
        missed |= {tensor for tensor in tensors if step.grads[tensor] is None}
    return False
