"""Runs of torch's optimizers: a foreign implementation that formulas are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def torch_path(optimizer: Any, param: Floats, grads: Sequence[Floats], **options: Any) -> list[Floats]:
    """Parameters in float64 after each step of an optimizer class."""
    tensor = torch.nn.Parameter(torch.tensor(param, dtype=torch.float64))
    steps = optimizer([tensor], foreach=False, **options)
    path = []
    for grad in grads:
        tensor.grad = torch.tensor(grad, dtype=torch.float64)
        steps.step()
        path.append(tensor.detach().numpy().copy())
    return path


def assert_within(path: Sequence[Floats], expected: Sequence[Floats], roundings: int) -> None:
    """Assert that a path strays by no more than so many roundings of its largest number per step."""
    size = max(float(np.max(np.abs(array))) for array in expected)
    for step, (got, want) in enumerate(zip(path, expected, strict=True), start=1):
        worst = float(np.max(np.abs(got - want)))
        assert worst <= step * roundings * 2.0**-53 * size, f"step {step} is off by {worst}"
