"""PyTorch's activations, losses and gated units: how each is called for a formula.

Everything here can be pickled, so that an implementation can go to another process.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CURVES"]


@dataclass(frozen=True)
class Named:
    """A function of torch by its name, with keyword arguments of its own."""

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *tensors: Any) -> Any:
        """Look the function up, and call it."""
        import torch

        function: Callable[..., Any] = operator.attrgetter(self.name.removeprefix("torch."))(torch)
        return function(*tensors, **self.keywords)


@dataclass(frozen=True)
class Built:
    """A module of torch by its name, made anew for each call."""

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *tensors: Any) -> Any:
        """Make the module, and call it."""
        return Named(self.name, self.keywords)()(*tensors)


@dataclass(frozen=True)
class Composed:
    """Functions of torch, each of the result of the one before."""

    names: tuple[str, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *tensors: Any) -> Any:
        """Call one after another; the keyword arguments are the first one's."""
        first, *others = self.names
        result = Named(first, self.keywords)(*tensors)
        for name in others:
            result = Named(name)(result)
        return result


def class_indices(scores: Any, target: Any) -> Any:
    """Cross-entropy with classes by their numbers."""
    import torch

    return torch.nn.functional.cross_entropy(scores, target.long())


def class_probabilities(scores: Any, target: Any) -> Any:
    """Cross-entropy with classes by their probabilities, which are 0 and 1."""
    import torch

    functional = torch.nn.functional
    return functional.cross_entropy(scores, functional.one_hot(target.long(), scores.shape[-1]).to(scores.dtype))


def log_likelihood(scores: Any, target: Any) -> Any:
    """Cross-entropy in two calls."""
    import torch

    return torch.nn.functional.nll_loss(torch.log_softmax(scores, dim=-1), target.long())


def classes_and_numbers(scores: Any, label: Any, prediction: Any, target: Any, *, regression_weight: float) -> Any:
    """Add a weighted squared error to a cross-entropy, as programs do."""
    import torch

    squares = torch.nn.functional.mse_loss(prediction, target, reduction="sum")
    return class_indices(scores, label) + regression_weight * squares


@dataclass(frozen=True)
class PulledBack:
    """What autograd makes of a cotangent of a function's result."""

    call: Callable[..., Any]

    def __call__(self, x: Any, upstream: Any) -> Any:
        """Differentiate with respect to the input."""
        import torch

        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.call(x), x, upstream)
        return gradient


@dataclass(frozen=True)
class LinearGradient:
    """What autograd makes of cotangents of a linear map, for the argument at a place: input, weight or bias.

    The others are zeros if they are not given, on which the gradient does not depend.
    """

    place: int
    map: Callable[..., Any]

    def __call__(self, *arrays: Any) -> Any:
        """Differentiate with respect to the argument."""
        import torch

        *given, upstream = arrays
        samples, outputs = upstream.shape
        inputs = given[0].shape[1] if given else 1
        shapes = ((samples, inputs), (outputs, inputs), (outputs,))
        arguments = [upstream.new_zeros(shape) for shape in shapes]
        for array in given:
            arguments[1 - self.place] = array  # the input's gradient takes the weight, and the weight's the input
        with torch.enable_grad():
            leaf = arguments[self.place].requires_grad_()
            (gradient,) = torch.autograd.grad(self.map(*arguments), leaf, upstream)
        return gradient


@dataclass(frozen=True)
class Gradient:
    """What autograd finds for a loss."""

    loss: Callable[..., Any]

    def __call__(self, prediction: Any, target: Any) -> Any:
        """Differentiate with respect to the prediction."""
        import torch

        with torch.enable_grad():
            prediction = prediction.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.loss(prediction, target), prediction)
        return gradient


def multiplied(x: Any, weight: Any, bias: Any) -> Any:
    """Map samples by a product and a sum, as programs do."""
    return x @ weight.t() + bias


def quick_gelu(x: Any) -> Any:
    """Weight with the logistic function of a multiple, as models do."""
    import torch

    return x * torch.sigmoid(1.702 * x)


def halves(x: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
    """GLU of one linear map with both branches side by side."""
    import torch

    functional = torch.nn.functional
    return functional.glu(functional.linear(x, torch.cat([w, v], dim=1).t(), torch.cat([b, c])), dim=-1)


@dataclass(frozen=True)
class Gated:
    """A gated unit of two linear maps, with the activation on the first branch."""

    activation: str

    def __call__(self, x: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
        """Multiply the branches."""
        import torch

        linear = torch.nn.functional.linear
        return Named(self.activation)(linear(x, w.t(), b)) * linear(x, v.t(), c)


def fed_forward(x: Any, w: Any, v: Any, w2: Any) -> Any:
    """Feed-forward block with SiLU as its gate, as models do."""
    import torch

    linear = torch.nn.functional.linear
    return linear(torch.nn.functional.silu(linear(x, w.t())) * linear(x, v.t()), w2.t())


@dataclass(frozen=True)
class Remembered:
    """What a step of torch's long short-term memory shows (place 0) or keeps (place 1).

    Torch stacks input gate, forget gate, candidate and output gate, and has a second bias, which is zero here.
    """

    place: int
    layer: bool = False

    def __call__(self, x: Any, hidden: Any, cell: Any, w: Any, u: Any, b: Any) -> Any:
        """Go one step, by the function or by a layer whose sequences have one entry."""
        import torch

        order = [1, 0, 3, 2]
        weights = [array[order].transpose(1, 2).flatten(0, 1).contiguous() for array in (w, u)]
        biases = [b[order].flatten(), torch.zeros_like(b).flatten()]
        if not self.layer:
            return torch.lstm_cell(x, (hidden, cell), *weights, *biases)[self.place]
        flags = {"has_biases": True, "num_layers": 1, "dropout": 0.0, "train": False, "bidirectional": False}
        states = [hidden[None].contiguous(), cell[None].contiguous()]
        shown = torch.lstm(x[None], states, [*weights, *biases], batch_first=False, **flags)
        return shown[1 + self.place][0]


_PLACE = "torch.nn.functional"
_SUM, _MEAN, _LAST = {"reduction": "sum"}, {"reduction": "mean"}, {"dim": -1}
_TANH = {"approximate": "tanh"}

#: What is called for a formula, under which label.
CURVES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("relu", f"{_PLACE}.relu", Named(f"{_PLACE}.relu")),
    ("relu", "torch.nn.ReLU", Built("torch.nn.ReLU")),
    ("relu", "torch.nn.ReLU:inplace", Built("torch.nn.ReLU", {"inplace": True})),
    ("sigmoid", "torch.sigmoid", Named("torch.sigmoid")),
    ("sigmoid", f"{_PLACE}.logsigmoid:exp", Composed((f"{_PLACE}.logsigmoid", "torch.exp"))),
    ("gelu", f"{_PLACE}.gelu", Named(f"{_PLACE}.gelu")),
    ("gelu_tanh", f"{_PLACE}.gelu:tanh", Named(f"{_PLACE}.gelu", _TANH)),
    ("gelu_sigmoid", "torch.sigmoid:times", quick_gelu),
    ("silu", f"{_PLACE}.silu", Named(f"{_PLACE}.silu")),
    ("silu", "torch.nn.SiLU:inplace", Built("torch.nn.SiLU", {"inplace": True})),
    ("lstm_cell", "torch.lstm_cell", Remembered(1)),
    ("lstm_cell", "torch.lstm", Remembered(1, layer=True)),
    ("lstm_hidden", "torch.lstm_cell", Remembered(0)),
    ("lstm_hidden", "torch.lstm", Remembered(0, layer=True)),
    ("glu", f"{_PLACE}.glu", halves),
    ("geglu", f"{_PLACE}.gelu:gate", Gated(f"{_PLACE}.gelu")),
    ("swiglu", f"{_PLACE}.silu:gate", Gated(f"{_PLACE}.silu")),
    ("ffn_swiglu", f"{_PLACE}.silu:block", fed_forward),
    ("loss_squared_error", f"{_PLACE}.mse_loss:sum", Named(f"{_PLACE}.mse_loss", _SUM)),
    ("loss_mse", f"{_PLACE}.mse_loss:mean", Named(f"{_PLACE}.mse_loss", _MEAN)),
    ("loss_l1", f"{_PLACE}.l1_loss:sum", Named(f"{_PLACE}.l1_loss", _SUM)),
    ("loss_bce", f"{_PLACE}.binary_cross_entropy", Named(f"{_PLACE}.binary_cross_entropy")),
    (
        "bce_with_logits",
        f"{_PLACE}.binary_cross_entropy_with_logits",
        Named(f"{_PLACE}.binary_cross_entropy_with_logits"),
    ),
    ("softmax", "torch.softmax", Named("torch.softmax", _LAST)),
    ("softmax", "torch.log_softmax:exp", Composed(("torch.log_softmax", "torch.exp"), _LAST)),
    ("loss_cross_entropy", f"{_PLACE}.cross_entropy:indices", class_indices),
    ("loss_cross_entropy", f"{_PLACE}.cross_entropy:probabilities", class_probabilities),
    ("loss_cross_entropy", f"{_PLACE}.nll_loss", log_likelihood),
    ("loss_combined", f"{_PLACE}.cross_entropy:plus", classes_and_numbers),
    ("relu_vjp", f"torch.autograd:{_PLACE}.relu", PulledBack(Named(f"{_PLACE}.relu"))),
    ("sigmoid_vjp", "torch.autograd:torch.sigmoid", PulledBack(Named("torch.sigmoid"))),
    ("softmax_vjp", "torch.autograd:torch.softmax", PulledBack(Named("torch.softmax", _LAST))),
    (
        "softmax_vjp",
        "torch.autograd:torch.log_softmax:exp",
        PulledBack(Composed(("torch.log_softmax", "torch.exp"), _LAST)),
    ),
    *(
        (f"linear_vjp_{name}", f"torch.autograd:{label}", LinearGradient(place, call))
        for place, name in enumerate(("input", "weight", "bias"))
        for label, call in ((f"{_PLACE}.linear", Named(f"{_PLACE}.linear")), ("torch.matmul:plus", multiplied))
    ),
    (
        "loss_squared_error_gradient",
        f"torch.autograd:{_PLACE}.mse_loss:sum",
        Gradient(Named(f"{_PLACE}.mse_loss", _SUM)),
    ),
    (
        "bce_with_logits_gradient",
        f"torch.autograd:{_PLACE}.binary_cross_entropy_with_logits",
        Gradient(Named(f"{_PLACE}.binary_cross_entropy_with_logits")),
    ),
    ("loss_cross_entropy_gradient", f"torch.autograd:{_PLACE}.cross_entropy:indices", Gradient(class_indices)),
    ("loss_cross_entropy_gradient", f"torch.autograd:{_PLACE}.nll_loss", Gradient(log_likelihood)),
)
