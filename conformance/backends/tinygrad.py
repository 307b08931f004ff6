"""Tinygrad on the CPU, by compiled code: its optimizers, clipping, activations, losses, norms and gradients.

Parameters of float64 are judged as in programs whose environment says ``DEFAULT_FLOAT=float64`` and ``OPTIM_DTYPE=float64``,
and as they come (``:default``). A parameter without axes is given one, but for fused optimizers (``:fused``), which need
none, and where it is shown that the others do (``:scalars``); copies are judged where they alone are (``:copies``). An update
takes milliseconds, most of which are Python's: of the optimizers, one is judged in half types, and one fused.

Not judged, because they are no formula of the catalogue: LARS, LAMB and Muon; and ``SGD`` with ``classic``, which keeps the
learning rate within the velocity. Nor are steps that ``TinyJit`` has recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.tinygrad_functions import FUNCTIONS, DropoutFactory, Norm, TensorFunction
from conformance.backends.tinygrad_optimizers import OptimizerFactory
from conformance.backends.tinygrad_tensors import DTYPES, compiler, environment
from conformance.records import FOLLOWS
from properties.cases import Call, Training
from properties.catalogue import claims_for

__all__ = ["backend"]

VERSIONS = "0.14.0"

Known = tuple[Expectation, ...]


# -- What is known ---------------------------------------------------------------------------------------------------


def _known(reason: str, script: str, *properties: str, dtypes: tuple[str, ...] = ("float64",)) -> Known:
    evidence = f"By hand: reports/findings/tinygrad_{script}.py."
    return tuple(Expectation(name, dtypes, reason, evidence, VERSIONS) for name in properties)


def _narrowed(known: Known, **fields: Any) -> Known:
    return tuple(replace(entry, **fields) for entry in known)


def _copies(training: Training) -> bool:
    return bool(training.demands & {"copied", "pickled"})


def _has_scalars(training: Training) -> bool:
    return any(param.ndim == 0 for param in training.params)


def _finer_than_single(training: Training) -> bool:
    """Whether a learning rate is no number of float32."""
    rates = {entry["learning_rate"] for row in training.hyperparameters() for entry in row}
    return any(float(np.float32(rate)) != rate for rate in rates)


def _of_one_sample(call: Call) -> bool:
    return len(call.arrays[0]) == 1


def _small_cell(call: Call) -> bool:
    """Whether a long short-term memory is to remember a number of which the hyperbolic tangent is taken inexactly."""
    cell = np.abs(call.arrays[2])
    return bool(np.any((cell > 0) & (cell < 0.25)))


COPIES = _narrowed(
    _known(
        "A deep copy of a tensor, or a pickled one, shares its numbers with the original, and is updated anew whenever "
        "it is read.",
        "copies",
        *("copying_changes_nothing", "any_order"),
        dtypes=("float32",),
    ),
    where=_copies,
)
CORRECTION = _known(
    "The powers of the coefficients, of which the bias corrections are made, are kept in float32.",
    "bias_correction_in_single",
    *(FOLLOWS, "bias_correction", "first_step_ignores_betas", "step_bound_attained", "lone_gradient"),
    *("late_group_starts_anew", "any_order"),
)
AVERAGES_IN_SINGLE = _known(
    "Averages are float32 unless OPTIM_DTYPE says otherwise, and so is what is computed with them, eps included.",
    "averages_in_single",
    *(entry.property for entry in CORRECTION),
)
RATE_IN_SINGLE = _narrowed(
    _known(
        "A learning rate is kept in float32 unless DEFAULT_FLOAT says otherwise, also that of float64 parameters.",
        "learning_rate_in_single",
        *(FOLLOWS, "sum_of_steps", "late_group_starts_anew", "any_order"),
    ),
    where=_finer_than_single,
)
#: Of a momentum that is always the same, no copies, and gradients of all parameters.
_NOT_ASKED = ("unrolled_weights", "missing_gradient_is_no_step", "copying_changes_nothing")
MOMENTUM = _narrowed(
    _known(
        "SGD cannot write a velocity of float64 parameters where it keeps it: in float32, unless OPTIM_DTYPE says otherwise.",
        "momentum_of_float64",
        *(claim.name for claim in claims_for("momentum_heavy_ball") if claim.name not in _NOT_ASKED),
    ),
    outcome="crash",
)
SCALARS = _narrowed(
    _known(
        "A parameter without axes cannot take an update, which has the axis that the learning rate has.",
        "scalars",
        FOLLOWS,
        dtypes=("float32",),
    ),
    outcome="crash",
    where=_has_scalars,
)
_ERF = _known("erf is an approximation of which seven digits are right.", "erf", FOLLOWS)
_NORM = "RMSNorm computes in float32, whatever the dtypes are."
#: A sample whose sum of squares is rounded otherwise in float32 when its order is reversed, as others' need not be.
_PERMUTED = Call((np.array([[0.004, 0.001, 0.5]]), np.array([0.0, 1.0, 0.0])), {"eps": 2.7e-6})
_RMS = (
    *_known(_NORM, "rms_norm_in_single", FOLLOWS, "second_moment", "direction_of_a_sample"),
    *_narrowed(_known(_NORM, "rms_norm_in_single", "permuted_rows"), inputs={"call": _PERMUTED}),
)
_ONE_SAMPLE = _narrowed(
    _known(
        "Running variances are corrected by the number of samples less one: one sample raises ZeroDivisionError.",
        "batch_of_one",
        *(FOLLOWS, "constants_become_the_shift"),
        dtypes=DTYPES,
    ),
    outcome="crash",
    where=_of_one_sample,
)
_STATISTICS = _narrowed(
    _known(
        "BatchNorm cannot write statistics of float64 where it keeps them: in float32, unless DEFAULT_FLOAT says otherwise.",
        "batch_norm_of_float64",
        *(claim.name for claim in claims_for("batch_norm")),
    ),
    outcome="crash",
)
_ZEROS = np.zeros((4, 1, 1))
_TANH = _narrowed(
    _known(
        "tanh is made of the sigmoid function, twice of which it is one less: of small numbers all digits get lost.",
        "tanh",
        "nothing_learned",
        dtypes=DTYPES,
    ),
    where=_small_cell,
    inputs={"call": Call((*[np.zeros((1, 1))] * 2, np.full((1, 1), 0.001), _ZEROS, _ZEROS, np.zeros((4, 1))), {})},
)

#: Known deviations of functions by formula and label.
_EXPECTED: Mapping[tuple[str, str], Known] = {
    ("gelu", "Tensor.gelu:none"): _ERF,
    ("geglu", "Tensor.gelu:none:gate"): _ERF,
    ("rms_norm", "nn.RMSNorm"): _RMS,
    ("lstm_hidden", "nn.LSTMCell"): _TANH,
    ("batch_norm", "nn.BatchNorm"): _ONE_SAMPLE,
}


# -- What is judged --------------------------------------------------------------------------------------------------

RATE = {"learning_rate": "lr"}
HEAVY, VELOCITY = {**RATE, "momentum": "momentum"}, {"momentum_buffer": "b"}
ADAM, AVERAGES = {**RATE, "beta1": "b1", "beta2": "b2", "eps": "eps"}, {"exp_avg": "m", "exp_avg_sq": "v"}


def _optimizers() -> Iterator[Implementation]:
    from tinygrad.nn import optim

    wide, decayed = ("float64", "float32"), {**ADAM, "weight_decay": "weight_decay"}
    for formula, constructor, spellings, exposed, constants, dtypes in (
        ("gd", optim.SGD, RATE, {}, {}, wide),
        ("sgd_l2", optim.SGD, {**RATE, "l2_penalty": "weight_decay"}, {}, {}, wide),
        ("momentum_heavy_ball", optim.SGD, HEAVY, VELOCITY, {}, wide),
        ("momentum_nesterov", optim.SGD, HEAVY, VELOCITY, {"nesterov": True}, DTYPES),
        ("momentum_nesterov", optim.SGD, HEAVY, {}, {"nesterov": True, "fused": True}, ("float32",)),
        ("adam", optim.Adam, ADAM, AVERAGES, {}, wide),
        ("adamw", optim.AdamW, decayed, AVERAGES, {}, wide),
    ):
        factory = OptimizerFactory(constructor, spellings, constants, exposed, scalars="fused" in constants)
        yield _optimizer(formula, factory, ":".join(constants), dtypes, CORRECTION if "eps" in spellings else ())
    for formula, constructor, spellings, fixed, expected in (
        ("gd", optim.SGD, RATE, {}, RATE_IN_SINGLE),
        ("momentum_heavy_ball", optim.SGD, RATE, {"momentum": 0.5}, MOMENTUM),
        ("adam", optim.Adam, ADAM, {}, AVERAGES_IN_SINGLE),
    ):
        as_it_comes = OptimizerFactory(constructor, spellings, fixed, as_it_comes=True)
        yield replace(_optimizer(formula, as_it_comes, "default", ("float64",), expected), fixed=fixed)
    yield _optimizer("gd", OptimizerFactory(optim.SGD, RATE, scalars=True), "scalars", ("float32",), SCALARS)
    yield _optimizer("gd", OptimizerFactory(optim.SGD, RATE, copies=True), "copies", ("float32",), COPIES)


def _optimizer(
    formula: str, factory: OptimizerFactory, path: str, dtypes: tuple[str, ...], expected: Known
) -> Implementation:
    return Implementation(
        formula,
        f"tinygrad.nn.optim.{factory.constructor.__name__}:{path}".removesuffix(":"),
        factory,
        dtypes,
        state=tuple(factory.exposed),
        capabilities=("recorded steps",),
        expected=expected,
        missing_gradients=False,  # an update reads the gradients of all parameters
    )


def _functions() -> Iterator[Implementation]:
    for formula, label, call in FUNCTIONS:
        yield Implementation(
            formula,
            f"tinygrad.{label}",
            TensorFunction(call),
            DTYPES,
            expected=_EXPECTED.get((formula, label), ()),
        )
    default = TensorFunction(Norm("BatchNorm"), default="float32")
    yield Implementation("batch_norm", "tinygrad.nn.BatchNorm:default", default, ("float64",), expected=_STATISTICS)
    yield Implementation("dropout_inverted", "tinygrad.Tensor.dropout", DropoutFactory(), DTYPES)


def _unclaimed() -> Iterator[Implementation]:
    """Optimizers and options that are no formula of the catalogue."""
    from tinygrad.nn import optim

    decay = {"weight_decay": "weight_decay"}
    for constructor, spellings, exposed, constants in (
        (optim.SGD, HEAVY, VELOCITY, {"classic": True}),
        (optim.SGD, HEAVY, VELOCITY, {"classic": True, "nesterov": True}),
        (optim.LARS, {**HEAVY, **decay}, VELOCITY, {}),
        (optim.LAMB, {**ADAM, **decay}, AVERAGES, {}),
    ):
        label = ":".join((f"tinygrad.nn.optim.{constructor.__name__}", *constants))
        factory = OptimizerFactory(constructor, spellings, constants, exposed)
        yield Implementation("", label, factory, DTYPES, missing_gradients=False)


def backend() -> Backend:
    """Describe the installed tinygrad.

    Returns
    -------
    Backend
        Optimizers, clipping, activations, losses, norms and gradients.

    Raises
    ------
    UsageError
        If there is no compiler for the CPU.
    """
    compiler()
    judged = (*_optimizers(), *_functions())
    return Backend("tinygrad", version("tinygrad"), judged, environment, tuple(_unclaimed()))
