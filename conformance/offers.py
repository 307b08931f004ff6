"""Offers: what an optimizer that claims no formula lets one vary."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.backends import Implementation
from conformance.backends.torch_optimizers import OptimizerFactory
from conformance.backends.torch_tensors import devices
from conformance.errors import UsageError
from conformance.spellings import matched
from conformance.targets import (
    DTYPES,
    constructor_parameters,
    default,
    is_factory,
    is_torch_optimizer,
    named,
    sequences,
)
from oracle.dialects.family import SPELLING
from properties.subject import Floats, Group, Stepper

__all__ = ["Offer", "offer"]


@dataclass(frozen=True)
class Offer:
    """What an optimizer offers, if it is one of a certain family.

    Parameters
    ----------
    implementation : Implementation
    spellings : mapping of str to str
        Its keyword by hyperparameter.
    defaults : mapping of str to float
        Its own values of these.
    left : mapping of str to object
        Defaults of its other keywords.
    """

    implementation: Implementation
    spellings: Mapping[str, str]
    defaults: Mapping[str, float]
    left: Mapping[str, Any]


def offer(target: Any, names: Iterable[str], fixed: Mapping[str, float]) -> Offer:
    """Say which of a family's hyperparameters an optimizer offers.

    Parameters
    ----------
    target : object or str
        As `conformance.targets.implementation` takes it, for an optimizer.
    names : iterable of str
        The family's hyperparameters.
    fixed : mapping of str to float
        Those that are not to be varied, and their values.

    Raises
    ------
    LoadError, UsageError
        As `conformance.targets.implementation`.
    """
    found, label = named(target)
    if isinstance(found, Implementation):
        fixed = {**found.fixed, **fixed}
        given = getattr(found.factory, "spellings", _unspelled(names))
        spellings = {SPELLING.get(name, name): spelling for name, spelling in given.items()}
        varied = {name: spellings[name] for name in names if name in spellings and name not in fixed}
        return Offer(replace(found, factory=_Renamed(found.factory), fixed=fixed), varied, {}, {})
    if callable(found) and not is_torch_optimizer(found) and is_factory(found, "optimizer"):
        made = Implementation("", label, _Renamed(found), DTYPES["torch"], fixed=fixed)
        return Offer(made, {name: name for name in _unspelled(names) if name not in fixed}, {}, {})
    if not callable(found) or not is_torch_optimizer(found):
        raise UsageError(
            "target must be a subclass of torch.optim.Optimizer, a functools.partial of one, or a factory "
            f"(params, groups, *, dtype, device), got {label}"
        )
    parameters = constructor_parameters(found)
    spellings = matched(names, parameters)
    factory = OptimizerFactory(found, spellings, sequences(spellings, parameters))
    keywords = {name: spelling.partition("[")[0] for name, spelling in spellings.items()}
    own = {name: default(parameters, spelling) for name, spelling in spellings.items()}
    return Offer(
        Implementation("", label, factory, DTYPES["torch"], devices=devices(), fixed=fixed),
        {name: spelling for name, spelling in spellings.items() if name not in fixed},
        {name: value for name, value in own.items() if value is not None},
        {
            name: parameter.default
            for name, parameter in parameters.items()
            if name not in keywords.values() and parameter.default not in (None, inspect.Parameter.empty)
        },
    )


def _unspelled(names: Iterable[str]) -> dict[str, str]:
    """Return what a factory takes that does not say it; without decay or momentum it is one of the simpler dialects."""
    return {name: name for name in names if name != "schedule_multiplier"}


@dataclass(frozen=True, eq=False)
class _Renamed:
    """A factory that is given every hyperparameter by all of its names: it does not say which it takes."""

    factory: Any

    def __call__(self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str) -> Stepper:
        """Make an optimizer."""
        stepper: Stepper = self.factory(params, [_renamed(group) for group in groups], dtype=dtype, device=device)
        return stepper


def _renamed(group: Group) -> Group:
    values = {"schedule_multiplier": 1.0, **group.hyperparameters}
    values |= {other: values[name] for other, name in SPELLING.items() if name in values}
    return replace(group, hyperparameters=values)
