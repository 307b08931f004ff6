"""Signatures: how formulas are called, and what a target says of how it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from conformance.errors import UsageError
from conformance.spellings import matched, numeric

__all__ = [
    "DTYPES",
    "Arrays",
    "Parameters",
    "Signature",
    "bare",
    "belongs_to",
    "constructor_parameters",
    "default",
    "derived_from",
    "is_factory",
    "is_required",
    "parameters_of",
    "signature",
    "spelled",
    "words",
]

Arrays = Literal["torch", "numpy", "jax"]
Parameters = Mapping[str, inspect.Parameter]

DTYPES: Mapping[str, tuple[str, ...]] = {
    "torch": ("float64", "float32", "bfloat16", "float16"),
    "numpy": ("float64", "float32", "float16"),
    "jax": ("float64", "float32", "bfloat16", "float16"),
}


@dataclass(frozen=True)
class Signature:
    """How a formula is called: all that an adapter needs to know of it.

    Parameters
    ----------
    id, kind : str
        Of the formula.
    arrays, hyperparameters, integers, lengths, drawn : tuple of str
        As the formula has them.
    fixed : mapping of str to float
        Hyperparameters that are not varied.
    taken : {"torch", "jax", "numpy"}, optional
        The arrays that a function takes.
    """

    id: str
    kind: str
    arrays: tuple[str, ...]
    hyperparameters: tuple[str, ...]
    integers: tuple[str, ...]
    lengths: tuple[str, ...]
    drawn: tuple[str, ...]
    fixed: Mapping[str, float]
    taken: Arrays | None = None


def signature(formula: str, *, arrays: Arrays | None, hyperparameters: Mapping[str, float] | None) -> Signature:
    """Return how a formula is called, with the arguments and errors of `implementation`."""
    from oracle.catalogue import get  # only here: interpreters that only adapt need not have what the oracle needs

    rule, fixed = get(formula), dict(hyperparameters or {})
    unknown = sorted(set(fixed) - set(rule.hyperparameters))
    if unknown:
        raise UsageError(f"hyperparameters must be among {', '.join(rule.hyperparameters)}, got {', '.join(unknown)}")
    rule.require(fixed)
    if arrays is not None and arrays not in DTYPES:
        raise UsageError(f"arrays must be among {', '.join(DTYPES)}, got {arrays!r}")
    return Signature(
        rule.id,
        rule.kind,
        rule.arrays,
        rule.hyperparameters,
        rule.integers,
        rule.lengths,
        rule.drawn,
        fixed,
        arrays,
    )


def is_factory(target: Callable[..., Any], kind: str) -> bool:
    """Whether a target's signature is that of a factory of subjects of a kind of formulas."""
    names = set(parameters_of(target) or ())
    expected = {"params", "groups", "dtype", "device"} if kind == "optimizer" else {"dtype", "device"}
    return names == expected


def bare(target: Any) -> Any:
    """Return what a target is a ``functools.partial`` of, or the target."""
    return target.func if isinstance(target, functools.partial) else target


def parameters_of(target: Callable[..., Any]) -> Parameters | None:
    """Return what a target takes, or None if it does not say."""
    try:
        return inspect.signature(target).parameters
    except (TypeError, ValueError):  # built-in functions may have none
        return None


def is_required(parameter: inspect.Parameter) -> bool:
    """Whether a target cannot be called without a parameter."""
    collects = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not collects


def constructor_parameters(target: Any) -> Parameters:
    """Return what the constructor takes, and what it hands on to the classes above as ``**keywords``."""
    parameters: dict[str, inspect.Parameter] = {}
    for constructor in (target, *(base.__init__ for base in bare(target).__mro__)):
        offered = inspect.signature(constructor).parameters
        parameters = {**offered, **parameters}
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in offered.values()):
            break
    return parameters


def default(parameters: Parameters, spelling: str) -> float | None:
    """Return the default of a keyword, or of a place in one, if it is a number."""
    keyword, _, place = spelling.partition("[")
    found = parameters[keyword].default
    value = found[int(place[:-1])] if place and isinstance(found, tuple | list) else found
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def belongs_to(target: Any, package: str) -> bool:
    """Whether a target, or a global of its module, is of a package."""
    found = inspect.unwrap(bare(target))
    values = [found, *getattr(found, "__globals__", {}).values()]
    names = [value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "") for value in values]
    return any(isinstance(name, str) and name.partition(".")[0] == package for name in names)


def derived_from(target: Any, package: str, name: str) -> bool:
    """Whether a target, or what it is a ``functools.partial`` of, is a class below one of this name in a package."""
    bases = getattr(bare(target), "__mro__", ())
    return any(base.__name__ == name and base.__module__.startswith(package) for base in bases)


def spelled(rule: Signature, parameters: Parameters, label: str) -> dict[str, str]:
    """Find a keyword for each hyperparameter.

    Raises
    ------
    UsageError
        Naming those that have none and no fixed value.
    """
    keywords = {
        name
        for name, parameter in numeric(parameters).items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    spellings = matched(rule.hyperparameters, keywords)
    missing = [name for name in rule.hyperparameters if name not in spellings and name not in rule.fixed]
    if missing:
        example = ", ".join(f'"{name}": ...' for name in missing)
        raise UsageError(f"{label} offers no {', '.join(missing)}: set hyperparameters={{{example}}} to what it uses")
    return spellings


def words(spellings: Mapping[str, str], fixed: Mapping[str, float]) -> str:
    """Say which keyword is which hyperparameter, and what is not varied."""
    pairs = [f"{spelling} is {name}" for name, spelling in spellings.items()]
    pairs += [f"{name}={value!r} fixed" for name, value in fixed.items()]
    return "; ".join(pairs)
