"""Flax: the norms, cells and dropout of ``flax.linen`` and ``flax.nnx``, and ``nnx.Optimizer``, on JAX's default device.

Not judged: what Flax hands on from ``jax.nn``, which is judged there; ``TrainState``, which calls a transformation of
optax and adds its updates; and the running statistics of batches, for Flax takes the weight of what was there, from
which the weight of what is new follows with a rounding that is no fault of its own.

Half types are judged as they come: norms take statistics in float32, and round what follows from them once, which is one
of the programs that the bounds of half types admit, as it is to stay in the dtype (``own_dtype``).
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from conformance.backends import Backend, Implementation
from conformance.backends.jax import ArrayFunction
from conformance.backends.jax_arrays import (
    DTYPES,
    environment,
    loaded_tree,
    precision_of,
    saved_tree,
    to_array,
    to_floats,
)
from conformance.backends.optax import TransformationFactory, optimizers
from properties.subject import Floats, Group, RandomFunction, Rejected, Stepper

__all__ = ["DropoutFactory", "NnxCell", "NnxNorm", "OptimizerFactory", "backend"]


@dataclass(frozen=True, eq=False)
class LinenNorm:
    """A norm of ``flax.linen``, applied to parameters that are given."""

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, x: Any, weight: Any, *bias: Any, eps: float) -> Any:
        """Make the module, and apply it as in training."""
        from flax import linen

        module = getattr(linen, self.name)(epsilon=eps, dtype=x.dtype, param_dtype=x.dtype, **self.keywords)
        statistics = {"mean": x[0], "var": x[0]}  # of no use in training
        variables = {"params": _affine(weight, *bias), "batch_stats": statistics}
        return module.apply(variables, x, mutable=["batch_stats"])[0]


@dataclass(frozen=True, eq=False)
class NnxNorm:
    """A norm of ``flax.nnx``, with parameters that are given."""

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, x: Any, weight: Any, *bias: Any, eps: float) -> Any:
        """Make the module, and call it as in training."""
        from flax import nnx

        dtypes = {"dtype": x.dtype, "param_dtype": x.dtype}
        module = getattr(nnx, self.name)(x.shape[-1], epsilon=eps, rngs=nnx.Rngs(0), **dtypes, **self.keywords)
        nnx.update(module, _affine(weight, *bias))
        return module(x)


def _affine(weight: Any, *bias: Any) -> dict[str, Any]:
    return {"scale": weight, **dict(zip(("bias",), bias, strict=False))}


#: Flax's letters for the gates in the oracle's order: forget, input, output, and the candidate.
GATES = ("f", "i", "o", "g")


@dataclass(frozen=True, eq=False)
class LinenCell:
    """What a long short-term memory of ``flax.linen`` keeps (place 0) or shows (place 1)."""

    name: str
    place: int

    def __call__(self, x: Any, hidden: Any, cell: Any, w: Any, u: Any, b: Any) -> Any:
        """Make the module, and go one step."""
        from flax import linen

        module = getattr(linen, self.name)(hidden.shape[-1], dtype=x.dtype, param_dtype=x.dtype)
        return module.apply({"params": _gates(w, u, b)}, (cell, hidden), x)[0][self.place]


@dataclass(frozen=True, eq=False)
class NnxCell:
    """What a long short-term memory of ``flax.nnx`` keeps (place 0) or shows (place 1)."""

    name: str
    place: int

    def __call__(self, x: Any, hidden: Any, cell: Any, w: Any, u: Any, b: Any) -> Any:
        """Make the module, and go one step."""
        from flax import nnx

        zeros = nnx.initializers.zeros_init()  # the usual ones need a decomposition
        initializers = {"kernel_init": zeros, "recurrent_kernel_init": zeros}
        dtypes = {"dtype": x.dtype, "param_dtype": x.dtype}
        widths = x.shape[-1], hidden.shape[-1]
        module = getattr(nnx, self.name)(*widths, rngs=nnx.Rngs(0), **dtypes, **initializers)
        parameters = _gates(w, u, b)
        parameters["if_"] = parameters.pop("if")
        nnx.update(module, _side_by_side(w, u, b) if hasattr(module, "dense_i") else parameters)
        return module((cell, hidden), x)[0][self.place]


def _gates(w: Any, u: Any, b: Any) -> dict[str, dict[str, Any]]:
    """Name the parameters of each gate, those of the input ``i.`` and those of the hidden state ``h.``."""
    parameters = {f"i{gate}": {"kernel": w[number]} for number, gate in enumerate(GATES)}
    return parameters | {f"h{gate}": {"kernel": u[number], "bias": b[number]} for number, gate in enumerate(GATES)}


def _side_by_side(w: Any, u: Any, b: Any) -> dict[str, dict[str, Any]]:
    """Put the gates side by side: input, forget, candidate, output."""
    import jax.numpy as jnp

    kernels, recurrent, bias = (jnp.concatenate([array[gate] for gate in (1, 0, 3, 2)], axis=-1) for array in (w, u, b))
    return {"dense_i": {"kernel": kernels}, "dense_h": {"kernel": recurrent, "bias": bias}}


# By default Flax takes a variance as the mean square less the square of the mean.
_SLOW = {"use_fast_variance": False}
_BATCH = {"use_running_average": False}
# By default it takes means of half types in float32, and all that is made of them, until the result is rounded.
_NARROW = {**_SLOW, "force_float32_reductions": False}


def _functions() -> Iterator[Implementation]:
    """Yield the norms and cells; the norms of linen also compiled as one, beside the functions of the backend for JAX."""
    entries: list[tuple[str, str, Callable[..., Any]]] = []
    for place, norm in (("flax.linen", LinenNorm), ("flax.nnx", NnxNorm)):
        entries += [
            ("layer_norm:one_pass", f"{place}.LayerNorm", norm("LayerNorm")),
            ("layer_norm", f"{place}.LayerNorm:slow_variance", norm("LayerNorm", _SLOW)),
            ("rms_norm", f"{place}.RMSNorm", norm("RMSNorm")),
            ("batch_norm:one_pass", f"{place}.BatchNorm", norm("BatchNorm", _BATCH)),
            ("batch_norm", f"{place}.BatchNorm:slow_variance", norm("BatchNorm", {**_BATCH, **_SLOW})),
        ]
    entries += [
        ("layer_norm", "flax.linen.LayerNorm:slow_variance,own_dtype", LinenNorm("LayerNorm", _NARROW)),
        ("batch_norm", "flax.linen.BatchNorm:slow_variance,own_dtype", LinenNorm("BatchNorm", {**_BATCH, **_NARROW})),
    ]
    for number, formula in enumerate(("lstm_cell", "lstm_hidden")):
        for name in ("LSTMCell", "OptimizedLSTMCell"):
            entries.append((formula, f"flax.linen.{name}", LinenCell(name, number)))
            entries.append((formula, f"flax.nnx.{name}", NnxCell(name, number)))
    for claimed, label, call in entries:
        formula, _, evaluation = claimed.partition(":")
        yield Implementation(formula, label, ArrayFunction(call, compiled=False), DTYPES, evaluation=evaluation)
        if isinstance(call, LinenNorm):
            compiled = ArrayFunction(call, compiled=True, constants=("eps",))
            yield Implementation(formula, f"{label}:jit", compiled, DTYPES, evaluation=evaluation)


@dataclass(frozen=True, eq=False)
class DropoutFactory:
    """Makes random functions: ``make(drop, seed)`` returns what is called on each pass, at inference without a seed."""

    make: Callable[[float, int | None], Callable[[Any], Any]]

    def __call__(self, *, dtype: str, device: str) -> RandomFunction:
        """Return the function for a dtype."""
        import jax.numpy as jnp

        del device  # JAX's default

        def function(x: Floats, *seed: Floats, **hyperparameters: float) -> Floats:
            with precision_of(dtype):
                layer = self.make(1 - hyperparameters["keep"], int(seed[0]) if seed else None)
                return to_floats(jnp.stack([layer(units) for units in to_array(x, dtype=dtype)]))

        return function


def _linen_dropout(drop: float, seed: int | None) -> Callable[[Any], Any]:
    import jax
    from flax import linen

    module = linen.Dropout(drop, deterministic=seed is None)
    key, passes = jax.random.key(seed or 0), itertools.count()
    return lambda units: module.apply({}, units, rngs={"dropout": jax.random.fold_in(key, next(passes))})


def _nnx_dropout(drop: float, seed: int | None) -> Callable[[Any], Any]:
    from flax import nnx

    module: Callable[[Any], Any] = nnx.Dropout(drop, deterministic=seed is None, rngs=nnx.Rngs(seed or 0))
    return module


def _dropouts() -> Iterator[Implementation]:
    for label, make in (("flax.linen.Dropout", _linen_dropout), ("flax.nnx.Dropout", _nnx_dropout)):
        yield Implementation("dropout_inverted", label, DropoutFactory(make), DTYPES)


@dataclass(eq=False)
class OptimizerStepper:
    """``nnx.Optimizer`` beside the list of parameters that it updates in place."""

    factory: OptimizerFactory
    groups: list[Group]
    model: Any
    optimizer: Any
    dtype: str

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Call ``update``."""
        with precision_of(self.dtype):
            self.optimizer.update(self.model, _parameters(grads, self.dtype))

    def params(self) -> list[Floats]:
        """Copies of the parameters."""
        return [to_floats(parameter[...]) for parameter in self.model]

    def state(self) -> list[Mapping[str, Floats]]:
        """Nothing: what is kept is what optax keeps, and judged there."""
        return [{} for _ in self.model]

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Go on with the state of a transformation that is made with other values."""
        changed = {**self.groups[group].hyperparameters, **values}
        self.groups[group] = Group(self.groups[group].tensors, changed)
        self.optimizer.tx = self.factory.transformations.transformation(self.groups)

    def resumed(self) -> Stepper:
        """Put what is saved into a new model and a new optimizer."""
        new = self.factory(self.params(), self.groups, dtype=self.dtype, device="cpu")
        new.rewound(self.saved())
        return new

    def saved(self) -> bytes:
        """Save the leaves of the state of both."""
        from flax import nnx

        return saved_tree(nnx.state((self.model, self.optimizer)))

    def rewound(self, saved: bytes) -> None:
        """Update both with the leaves."""
        from flax import nnx

        with precision_of(self.dtype):
            both = self.model, self.optimizer
            nnx.update(both, loaded_tree(saved, like=nnx.state(both)))

    def copied(self) -> Stepper:
        """Copy the parameters and the optimizer."""
        return OptimizerStepper(
            self.factory, list(self.groups), *copy.deepcopy((self.model, self.optimizer)), self.dtype
        )


def _parameters(values: Sequence[Floats | None], dtype: str) -> Any:
    """Make a list of parameters, or of gradients, none of which is missing."""
    from flax import nnx

    return nnx.List([nnx.Param(to_array(np.asarray(value), dtype=dtype)) for value in values])


@dataclass(frozen=True, eq=False)
class OptimizerFactory:
    """Makes subjects of ``nnx.Optimizer``, of what makes transformations of optax."""

    offers: ClassVar[tuple[str, ...]] = ("resumed", "copied", "saved", "rewound")

    transformations: TransformationFactory

    def __call__(
        self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str
    ) -> OptimizerStepper:
        """Make an optimizer.

        Raises
        ------
        Rejected
            If the transformation's constructor raises ValueError or TypeError.
        """
        from flax import nnx

        del device  # JAX's default
        with precision_of(dtype):
            model = _parameters(params, dtype)
            try:
                optimizer = nnx.Optimizer(model, self.transformations.transformation(groups), wrt=nnx.Param)
            except (ValueError, TypeError) as error:
                raise Rejected(f"{type(error).__name__}: {error}") from error
        own = [Group(group.tensors, dict(group.hyperparameters)) for group in groups]
        return OptimizerStepper(self, own, model, optimizer, dtype)


def _optimizers() -> Iterator[Implementation]:
    for entry in optimizers():
        if entry.formula in ("gd", "momentum_heavy_ball", "adam", "adamw"):
            label = entry.label.removeprefix("optax.")
            yield replace(entry, label=f"flax.nnx.Optimizer:{label}", factory=OptimizerFactory(entry.factory), state=())


def backend() -> Backend:
    """Describe the installed Flax.

    Returns
    -------
    Backend
        Norms, some of them compiled as one too (``:jit``), cells, dropout and optimizers.
    """
    import flax

    return Backend("flax", flax.__version__, (*_functions(), *_dropouts(), *_optimizers()), environment)
