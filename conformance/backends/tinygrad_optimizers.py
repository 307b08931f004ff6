"""Tinygrad's optimizers as subjects: made, stepped, saved, copied, and shown."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np

from conformance.backends.tinygrad_tensors import on_the_cpu, to_floats, to_tensor
from properties.subject import Floats, Group, Place, Rejected, Stepper

__all__ = ["OptimizerFactory", "OptimizerStepper"]

#: Attributes that are not called as the constructor's keyword is.
_ATTRIBUTES = {"weight_decay": "wd"}

_COPYING = ("copied", "pickled")


@contextmanager
def _states_of(dtype: str) -> Iterator[None]:
    """Let optimizers that are made keep what they remember in a dtype; tinygrad reads its variables once."""
    from tinygrad.helpers import getenv

    with patch.dict(os.environ, OPTIM_DTYPE=dtype):
        getenv.cache_clear()
        try:
            yield
        finally:
            getenv.cache_clear()


@dataclass(eq=False)
class OptimizerStepper:
    """Parameters with an optimizer for each group."""

    factory: OptimizerFactory
    parts: list[Any]
    parameters: list[Any]
    shapes: list[tuple[int, ...]]
    groups: list[Group]
    dtype: str

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Update with gradients of all parameters."""
        from tinygrad.nn.optim import OptimizerGroup

        with self.factory.settings(self.dtype):
            for parameter, grad in zip(self.parameters, grads, strict=True):
                parameter.grad = None if grad is None else to_tensor(grad.reshape(parameter.shape), dtype=self.dtype)
            (self.parts[0] if len(self.parts) == 1 else OptimizerGroup(*self.parts)).step()

    def params(self) -> list[Floats]:
        """Copies of the parameters."""
        return self._shaped(self.parameters)

    def grads(self) -> list[Floats | None]:
        """Copies of the gradients that the last update left."""
        return [*self._shaped([parameter.grad for parameter in self.parameters])]

    def places(self) -> list[Place]:
        """What each parameter is made of."""
        from tinygrad import dtypes

        names = {getattr(dtypes, name): name for name in ("float64", "float32", "float16", "bfloat16")}
        found = zip(self.parameters, self.shapes, strict=True)
        return [Place(names[one.dtype], one.device.lower(), shape) for one, shape in found]

    def state(self) -> list[Mapping[str, Floats]]:
        """What the optimizers remember of each parameter under the exposed names; without momentum SGD has none."""
        shown: list[dict[str, Floats]] = [{} for _ in self.parameters]
        for group, part in zip(self.groups, self.parts, strict=True):
            for ours, theirs in self.factory.exposed.items():
                for tensor, values in zip(group.tensors, self._floats(getattr(part, theirs)), strict=False):
                    shown[tensor][ours] = values.reshape(self.shapes[tensor])
        return [*shown]

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Set the optimizer's attributes, and write a learning rate into the tensor that it is kept in."""
        part, kept = self.parts[group], self.groups[group]
        self.groups[group] = Group(kept.tensors, {**kept.hyperparameters, **values})
        for name, value in values.items():
            keyword = self.factory.spellings.get(name)
            if keyword == "lr":
                with self.factory.settings(self.dtype):
                    part.lr.assign(part.lr.full_like(value).contiguous()).realize()
            elif keyword:
                setattr(part, _ATTRIBUTES.get(keyword, keyword), value)

    def saved(self) -> bytes:
        """Save everything to a file, and return what is in it."""
        from tinygrad.nn.state import get_state_dict, safe_save

        with self.factory.settings(self.dtype), TemporaryDirectory() as folder:
            safe_save(get_state_dict(self.parts), str(file := Path(folder, "state.safetensors")))
            return file.read_bytes()

    def rewound(self, saved: bytes) -> None:
        """Load a file, parameters included."""
        from tinygrad.nn.state import load_state_dict, safe_load

        with self.factory.settings(self.dtype), TemporaryDirectory() as folder:
            (file := Path(folder, "state.safetensors")).write_bytes(saved)
            load_state_dict(self.parts, safe_load(file), verbose=False)

    def resumed(self) -> Stepper:
        """Load what is saved into new optimizers of the same hyperparameters."""
        new = self.factory(self.params(), self.groups, dtype=self.dtype, device="cpu")
        new.rewound(self.saved())
        return new

    def copied(self) -> Stepper:
        """Copy the optimizers and their parameters together."""
        with self.factory.settings(self.dtype):
            parts, parameters = copy.deepcopy((self.parts, self.parameters))
        return OptimizerStepper(self.factory, parts, parameters, list(self.shapes), list(self.groups), self.dtype)

    def pickled(self) -> Stepper:
        """Pickle the optimizers and their parameters together."""
        with self.factory.settings(self.dtype):
            parts, parameters = pickle.loads(pickle.dumps((self.parts, self.parameters)))
        return OptimizerStepper(self.factory, parts, parameters, list(self.shapes), list(self.groups), self.dtype)

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Make another optimizer for parameters of its own."""
        new = self.factory.made(params, group, self.dtype)
        self.parameters += new.params
        self.shapes += [param.shape for param in params]
        self.parts.append(new)
        self.groups.append(Group(group.tensors, dict(group.hyperparameters)))

    def _shaped(self, tensors: Sequence[Any]) -> list[Floats]:
        return [values.reshape(shape) for values, shape in zip(self._floats(tensors), self.shapes, strict=True)]

    def _floats(self, tensors: Sequence[Any]) -> list[Floats]:
        with self.factory.settings(self.dtype):
            return [to_floats(tensor) for tensor in tensors]


@dataclass(frozen=True, eq=False)
class OptimizerFactory:
    """Makes subjects of one optimizer class.

    Parameters
    ----------
    constructor : callable
        Called with a list of tensors and keyword arguments.
    spellings : mapping of str to str
        The constructor's keyword by the oracle's name.
    constants : mapping of str to object
        Other keyword arguments, the same for every subject.
    exposed : mapping of str to str
        Attributes by the oracle's names for what they hold of each parameter.
    as_it_comes : bool
        Whether float64 is no different from other dtypes: learning rates and states are float32. If not, those of
        float64 are float64, as ``DEFAULT_FLOAT`` and ``OPTIM_DTYPE`` say.
    scalars : bool
        Whether parameters without axes are given as they are. If not, they have an axis of one number.
    copies : bool
        Whether subjects are copied and pickled, which breaks them, and so would hide whatever else might.
    """

    constructor: Callable[..., Any]
    spellings: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    exposed: Mapping[str, str] = field(default_factory=dict)
    as_it_comes: bool = False
    scalars: bool = False
    copies: bool = False

    @property
    def offers(self) -> tuple[str, ...]:
        """What subjects do beyond updates."""
        return ("resumed", "saved", "rewound", "add_group", "grads", "places", *(_COPYING if self.copies else ()))

    @property
    def withheld(self) -> tuple[str, ...]:
        """What subjects could do, and are not asked for."""
        return () if self.copies else _COPYING

    def __call__(
        self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str
    ) -> OptimizerStepper:
        """Make an optimizer for each group.

        Raises
        ------
        Rejected
            If the constructor raises ValueError.
        """
        del device  # the CPU
        own = [Group(group.tensors, dict(group.hyperparameters)) for group in groups]
        parts = [self.made([params[tensor] for tensor in group.tensors], group, dtype) for group in own]
        tensors = [tensor for group in own for tensor in group.tensors]
        made = dict(zip(tensors, (parameter for part in parts for parameter in part.params), strict=True))
        parameters = [made[tensor] for tensor in range(len(params))]
        return OptimizerStepper(self, parts, parameters, [param.shape for param in params], own, dtype)

    def made(self, params: Sequence[Floats], group: Group, dtype: str) -> Any:
        """Make the optimizer of one group, and its parameters."""
        spelled = self.spellings
        keywords = {spelled[name]: value for name, value in group.hyperparameters.items() if name in spelled}
        with self.settings(dtype), _states_of(self._default(dtype)):
            given = params if self.scalars else [np.atleast_1d(param) for param in params]
            parameters = [to_tensor(param, dtype=dtype) for param in given]
            try:
                return self.constructor(parameters, **keywords, **self.constants)
            except ValueError as error:
                raise Rejected(f"ValueError: {error}") from error

    def settings(self, dtype: str) -> AbstractContextManager[None]:
        """Let tinygrad be set as in programs whose parameters are of a dtype."""
        return on_the_cpu(self._default(dtype))

    def _default(self, dtype: str) -> str:
        return "float64" if dtype == "float64" and not self.as_it_comes else "float32"
