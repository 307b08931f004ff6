"""Calls: functions of arrays or of the step as targets, read from their signatures."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.backends import Implementation
from conformance.errors import UsageError
from conformance.spellings import Spelled, matched, numeric
from conformance.targets.signatures import Parameters, Signature, is_required, spelled, words

__all__ = ["Reading", "adapted_call"]

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Reading:
    """What a target is taken for, if it is to be called as a formula is.

    Parameters
    ----------
    function : callable
        The target, or what calls it with the arrays, or the step, first.
    parameters : mapping of str to inspect.Parameter or None
        What that takes, arrays or the step first; None if it does not say.
    factory : callable
        Makes a FunctionFactory or ScheduleFactory of the function as it is `Spelled`.
    dtypes, devices : tuple of str
        Where it works.
    told : str
        What it was taken for, in words.
    """

    function: Callable[..., Any]
    parameters: Parameters | None
    factory: Callable[[Spelled], Any]
    dtypes: tuple[str, ...]
    told: str
    devices: tuple[str, ...] = ("cpu",)


def adapted_call(reading: Reading, rule: Signature, label: str) -> Implementation:
    """Describe a target, taken for something, as an implementation of the formula that it claims.

    Raises
    ------
    UsageError
        If it offers no place for a hyperparameter, or needs what the formula does not have.
    """
    parameters, wanted = reading.parameters, [name for name in rule.hyperparameters if name not in rule.fixed]
    rest = list(parameters or ())[len(rule.arrays) :]
    offered = numeric({name: parameters[name] for name in rest} if parameters else {})
    spellings = matched(rule.hyperparameters, offered)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in offered.values()):
        spellings = {name: spellings.get(name, name) for name in wanted}
    unnamed = [name for name in wanted if name not in spellings]
    if unnamed and parameters is not None and len(unnamed) > len(offered) - len(set(spellings.values())):
        spelled(rule, offered, label)
    used = {spelling.partition("[")[0] for spelling in spellings.values()}
    free = [found for name, found in offered.items() if name not in used]
    if sum(map(is_required, free)) > len(unnamed):  # it wants those too that are not varied
        unnamed = [name for name in rule.hyperparameters if name not in spellings]
    needed = [found.name for found in free[len(unnamed) :] if is_required(found)]
    if needed:
        raise UsageError(f"{label} needs {', '.join(needed)}, which {rule.id} does not have: let a function set it")
    # Those that have a name by it, as what was matched may lie between them.
    placed = {name: found.name for name, found in zip(unnamed, free, strict=False) if found.kind in _NAMED}
    told = (
        words(spellings, rule.fixed),
        *(f"{name} is given by position" for name in unnamed),
        *(f"{name} holds whole numbers" for name in rule.integers),
        reading.told,
    )
    return Implementation(
        rule.id,
        label,
        reading.factory(
            Spelled(reading.function, {**spellings, **placed}, tuple(name for name in unnamed if name not in placed))
        ),
        reading.dtypes,
        devices=reading.devices,
        fixed=rule.fixed,
        matching="; ".join(part for part in told if part),
    )
