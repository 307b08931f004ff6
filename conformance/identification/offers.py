"""Offers: what a target that claims no formula lets one vary."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.backends import Implementation
from conformance.errors import UsageError
from conformance.spellings import matched, numeric
from conformance.targets.calls import adapted_call
from conformance.targets.functions import of_arrays
from conformance.targets.loading import named
from conformance.targets.optimizers import OPTIMIZERS, maker, updates
from conformance.targets.schedules import is_maker, of_steps
from conformance.targets.signatures import DTYPES, Parameters, Signature, default, is_factory, signature
from oracle.catalogue import get
from oracle.dialects.family import SPELLING
from oracle.errors import DomainError
from oracle.formula import Formula
from properties.subject import Floats, Function, Group, Stepper

__all__ = ["CUSTOMARY", "Offer", "called", "function_offers", "is_optimizer", "offer"]

#: By hyperparameter of a function or a schedule, the values that programs have which do not offer it.
CUSTOMARY: Mapping[str, tuple[float, ...]] = {
    "eps": (1e-5, 1e-6, 1e-8, 1e-12, 1e-3),
    "momentum": (0.1, 0.01, 0.001),
    "regression_weight": (1.0, 0.5),
    "clip_value": (1.0, 0.5, 5.0, 10.0),
    "max_norm": (1.0, 0.5, 5.0, 10.0),
    "end_value": (0.0,),
    "cycle_growth": (1.0, 2.0),
}


_OPTIMIZERS = (
    "a subclass of torch.optim.Optimizer or keras.optimizers.Optimizer, a function that makes a transformation of optax"
)


@dataclass(frozen=True)
class Offer:
    """What a target offers, if it is of a certain family.

    Parameters
    ----------
    implementation : Implementation
    spellings : mapping of str to str
        Its keyword by hyperparameter.
    defaults : mapping of str to float
        Its own values of these.
    left : mapping of str to object
        Defaults of its other keywords.
    spare : int
        How many of the arrays that it is to be given it can do without.
    named : int
        How many of them it calls as the formula does.
    unheard : tuple of str
        Hyperparameters that it declares, and the family has not.
    """

    implementation: Implementation
    spellings: Mapping[str, str]
    defaults: Mapping[str, float]
    left: Mapping[str, Any]
    spare: int = 0
    named: int = 0
    unheard: tuple[str, ...] = ()


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
        unheard = tuple(name for name in spellings if name not in names)
        return Offer(replace(found, factory=_Renamed(found.factory), fixed=fixed), varied, {}, {}, unheard=unheard)
    made = maker(found) if callable(found) else None
    if made is None and callable(found) and is_factory(found, "optimizer"):
        renamed = Implementation("", label, _Renamed(found), DTYPES["torch"], fixed=fixed)
        return Offer(renamed, {name: name for name in _unspelled(names) if name not in fixed}, {}, {})
    if made is None:
        raise UsageError(
            f"target must be {OPTIMIZERS}, a functools.partial of one, or a factory (params, groups, *, dtype, device), "
            f"got {label}"
        )
    spellings = matched(names, numeric(made.parameters))
    keywords = {name: spelling.partition("[")[0] for name, spelling in spellings.items()}
    own = {name: default(made.parameters, spelling) for name, spelling in spellings.items()}
    return Offer(
        made.implementation("", label, spellings, fixed),
        {name: spelling for name, spelling in spellings.items() if name not in fixed},
        {name: value for name, value in own.items() if value is not None},
        {
            name: parameter.default
            for name, parameter in made.parameters.items()
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


def is_optimizer(target: Any) -> bool:
    """Whether a target makes updates, and is no function.

    Raises
    ------
    LoadError, UsageError
        If it is neither, or cannot be loaded.
    """
    found, label = named(target)
    if isinstance(found, Implementation):
        return not found.formula or get(found.formula).kind == "optimizer"
    if callable(found) and (updates(found) or is_factory(found, "optimizer")):
        return True
    if not callable(found) or (inspect.isclass(found) and not is_maker(found)):
        raise UsageError(
            f"target must be {OPTIMIZERS}, a functools.partial of one, a function of arrays or of the step, a function "
            f"or class that makes a schedule, or a factory of optimizers or functions, got {label}"
        )
    return False


def called(formula: Formula) -> tuple[str, tuple[bool, ...], tuple[str, ...]]:
    """Return what formulas have in common that are called with the same arguments."""
    return formula.kind, tuple(name in formula.integers for name in formula.arrays), formula.hyperparameters


def function_offers(
    target: Any, formulas: Iterable[Formula], fixed: Mapping[str, float], dtypes: Sequence[str]
) -> list[Offer | None]:
    """Say what a function offers, if it is called as one of several formulas.

    Parameters
    ----------
    target : object or str
        As `conformance.targets.implementation` takes it, for a function or a schedule.
    formulas : iterable of Formula
        Functions and schedules.
    fixed : mapping of str to float
        Hyperparameters that are not to be varied, and their values.
    dtypes : sequence of str
        Those to be looked at, one of which it must have.

    Returns
    -------
    list of Offer or None
        In the order of the formulas; None where the target is not called so.

    Raises
    ------
    LoadError
        If a string names nothing that can be imported.
    UsageError
        If it is called as none of them.
    """
    found, label = named(target)
    offers = [_function_offer(found, label, formula, fixed) for formula in formulas]
    able = [own if own and set(own.implementation.dtypes).intersection(dtypes) else None for own in offers]
    if not any(able):
        raise UsageError(f"{label} takes the arrays and hyperparameters of no function or schedule that is known")
    return able


def _function_offer(found: Any, label: str, formula: Formula, fixed: Mapping[str, float]) -> Offer | None:
    held = {name: value for name, value in fixed.items() if name in formula.hyperparameters}
    try:
        formula.require(held)
    except DomainError:
        return None
    if isinstance(found, Implementation):
        return _declared_offer(found, formula, held)
    names = {name: name for name in formula.hyperparameters if name not in held}
    if is_factory(found, formula.kind):
        return Offer(Implementation("", label, found, DTYPES["torch"], fixed=held), names, {}, {})
    if formula.kind != "schedule" and is_maker(found):
        return None
    read = of_steps if formula.kind == "schedule" else of_arrays
    reading = read(found, _signature(formula, held), label)
    parameters = reading.parameters
    if parameters is None:  # of what is built in, nothing is known but that it takes arguments by position
        return Offer(adapted_call(reading, _signature(formula, held), label), names, {}, {})
    spellings = _spellings(formula, parameters, held)
    if spellings is None:
        return None
    hidden = {name: CUSTOMARY[name][0] for name in formula.hyperparameters if name not in {**spellings, **held}}
    made = adapted_call(reading, _signature(formula, {**hidden, **held}), label)
    own = {
        name: default(parameters, spelling)
        for name, spelling in spellings.items()
        if spelling.partition("[")[0] in parameters
    }
    taken = {*[*parameters][: len(formula.arrays)], *(spelling.partition("[")[0] for spelling in spellings.values())}
    return Offer(
        replace(made, fixed=held),
        {name: spelling for name, spelling in spellings.items() if name not in held},
        {name: value for name, value in own.items() if value is not None},
        {
            name: parameter.default
            for name, parameter in parameters.items()
            if name not in taken and not _bare(parameter.default)
        },
        sum(parameters[name].default is None for name in [*parameters][: len(formula.arrays)]),
        sum(name in parameters for name in formula.arrays),
    )


def _bare(default: Any) -> bool:
    """Whether a default leaves room for an array: a number, a word or a yes is none."""
    return default is None or default is inspect.Parameter.empty


def _signature(formula: Formula, fixed: Mapping[str, float]) -> Signature:
    return signature(formula.id, arrays=None, hyperparameters=fixed)


def _declared_offer(found: Implementation, formula: Formula, fixed: Mapping[str, float]) -> Offer | None:
    """Say what an implementation offers, which is called as the formula that it claims is."""
    claimed = get(found.formula)
    spellings = {SPELLING.get(name, name): name for name in claimed.hyperparameters}
    alike = {SPELLING.get(name, name): name for name in formula.hyperparameters}
    if called(claimed)[:2] != called(formula)[:2] or set(alike) != set(spellings):
        return None
    names = {name: spellings[spelled] for spelled, name in alike.items()}
    fixed = {name: found.fixed[own] for name, own in names.items() if own in found.fixed} | dict(fixed)
    factory = found.factory if names == {name: name for name in names} else _Called(found.factory, names)
    varied = {name: own for name, own in names.items() if name not in fixed}
    return Offer(replace(found, formula="", factory=factory, fixed=fixed), varied, {}, {})


@dataclass(frozen=True, eq=False)
class _Called:
    """A factory of functions whose hyperparameters have other names."""

    factory: Any
    names: Mapping[str, str]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Make a function."""
        function = self.factory(dtype=dtype, device=device)

        def call(*arrays: Floats, **hyperparameters: float) -> Floats:
            shown: Floats = function(*arrays, **{self.names[name]: value for name, value in hyperparameters.items()})
            return shown

        return call


def _spellings(formula: Formula, parameters: Parameters, fixed: Mapping[str, float]) -> dict[str, str] | None:
    """Find the keyword of each hyperparameter that a signature offers; None if it is not one of such a function.

    All that it requires must be given: arrays first, then hyperparameters, by their names or else in their order.
    """
    kinds = [parameter.kind for parameter in parameters.values()]
    plain = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    places = [name for name in plain if parameters[name].kind is not inspect.Parameter.KEYWORD_ONLY]
    arrays, count = places[: len(formula.arrays)], len(formula.arrays)
    starred = inspect.Parameter.VAR_POSITIONAL in kinds
    if (len(arrays) < count and not starred) or not all(_bare(plain[name]) for name in arrays):
        return None
    rest = [name for name in plain if name not in arrays]
    spellings = matched(formula.hyperparameters, numeric({name: parameters[name] for name in rest}))
    if inspect.Parameter.VAR_KEYWORD in kinds:
        spellings |= {name: name for name in formula.hyperparameters if name not in {**spellings, **fixed}}
    keywords = {spelling.partition("[")[0] for spelling in spellings.values()}
    required = [name for name in rest if plain[name] is inspect.Parameter.empty and name not in keywords]
    unnamed = [name for name in formula.hyperparameters if name not in {**spellings, **fixed}]
    if required:
        return {**spellings, **dict(zip(unnamed, required, strict=True))} if len(required) == len(unnamed) else None
    return spellings if all(name in CUSTOMARY for name in unnamed) else None
