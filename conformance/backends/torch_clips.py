"""Clips of gradients where torch keeps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.backends.torch_tensors import to_floats, to_tensor
from properties.subject import Floats, Function

__all__ = ["ClipFactory"]


@dataclass(frozen=True, eq=False)
class ClipFactory:
    """Makes functions that clip the gradient of one parameter in place: ``clip(parameters, **hyperparameters)`` does."""

    clip: Callable[..., Any]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the clip for a dtype and a device."""
        import torch

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            (grad,) = arrays
            parameter = torch.nn.Parameter(to_tensor(np.zeros_like(grad), dtype=dtype, device=device))
            parameter.grad = to_tensor(grad, dtype=dtype, device=device)
            self.clip([parameter], **hyperparameters)
            return to_floats(parameter.grad)

        return function
