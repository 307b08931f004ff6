"""Numbers on their way into JAX and back."""

from __future__ import annotations

import pickle
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from properties.subject import Floats

__all__ = ["DTYPES", "environment", "loaded_tree", "precision_of", "saved_tree", "to_array", "to_floats"]

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


def saved_tree(tree: Any) -> bytes:
    """Pickle the leaves of a tree as numpy's arrays, which is how a checkpoint keeps them."""
    import jax

    return pickle.dumps([np.asarray(leaf) for leaf in jax.tree.leaves(tree)])


def loaded_tree(saved: bytes, *, like: Any) -> Any:
    """Put leaves that were pickled into a tree of the structure of another."""
    import jax

    return jax.tree.unflatten(jax.tree.structure(like), map(jax.numpy.asarray, pickle.loads(saved)))


def environment() -> dict[str, str]:
    """Facts about the installation of JAX."""
    import jax
    import jaxlib

    return {"jax": jax.__version__, "jaxlib": jaxlib.__version__, "devices": ", ".join(map(str, jax.devices()))}
