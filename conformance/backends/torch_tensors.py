"""Numbers on their way into torch and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from properties.subject import Floats

__all__ = ["DTYPES", "devices", "to_floats", "to_tensor"]

DTYPES = ("float64", "float32", "bfloat16", "float16")


def devices() -> tuple[str, ...]:
    """Return the devices that this installation reaches."""
    import torch

    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def to_tensor(values: Floats, *, dtype: str, device: str) -> Any:
    """Copy to a tensor of the same strides, with zeros in the gaps.

    Torch has no negative strides and updates no overlapping elements in place: such arrays become contiguous.
    """
    import torch

    dense = np.array(values, dtype=np.float64, order="C")
    strides = [step // dense.itemsize for step in values.strides]
    if any(step <= 0 and length > 1 for step, length in zip(strides, dense.shape, strict=True)):
        strides = [step // dense.itemsize for step in dense.strides]
    span = 1 + sum((length - 1) * step for length, step in zip(dense.shape, strides, strict=True)) if dense.size else 0
    storage = torch.zeros(span, dtype=getattr(torch, dtype), device=device)
    return storage.as_strided(dense.shape, strides).copy_(torch.from_numpy(dense))


def to_floats(tensor: Any) -> Floats:
    """Copy to a float64 array.

    Raises
    ------
    TypeError
        If the tensor is complex.
    """
    if tensor.is_complex():
        raise TypeError(f"the tensor holds {tensor.dtype}, no real numbers")
    return np.array(tensor.detach().double().cpu().numpy())
