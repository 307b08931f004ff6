"""HeavyBall: its momentum, each operation as it is, without a compiler.

Its other optimizers are no formulas of the catalogue. `AdamW`, `RMSprop` and what is built on them replace the root of the
second moment by epsilon where it is smaller (the relative that `identify` calls ``eps_maximum``) and fold the corrections into
the averages they keep, so that coefficients may not change on the way; `RMSprop` corrects its average besides. The rest
precondition, average their own iterates or follow curvature. In bfloat16 all of them round by chance on purpose, which no
two runs repeat. Compiled steps, error correction, gradient clipping and ``caution`` are not judged either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.concerns import copies, finer_than_single, loads, uncopied, unloaded
from conformance.backends.torch_addons import environment
from conformance.backends.torch_optimizers import OptimizerFactory
from conformance.records import FOLLOWS
from properties.cases import Event, Step, Training
from properties.subject import Group

__all__ = ["backend"]

DTYPES = ("float64", "float32", "float16")
RATE = {"learning_rate": "lr"}
VERSIONS = "3.2.1"


def _sgd(params: Any, **keywords: Any) -> Any:
    """Make it without the compiler, which `compile_step` does not keep from single operations."""
    import heavyball

    heavyball.utils.compile_mode = None
    return heavyball.SGD(params, compile_step=False, **keywords)


# -- What is known ---------------------------------------------------------------------------------------------------


COPY = Expectation(
    property="copying_changes_nothing",
    dtypes=DTYPES,
    reason="A deep copy of an optimizer cannot step: it lacks the attribute ``use_ema``, which is not part of what is "
    "copied, and raises AttributeError.",
    evidence="reports/findings/heavyball_copy.py",
    versions=VERSIONS,
    outcome="crash",
    where=copies,
)
CONSUMED = Expectation(
    property="gradients_are_kept",
    dtypes=DTYPES,
    reason="A step takes the gradients away, as ``consume_grad`` says that it does unless it is False.",
    evidence="By hand: after heavyball.SGD([p], compile_step=False).step(), p.grad is None.",
    versions=VERSIONS,
)
SINGLE = Expectation(
    property=FOLLOWS,
    dtypes=("float64",),
    reason="The learning rate, times the number of the step and over it unless it warms up, becomes a tensor of float32, also "
    "where parameters and storage_dtype are float64; and so it changes from step to step.",
    evidence="reports/findings/heavyball_single.py",
    versions=VERSIONS,
    where=finer_than_single,
)
#: In the fifth step 0.03 is another number of float32 than in the first.
_FIVE = Training(
    (np.zeros(1),),
    (Group((0,), {"learning_rate": 0.5}),),
    (*[Step((np.ones(1),))] * 4, Step((np.ones(1),), {0: {"learning_rate": 0.03}})),
)
REORDERED = replace(SINGLE, property="order_of_steps", inputs={"training": _FIVE})


def _loaded(event: Event) -> Training:
    """Return updates whose second leaves a momentum that float16 has not, loaded before the third."""
    group = Group((0,), {"learning_rate": 1.0, "momentum": 0.75})
    first, second, third = (np.full(1, grad) for grad in (1.0, 0.39990234375, 0.0))
    return Training((np.zeros(1),), (group,), (Step((first,)), Step((second,)), Step((third,), events=(event,))))


LOADED = tuple(
    Expectation(
        property=name,
        dtypes=("float16",),
        reason="The momentum of parameters in float16 is kept in float32, and becomes float16 when a state is loaded: "
        "torch.optim.Optimizer loads all but steps in the dtype of the parameter.",
        evidence="reports/findings/heavyball_loaded_half.py",
        versions=VERSIONS,
        where=loads,
        without=unloaded if name == "any_order" else None,
        inputs={"training": _loaded("rewound" if name == "rewinding_changes_nothing" else "resumed")},
    )
    for name in ("resuming_changes_nothing", "rewinding_changes_nothing", "any_order")
)
KNOWN = (COPY, replace(COPY, property="any_order", without=uncopied), CONSUMED)


def _single(*properties: str) -> tuple[Expectation, ...]:
    return tuple(
        replace(SINGLE, property=name) for name in (FOLLOWS, "late_group_starts_anew", "any_order", *properties)
    )


def _implementations() -> Iterator[Implementation]:
    # Momentum is kept in float32 unless it is asked for otherwise.
    for label, dtypes, storage in (("", ("float32", "float16"), "float32"), (":float64", ("float64",), "float64")):
        for formula, spellings, constants, expected in (
            ("gd", RATE, {"beta": 0.0}, (*_single("sum_of_steps"), REORDERED)),
            (
                "momentum_heavy_ball",
                {**RATE, "momentum": "beta"},
                {},
                (*LOADED, *_single("constant_gradient", "unrolled_weights")),
            ),
            ("sgd_l2", {**RATE, "l2_penalty": "weight_decay"}, {"beta": 0.0}, _single("decay_law", "decoupling")),
        ):
            yield Implementation(
                formula,
                f"heavyball.SGD{label}",
                OptimizerFactory(_sgd, spellings, {"storage_dtype": storage, **constants}),
                dtypes,
                capabilities=("compiled steps", "error correction", "clipping", "caution"),
                expected=(*KNOWN, *expected),
            )


def backend() -> Backend:
    """Describe the installed HeavyBall.

    Returns
    -------
    Backend
        Gradient descent, with momentum and with decay.
    """
    from importlib.metadata import version

    return Backend("heavyball", version("heavyball"), tuple(_implementations()), environment)
