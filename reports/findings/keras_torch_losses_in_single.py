"""Keras 3.15.1, on torch: losses of float64 are divided by the number of samples in float32, and returned as float32.

``ops.divide_no_nan`` casts to what the rules for dtypes make of float64; on JAX it divides what it is given, and the
same loss is float64. Not documented.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

keras.config.set_floatx("float64")
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
result = loss(np.array([0]), np.zeros((1, 2)))
expected, got = float(np.log(2.0)), result.item()
print(f"two equal scores cost log 2\n  expected {expected} in {torch.float64}\n  got      {got} in {result.dtype}")
sys.exit(1 if got == expected else 0)
