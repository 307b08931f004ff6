"""MLX on the CPU: its optimizers, clipping, schedules, activations, losses, norms and gradients.

Not judged, because they are no formula of the catalogue: Adam and AdamW as they come, without bias correction; Adamax,
AdaDelta, Adafactor and Muon; and SGD with a dampening of its own, for MLX dampens the first gradient too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from numpy import array

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.concerns import finer_than_single
from conformance.backends.mlx_arrays import DTYPES
from conformance.backends.mlx_functions import (
    FUNCTIONS,
    ArrayFunction,
    DropoutFactory,
    ScheduleFactory,
    cosine,
    warmup_and_decay,
)
from conformance.backends.mlx_optimizers import OptimizerFactory
from conformance.records import FOLLOWS
from properties.cases import Call

__all__ = ["backend"]

BETAS = {"beta1": "betas[0]", "beta2": "betas[1]"}


def _in_single(
    reason: str,
    finding: str,
    *properties: str,
    where: Callable[[Any], bool] | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(
            property=name,
            dtypes=("float64",),
            reason=reason,
            evidence=f"By hand: reports/findings/mlx_float64_{finding}.py.",
            versions="0.32.4",
            where=where,
            inputs=inputs,
        )
        for name in properties
    )


_RATE = _in_single(
    "A learning rate that is a Python float is kept in float32, whatever the dtype of the parameters.",
    "learning_rate",
    FOLLOWS,
    "sum_of_steps",
    "any_order",
    where=finer_than_single,
)
_CORRECTION = _in_single(
    "Bias corrections are computed in float32: a float to the power of the count of steps, a whole number, is float32.",
    "bias_correction",
    *(FOLLOWS, "bias_correction", "first_step_ignores_betas", "step_bound_attained", "lone_gradient", "any_order"),
)
_CURVES = "On the CPU exp, erf, sin and cos of float64 arrays, and all that is made of them, are computed in float32."
_NORMS = "On the CPU the fast norms compute in float32 whatever the dtype is."

#: Samples whose sums are rounded otherwise in float32 when their order is reversed, as others' need not be.
_PERMUTED: Mapping[str, Mapping[str, Any]] = {
    "layer_norm": {
        "call": Call((array([[1.0, 0.01, 0.5]]), array([1.0, 0.0, 0.0]), array([0.0, 0.0, 0.0])), {"eps": 1e-4})
    },
    "rms_norm": {"call": Call((array([[0.004, 0.001, 0.5]]), array([0.0, 1.0, 0.0])), {"eps": 2.7e-6})},
}

#: Known deviations of functions by formula.
_EXPECTED: Mapping[str, tuple[Expectation, ...]] = {
    **dict.fromkeys(
        (
            *(
                "sigmoid",
                "gelu",
                "gelu_sigmoid",
                "silu",
                "softmax",
                "lstm_cell",
                "lstm_hidden",
                "glu",
                "geglu",
                "swiglu",
            ),
            *("bce_with_logits", "sigmoid_vjp", "softmax_vjp"),
            *("bce_with_logits_gradient", "loss_cross_entropy_gradient"),
        ),
        _in_single(_CURVES, "exp", FOLLOWS),
    ),
    "loss_cross_entropy": _in_single(_CURVES, "exp", FOLLOWS, "two_classes"),
    "layer_norm": (
        *_in_single(_NORMS, "norms", FOLLOWS, "mean_is_the_shift", "second_moment", "shift_invariance"),
        *_in_single(_NORMS, "norms", "permuted_rows", inputs=_PERMUTED["layer_norm"]),
    ),
    "rms_norm": (
        *_in_single(_NORMS, "norms", FOLLOWS, "second_moment", "direction_of_a_sample"),
        *_in_single(_NORMS, "norms", "permuted_rows", inputs=_PERMUTED["rms_norm"]),
    ),
}


def _optimizers() -> Iterator[Implementation]:
    from mlx import optimizers

    rate, eps = {"learning_rate": "learning_rate"}, {"eps": "eps"}
    heavy, velocity = {**rate, "momentum": "momentum"}, {"momentum_buffer": "v"}
    decay, averages = {"weight_decay": "weight_decay"}, {"exp_avg": "m", "exp_avg_sq": "v"}
    pair, corrected = {"betas": (0.9, 0.999)}, {"betas": (0.9, 0.999), "bias_correction": True}
    adam = {**rate, **BETAS, **eps}
    sgd = optimizers.SGD
    for formula, label, constructor, spellings, exposed, constants in (
        ("gd", "SGD", sgd, rate, {}, {}),
        ("momentum_heavy_ball", "SGD", sgd, heavy, velocity, {}),
        ("momentum_nesterov", "SGD:nesterov", sgd, heavy, velocity, {"nesterov": True}),
        ("momentum_ema", "SGD:dampening", sgd, {**rate, "momentum": "momentum dampening"}, velocity, {}),
        ("sgd_l2", "SGD", sgd, {**rate, "l2_penalty": "weight_decay"}, {}, {}),
        ("adagrad", "Adagrad", optimizers.Adagrad, {**rate, **eps}, {"sum": "v"}, {}),
        ("rmsprop", "RMSprop", optimizers.RMSprop, {**rate, "alpha": "alpha", **eps}, {"square_avg": "v"}, {}),
        ("adam", "Adam:bias_correction", optimizers.Adam, adam, averages, corrected),
        ("adamw", "AdamW:bias_correction", optimizers.AdamW, {**adam, **decay}, averages, corrected),
        ("lion", "Lion", optimizers.Lion, {**rate, **BETAS, **decay}, {"exp_avg": "m"}, pair),
    ):
        counts = "bias_correction" in constants
        yield Implementation(
            formula,
            f"mlx.optimizers.{label}",
            OptimizerFactory(constructor, spellings, constants, exposed),
            DTYPES,
            state=tuple(exposed),
            expected=_CORRECTION if counts else (),
            missing_gradients=not counts,  # steps are counted for all parameters together
            capabilities=("schedules", "compiled steps"),
        )
    plain = OptimizerFactory(sgd, rate, plain_rate=True)
    yield Implementation("gd", "mlx.optimizers.SGD:float", plain, ("float64",), expected=_RATE)


def _functions() -> Iterator[Implementation]:
    for formula, label, call in FUNCTIONS:
        yield Implementation(formula, label, ArrayFunction(call), DTYPES, expected=_EXPECTED.get(formula, ()))
    yield Implementation("dropout_inverted", "mlx.nn.Dropout", DropoutFactory(), DTYPES)


def _schedules() -> Iterator[Implementation]:
    for formula, label, constructor in (
        ("schedule_cosine_to_10pct", "mlx.optimizers.cosine_decay", cosine),
        ("schedule_linear_decay_warmup", "mlx.optimizers.join_schedules:linear_schedule", warmup_and_decay),
    ):
        yield Implementation(formula, label, ScheduleFactory(constructor), ("float32",))


def backend() -> Backend:
    """Describe the installed MLX.

    Returns
    -------
    Backend
        Optimizers, clipping, schedules, functions and gradients, all on the CPU.
    """
    import mlx.core as mx

    return Backend("mlx", mx.__version__, (*_optimizers(), *_functions(), *_schedules()))
