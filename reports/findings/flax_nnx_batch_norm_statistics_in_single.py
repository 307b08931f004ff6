"""Flax 0.12.8: nnx.BatchNorm keeps its running statistics in float32, whatever ``dtype`` and ``param_dtype`` say.

Inference in float64 then has 24 bits, and JAX warns of the cast of each update, which is to become an error.
linen.BatchNorm lets the statistics become float64. Not documented.
"""

import sys
import warnings

import jax
import numpy as np
from flax import nnx

jax.config.update("jax_enable_x64", True)
warnings.simplefilter("ignore", FutureWarning)
double = jax.numpy.float64
layer = nnx.BatchNorm(1, momentum=0.5, dtype=double, param_dtype=double, rngs=nnx.Rngs(0))
layer(np.full((2, 1), 0.1))
expected, got = 0.05, float(layer.mean[...][0])
print(f"half of 0 and half of a mean of 0.1, in {layer.mean[...].dtype}\n  expected {expected}\n  got      {got}")
sys.exit(1 if got == expected else 0)
