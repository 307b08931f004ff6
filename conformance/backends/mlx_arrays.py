"""Numbers on their way into MLX and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from properties.subject import Floats

__all__ = ["DTYPES", "to_array", "to_floats"]

DTYPES = ("float64", "float32", "bfloat16", "float16")


def to_array(values: Floats, *, dtype: str) -> Any:
    """Copy to an array."""
    import mlx.core as mx

    return mx.array(np.asarray(values, dtype=np.float64), dtype=getattr(mx, dtype))


def to_floats(array: Any) -> Floats:
    """Evaluate, and copy to a float64 array; numpy cannot read bfloat16."""
    import mlx.core as mx

    readable = array.astype(mx.float32) if array.dtype == mx.bfloat16 else array
    return np.array(readable, dtype=np.float64)
