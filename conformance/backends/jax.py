"""JAX: the functions of ``jax.nn``, gradients by autodiff, and the losses of optax where it is installed.

All calls are on JAX's default device, operation by operation and compiled as one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from conformance.backends import Backend, Implementation
from conformance.backends.jax_arrays import DTYPES, environment, precision_of, to_array, to_floats
from conformance.backends.named import Gated, Named
from properties.subject import Floats, Function

__all__ = ["ArrayFunction", "backend"]


@dataclass(frozen=True, eq=False)
class ArrayFunction:
    """Makes functions of JAX's arrays.

    Parameters
    ----------
    call : callable
        ``call(*arrays, **hyperparameters)`` returns one array.
    compiled : bool
        Whether all its operations are compiled together.
    constants : tuple of str
        Hyperparameters, which are constants of what is compiled.
    """

    call: Callable[..., Any]
    compiled: bool
    constants: tuple[str, ...] = ()

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function for a dtype."""
        import jax

        del device  # JAX's default
        call = jax.jit(self.call, static_argnames=self.constants) if self.compiled else self.call

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            with precision_of(dtype):
                return to_floats(call(*(to_array(array, dtype=dtype) for array in arrays), **hyperparameters))

        return function


@dataclass(frozen=True, eq=False)
class Reduced:
    """A function whose results are added up, or averaged."""

    call: Callable[..., Any]
    reduction: str

    def __call__(self, *arrays: Any) -> Any:
        """Call it, and reduce."""
        import jax.numpy as jnp

        reduce: Callable[[Any], Any] = getattr(jnp, self.reduction)
        return reduce(self.call(*arrays))


@dataclass(frozen=True, eq=False)
class PulledBack:
    """What ``jax.vjp`` makes of a cotangent of a function's result."""

    call: Callable[..., Any]

    def __call__(self, x: Any, upstream: Any) -> Any:
        """Differentiate with respect to the input."""
        import jax

        (gradient,) = jax.vjp(self.call, x)[1](upstream)
        return gradient


@dataclass(frozen=True, eq=False)
class Gradient:
    """What ``jax.grad`` finds for a loss."""

    loss: Callable[..., Any]

    def __call__(self, prediction: Any, target: Any) -> Any:
        """Differentiate with respect to the prediction."""
        import jax

        return jax.grad(self.loss)(prediction, target)


def halves(x: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
    """GLU of one linear map with both branches side by side."""
    import jax
    import jax.numpy as jnp

    return jax.nn.glu(x @ jnp.concatenate([w, v], axis=1) + jnp.concatenate([b, c]))


def fed_forward(x: Any, w: Any, v: Any, w2: Any) -> Any:
    """Feed-forward block with SiLU as its gate, as models do."""
    import jax

    return (jax.nn.silu(x @ w) * (x @ v)) @ w2


def class_numbers(scores: Any, target: Any) -> Any:
    """Cross-entropy of classes by their numbers, by sample."""
    import jax.numpy as jnp
    import optax

    return optax.softmax_cross_entropy_with_integer_labels(scores, target.astype(jnp.int32))


def class_probabilities(scores: Any, target: Any) -> Any:
    """Cross-entropy of classes by their probabilities, which are 0 and 1, by sample."""
    import jax
    import jax.numpy as jnp
    import optax

    return optax.softmax_cross_entropy(
        scores, jax.nn.one_hot(target.astype(jnp.int32), scores.shape[-1], dtype=scores.dtype)
    )


_NN, _OPTAX = "jax.nn", "optax"
_EXACT, _TANH = {"approximate": False}, {"approximate": True}
_SQUARES, _LOGITS = Named(_OPTAX, "squared_error"), Named(_OPTAX, "sigmoid_binary_cross_entropy")

#: What is called for a formula, under which label.
_FUNCTIONS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("relu", "jax.nn.relu", Named(_NN, "relu")),
    ("sigmoid", "jax.nn.sigmoid", Named(_NN, "sigmoid")),
    ("gelu", "jax.nn.gelu:exact", Named(_NN, "gelu", _EXACT)),
    ("gelu_tanh", "jax.nn.gelu:approximate", Named(_NN, "gelu", _TANH)),
    ("silu", "jax.nn.silu", Named(_NN, "silu")),
    ("softmax", "jax.nn.softmax", Named(_NN, "softmax")),
    ("glu", "jax.nn.glu", halves),
    ("geglu", "jax.nn.gelu:gate", Gated(Named(_NN, "gelu", _EXACT))),
    ("swiglu", "jax.nn.silu:gate", Gated(Named(_NN, "silu"))),
    ("ffn_swiglu", "jax.nn.silu:block", fed_forward),
    ("relu_vjp", "jax.vjp:jax.nn.relu", PulledBack(Named(_NN, "relu"))),
    ("sigmoid_vjp", "jax.vjp:jax.nn.sigmoid", PulledBack(Named(_NN, "sigmoid"))),
)

_LOSSES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("loss_squared_error", "optax.squared_error:sum", Reduced(_SQUARES, "sum")),
    ("loss_mse", "optax.squared_error:mean", Reduced(_SQUARES, "mean")),
    ("bce_with_logits", "optax.sigmoid_binary_cross_entropy:mean", Reduced(_LOGITS, "mean")),
    (
        "loss_cross_entropy",
        "optax.softmax_cross_entropy_with_integer_labels:mean",
        Reduced(class_numbers, "mean"),
    ),
    ("loss_cross_entropy", "optax.softmax_cross_entropy:mean", Reduced(class_probabilities, "mean")),
    ("loss_squared_error_gradient", "jax.grad:optax.squared_error:sum", Gradient(Reduced(_SQUARES, "sum"))),
    (
        "bce_with_logits_gradient",
        "jax.grad:optax.sigmoid_binary_cross_entropy:mean",
        Gradient(Reduced(_LOGITS, "mean")),
    ),
    (
        "loss_cross_entropy_gradient",
        "jax.grad:optax.softmax_cross_entropy_with_integer_labels:mean",
        Gradient(Reduced(class_numbers, "mean")),
    ),
)


def _implementations() -> Iterator[Implementation]:
    for formula, label, call in (*_FUNCTIONS, *(_LOSSES if importlib.util.find_spec("optax") else ())):
        for compiled in (False, True):
            yield Implementation(formula, label + (":jit" if compiled else ""), ArrayFunction(call, compiled), DTYPES)


def backend() -> Backend:
    """Describe the installed JAX.

    Returns
    -------
    Backend
        Two implementations of each function, operation by operation and compiled as one (``:jit``); losses
        if optax is installed.
    """
    import jax

    return Backend("jax", jax.__version__, tuple(_implementations()), environment)
