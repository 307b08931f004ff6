"""Functions of arrays as targets: plain ones, and those that clip gradients where torch and optax keep them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.backends.jax_arrays import precision_of, to_array
from conformance.backends.torch_clips import ClipFactory
from conformance.backends.torch_tensors import devices, to_floats, to_tensor
from conformance.errors import UsageError
from conformance.spellings import Spelled
from conformance.targets.calls import Reading
from conformance.targets.signatures import DTYPES, Arrays, Signature, belongs_to, parameters_of
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
        return Reading({**_GRADIENT, **own}, ClipFactory, DTYPES["torch"], told, devices())
    if clips and makes_transformations(target):
        from conformance.backends import optax

        told = "it makes a transformation of optax"
        return Reading({**_GRADIENT, **(parameters or {})}, optax.ClipFactory, DTYPES["jax"], told)
    arrays = rule.taken or _arrays_of(target)
    whole = tuple(name in rule.integers for name in rule.arrays)
    return Reading(
        parameters,
        functools.partial(_PlainFunction, arrays, whole),
        DTYPES[arrays],
        f"arrays of {arrays}",
        devices() if arrays == "torch" else ("cpu",),
    )


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
