"""ONNX: the operators of training, and those of functions, as the reference evaluator computes them.

Attributes of operators are float32 by the standard: in float64, what is an attribute is held at a value that float32
has. Not judged, because they are no formula of the catalogue: the regularization of Adam, and the decay that Adagrad
has of its learning rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.records import FOLLOWS
from properties.cases import Training
from properties.subject import Floats, Function, Group, Place, Stepper

__all__ = ["OperatorFactory", "OptimizerFactory", "backend"]

DTYPES = ("float64", "float32")
_TRAINING = "ai.onnx.preview.training"


def _evaluator(operator: str, domain: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Any:
    """Return the evaluator of a model of one operator; the types of its inputs are left open."""
    from onnx import ValueInfoProto, defs, helper
    from onnx.reference import ReferenceEvaluator

    version = defs.get_schema(operator, domain=domain).since_version if domain else defs.onnx_opset_version()
    node = helper.make_node(operator, inputs, outputs, domain=domain, **attributes)
    graph = helper.make_graph(
        [node],
        operator,
        [ValueInfoProto(name=name) for name in inputs if name],
        [ValueInfoProto(name=name) for name in outputs if name],
    )
    return ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, version)]))


@dataclass(frozen=True, eq=False)
class Renamed:
    """Attributes that are hyperparameters, and others that are constants."""

    spellings: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, values: Mapping[str, float]) -> Mapping[str, Any]:
        """Rename what is spelled."""
        return {**self.constants, **{theirs: values[ours] for ours, theirs in self.spellings.items()}}


class Dampened(Renamed):
    """Those of Momentum, whose weight of new gradients is 1 less the dampening."""

    def __call__(self, values: Mapping[str, float]) -> Mapping[str, Any]:
        """Rename, and subtract."""
        return {**super().__call__(values), "beta": 1 - values["dampening"]}


@dataclass(eq=False)
class OptimizerStepper:
    """Tensors and what is remembered of them, which an operator maps to new ones."""

    factory: OptimizerFactory
    groups: list[Group]
    parameters: list[Any]
    memories: list[list[Any]]
    dtype: str
    count: int = 0

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Run a model for each tensor, or for each group."""
        for group in self.groups:
            for tensors in [group.tensors] if self.factory.together else [(tensor,) for tensor in group.tensors]:
                self._update(tensors, group.hyperparameters, grads)
        self.count += 1

    def _update(self, tensors: Sequence[int], values: Mapping[str, float], grads: Sequence[Floats | None]) -> None:
        remembered = range(self.factory.memories)
        columns = [
            [self.parameters[tensor] for tensor in tensors],
            [np.asarray(grads[tensor], dtype=self.dtype) for tensor in tensors],
            *([self.memories[tensor][place] for tensor in tensors] for place in remembered),
        ]
        given = [array for column in columns for array in column]
        names = [f"X{place}" for place in range(len(given))]
        results = [f"Y{place}" for place in range(len(given) - len(tensors))]  # all but the gradients
        evaluator = _evaluator(
            self.factory.operator, _TRAINING, ["R", "T", *names], results, **self.factory.attributes(values)
        )
        rate = np.array(values["learning_rate"], dtype=self.dtype)
        count = np.array(self.count + self.factory.first, dtype=np.int64)
        shown = evaluator.run(None, {"R": rate, "T": count, **dict(zip(names, given, strict=True))})
        for number, tensor in enumerate(tensors):
            self.parameters[tensor], *self.memories[tensor] = shown[number :: len(tensors)]

    def params(self) -> list[Floats]:
        """Copies of the tensors."""
        return [np.array(parameter, dtype=np.float64) for parameter in self.parameters]

    def state(self) -> list[Mapping[str, Floats]]:
        """What is remembered."""
        return [
            {
                name: np.array(memory, dtype=np.float64)
                for name, memory in zip(self.factory.exposed, memories, strict=False)
            }
            for memories in self.memories
        ]

    def places(self) -> list[Place]:
        """What the tensors are by now."""
        return [Place(parameter.dtype.name, "cpu", parameter.shape) for parameter in self.parameters]

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Go on with other inputs and attributes."""
        kept = self.groups[group]
        self.groups[group] = Group(kept.tensors, {**kept.hyperparameters, **values})


@dataclass(frozen=True, eq=False)
class OptimizerFactory:
    """Makes subjects of one operator of training.

    Parameters
    ----------
    operator : str
    attributes : Renamed
        Returns the operator's attributes for hyperparameters by the oracle's names.
    memories : int
        How many tensors the operator remembers of each.
    exposed : tuple of str
        The oracle's names for what they hold, in the operator's order.
    first : int
        The count that the first update is given: Adam corrects no bias at 0, where Momentum begins.
    together : bool
        Whether the tensors of a group are updated by one operator, and not by one for each.
    """

    offers: ClassVar[tuple[str, ...]] = ("places",)

    operator: str
    attributes: Renamed
    memories: int = 1
    exposed: tuple[str, ...] = ()
    first: int = 0
    together: bool = False

    @property
    def spellings(self) -> Mapping[str, str]:
        """The operator's names for hyperparameters by the oracle's."""
        return {"learning_rate": "R", **self.attributes.spellings}

    def __call__(self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str) -> Stepper:
        """Begin with zeros for what is remembered."""
        del device  # the CPU
        parameters = [np.array(param, dtype=dtype) for param in params]
        memories: list[list[Any]] = [[np.zeros_like(param)] * self.memories for param in parameters]
        own = [Group(group.tensors, dict(group.hyperparameters)) for group in groups]
        return OptimizerStepper(self, own, parameters, memories, dtype)


@dataclass(frozen=True, eq=False)
class OperatorFactory:
    """Makes functions of one operator.

    Parameters
    ----------
    operator : str
    attributes : callable
        Returns the operator's attributes for hyperparameters by the oracle's names.
    result : int
        Which of the operator's outputs is meant.
    directions : bool
        Whether this output has a first axis of directions, of which there is one.
    arranged : callable, optional
        Makes the operator's inputs of arrays and hyperparameters; they are taken as they are if not given.
    """

    operator: str
    attributes: Callable[[Mapping[str, float]], Mapping[str, Any]] = field(default_factory=Renamed)
    result: int = 0
    arranged: Callable[..., Sequence[Any]] | None = None
    directions: bool = False

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function for a dtype."""
        del device  # the CPU

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            given: Sequence[Any] = [np.array(array, dtype=dtype) for array in arrays]
            if self.arranged:
                given = self.arranged(*given, **hyperparameters)
            names = [f"X{place}" for place in range(len(given))]
            outputs = [f"Y{place}" for place in range(self.result + 1)]
            evaluator = _evaluator(self.operator, "", names, outputs, **self.attributes(hyperparameters))
            shown = evaluator.run(None, dict(zip(names, given, strict=True)))
            return np.array(shown[self.result][0] if self.directions else shown[self.result], dtype=np.float64)

        return function


def clipped(grad: Any, *, clip_value: float) -> Sequence[Any]:
    """Give the limits as inputs."""
    return grad, np.array(-clip_value, dtype=grad.dtype), np.array(clip_value, dtype=grad.dtype)


def classes(scores: Any, target: Any) -> Sequence[Any]:
    """Give the classes as whole numbers, and one sample alone as a batch."""
    return np.atleast_2d(scores), np.atleast_1d(target).astype(np.int64)


def batch(x: Any, weight: Any, bias: Any, *, eps: float) -> Sequence[Any]:
    """Add running statistics, of no use in training."""
    del eps  # an attribute
    return x, weight, bias, np.zeros_like(weight), np.ones_like(weight)


@dataclass(frozen=True, eq=False)
class Running:
    """Add weights and the other running statistic, on which the one at a place does not depend."""

    place: int

    def __call__(self, x: Any, running: Any, *, momentum: float) -> Sequence[Any]:
        """Arrange all five."""
        del momentum  # an attribute
        ones = np.ones_like(running)
        statistics = [ones, ones]
        statistics[self.place] = running
        return x, ones, np.zeros_like(running), *statistics


def kept(values: Mapping[str, float]) -> Mapping[str, Any]:
    """Give the weight of what was there before."""
    return {"momentum": 1 - values["momentum"], "training_mode": 1}


def recurrent(x: Any, hidden: Any, cell: Any, w: Any, u: Any, b: Any) -> Sequence[Any]:
    """Stack input gate, output gate, forget gate and candidate; a second bias is zero."""
    order = [1, 2, 0, 3]
    weights = [np.concatenate([array[gate].T for gate in order])[None] for array in (w, u)]
    bias = b[order].reshape(-1)
    biases = np.concatenate([bias, np.zeros_like(bias)])[None]
    return x[None], *weights, biases, np.ones(len(x), dtype=np.int32), hidden[None], cell[None]


#: Values of attributes that float32 has.
_DYADIC = {
    "momentum": 0.875,
    "dampening": 0.25,
    "beta1": 0.875,
    "beta2": 0.9921875,
    "eps": 2.0**-17,
    "l2_penalty": 0.0625,
}


def _alone(training: Training) -> bool:
    return any(len(group.tensors) == 1 for group in training.groups)


def _several(training: Training) -> bool:
    return any(len(group.tensors) > 1 for group in training.groups)


def _known(reason: str, finding: str, dtype: str, *properties: str, **more: Any) -> tuple[Expectation, ...]:
    evidence = f"By hand: reports/findings/onnx_{finding}.py."
    return tuple(Expectation(name, (dtype,), reason, evidence, "1.23.2", **more) for name in properties)


_WIDER = (
    "Adam returns a single tensor in float64 whatever its dtype is: the corrected learning rate is a scalar of that."
)
_NARROWER = "Adam returns several tensors, and what it remembers of them, in float32 whatever their dtype is."

#: Known deviations by label.
_EXPECTED: Mapping[str, tuple[Expectation, ...]] = {
    "Adam": _known(_WIDER, "adam_dtypes", "float32", "parameters_keep_their_place"),
    "Adam:together": (
        *_known(_WIDER, "adam_dtypes", "float32", "parameters_keep_their_place", where=_alone),
        # Of one tensor, which these claims split and copy.
        *_known(_NARROWER, "adam_dtypes", "float64", "splitting_a_tensor", "copies_move_alike"),
        *_known(
            _NARROWER,
            "adam_dtypes",
            "float64",
            *(FOLLOWS, "parameters_keep_their_place", "any_order"),
            where=_several,
        ),
    ),
    "Gelu": _known(
        "The reference Erf is rounded to float32 whatever the dtype is.", "gelu_float64", "float64", FOLLOWS
    ),
    "Gelu:tanh": _known(
        "The constants of Gelu are those of float32 whatever the dtype is.", "gelu_float64", "float64", FOLLOWS
    ),
}


def _held(formula: str, label: str, factory: Any, names: Sequence[str], **more: Any) -> Iterator[Implementation]:
    """Yield an implementation for each dtype, or one for both if no hyperparameter is an attribute."""

    def held(label: str, dtypes: tuple[str, ...], **values: float) -> Implementation:
        known = [entry for entry in expected if set(entry.dtypes) <= set(dtypes)]
        return Implementation(formula, label, factory, dtypes, fixed=values, expected=tuple(known), **more)

    expected = _EXPECTED.get(label.partition(":")[2], ())
    if names:
        yield held(f"{label}:dyadic", ("float64",), **{name: _DYADIC[name] for name in names})
    yield held(label, ("float32",) if names else DTYPES)


def _optimizers() -> Iterator[Implementation]:
    plain = {"norm_coefficient": 0.0, "mode": "standard"}
    heavy = {**plain, "beta": 1.0}
    momentum, ahead = {"momentum": "alpha"}, {**heavy, "mode": "nesterov"}
    adam = Renamed({"beta1": "alpha", "beta2": "beta", "eps": "epsilon"})
    adagrad = Renamed({"eps": "epsilon"}, {"norm_coefficient": 0.0, "decay_factor": 0.0})
    velocity, averages = ("momentum_buffer",), ("exp_avg", "exp_avg_sq")
    dampened = Dampened({**momentum, "dampening": "beta"}, plain)
    penalty = Renamed({"l2_penalty": "norm_coefficient"}, {**heavy, "alpha": 0.0})
    for formula, operator, attributes, exposed, names in (
        ("gd", "Momentum", Renamed({}, {**heavy, "alpha": 0.0}), (), ()),
        ("sgd_l2", "Momentum", penalty, (), ("l2_penalty",)),
        ("momentum_heavy_ball", "Momentum", Renamed(momentum, heavy), velocity, ("momentum",)),
        ("momentum_torch_dampening", "Momentum", dampened, velocity, ("momentum", "dampening")),
        ("momentum_nesterov", "Momentum", Renamed(momentum, ahead), velocity, ("momentum",)),
        ("adagrad", "Adagrad", adagrad, ("sum",), ("eps",)),
        ("adam_eps_hat", "Adam", adam, averages, ("beta1", "beta2", "eps")),
    ):
        memories, first = (2, 1) if operator == "Adam" else (1, 0)
        for together in (False, True):
            yield from _held(
                formula,
                f"onnx.reference:{operator}" + (":together" if together else ""),
                OptimizerFactory(operator, attributes, memories, exposed, first, together),
                names,
                state=exposed,
                missing_gradients=False,  # an operator takes as many gradients as tensors
            )


#: What is computed for a formula, by which operator, with which attributes, and which of them are hyperparameters.
_FUNCTIONS: tuple[tuple[str, str, OperatorFactory, tuple[str, ...]], ...] = (
    ("clip_by_value", "Clip", OperatorFactory("Clip", arranged=clipped), ()),
    ("relu", "Relu", OperatorFactory("Relu"), ()),
    ("sigmoid", "Sigmoid", OperatorFactory("Sigmoid"), ()),
    ("gelu", "Gelu", OperatorFactory("Gelu"), ()),
    ("gelu_tanh", "Gelu:tanh", OperatorFactory("Gelu", Renamed({}, {"approximate": "tanh"})), ()),
    ("silu", "Swish", OperatorFactory("Swish"), ()),
    ("softmax", "Softmax", OperatorFactory("Softmax"), ()),
    (
        "loss_cross_entropy:through_probability",
        "SoftmaxCrossEntropyLoss",
        OperatorFactory("SoftmaxCrossEntropyLoss", arranged=classes),
        (),
    ),
    ("lstm_hidden", "LSTM", OperatorFactory("LSTM", Renamed(), 1, recurrent, directions=True), ()),
    ("lstm_cell", "LSTM", OperatorFactory("LSTM", Renamed(), 2, recurrent, directions=True), ()),
    ("layer_norm", "LayerNormalization", OperatorFactory("LayerNormalization", Renamed({"eps": "epsilon"})), ("eps",)),
    ("rms_norm", "RMSNormalization", OperatorFactory("RMSNormalization", Renamed({"eps": "epsilon"})), ("eps",)),
    (
        "batch_norm",
        "BatchNormalization",
        OperatorFactory("BatchNormalization", Renamed({"eps": "epsilon"}, {"training_mode": 1}), arranged=batch),
        ("eps",),
    ),
    (
        "batch_norm_running_mean",
        "BatchNormalization",
        OperatorFactory("BatchNormalization", kept, 1, Running(0)),
        ("momentum",),
    ),
    (
        "batch_norm_running_variance_biased",
        "BatchNormalization",
        OperatorFactory("BatchNormalization", kept, 2, Running(1)),
        ("momentum",),
    ),
)


def _functions() -> Iterator[Implementation]:
    for claimed, label, factory, names in _FUNCTIONS:
        formula, _, evaluation = claimed.partition(":")
        yield from _held(formula, f"onnx.reference:{label}", factory, names, evaluation=evaluation)


def backend() -> Backend:
    """Describe the installed ONNX.

    Returns
    -------
    Backend
        The operators by the reference evaluator: those of training with a model for each tensor, and with one for a
        group of tensors (``:together``); in float64 with attributes that float32 has (``:dyadic``).
    """
    import onnx

    return Backend("onnx", onnx.__version__, (*_optimizers(), *_functions()))
