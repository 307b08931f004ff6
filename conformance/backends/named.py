"""Functions of libraries by their names: they are looked up where they are called, and can be pickled."""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Named"]


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
