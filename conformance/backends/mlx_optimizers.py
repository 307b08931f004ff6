"""MLX's optimizers as subjects: made, stepped, saved, copied, and shown."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from conformance.backends.mlx_arrays import to_array, to_floats
from conformance.spellings import write
from properties.subject import Floats, Group, Rejected, Stepper

__all__ = ["OptimizerFactory", "OptimizerStepper"]


@dataclass(eq=False)
class OptimizerStepper:
    """An optimizer with its parameters by name; of several groups, a ``MultiOptimizer`` with one for each."""

    optimizer: Any
    parameters: dict[str, Any]
    factory: OptimizerFactory
    groups: list[Group]
    dtype: str

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Apply the gradients that there are."""
        import mlx.core as mx

        with mx.stream(mx.cpu):
            given = {
                name: to_array(grad, dtype=self.dtype)
                for name, grad in zip(self.parameters, grads, strict=True)
                if grad is not None
            }
            self.parameters |= self.optimizer.apply_gradients(given, self.parameters)
            mx.eval(self.parameters, self.optimizer.state)

    def params(self) -> list[Floats]:
        """Copies of the parameters."""
        return [to_floats(parameter) for parameter in self.parameters.values()]

    def state(self) -> list[Mapping[str, Floats]]:
        """What the state holds of each parameter under the exposed names; without momentum SGD keeps no velocity."""
        shown: list[Mapping[str, Floats]] = [{} for _ in self.parameters]
        for group, part in zip(self.groups, self._parts(), strict=True):
            if vars(part).get("momentum", 1):
                for tensor in group.tensors:
                    entry = part.state[f"p{tensor}"]
                    shown[tensor] = {ours: to_floats(entry[theirs]) for ours, theirs in self.factory.exposed.items()}
        return shown

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Set the optimizer's attributes."""
        kept = self.groups[group]
        self.groups[group] = Group(kept.tensors, {**kept.hyperparameters, **values})
        optimizer = self._parts()[group]
        for name, value in values.items():
            if name == "learning_rate":
                optimizer.learning_rate = self.factory.rate(value, self.dtype)
            else:
                for spelling in self.factory.spellings.get(name, "").split():
                    write(vars(optimizer), spelling, value)

    def resumed(self) -> Stepper:
        """Load what is saved into a new optimizer of the same hyperparameters."""
        new = self.factory(self.params(), self.groups, dtype=self.dtype, device="cpu")
        new.rewound(self.saved())
        return new

    def saved(self) -> bytes:
        """Save the parameters and the state as a file holds them; safetensors know no float64."""
        import mlx.core as mx
        from mlx.utils import tree_flatten

        file = io.BytesIO()
        with mx.stream(mx.cpu):
            mx.savez(file, **tree_flatten([self.parameters, self.optimizer.state], destination={}))
        return file.getvalue()

    def rewound(self, saved: bytes) -> None:
        """Set both to what the file holds."""
        import mlx.core as mx
        from mlx.utils import tree_unflatten

        with mx.stream(mx.cpu):
            parameters, self.optimizer.state = tree_unflatten(mx.load(io.BytesIO(saved), format="npz"))
            self.parameters |= parameters
            mx.eval(self.parameters, self.optimizer.state)

    def copied(self) -> Stepper:
        """Copy the optimizer and its parameters together."""
        optimizer, parameters = copy.deepcopy((self.optimizer, self.parameters))
        return OptimizerStepper(optimizer, parameters, self.factory, list(self.groups), self.dtype)

    def _parts(self) -> list[Any]:
        return [self.optimizer] if len(self.groups) == 1 else self.optimizer.optimizers


@dataclass(frozen=True, eq=False)
class OptimizerFactory:
    """Makes subjects of one optimizer class.

    Parameters
    ----------
    constructor : callable
        Called with keyword arguments.
    spellings : mapping of str to str
        The constructor's keyword, and the attribute, by the oracle's name; several, with spaces between, are given
        the same value.
    constants : mapping of str to object
        Other keyword arguments, the same for every subject.
    exposed : mapping of str to str
        State entries by the oracle's names for what they hold.
    plain_rate : bool
        Whether learning rates are always Python's floats, which MLX keeps in float32. If not, those of float64
        parameters are arrays of this dtype.
    """

    # Not pickling: a MultiOptimizer has a lambda, and float64 arrays come back in float32.
    offers: ClassVar[tuple[str, ...]] = ("resumed", "copied", "saved", "rewound")

    constructor: Callable[..., Any]
    spellings: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    exposed: Mapping[str, str] = field(default_factory=dict)
    plain_rate: bool = False

    def __call__(
        self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str
    ) -> OptimizerStepper:
        """Make an optimizer, and its state.

        Raises
        ------
        Rejected
            If the constructor raises ValueError.
        """
        import mlx.core as mx
        from mlx.optimizers import MultiOptimizer

        del device  # the CPU, which alone has float64
        with mx.stream(mx.cpu):
            parameters = {f"p{place}": to_array(param, dtype=dtype) for place, param in enumerate(params)}
            try:
                parts = [self._made(group.hyperparameters, dtype) for group in groups]
            except ValueError as error:
                raise Rejected(f"ValueError: {error}") from error
            names = [{f"p{place}" for place in group.tensors} for group in groups[:-1]]
            filters = [lambda name, _, mine=mine: name in mine for mine in names]
            optimizer = MultiOptimizer(parts, filters) if filters else parts[0]
            optimizer.init(parameters)
        own = [Group(group.tensors, dict(group.hyperparameters)) for group in groups]
        return OptimizerStepper(optimizer, parameters, self, own, dtype)

    def rate(self, value: float, dtype: str) -> Any:
        """Return a learning rate as the subjects of a dtype take it."""
        return value if self.plain_rate or dtype != "float64" else to_array(np.asarray(value), dtype=dtype)

    def _made(self, values: Mapping[str, float], dtype: str) -> Any:
        keywords = dict(self.constants)
        for name, value in values.items():
            for spelling in self.spellings.get(name, "").split():
                write(keywords, spelling, self.rate(value, dtype) if name == "learning_rate" else value)
        return self.constructor(**keywords)
