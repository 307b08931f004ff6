"""Functions of arrays as targets: plain ones, and those that clip gradients where torch and optax keep them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.backends.jax_arrays import precision_of, to_array
from conformance.backends.torch_clips import ClipFactory
from conformance.backends.torch_tensors import devices, to_floats, to_tensor
from conformance.errors import UsageError
from conformance.spellings import Spelled
from conformance.targets.calls import Reading
from conformance.targets.signatures import DTYPES, Arrays, Parameters, Signature, belongs_to, parameters_of
from conformance.targets.trial import makes_transformations
from properties.subject import Floats, Function

__all__ = ["of_arrays"]

_GRADIENT = {"grad": inspect.Parameter("grad", inspect.Parameter.POSITIONAL_OR_KEYWORD)}


def of_arrays(target: Callable[..., Any], rule: Signature, label: str) -> Reading:
    """Say how a target is called with the arrays of a formula.

    Raises
    ------
    UsageError
        If it is a class.
    """
    if inspect.isclass(target):
        raise UsageError(f"{rule.id} is a function of arrays: target must be one, got the class {label}")
    parameters, clips = parameters_of(target), rule.arrays == tuple(_GRADIENT)
    if clips and parameters and next(iter(parameters)) == "parameters" and belongs_to(target, "torch"):
        own = {name: each for name, each in parameters.items() if name != "parameters"}
        told = "it changes gradients in place"
        return Reading(target, {**_GRADIENT, **own}, ClipFactory, DTYPES["torch"], told, devices())
    if clips and makes_transformations(target):
        from conformance.backends import optax

        told = "it makes a transformation of optax"
        return Reading(target, {**_GRADIENT, **(parameters or {})}, optax.ClipFactory, DTYPES["jax"], told)
    arrays = rule.taken or _arrays_of(target)
    whole = tuple(name in rule.integers for name in rule.arrays)
    arranged, parameters = _arranged(target, parameters, rule)
    return Reading(
        arranged,
        parameters,
        functools.partial(_PlainFunction, arrays, whole),
        DTYPES[arrays],
        f"arrays of {arrays}",
        devices() if arrays == "torch" else ("cpu",),
    )


def _arranged(
    target: Callable[..., Any], parameters: Parameters | None, rule: Signature
) -> tuple[Callable[..., Any], Parameters | None]:
    """Return a function that takes the arrays first, and nothing that says where the last axis is; and its parameters."""
    if not parameters:
        return target, parameters
    arrays, in_order = rule.arrays, list(parameters)[: len(rule.arrays)]
    spoken = {name for name, each in parameters.items() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
    named: Sequence[str] = ()
    if len(arrays) > 1 and spoken.issuperset(arrays):
        named = arrays
    elif (spoken - {in_order[0]}).issuperset(arrays[1:]):  # the first has as many names as there are libraries
        named = arrays[1:]
    order = [*in_order[: len(arrays) - len(named)], *named]
    by_rows = rule.id in _BY_ROWS
    places = [name for name, each in parameters.items() if by_rows and name in _LAST_AXIS and _is_open(each)]
    if order == in_order and not places:
        return target, parameters
    rest = [name for name in parameters if name not in (*order, *places)]
    arranged = _Arranged(target, tuple(named), tuple(places))
    return arranged, {name: parameters[name] for name in (*order, *rest)}


def _is_open(parameter: inspect.Parameter) -> bool:
    return parameter.default is None or parameter.default is parameter.empty


@dataclass(frozen=True, eq=False)
class _Arranged:
    """A function that is given its last arrays by name, and told where the last axis is."""

    function: Callable[..., Any]
    named: tuple[str, ...]
    places: tuple[str, ...]

    def __call__(self, *arrays: Any, **keywords: Any) -> Any:
        """Call it."""
        count = len(arrays) - len(self.named)
        named = dict(zip(self.named, arrays[count:], strict=True))
        places = {name: _LAST_AXIS[name](arrays[0]) for name in self.places}
        return self.function(*arrays[:count], **named, **places, **keywords)


#: Formulas along the last axis; of others, None may well mean all axes.
_BY_ROWS = ("layer_norm", "rms_norm", "softmax", "softmax_vjp")
#: What functions along the last axis want to be told, by the array.
_LAST_AXIS: Mapping[str, Callable[[Any], Any]] = {
    "axis": lambda _: -1,
    "dim": lambda _: -1,
    "normalized_shape": lambda array: array.shape[-1:],
}


def _arrays_of(target: Any) -> Arrays:
    if belongs_to(target, "torch"):
        return "torch"
    return "jax" if belongs_to(target, "jax") or belongs_to(target, "optax") else "numpy"


@dataclass(frozen=True, eq=False)
class _PlainFunction:
    """A factory of calls of one function."""

    arrays: Arrays
    integers: tuple[bool, ...]
    function: Spelled

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function for a dtype and a device."""

        def call(*arrays: Floats, **hyperparameters: float) -> Floats:
            taken = [
                self._taken(array, "int64" if whole else dtype, device)
                for array, whole in zip(arrays, self.integers, strict=True)
            ]
            result = self.function(*taken, **hyperparameters)
            if result is None:  # it worked in place
                result = taken[0]
            # Numpy's are widened where they are read, which is where text and complex numbers are refused.
            return to_floats(result) if hasattr(result, "detach") else np.array(result)

        def call_in_jax(*arrays: Floats, **hyperparameters: float) -> Floats:
            with precision_of(dtype):
                return call(*arrays, **hyperparameters)

        return call_in_jax if self.arrays == "jax" else call

    def _taken(self, array: Floats, dtype: str, device: str) -> Any:
        if self.arrays == "torch":
            return to_tensor(array, dtype=dtype, device=device)
        if self.arrays == "jax":
            return to_array(array, dtype=dtype)
        return np.array(array, dtype=dtype, order="K")
