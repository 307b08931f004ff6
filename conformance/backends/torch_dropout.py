"""PyTorch's dropout: a function and a module, in training and at inference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from conformance.backends import Implementation
from conformance.backends.torch_tensors import DTYPES, devices, to_floats, to_tensor
from properties.subject import Floats, RandomFunction

__all__ = ["DropoutFactory", "dropouts"]


@dataclass(frozen=True, eq=False)
class DropoutFactory:
    """Makes random functions: ``make(drop, training)`` returns what is called on the units of each pass."""

    make: Callable[[float, bool], Callable[[Any], Any]]

    def __call__(self, *, dtype: str, device: str) -> RandomFunction:
        """Return the function for a dtype and a device."""
        import torch

        def function(x: Floats, *seed: Floats, **hyperparameters: float) -> Floats:
            layer = self.make(1 - hyperparameters["keep"], bool(seed))
            with torch.random.fork_rng([] if device == "cpu" else [device]):
                if seed:
                    torch.default_generator.manual_seed(int(seed[0]))
                    if device != "cpu":
                        torch.cuda.manual_seed(int(seed[0]))
                return to_floats(torch.stack([layer(units) for units in to_tensor(x, dtype=dtype, device=device)]))

        return function


def _function(drop: float, training: bool) -> Callable[[Any], Any]:
    import torch

    return lambda units: torch.nn.functional.dropout(units, drop, training)


def _in_place(drop: float, training: bool) -> Callable[[Any], Any]:
    import torch

    return lambda units: torch.nn.functional.dropout(units.clone(), drop, training, inplace=True)


def _module(drop: float, training: bool) -> Callable[[Any], Any]:
    import torch

    module: Callable[[Any], Any] = torch.nn.Dropout(drop).train(training)
    return module


def dropouts() -> Iterator[Implementation]:
    """Yield one implementation for each way to call it."""
    for label, make in (
        ("torch.nn.functional.dropout", _function),
        ("torch.nn.functional.dropout:inplace", _in_place),
        ("torch.nn.Dropout", _module),
    ):
        yield Implementation("dropout_inverted", label, DropoutFactory(make), DTYPES, devices())
