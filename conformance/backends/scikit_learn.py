"""Scikit-learn: the optimizers, activations and losses that are inside its perceptrons, none of them public.

Not judged, because they are no formula of the catalogue: the optimizer SGD with momentum, which keeps the learning rate
within the velocity; and ``squared_loss``, half of a mean.
"""

from __future__ import annotations

import copy
import importlib
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.records import FOLLOWS
from properties.cases import Call
from properties.subject import Floats, Function, Group, Stepper

__all__ = ["OptimizerFactory", "backend"]

#: What a perceptron keeps its weights in.
DTYPES = ("float64", "float32")


@dataclass(eq=False)
class OptimizerStepper:
    """Optimizers with their parameters, one for each group, which update in place."""

    factory: OptimizerFactory
    optimizers: list[Any]
    groups: tuple[Group, ...]
    parameters: list[Any]

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Update the parameters of each group."""
        for optimizer, group in zip(self.optimizers, self.groups, strict=True):
            given = [np.asarray(grads[tensor], self.parameters[tensor].dtype) for tensor in group.tensors]
            optimizer.update_params([self.parameters[tensor] for tensor in group.tensors], given)

    def params(self) -> list[Floats]:
        """Copies of the parameters."""
        return [np.array(parameter, dtype=np.float64) for parameter in self.parameters]

    def state(self) -> list[Mapping[str, Floats]]:
        """What the optimizers hold of each parameter under the exposed names."""
        entries: list[dict[str, Floats]] = [{} for _ in self.parameters]
        for optimizer, group in zip(self.optimizers, self.groups, strict=True):
            for name, spelling in self.factory.exposed.items():
                for tensor, values in zip(group.tensors, getattr(optimizer, spelling), strict=True):
                    entries[tensor][name] = np.array(values, dtype=np.float64)
        return list(entries)

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Set the optimizer's attributes."""
        for name, value in values.items():
            if name in self.factory.spellings:
                setattr(self.optimizers[group], self.factory.attributes.get(name, self.factory.spellings[name]), value)

    def copied(self) -> Stepper:
        """Copy the optimizers and their parameters together."""
        return OptimizerStepper(self.factory, *copy.deepcopy((self.optimizers, self.groups, self.parameters)))

    def pickled(self) -> Stepper:
        """Pickle the optimizers and their parameters together."""
        optimizers, parameters = pickle.loads(pickle.dumps((self.optimizers, self.parameters)))
        return OptimizerStepper(self.factory, optimizers, self.groups, parameters)


@dataclass(frozen=True, eq=False)
class OptimizerFactory:
    """Makes subjects of one optimizer class.

    Parameters
    ----------
    name : str
        Of the class.
    spellings : mapping of str to str
        The constructor's keyword, and the attribute, by the oracle's name.
    attributes : mapping of str to str
        Attributes that are called otherwise.
    constants : mapping of str to object
        Other keyword arguments.
    exposed : mapping of str to str
        Attributes by the oracle's names for what they hold of each parameter.
    """

    offers: ClassVar[tuple[str, ...]] = ("copied", "pickled")

    name: str
    spellings: Mapping[str, str]
    attributes: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    exposed: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str) -> Stepper:
        """Make an optimizer for each group."""
        from sklearn.neural_network import _stochastic_optimizers

        del device  # the CPU
        constructor = getattr(_stochastic_optimizers, self.name)
        parameters = [np.array(param, dtype=dtype, order="K") for param in params]
        optimizers = [
            constructor(
                [parameters[tensor] for tensor in group.tensors],
                **{
                    self.spellings[name]: value
                    for name, value in group.hyperparameters.items()
                    if name in self.spellings
                },
                **self.constants,
            )
            for group in groups
        ]
        return OptimizerStepper(self, optimizers, tuple(groups), parameters)


@dataclass(frozen=True, eq=False)
class ArrayFunction:
    """Makes functions of numpy's arrays: ``call(*arrays)`` returns one."""

    call: Callable[..., Any]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function for a dtype."""
        del device  # the CPU

        def function(*arrays: Floats, **_: float) -> Floats:
            return np.array(self.call(*(np.array(array, dtype=dtype) for array in arrays)), dtype=np.float64)

        return function


def _rows(array: Any) -> Any:
    """Lay an array out as samples with features, of which alone perceptrons know."""
    return array.reshape(-1, array.shape[-1] if array.ndim else 1)


def _base(name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(importlib.import_module("sklearn.neural_network._base"), name)
    return function


@dataclass(frozen=True, eq=False)
class Activated:
    """What an activation writes over its input."""

    name: str

    def __call__(self, x: Any) -> Any:
        """Call it."""
        rows = _rows(x)
        _base(self.name)(rows)
        return rows.reshape(x.shape)


@dataclass(frozen=True, eq=False)
class PulledBack:
    """What the derivative of an activation, which is given by its results, writes over a cotangent."""

    activation: str

    def __call__(self, x: Any, upstream: Any) -> Any:
        """Call both."""
        _base(self.activation)(x)
        _base(f"{self.activation}_derivative")(x, upstream)
        return upstream


def binary_log_loss(prediction: Any, target: Any) -> Any:
    """Take every number for a sample with one output."""
    return _base("binary_log_loss")(target.reshape(-1, 1), prediction.reshape(-1, 1))


def log_loss(scores: Any, target: Any) -> Any:
    """Give the classes as ones and zeros, and the probabilities as the last layer does."""
    rows = _rows(scores)
    chosen = np.eye(rows.shape[-1], dtype=rows.dtype)[target.astype(np.int64).reshape(-1)]
    return _base("log_loss")(chosen, Activated("inplace_softmax")(rows))


def _optimizers() -> Iterator[Implementation]:
    adam = {"learning_rate": "learning_rate_init", "beta1": "beta_1", "beta2": "beta_2", "eps": "epsilon"}
    averages = {"exp_avg": "ms", "exp_avg_sq": "vs"}
    rate = {"learning_rate": "learning_rate_init"}
    current = {"learning_rate": "learning_rate"}  # what SGD's schedules set
    for formula, factory in (
        ("gd", OptimizerFactory("SGDOptimizer", rate, current, {"momentum": 0.0, "nesterov": False})),
        ("adam_eps_hat", OptimizerFactory("AdamOptimizer", adam, exposed=averages)),
    ):
        yield Implementation(
            formula,
            f"sklearn.neural_network._stochastic_optimizers.{factory.name}",
            factory,
            DTYPES,
            state=tuple(factory.exposed),
            missing_gradients=False,  # a perceptron has all its gradients at once
            capabilities=("schedules",),
        )


def _clips_given(dtype: str, call: Call) -> bool:
    return _outside(dtype, call.arrays[0])


def _clips_softmax(dtype: str, call: Call) -> bool:
    scores = call.arrays[0]
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return _outside(dtype, exponentials / exponentials.sum(axis=-1, keepdims=True))


def _outside(dtype: str, probabilities: Floats) -> bool:
    """Whether a probability is clipped, whatever it is rounded to."""
    eps = 2 * float(np.finfo(dtype).eps)
    return bool(np.any((probabilities < eps) | (probabilities > 1 - eps)))


def _clipped(where: Callable[[str, Call], bool], property: str, *arrays: Floats) -> Iterator[Expectation]:
    """Yield the deviation by dtype."""
    for dtype in DTYPES:
        yield Expectation(
            property=property,
            dtypes=(dtype,),
            reason="Probabilities are clipped to [eps, 1 - eps] before the logarithm, eps being the distance of 1 from "
            "the next number: no sample costs more than -ln(eps), nor nothing.",
            evidence="By hand: reports/findings/scikit_learn_clipped_loss.py.",
            versions="1.9.1",
            where=partial(where, dtype),
            inputs={"call": Call(arrays, {})},
        )


#: Known deviations by formula, each with a sample that is far off.
_EXPECTED: Mapping[str, tuple[Expectation, ...]] = {
    "loss_bce": tuple(_clipped(_clips_given, FOLLOWS, np.array([2.0**-70]), np.array([1.0]))),
    "loss_cross_entropy": tuple(
        entry
        for name in (FOLLOWS, "within_the_margin", "two_classes")
        for entry in _clipped(_clips_softmax, name, np.array([[-50.0, 0.0]]), np.array([0.0]))
    ),
}

#: What is called for a formula, under which label.
_FUNCTIONS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("relu", "inplace_relu", Activated("inplace_relu")),
    ("sigmoid", "inplace_logistic", Activated("inplace_logistic")),
    ("softmax", "inplace_softmax", Activated("inplace_softmax")),
    ("loss_bce", "binary_log_loss", binary_log_loss),
    ("loss_cross_entropy:through_probability", "log_loss", log_loss),
    ("relu_vjp", "inplace_relu_derivative", PulledBack("inplace_relu")),
    ("sigmoid_vjp", "inplace_logistic_derivative", PulledBack("inplace_logistic")),
)


def _functions() -> Iterator[Implementation]:
    for claimed, name, call in _FUNCTIONS:
        formula, _, evaluation = claimed.partition(":")
        label = f"sklearn.neural_network._base.{name}"
        expected = _EXPECTED.get(formula, ())
        yield Implementation(formula, label, ArrayFunction(call), DTYPES, evaluation=evaluation, expected=expected)


def _environment() -> dict[str, str]:
    import scipy

    return {"scipy": scipy.__version__}


def backend() -> Backend:
    """Describe the installed scikit-learn.

    Returns
    -------
    Backend
        Optimizers, activations, their derivatives, and losses.
    """
    import sklearn

    return Backend("scikit-learn", sklearn.__version__, (*_optimizers(), *_functions()), _environment)
