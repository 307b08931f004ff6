"""Targets: what a user names, made into an implementation of a formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.backends import Implementation
from conformance.errors import UsageError
from conformance.targets.calls import adapted_call
from conformance.targets.functions import of_arrays
from conformance.targets.loading import named
from conformance.targets.optimizers import optimizer
from conformance.targets.schedules import of_steps
from conformance.targets.signatures import DTYPES, Arrays, Signature, is_factory, signature

__all__ = ["adapted", "implementation", "signature"]


def implementation(
    target: Any,
    formula: str,
    *,
    arrays: Arrays | None = None,
    hyperparameters: Mapping[str, float] | None = None,
) -> Implementation:
    """Describe a target as an implementation of a formula.

    Parameters
    ----------
    target : object or str
        A subclass of ``torch.optim.Optimizer`` or ``keras.optimizers.Optimizer``, or a function that makes a
        gradient transformation of optax, or a ``functools.partial`` of one; a function of arrays; for a schedule, a
        function of the step, a function or class that makes one, or a scheduler of torch; a StepperFactory,
        FunctionFactory or ScheduleFactory; an Implementation; or one of these as ``"package.module:name"`` or
        ``"path/to/file.py:name"``.
    formula : str
        Id of the formula that it is to be judged by.
    arrays : {"torch", "jax", "numpy"}, optional
        What a function takes; torch or jax if it, or a global of its module, belongs to one of them.
    hyperparameters : mapping of str to float, optional
        Values that are not varied, by the oracle's names: necessary where the target does not offer them.

    Returns
    -------
    Implementation
        Its ``matching`` says in words which keyword is given which hyperparameter.

    Raises
    ------
    UnknownFormulaError
        If no formula has this id.
    LoadError
        If a string names nothing that can be imported.
    UsageError
        If the target is no implementation of this kind of formula, or offers no place for a hyperparameter.
    """
    return adapted(target, signature(formula, arrays=arrays, hyperparameters=hyperparameters))


def adapted(target: Any, rule: Signature) -> Implementation:
    """Describe a target as what it is claimed to be, with the results and errors of `implementation`."""
    found, label = named(target)
    if isinstance(found, Implementation):
        return replace(found, formula=rule.id, fixed={**found.fixed, **rule.fixed})
    if not callable(found):
        raise UsageError(f"target must be a class, a function or a factory, got {found!r}")
    if is_factory(found, rule.kind):
        return Implementation(
            rule.id, label, found, DTYPES["torch"], fixed=rule.fixed, matching="by the oracle's names"
        )
    if rule.drawn:
        raise UsageError(
            f"{rule.id} draws its {', '.join(rule.drawn)}: target must be a factory (*, dtype, device) of functions "
            f"(x, *seed, {', '.join(rule.hyperparameters)}), got {label}"
        )
    if rule.kind == "optimizer":
        return optimizer(found, rule, label)
    read = of_steps if rule.kind == "schedule" else of_arrays
    return adapted_call(read(found, rule, label), rule, label)
