"""A trial of functions that use optax: whether what they make are gradient transformations, or schedules."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

from conformance.targets.signatures import belongs_to, is_required, parameters_of

__all__ = ["makes_schedules", "makes_transformations"]


def makes_transformations(target: Any) -> bool:
    """Whether a function that uses optax makes gradient transformations."""
    made = _made(target)
    return hasattr(made, "init") and hasattr(made, "update")


def makes_schedules(target: Any) -> bool:
    """Whether a function that uses optax makes functions of the step."""
    return callable(_made(target))


def _made(target: Any) -> Any:
    """Return what the function makes of numbers: of fractions as rates are, or of what grows as lengths do."""
    if inspect.isclass(target) or not belongs_to(target, "optax"):
        return None
    required = [name for name, each in (parameters_of(target) or {}).items() if is_required(each)]
    for numbers in ([0.5] * len(required), range(1, len(required) + 1)):
        # What does not take them, whatever it raises, makes nothing of them.
        with contextlib.suppress(Exception):
            return target(**dict(zip(required, numbers, strict=True)))
    return None
