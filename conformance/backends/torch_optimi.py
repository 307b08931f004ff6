"""torch-optimi: SGD, Adam, AdamW and Lion, one parameter after another and by ``foreach``, on the CPU.

Not judged, for the catalogue has no such rule: Adan, RAdam, Ranger and StableAdamW; ``torch_init`` without its decay;
momentum beside a decay; fully decoupled decay, whose strength is the learning rate over the highest one, by which it
divides, also by 0; Kahan summation, which keeps a part of the parameters where nothing shows it. Gradient release is
another loop, and the Triton kernels need a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from conformance.backends import Backend, Implementation
from conformance.backends.concerns import updates_with
from conformance.backends.torch_addons import (
    ADAM,
    DECAY,
    L2,
    LION,
    MOMENTUM,
    RATE,
    addon,
    environment,
    known,
    raises_on_empty_groups,
    steps_of_groups,
    writes_gradients,
)
from conformance.records import FOLLOWS
from properties.cases import Training

__all__ = ["backend"]

PATHS: Mapping[str, Mapping[str, bool]] = {"loop": {"foreach": False}, "foreach": {"foreach": True}}
SEEN = "0.3.3"


def _decays_to_zero(training: Training) -> bool:
    """Whether a parameter that is not 0, or has moved, takes an update whose learning rate times decay is 1."""
    moved = {tensor for tensor, param in enumerate(training.params) if np.any(param)}
    for step, rates in zip(training.steps, training.hyperparameters(), strict=True):
        for tensor, (grad, values) in enumerate(zip(step.grads, rates, strict=True)):
            decay = values.get("weight_decay", values.get("l2_penalty", 0.0))
            if tensor in moved and grad is not None and values["learning_rate"] * decay == 1.0:
                return True
            if grad is not None and np.any(grad):
                moved.add(tensor)
    return False


TO_ZERO = known(
    *(FOLLOWS, "decay_law", "decoupling", "one_length", "any_order"),
    reason="A parameter that decays to zero does not decay: where lr * weight_decay is 1, the factor 1 - lr * weight_decay "
    "is 0, and is then taken for a decay of 0.",
    evidence="By hand: optimi.AdamW([p], lr=1.0, weight_decay=1.0) with a gradient of 0 leaves p as it is; with "
    "weight_decay=0.999 it makes 0.001 of 1; reports/findings/torch_optimi_decay_to_zero.py",
    versions=SEEN,
    where=_decays_to_zero,
)
EMPTY = raises_on_empty_groups("reports/findings/torch_optimi_foreach_empty_group.py", SEEN)
COUNTED = {
    formula: steps_of_groups("reports/findings/torch_optimi_steps_of_groups.py", SEEN, *decay)
    for formula, decay in (("adam", ()), ("adam_l2", ("l2_penalty",)), ("adamw", ("weight_decay",)))
}
WRITTEN = "reports/findings/torch_optimi_gradients.py"
PENALTY = writes_gradients(
    "The penalty is added to the gradients where they are kept.", WRITTEN, SEEN, updates_with("l2_penalty")
)
ROOTS = writes_gradients("By foreach, the denominators are computed in the memory of the gradients.", WRITTEN, SEEN)


def _implementations() -> Iterator[Implementation]:
    import optimi

    sgd, adam = optimi.SGD, optimi.Adam
    adamw: dict[str, Any] = {**ADAM, **DECAY}
    for formula, label, constructor, spellings, exposed, expected, constants in (
        ("gd", "SGD", sgd, RATE, (), (), {}),
        ("momentum_heavy_ball", "SGD", sgd, MOMENTUM, (), (), {}),
        ("momentum_ema", "SGD:dampening", sgd, MOMENTUM, (), (), {"dampening": True}),
        ("sgd_l2", "SGD", sgd, {**RATE, **L2}, (), PENALTY, {}),
        ("sgd_l2", "SGD:decouple_wd", sgd, {**RATE, **L2}, (), TO_ZERO, {"decouple_wd": True}),
        ("adam", "Adam", adam, ADAM, (), COUNTED["adam"], {}),
        ("adam_l2", "Adam", adam, {**ADAM, **L2}, (), (*COUNTED["adam_l2"], *PENALTY), {}),
        ("adamw", "AdamW", optimi.AdamW, adamw, (), (*COUNTED["adamw"], *TO_ZERO), {}),
        ("lion", "Lion", optimi.Lion, LION, ("exp_avg",), TO_ZERO, {}),
    ):
        for path, flags in PATHS.items():
            by_foreach = (*EMPTY, *(ROOTS if formula.startswith("adam") else ()))
            yield addon(
                *(formula, f"optimi.{label}:{path}", constructor, spellings, exposed),
                (*(by_foreach if path == "foreach" else ()), *expected),
                {"kahan_sum": False, "triton": False, **flags, **constants},
            )


def backend() -> Backend:
    """Describe the installed torch-optimi.

    Returns
    -------
    Backend
        One implementation for each formula, option and path.
    """
    from importlib.metadata import version

    return Backend("torch-optimi", version("torch-optimi"), tuple(_implementations()), environment)
