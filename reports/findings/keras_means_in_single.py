"""Keras 3.15.1, on every backend but TensorFlow: the mean of float64 is computed in float32, and returned as float64.

With it go losses and norms. Its source says why: the rules for dtypes make 32-bit numbers of 64-bit ones, as JAX does by
default; that float64 is no float64 where ``floatx`` asks for it is not documented.
"""

import importlib.util
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax" if importlib.util.find_spec("jax") else "torch")
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np

keras.config.set_floatx("float64")
values = np.array([0.1, 0.2])
result = keras.ops.mean(keras.ops.convert_to_tensor(values))
expected, got = float(values.mean()), float(result)
print(f"mean of 0.1 and 0.2, on {keras.config.backend()}, as {result.dtype}\n  expected {expected}\n  got      {got}")
sys.exit(1 if got == expected else 0)
