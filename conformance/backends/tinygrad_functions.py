"""Tinygrad's functions: how each is called for a formula.

Everything here can be pickled, so that an implementation can go to another process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.backends.named import Gated
from conformance.backends.tinygrad_tensors import on_the_cpu, to_floats, to_tensor
from properties.subject import Floats, Function, RandomFunction

__all__ = ["FUNCTIONS", "DropoutFactory", "Method", "TensorFunction"]


@dataclass(frozen=True, eq=False)
class TensorFunction:
    """Makes functions of tensors.

    Parameters
    ----------
    call : callable
        ``call(*tensors, **hyperparameters)`` returns a tensor.
    default : str
        The dtype of numbers that say none, if it is not the tensors'.
    """

    call: Callable[..., Any]
    default: str = ""

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function for a dtype."""
        del device  # the CPU

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            with on_the_cpu(self.default or dtype):
                return to_floats(self.call(*(to_tensor(array, dtype=dtype) for array in arrays), **hyperparameters))

        return function


class DropoutFactory:
    """Makes random functions of ``Tensor.dropout``."""

    def __call__(self, *, dtype: str, device: str) -> RandomFunction:
        """Return the function for a dtype."""
        from tinygrad import Tensor

        del device  # the CPU

        def function(x: Floats, *seed: Floats, **hyperparameters: float) -> Floats:
            with on_the_cpu(dtype, training=bool(seed)):
                if seed:
                    Tensor.manual_seed(int(seed[0]))
                passes = [to_tensor(units, dtype=dtype).dropout(1 - hyperparameters["keep"]).realize() for units in x]
                return to_floats(Tensor.stack(*passes))

        return function


@dataclass(frozen=True, eq=False)
class Method:
    """A method of the first tensor, with keyword arguments of its own."""

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, tensor: Any, *others: Any) -> Any:
        """Call it."""
        return getattr(tensor, self.name)(*others, **self.keywords)


@dataclass(frozen=True, eq=False)
class Norm:
    """A layer that normalizes, with weights that are given."""

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, x: Any, weight: Any, *bias: Any, eps: float) -> Any:
        """Make the layer, and apply it."""
        from tinygrad import nn

        layer = getattr(nn, self.name)(x.shape[-1], eps=eps, **self.keywords)
        layer.weight = weight
        for values in bias:
            layer.bias = values
        return layer(x)


@dataclass(frozen=True, eq=False)
class Gathered:
    """What a batch normalization makes of one of its running statistics."""

    statistic: str

    def __call__(self, x: Any, running: Any, *, momentum: float) -> Any:
        """Apply the layer once, and look at the statistic."""
        from tinygrad import nn

        layer = nn.BatchNorm(x.shape[-1], momentum=momentum, affine=False)
        setattr(layer, self.statistic, running)
        layer(x).realize()
        return getattr(layer, self.statistic)


@dataclass(frozen=True, eq=False)
class Remembered:
    """What a step of a long short-term memory shows (place 0) or keeps (place 1).

    Tinygrad stacks input gate, forget gate, candidate and output gate, and has a second bias, which is zero here.
    """

    place: int

    def __call__(self, x: Any, hidden: Any, cell: Any, w: Any, u: Any, b: Any) -> Any:
        """Go one step."""
        from tinygrad import Tensor, nn

        order = (1, 0, 3, 2)
        layer = nn.LSTMCell(x.shape[-1], hidden.shape[-1])
        layer.weight_ih, layer.weight_hh = (Tensor.cat(*(array[gate].T for gate in order), dim=0) for array in (w, u))
        layer.bias_ih = Tensor.cat(*(b[gate] for gate in order), dim=0)
        layer.bias_hh = layer.bias_ih.zeros_like()
        return layer(x, (hidden, cell))[self.place]


@dataclass(frozen=True, eq=False)
class PulledBack:
    """What ``Tensor.gradient`` makes of a cotangent of a function's result."""

    call: Callable[..., Any]

    def __call__(self, x: Any, upstream: Any) -> Any:
        """Differentiate with respect to the input."""
        (gradient,) = self.call(x).gradient(x, gradient=upstream)
        return gradient


@dataclass(frozen=True, eq=False)
class LinearGradient:
    """What ``Tensor.gradient`` makes of cotangents of a linear map, for the argument at a place: input, weight or bias.

    The others are zeros if they are not given, on which the gradient does not depend.
    """

    place: int

    def __call__(self, *arrays: Any) -> Any:
        """Differentiate with respect to the argument."""
        from tinygrad import Tensor

        *given, upstream = arrays
        samples, outputs = upstream.shape
        inputs = given[0].shape[1] if given else 1
        shapes = ((samples, inputs), (outputs, inputs), (outputs,))
        arguments = [Tensor.zeros(shape, dtype=upstream.dtype).contiguous().realize() for shape in shapes]
        for array in given:
            arguments[1 - self.place] = array  # the input's gradient takes the weight, and the weight's the input
        x, weight, bias = arguments
        (gradient,) = x.linear(weight.T, bias).gradient(arguments[self.place], gradient=upstream)
        return gradient


@dataclass(frozen=True, eq=False)
class Gradient:
    """What ``Tensor.gradient`` finds for a loss."""

    loss: Callable[..., Any]

    def __call__(self, prediction: Any, target: Any) -> Any:
        """Differentiate with respect to the prediction."""
        (gradient,) = self.loss(prediction, target).gradient(prediction)
        return gradient


def clipped(grad: Any, *, clip_value: float) -> Any:
    """Clip each number."""
    return grad.clip(-clip_value, clip_value)


def fed_forward(x: Any, w: Any, v: Any, w2: Any) -> Any:
    """Feed-forward block with SiLU as its gate, as models do."""
    return ((x @ w).silu() * (x @ v)) @ w2


@dataclass(frozen=True, eq=False)
class Classes:
    """A loss of classes by their numbers, one sample to a row."""

    name: str

    def __call__(self, scores: Any, target: Any) -> Any:
        """Call the method of the rows."""
        from tinygrad import dtypes

        rows = scores.reshape(-1, scores.shape[-1])
        return getattr(rows, self.name)(target.reshape(-1).cast(dtypes.int32))


def log_likelihood(scores: Any, target: Any) -> Any:
    """Log-likelihood of classes by their numbers."""
    from tinygrad import dtypes

    rows = scores.reshape(-1, scores.shape[-1])
    return rows.log_softmax().nll_loss(target.reshape(-1).cast(dtypes.int32))


_SIGMOID, _SOFTMAX, _SILU = Method("sigmoid"), Method("softmax"), Method("silu")
_GELU = Method("gelu", {"approximate": "none"})
_LOGITS = Method("binary_crossentropy_logits")
_CLASSES, _SPARSE = Classes("cross_entropy"), Classes("sparse_categorical_crossentropy")

#: What is called for a formula, under which label.
FUNCTIONS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("clip_by_value", "Tensor.clip", clipped),
    ("relu", "Tensor.relu", Method("relu")),
    ("sigmoid", "Tensor.sigmoid", _SIGMOID),
    ("gelu", "Tensor.gelu:none", _GELU),
    ("gelu_tanh", "Tensor.gelu", Method("gelu")),
    ("gelu_sigmoid", "Tensor.quick_gelu", Method("quick_gelu")),
    ("silu", "Tensor.silu", _SILU),
    ("geglu", "Tensor.gelu:none:gate", Gated(_GELU)),
    ("swiglu", "Tensor.silu:gate", Gated(_SILU)),
    ("ffn_swiglu", "Tensor.silu:block", fed_forward),
    ("softmax", "Tensor.softmax", _SOFTMAX),
    ("lstm_hidden", "nn.LSTMCell", Remembered(0)),
    ("lstm_cell", "nn.LSTMCell", Remembered(1)),
    ("layer_norm", "nn.LayerNorm", Norm("LayerNorm")),
    ("rms_norm", "nn.RMSNorm", Norm("RMSNorm")),
    ("batch_norm", "nn.BatchNorm", Norm("BatchNorm")),
    ("batch_norm", "nn.BatchNorm:untracked", Norm("BatchNorm", {"track_running_stats": False})),
    ("batch_norm_running_mean", "nn.BatchNorm", Gathered("running_mean")),
    ("batch_norm_running_variance", "nn.BatchNorm", Gathered("running_var")),
    ("loss_bce", "Tensor.binary_crossentropy", Method("binary_crossentropy")),
    ("bce_with_logits", "Tensor.binary_crossentropy_logits", _LOGITS),
    ("loss_cross_entropy", "Tensor.cross_entropy", _CLASSES),
    ("loss_cross_entropy", "Tensor.sparse_categorical_crossentropy", _SPARSE),
    ("loss_cross_entropy", "Tensor.nll_loss", log_likelihood),
    ("relu_vjp", "Tensor.gradient:relu", PulledBack(Method("relu"))),
    ("sigmoid_vjp", "Tensor.gradient:sigmoid", PulledBack(_SIGMOID)),
    ("softmax_vjp", "Tensor.gradient:softmax", PulledBack(_SOFTMAX)),
    *(
        (f"linear_vjp_{name}", "Tensor.gradient:linear", LinearGradient(place))
        for place, name in enumerate(("input", "weight", "bias"))
    ),
    ("bce_with_logits_gradient", "Tensor.gradient:binary_crossentropy_logits", Gradient(_LOGITS)),
    ("loss_cross_entropy_gradient", "Tensor.gradient:cross_entropy", Gradient(_CLASSES)),
    ("loss_cross_entropy_gradient", "Tensor.gradient:sparse_categorical_crossentropy", Gradient(_SPARSE)),
)
