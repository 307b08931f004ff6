"""Keras' optimizers as subjects: made, stepped, saved, and shown."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from conformance.backends.keras_arrays import arrays_of_numpy, numbers_of, to_floats, to_tensor
from conformance.spellings import write
from properties.subject import Floats, Group, Rejected, Stepper

__all__ = ["OptimizerFactory", "OptimizerStepper"]


@dataclass(eq=False)
class OptimizerStepper:
    """Optimizers with their variables: Keras has no groups, so that each group has an optimizer of its own."""

    optimizers: list[Any]
    groups: list[Group]
    variables: list[Any]
    factory: OptimizerFactory
    dtype: str

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Apply the gradients."""
        with numbers_of(self.dtype):
            for optimizer, group in zip(self.optimizers, self.groups, strict=True):
                given = [grads[tensor] for tensor in group.tensors]
                tensors = [None if grad is None else to_tensor(grad, self.dtype) for grad in given]
                optimizer.apply(tensors, [self.variables[tensor] for tensor in group.tensors])

    def params(self) -> list[Floats]:
        """Copies of the variables."""
        return [to_floats(variable.value) for variable in self.variables]

    def state(self) -> list[Mapping[str, Floats]]:
        """Nothing: what Keras keeps, it keeps under other conventions."""
        return [{} for _ in self.variables]

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Set the optimizer's attributes."""
        kept = self.groups[group]
        self.groups[group] = Group(kept.tensors, {**kept.hyperparameters, **values})
        with numbers_of(self.dtype):
            for name, value in values.items():
                if name in self.factory.spellings:
                    setattr(self.optimizers[group], self.factory.spellings[name], value)

    def resumed(self) -> Stepper:
        """Load what is saved into new optimizers of the same hyperparameters."""
        new = self.factory(self.params(), self.groups, dtype=self.dtype, device="cpu")
        new.rewound(self.saved())
        return new

    def saved(self) -> bytes:
        """Pickle the parameters, and what each optimizer stores of its own variables when a model is saved."""
        stores: list[dict[str, Any]] = [{} for _ in self.optimizers]
        with numbers_of(self.dtype), arrays_of_numpy():
            for optimizer, store in zip(self.optimizers, stores, strict=True):
                optimizer.save_own_variables(store)
        return pickle.dumps((self.params(), stores))

    def rewound(self, saved: bytes) -> None:
        """Assign the parameters, and let each optimizer load its own variables."""
        params, stores = pickle.loads(saved)
        with numbers_of(self.dtype):
            for variable, param in zip(self.variables, params, strict=True):
                variable.assign(to_tensor(param, self.dtype))
            for optimizer, store in zip(self.optimizers, stores, strict=True):
                optimizer.load_own_variables(store)


@dataclass(frozen=True, eq=False)
class OptimizerFactory:
    """Makes subjects of one Keras optimizer class.

    Parameters
    ----------
    constructor : callable
    spellings : mapping of str to str
        The constructor's keyword, and the attribute, by the oracle's name.
    constants : mapping of str to object
        Other keyword arguments.
    """

    offers: ClassVar[tuple[str, ...]] = ("resumed", "saved", "rewound")

    constructor: Callable[..., Any]
    spellings: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)

    def __call__(
        self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str
    ) -> OptimizerStepper:
        """Make an optimizer for each group.

        Raises
        ------
        Rejected
            If the constructor raises ValueError or TypeError.
        """
        import keras

        del device  # the default of Keras' backend
        with numbers_of(dtype):
            variables = [keras.Variable(to_tensor(param, dtype), dtype=dtype) for param in params]
            optimizers = [self._made(group.hyperparameters) for group in groups]
            for optimizer, group in zip(optimizers, groups, strict=True):
                optimizer.build([variables[tensor] for tensor in group.tensors])
        own = [Group(group.tensors, dict(group.hyperparameters)) for group in groups]
        return OptimizerStepper(optimizers, own, variables, self, dtype)

    def _made(self, values: Mapping[str, float]) -> Any:
        keywords = dict(self.constants)
        for name, value in values.items():
            if name in self.spellings:
                write(keywords, self.spellings[name], value)
        try:
            return self.constructor(**keywords)
        except (ValueError, TypeError) as error:
            raise Rejected(f"{type(error).__name__}: {error}") from error
