"""bitsandbytes: its optimizers with 32-bit state, on the CPU.

Not judged: 8-bit state (`AdamW8bit` and its like), whose rounding to blocks of 256 codes no bound here describes; paged
optimizers, which need CUDA; `LAMB`, `LARS` and `AdEMAMix`, which are no formulas of the catalogue; and parameters in
float64, which every update rounds to float32 without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.concerns import copies, uncopied, updates_with
from conformance.backends.torch_addons import environment
from conformance.backends.torch_optimizers import OptimizerFactory
from conformance.records import FOLLOWS
from properties.cases import Training
from properties.optimizers.common import mapped
from properties.subject import Rejected

__all__ = ["backend"]

DTYPES = ("float32", "bfloat16", "float16")
RATE = {"learning_rate": "lr"}
ADAM = {**RATE, "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps"}
DECAYED = {"weight_decay": "weight_decay"}
VERSIONS = "0.50.2"


# -- Constructors: functions of a module each, so that an implementation can go to another process -------------------


def _sgd(params: Any, **keywords: Any) -> Any:
    """Make it, or tell that it refuses: it is momentum or nothing, and says so by an error of its own."""
    import bitsandbytes

    try:
        return bitsandbytes.optim.SGD(params, **keywords)
    except NotImplementedError as refusal:
        raise Rejected(f"NotImplementedError: {refusal}") from refusal


def _sgd_by_betas(params: Any, betas: tuple[float, float], **keywords: Any) -> Any:
    return _sgd(params, momentum=betas[0], **keywords)


def _rmsprop_by_betas(params: Any, betas: tuple[float, float], **keywords: Any) -> Any:
    import bitsandbytes

    return bitsandbytes.optim.RMSprop(params, alpha=betas[0], **keywords)


# -- What is known ---------------------------------------------------------------------------------------------------


def _varies(name: str, training: Training) -> bool:
    """Whether groups or steps have different values."""
    return len({values[name] for row in training.hyperparameters() for values in row}) > 1


def _settled(name: str, training: Training) -> Training:
    """Return the program in which all groups and steps have the value that the first one begins with."""
    value = training.groups[0].hyperparameters[name]
    return mapped(training, values=lambda table: {**table, name: value} if name in table else table)


COPY = Expectation(
    property="copying_changes_nothing",
    dtypes=DTYPES,
    reason="A deep copy of an optimizer cannot step: it lacks the attribute ``initialized``, which is not part of what "
    "is copied, and raises AttributeError.",
    evidence="reports/findings/bitsandbytes_copy.py",
    versions=VERSIONS,
    outcome="crash",
    where=copies,
)
COPIES = (COPY, replace(COPY, property="any_order", without=uncopied))
IGNORED = Expectation(
    property=FOLLOWS,
    dtypes=DTYPES,
    reason="SGD takes ``nesterov`` and ``dampening``, and does nothing with them: the update is that of a heavy ball.",
    evidence="reports/findings/bitsandbytes_ignored.py",
    versions=VERSIONS,
)


def _overlooked(name: str) -> Expectation:
    return Expectation(
        property=FOLLOWS,
        dtypes=DTYPES,
        reason="Groups keep ``momentum`` of SGD and ``alpha`` of RMSprop as ``betas[0]``: a value under the constructor's "
        "name, in a group or set later, is kept there and never looked at.",
        evidence="reports/findings/bitsandbytes_overlooked.py",
        versions=VERSIONS,
        where=partial(_varies, name),
        without=partial(_settled, name),
    )


def _of(known: Expectation, *properties: str) -> tuple[Expectation, ...]:
    return tuple(replace(known, property=name) for name in properties)


def _implementations() -> Iterator[Implementation]:
    from bitsandbytes import optim

    named, held = {**RATE, "momentum": "momentum"}, {**RATE, "momentum": "betas[0]"}
    alpha, heavy = {**RATE, "alpha": "alpha", "eps": "eps"}, "momentum_heavy_ball"
    weighted = (FOLLOWS, "unrolled_weights", "late_group_starts_anew", "any_order")
    velocity = (*weighted, "constant_gradient")
    advanced = _of(replace(IGNORED, where=updates_with("momentum")), *velocity)
    dampened = _of(replace(IGNORED, where=updates_with("dampening")), *velocity)
    of_momentum = _of(_overlooked("momentum"), *weighted)
    of_alpha = _of(_overlooked("alpha"), FOLLOWS, "late_group_starts_anew", "any_order")
    for formula, label, constructor, spellings, constants, expected in (
        (heavy, "SGD", _sgd, named, {}, of_momentum),
        (heavy, "SGD:betas", _sgd_by_betas, held, {}, ()),
        ("momentum_nesterov", "SGD:betas", _sgd_by_betas, held, {"nesterov": True}, advanced),
        ("momentum_torch_dampening", "SGD:betas", _sgd_by_betas, {**held, "dampening": "dampening"}, {}, dampened),
        ("adagrad", "Adagrad", optim.Adagrad, {**RATE, "eps": "eps"}, {}, ()),
        ("rmsprop", "RMSprop", optim.RMSprop, alpha, {}, of_alpha),
        ("rmsprop", "RMSprop:betas", _rmsprop_by_betas, {**alpha, "alpha": "betas[0]"}, {}, ()),
        ("adam", "Adam", optim.Adam, ADAM, {}, ()),
        ("adamw", "Adam", optim.Adam, {**ADAM, **DECAYED}, {}, ()),
        ("adamw", "AdamW", optim.AdamW, {**ADAM, **DECAYED}, {}, ()),
        ("lion", "Lion", optim.Lion, {**RATE, "beta1": "betas[0]", "beta2": "betas[1]", **DECAYED}, {}, ()),
    ):
        yield Implementation(
            formula,
            f"bitsandbytes.optim.{label}",
            OptimizerFactory(constructor, spellings, constants),
            DTYPES,
            capabilities=("8-bit state", "percentile clipping", "limits of the update's norm", "CUDA"),
            expected=(*COPIES, *expected),
        )


def backend() -> Backend:
    """Describe the installed bitsandbytes.

    Returns
    -------
    Backend
        Optimizers with 32-bit state.
    """
    import bitsandbytes

    return Backend("bitsandbytes", bitsandbytes.__version__, tuple(_implementations()), environment)
