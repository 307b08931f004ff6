"""Keras: its optimizers, activations, losses and norms, on the backend that ``KERAS_BACKEND`` names.

Not judged: deep copies of optimizers, which begin anew. Keras copies by writing a file and reading it, which skips the
state, with a warning, because the copy has no variables by then; see ``reports/findings/keras_copies.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.keras_arrays import DTYPES, numbers_of, to_floats, to_tensor
from conformance.backends.keras_optimizers import OptimizerFactory
from conformance.backends.named import Named
from conformance.records import FOLLOWS
from properties.cases import Call
from properties.subject import Floats, Function

__all__ = ["backend"]

ADAM = {"learning_rate": "learning_rate", "beta1": "beta_1", "beta2": "beta_2", "eps": "epsilon"}


def _optimizers() -> Iterator[Implementation]:
    from keras import optimizers

    rate = {"learning_rate": "learning_rate"}
    decay = {"weight_decay": "weight_decay"}
    betas = {"beta1": "beta_1", "beta2": "beta_2"}
    # With momentum, SGD keeps the learning rate within the velocity: a new rate acts on new gradients alone, which is
    # no formula of the catalogue.
    for formula, constructor, spellings, constants in (
        ("gd", optimizers.SGD, rate, {}),
        ("adam_eps_hat", optimizers.Adam, ADAM, {}),
        ("adagrad_eps_inside", optimizers.Adagrad, {**rate, "eps": "epsilon"}, {"initial_accumulator_value": 0.0}),
        ("rmsprop_eps_inside", optimizers.RMSprop, {**rate, "alpha": "rho", "eps": "epsilon"}, {}),
        ("lion", optimizers.Lion, {**rate, **betas, **decay}, {}),
    ):
        yield Implementation(
            formula,
            f"keras.optimizers.{constructor.__name__}",
            OptimizerFactory(constructor, spellings, constants),
            DTYPES,
            capabilities=("averages of weights", "gradient accumulation", "loss scaling", "clipping"),
            missing_gradients=False,  # steps are counted for all variables together
        )


def _unclaimed() -> Iterator[Implementation]:
    """Optimizers and options that are no formula of the catalogue."""
    from keras import optimizers

    rate, momentum, decay = (
        {"learning_rate": "learning_rate"},
        {"momentum": "momentum"},
        {"weight_decay": "weight_decay"},
    )
    averages = {**rate, "alpha": "rho", "eps": "epsilon"}
    for constructor, spellings, constants in (
        (optimizers.SGD, {**rate, **momentum}, {}),
        (optimizers.SGD, {**rate, **momentum}, {"nesterov": True}),
        (optimizers.RMSprop, {**averages, **momentum}, {}),
        (optimizers.RMSprop, averages, {"centered": True}),
        (optimizers.Adam, ADAM, {"amsgrad": True}),
        (optimizers.AdamW, {**ADAM, **decay}, {}),
        (optimizers.Nadam, ADAM, {}),
    ):
        label = f"keras.optimizers.{constructor.__name__}"
        yield Implementation("", label, OptimizerFactory(constructor, spellings, constants), DTYPES)


@dataclass(frozen=True, eq=False)
class TensorFunction:
    """Makes functions of Keras' tensors."""

    call: Callable[..., Any]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function for a dtype."""
        del device  # the default of Keras' backend

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            with numbers_of(dtype):
                return to_floats(self.call(*(to_tensor(array, dtype) for array in arrays), **hyperparameters))

        return function


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss of Keras, a class that is called with the target first, and with one column for each sample."""

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)
    columns: bool = True

    def __call__(self, prediction: Any, target: Any) -> Any:
        """Make the loss, and call it."""
        import keras

        loss = getattr(keras.losses, self.name)(**self.keywords)
        return loss(target[:, None], prediction[:, None]) if self.columns else loss(target, prediction)


@dataclass(frozen=True, eq=False)
class Norm:
    """A layer that normalizes, with weights that are given."""

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, x: Any, *weights: Any, eps: float) -> Any:
        """Make the layer, and apply it as in training."""
        import keras

        layer = getattr(keras.layers, self.name)(epsilon=eps, dtype=keras.config.floatx(), **self.keywords)
        layer.build(x.shape)
        for variable, weight in zip(layer.trainable_variables, weights, strict=True):
            variable.assign(weight)
        return layer(x, training=True) if self.name == "BatchNormalization" else layer(x)


def _in_single(*properties: str, inputs: Mapping[str, Any] | None = None) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(
            property=name,
            dtypes=("float64",),
            reason="On every backend but TensorFlow, Keras computes means, and all that is made of them, in float32 whatever "
            "the dtype is: its rules for dtypes make float32 of float64.",
            evidence="reports/findings/keras_means_in_single.py: the mean of [0.1, 0.2] is 0.15000000596046448; "
            'keras.backend.result_type("float64", "float32") is float32.',
            versions="3.15.1",
            inputs=inputs,
        )
        for name in properties
    )


def _divided_in_single(*properties: str, inputs: Mapping[str, Any] | None = None) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(
            property=name,
            dtypes=("float64",),
            reason="On torch, Keras divides the sum of a loss by the number of samples in float32 whatever the dtype is.",
            evidence="reports/findings/keras_torch_losses_in_single.py: keras.ops.divide_no_nan of float64 is float32 on "
            "torch, and float64 on JAX.",
            versions="3.15.1",
            inputs=inputs,
        )
        for name in properties
    )


_MOMENTS = ("mean_is_the_shift", "second_moment", "shift_invariance", "permuted_rows", "zero_gain")

#: Known deviations by label, on whatever Keras runs.
_EXPECTED: Mapping[str, tuple[Expectation, ...]] = {
    "keras.losses.MeanSquaredError": _in_single(FOLLOWS),
    "keras.losses.BinaryCrossentropy": _in_single(FOLLOWS, "undecided_costs_log_two", "gap_is_the_score"),
    "keras.layers.LayerNormalization": _in_single(FOLLOWS, *_MOMENTS, "constants_become_the_shift"),
    "keras.layers.RMSNormalization": _in_single(FOLLOWS, "second_moment", "direction_of_a_sample"),
    "keras.layers.BatchNormalization": _in_single(FOLLOWS, *_MOMENTS, "constants_become_the_shift"),
}

#: A batch far from zero: torch adds up one feature in another order than several, which float32 does not forget.
_COLUMNS = Call(
    (np.arange(256.0).reshape(64, 4) ** 2 % 101.0 + 1000.0, np.ones(4), np.zeros(4)),
    {"eps": 1e-5},
)

#: A draw of two classes costs log 2, which rounds up in float32.
_DRAW = Call((np.zeros((1, 2)), np.zeros(1)), {})

#: Those that torch adds.
_EXPECTED_ON_TORCH: Mapping[str, tuple[Expectation, ...]] = {
    "keras.losses.SparseCategoricalCrossentropy": (
        *_divided_in_single(FOLLOWS, "equal_scores", "two_classes"),
        *_divided_in_single("within_the_margin", inputs={"call": _DRAW}),
    ),
    "keras.layers.BatchNormalization": _in_single("slices_apart", inputs={"call": _COLUMNS}),
}

#: Evaluations by label that torch's moments are: the mean square less the square of the mean.
_EVALUATIONS_ON_TORCH: Mapping[str, str] = {"keras.layers.BatchNormalization": "one_pass"}

#: What is called for a formula, under which label.
_FUNCTIONS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("relu", "keras.activations.relu", Named("keras", "activations.relu")),
    ("sigmoid", "keras.activations.sigmoid", Named("keras", "activations.sigmoid")),
    ("gelu", "keras.activations.gelu:exact", Named("keras", "activations.gelu", {"approximate": False})),
    ("gelu_tanh", "keras.activations.gelu:approximate", Named("keras", "activations.gelu", {"approximate": True})),
    ("silu", "keras.activations.silu", Named("keras", "activations.silu")),
    ("softmax", "keras.activations.softmax", Named("keras", "activations.softmax")),
    ("loss_mse", "keras.losses.MeanSquaredError", Loss("MeanSquaredError", columns=False)),
    ("bce_with_logits", "keras.losses.BinaryCrossentropy", Loss("BinaryCrossentropy", {"from_logits": True})),
    (
        "loss_cross_entropy",
        "keras.losses.SparseCategoricalCrossentropy",
        Loss("SparseCategoricalCrossentropy", {"from_logits": True}, columns=False),
    ),
    ("layer_norm", "keras.layers.LayerNormalization", Norm("LayerNormalization")),
    ("rms_norm", "keras.layers.RMSNormalization", Norm("RMSNormalization")),
    ("batch_norm", "keras.layers.BatchNormalization", Norm("BatchNormalization")),
)


def _functions() -> Iterator[Implementation]:
    import keras

    on_torch = keras.backend.backend() == "torch"
    for formula, label, call in _FUNCTIONS:
        expected = _EXPECTED.get(label, ()) + (_EXPECTED_ON_TORCH.get(label, ()) if on_torch else ())
        evaluation = _EVALUATIONS_ON_TORCH.get(label, "") if on_torch else ""
        yield Implementation(formula, label, TensorFunction(call), DTYPES, expected=expected, evaluation=evaluation)


def _environment() -> dict[str, str]:
    import keras

    return {"keras backend": keras.backend.backend()}


def backend() -> Backend:
    """Describe the installed Keras.

    Returns
    -------
    Backend
        Optimizers, activations, losses and norms.
    """
    import keras

    return Backend("keras", keras.__version__, (*_optimizers(), *_functions()), _environment, tuple(_unclaimed()))
