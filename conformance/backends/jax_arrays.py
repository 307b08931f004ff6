"""Numbers on their way into JAX and back."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from properties.subject import Floats

__all__ = ["DTYPES", "environment", "precision_of", "to_array", "to_floats"]

DTYPES = ("float64", "float32", "bfloat16", "float16")


def precision_of(dtype: str) -> AbstractContextManager[None]:
    """Let 64-bit numbers exist for float64 alone: in any other dtype, users run JAX as it comes."""
    import jax

    context: AbstractContextManager[None] = jax.enable_x64(dtype == "float64")
    return context


def to_array(values: Floats, *, dtype: str) -> Any:
    """Copy to an array on JAX's default device."""
    import jax.numpy as jnp

    return jnp.asarray(np.asarray(values, dtype=np.float64).astype(jnp.dtype(dtype)))


def to_floats(array: Any) -> Floats:
    """Copy to a float64 array."""
    return np.array(np.asarray(array), dtype=np.float64)


def environment() -> dict[str, str]:
    """Facts about the installation of JAX."""
    import jax
    import jaxlib

    return {"jax": jax.__version__, "jaxlib": jaxlib.__version__, "devices": ", ".join(map(str, jax.devices()))}
