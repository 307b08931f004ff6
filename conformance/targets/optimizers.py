"""Optimizers of torch, Keras and optax as targets: read from their signatures, without an adapter."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.backends import Implementation
from conformance.backends.torch_optimizers import OFFERED_BY_ALL, OFFERED_BY_TORCH, OptimizerFactory
from conformance.backends.torch_tensors import devices
from conformance.errors import UsageError
from conformance.spellings import matched, numeric
from conformance.targets.loading import named
from conformance.targets.signatures import (
    DTYPES,
    Parameters,
    Signature,
    bare,
    constructor_parameters,
    default,
    derived_from,
    parameters_of,
    spelled,
    words,
)
from conformance.targets.trial import makes_transformations

__all__ = ["OPTIMIZERS", "Maker", "maker", "optimizer", "unknown_optimizer", "updates"]

#: What needs no adapter, for errors.
OPTIMIZERS = (
    "a subclass of torch.optim.Optimizer or of keras.optimizers.Optimizer, a function that makes a transformation of "
    "optax, a functools.partial of one"
)

#: Hyperparameters that programs of a formula may have beside its own.
_FAMILIAR = ("weight_decay", "momentum", "dampening", "initial_accumulator")


@dataclass(frozen=True)
class Maker:
    """How optimizers of one class, or transformations of one function, are made.

    Parameters
    ----------
    parameters : mapping of str to inspect.Parameter
        What the class or function takes.
    factory : callable
        Makes a StepperFactory of the keyword by hyperparameter.
    dtypes, devices : tuple of str
        What the framework has.
    missing_gradients : bool
        Whether a parameter may be without a gradient.
    """

    parameters: Parameters
    factory: Callable[[Mapping[str, str]], Any]
    dtypes: tuple[str, ...]
    devices: tuple[str, ...] = ("cpu",)
    missing_gradients: bool = False

    def implementation(
        self, formula: str, label: str, spellings: Mapping[str, str], fixed: Mapping[str, float]
    ) -> Implementation:
        """Describe what is made, if hyperparameters are spelled so, as an implementation of a formula."""
        return Implementation(
            formula,
            label,
            self.factory(spellings),
            self.dtypes,
            devices=self.devices,
            fixed=fixed,
            missing_gradients=self.missing_gradients,
            matching=words(spellings, fixed),
        )


def maker(target: Any) -> Maker | None:
    """Say how a target's optimizers are made, if it is a class of torch or Keras, or a function that uses optax.

    Whether a function makes transformations is seen by a trial.
    """
    if derived_from(target, "torch.optim", "Optimizer"):
        parameters = constructor_parameters(target)
        return Maker(parameters, functools.partial(_of_torch, target, parameters), DTYPES["torch"], devices(), True)
    if derived_from(target, "keras", "BaseOptimizer"):
        from conformance.backends import keras_arrays, keras_optimizers

        factory = functools.partial(keras_optimizers.OptimizerFactory, target)
        return Maker(constructor_parameters(target), factory, keras_arrays.DTYPES)
    if makes_transformations(target):
        from conformance.backends import optax

        of_jax = functools.partial(optax.TransformationFactory, target)
        return Maker(parameters_of(target) or {}, of_jax, DTYPES["jax"])
    return None


def updates(target: Any) -> bool:
    """Whether a target makes optimizers; a transformation of optax without a learning rate is one of gradients alone."""
    made = maker(target)
    return made is not None and (inspect.isclass(bare(target)) or bool(matched(("learning_rate",), made.parameters)))


def _of_torch(target: Any, parameters: Parameters, spellings: Mapping[str, str]) -> OptimizerFactory:
    sequences = {spelling.partition("[")[0] for spelling in spellings.values() if "[" in spelling}
    constants = {name: parameters[name].default for name in sequences if isinstance(parameters[name].default, tuple)}
    offers = OFFERED_BY_TORCH if bare(target).__module__.startswith("torch.optim.") else OFFERED_BY_ALL
    return OptimizerFactory(target, spellings, constants, offers=offers)


def optimizer(target: Any, rule: Signature, label: str) -> Implementation:
    """Describe an optimizer as an implementation of the formula that it claims.

    Raises
    ------
    UsageError
        If it is none of those that need no adapter, or offers no place for a hyperparameter.
    """
    made = maker(target)
    if made is None:
        raise UsageError(
            f"{rule.id} is an optimizer: target must be {OPTIMIZERS}, or a factory (params, groups, *, dtype, device), "
            f"got {label}"
        )
    spellings = spelled(rule, made.parameters, label)
    taken = {spelling.partition("[")[0] for spelling in spellings.values()}
    beside = matched(_FAMILIAR, set(numeric(made.parameters)) - taken)
    own = {name: default(made.parameters, spelling) for name, spelling in beside.items()}
    found = made.implementation(rule.id, label, spellings, rule.fixed)
    return replace(found, kept={name: value for name, value in own.items() if value})


def unknown_optimizer(target: Any) -> Implementation:
    """Describe an optimizer that claims no formula: its learning rate and its decay are all that is looked for.

    Raises
    ------
    LoadError
        If a string names nothing that can be imported.
    UsageError
        If the target makes no optimizers.
    """
    found, label = named(target)
    made = maker(found) if callable(found) and updates(found) else None
    if made is None:
        raise UsageError(f"without a formula, target must be {OPTIMIZERS}, got {label}: say which it claims")
    # Of one that claims no formula, a decay without further words may be that of an average.
    offered = set(numeric(made.parameters)) - {"decay"}
    return made.implementation("", label, matched(("learning_rate", "weight_decay"), offered), {})
