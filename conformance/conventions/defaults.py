"""What a factory calls, and the numbers that it takes unless it is told otherwise, read from its signature."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.backends import Implementation
from conformance.conventions.records import Cell, undecided
from conformance.spellings import Spelled
from conformance.targets.signatures import constructor_parameters

__all__ = ["constants", "defaults"]

#: Where factories keep the library's class or function that they call.
_CALLED = ("constructor", "clip")


def constants(implementation: Implementation) -> dict[str, str]:
    """Return keyword arguments that the factory always gives, as far as it says so in plain values."""
    given = getattr(implementation.factory, "constants", {})
    return {name: repr(value) for name, value in given.items() if isinstance(value, bool | int | float | str)}


def defaults(implementation: Implementation, varied: Sequence[str]) -> Cell:
    """Return the defaults of all keywords that have a number, and which of those that are varied must be given."""
    called = next(
        (getattr(implementation.factory, name) for name in _CALLED if hasattr(implementation.factory, name)), None
    )
    called = called.function if isinstance(called, Spelled) else called
    if called is None:
        return undecided("the factory does not say what it calls")
    if str(getattr(called, "__module__", "")).startswith("conformance."):
        return undecided("the backend puts it together, and gives every value")
    try:
        parameters = (
            constructor_parameters(called) if isinstance(called, type) else inspect.signature(called).parameters
        )
    except (TypeError, ValueError) as error:
        return undecided(f"its signature cannot be read: {error}")
    return Cell(", ".join(_told(parameters, varied)) or "no numbers")


def _told(parameters: Mapping[str, inspect.Parameter], varied: Sequence[str]) -> list[str]:
    numbers = [f"{name}={_number(found.default)}" for name, found in parameters.items() if _is_number(found.default)]
    needed = [
        f"{name} must be given"
        for name in varied
        if name in parameters and parameters[name].default is inspect.Parameter.empty
    ]
    return [*numbers, *needed]


def _is_number(value: Any) -> bool:
    if isinstance(value, tuple) and value:
        return all(map(_is_number, value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> str:
    return f"({', '.join(map(_number, value))})" if isinstance(value, tuple) else f"{value:g}"
