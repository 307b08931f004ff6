"""Numbers on their way into Keras and back."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from properties.subject import Floats

__all__ = ["DTYPES", "arrays_of_numpy", "numbers_of", "to_floats", "to_tensor"]

#: Float16 parameters make no sense without loss scaling, and Keras has half types of its own by policy.
DTYPES = ("float64", "float32")


@contextmanager
def numbers_of(dtype: str) -> Iterator[None]:
    """Let Keras make all its own numbers in a dtype; JAX needs leave for float64."""
    import keras

    with ExitStack() as stack:
        if keras.backend.backend() == "jax":
            import jax

            stack.enter_context(jax.enable_x64(dtype == "float64"))
        before = keras.config.floatx()
        keras.config.set_floatx(dtype)
        stack.callback(keras.config.set_floatx, before)
        yield


@contextmanager
def arrays_of_numpy() -> Iterator[None]:
    """Let Keras make numpy's arrays as of old, for which numpy 2 warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield


def to_tensor(values: Floats, dtype: str) -> Any:
    """Copy to a tensor of Keras' backend: JAX may keep the memory of the array that it is given."""
    import keras

    return keras.ops.convert_to_tensor(np.array(values, dtype=dtype))


def to_floats(tensor: Any) -> Floats:
    """Copy to a float64 array."""
    import keras

    with arrays_of_numpy():
        return np.array(keras.ops.convert_to_numpy(tensor), dtype=np.float64)
