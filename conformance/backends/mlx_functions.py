"""MLX's functions: how each is called for a formula.

Everything here can be pickled, so that an implementation can go to another process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.backends.mlx_arrays import to_array, to_floats
from conformance.backends.named import Gated, Named
from properties.subject import Floats, Function, RandomFunction, Rejected, Schedule

__all__ = ["FUNCTIONS", "ArrayFunction", "DropoutFactory", "ScheduleFactory", "cosine", "warmup_and_decay"]


@dataclass(frozen=True, eq=False)
class ArrayFunction:
    """Makes functions of arrays: ``call(*arrays, **hyperparameters)`` returns one."""

    call: Callable[..., Any]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function for a dtype.

        Its call raises Rejected where MLX raises ValueError.
        """
        import mlx.core as mx

        del device  # the CPU, which alone has float64

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            with mx.stream(mx.cpu):
                try:
                    result = self.call(*(to_array(array, dtype=dtype) for array in arrays), **hyperparameters)
                except ValueError as error:
                    raise Rejected(f"ValueError: {error}") from error
                return to_floats(result)

        return function


@dataclass(frozen=True, eq=False)
class Norm:
    """A layer that normalizes in training, with weights that are given."""

    name: str

    def __call__(self, x: Any, weight: Any, *bias: Any, eps: float) -> Any:
        """Make the layer, and apply it."""
        from mlx import nn

        layer = getattr(nn, self.name)(x.shape[-1], eps=eps)
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
        from mlx import nn

        layer = nn.BatchNorm(x.shape[-1], momentum=momentum, affine=False)
        layer[self.statistic] = running
        layer(x)
        return layer[self.statistic]


@dataclass(frozen=True, eq=False)
class Remembered:
    """What a sequence of one entry makes a long short-term memory show (place 0) or keep (place 1).

    MLX stacks input gate, forget gate, candidate and output gate.
    """

    place: int

    def __call__(self, x: Any, hidden: Any, cell: Any, w: Any, u: Any, b: Any) -> Any:
        """Go one step."""
        import mlx.core as mx
        from mlx import nn

        order = mx.array([1, 0, 3, 2])
        layer = nn.LSTM(x.shape[-1], hidden.shape[-1])
        layer.Wx, layer.Wh = (array[order].transpose(0, 2, 1).flatten(0, 1) for array in (w, u))
        layer.bias = b[order].flatten()
        return layer(x[:, None], hidden, cell)[self.place][:, 0]


@dataclass(frozen=True, eq=False)
class PulledBack:
    """What ``mx.vjp`` makes of a cotangent of a function's result."""

    call: Callable[..., Any]

    def __call__(self, x: Any, upstream: Any) -> Any:
        """Differentiate with respect to the input."""
        import mlx.core as mx

        _, (gradient,) = mx.vjp(self.call, [x], [upstream])
        return gradient


@dataclass(frozen=True, eq=False)
class Gradient:
    """What ``mx.grad`` finds for a loss."""

    loss: Callable[..., Any]

    def __call__(self, prediction: Any, target: Any) -> Any:
        """Differentiate with respect to the prediction."""
        import mlx.core as mx

        return mx.grad(self.loss)(prediction, target)


def halves(x: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
    """GLU of one linear map with both branches side by side."""
    import mlx.core as mx
    from mlx import nn

    return nn.glu(x @ mx.concatenate([w, v], axis=1) + mx.concatenate([b, c]))


def class_numbers(scores: Any, target: Any) -> Any:
    """Cross-entropy of classes by their numbers."""
    import mlx.core as mx
    from mlx import nn

    return nn.losses.cross_entropy(scores, target.astype(mx.int32), reduction="mean")


def clipped_by_value(grad: Any, *, clip_value: float) -> Any:
    """Clip each number, as programs do."""
    import mlx.core as mx

    return mx.clip(grad, -clip_value, clip_value)


def clipped_by_norm(grad: Any, *, max_norm: float) -> Any:
    """Clip a tree of one gradient."""
    from mlx.optimizers import clip_grad_norm

    (clipped,), _ = clip_grad_norm([grad], max_norm)
    return clipped


_NN, _CORE = "mlx.nn", "mlx.core"
_SUM, _MEAN, _LAST = {"reduction": "sum"}, {"reduction": "mean"}, {"axis": -1}
_GELU, _SILU = Named(_NN, "gelu"), Named(_NN, "silu")
_SQUARES = Named(_NN, "losses.mse_loss", _SUM)
_LOGITS = Named(_NN, "losses.binary_cross_entropy", {"with_logits": True, **_MEAN})

#: What is called for a formula, under which label.
FUNCTIONS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("clip_by_value", "mlx.core.clip", clipped_by_value),
    ("clip_by_norm_torch", "mlx.optimizers.clip_grad_norm", clipped_by_norm),
    ("layer_norm", "mlx.nn.LayerNorm", Norm("LayerNorm")),
    ("rms_norm", "mlx.nn.RMSNorm", Norm("RMSNorm")),
    ("batch_norm", "mlx.nn.BatchNorm", Norm("BatchNorm")),
    ("batch_norm_running_mean", "mlx.nn.BatchNorm", Gathered("running_mean")),
    ("batch_norm_running_variance", "mlx.nn.BatchNorm", Gathered("running_var")),
    ("relu", "mlx.nn.relu", Named(_NN, "relu")),
    ("sigmoid", "mlx.nn.sigmoid", Named(_NN, "sigmoid")),
    ("gelu", "mlx.nn.gelu", _GELU),
    ("gelu_tanh", "mlx.nn.gelu_approx", Named(_NN, "gelu_approx")),
    ("gelu_sigmoid", "mlx.nn.gelu_fast_approx", Named(_NN, "gelu_fast_approx")),
    ("silu", "mlx.nn.silu", _SILU),
    ("softmax", "mlx.nn.softmax", Named(_NN, "softmax", _LAST)),
    ("lstm_cell", "mlx.nn.LSTM", Remembered(1)),
    ("lstm_hidden", "mlx.nn.LSTM", Remembered(0)),
    ("glu", "mlx.nn.glu", halves),
    ("geglu", "mlx.nn.gelu:gate", Gated(_GELU)),
    ("swiglu", "mlx.nn.silu:gate", Gated(_SILU)),
    ("loss_squared_error", "mlx.nn.losses.mse_loss:sum", _SQUARES),
    ("loss_mse", "mlx.nn.losses.mse_loss:mean", Named(_NN, "losses.mse_loss", _MEAN)),
    ("loss_l1", "mlx.nn.losses.l1_loss:sum", Named(_NN, "losses.l1_loss", _SUM)),
    (
        "loss_bce",
        "mlx.nn.losses.binary_cross_entropy:probabilities",
        Named(_NN, "losses.binary_cross_entropy", {"with_logits": False, **_MEAN}),
    ),
    ("bce_with_logits", "mlx.nn.losses.binary_cross_entropy", _LOGITS),
    ("loss_cross_entropy", "mlx.nn.losses.cross_entropy", class_numbers),
    ("relu_vjp", "mlx.core.vjp:mlx.nn.relu", PulledBack(Named(_NN, "relu"))),
    ("sigmoid_vjp", "mlx.core.vjp:mlx.nn.sigmoid", PulledBack(Named(_NN, "sigmoid"))),
    ("softmax_vjp", "mlx.core.vjp:mlx.core.softmax", PulledBack(Named(_CORE, "softmax", _LAST))),
    ("loss_squared_error_gradient", "mlx.core.grad:mlx.nn.losses.mse_loss:sum", Gradient(_SQUARES)),
    ("bce_with_logits_gradient", "mlx.core.grad:mlx.nn.losses.binary_cross_entropy", Gradient(_LOGITS)),
    ("loss_cross_entropy_gradient", "mlx.core.grad:mlx.nn.losses.cross_entropy", Gradient(class_numbers)),
)


class DropoutFactory:
    """Makes random functions of ``mlx.nn.Dropout``."""

    def __call__(self, *, dtype: str, device: str) -> RandomFunction:
        """Return the function for a dtype."""
        import mlx.core as mx
        from mlx import nn

        del device  # the CPU, which alone has float64

        def function(x: Floats, *seed: Floats, **hyperparameters: float) -> Floats:
            with mx.stream(mx.cpu):
                if seed:
                    mx.random.seed(int(seed[0]))
                layer = nn.Dropout(1 - hyperparameters["keep"]).train(bool(seed))
                return to_floats(mx.stack([layer(units) for units in to_array(x, dtype=dtype)]))

        return function


@dataclass(frozen=True, eq=False)
class ScheduleFactory:
    """Makes schedules of one function that makes them of hyperparameters."""

    constructor: Callable[..., Callable[[Any], Any]]

    def __call__(self, *, dtype: str, device: str) -> Schedule:
        """Return the schedule, called with the count of updates as optimizers have it."""
        import mlx.core as mx

        del dtype, device  # a schedule makes float32 of whole numbers, here on the CPU

        def schedule(steps: Floats, **hyperparameters: float) -> Floats:
            values = {name: int(value) if name.endswith("_steps") else value for name, value in hyperparameters.items()}
            with mx.stream(mx.cpu):
                rate = self.constructor(**values)
                return np.array([float(rate(mx.array(int(step), mx.uint64)).item()) for step in steps])

        return schedule


def cosine(*, peak_value: float, decay_steps: int) -> Callable[[Any], Any]:
    """Decay along a cosine to a tenth."""
    from mlx import optimizers

    schedule: Callable[[Any], Any] = optimizers.cosine_decay(peak_value, decay_steps, 0.1 * peak_value)
    return schedule


def warmup_and_decay(
    *, peak_value: float, end_value: float, warmup_steps: int, decay_steps: int
) -> Callable[[Any], Any]:
    """Rise along a line, and fall along another."""
    from mlx import optimizers

    rise = optimizers.linear_schedule(0.0, peak_value, warmup_steps)
    fall = optimizers.linear_schedule(peak_value, end_value, decay_steps)
    schedule: Callable[[Any], Any] = optimizers.join_schedules([rise, fall], [warmup_steps])
    return schedule
