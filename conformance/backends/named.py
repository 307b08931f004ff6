"""Functions of any library, which can be pickled: by their names, and put together to gated units."""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Gated", "Named"]


@dataclass(frozen=True, eq=False)
class Named:
    """A function by its module and name, with keyword arguments of its own."""

    module: str
    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *arrays: Any) -> Any:
        """Look the function up, and call it."""
        function: Callable[..., Any] = operator.attrgetter(self.name)(importlib.import_module(self.module))
        return function(*arrays, **self.keywords)


@dataclass(frozen=True, eq=False)
class Gated:
    """A gated unit of two linear maps, with the activation on the first branch."""

    activation: Callable[..., Any]

    def __call__(self, x: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
        """Multiply the branches."""
        return self.activation(x @ w + b) * (x @ v + c)
