"""Optax 0.2.8: linear_schedule divides the int32 count of updates by the number of steps in float32, also with x64.

So does JAX with integers of 32 bits; the rate of a float64 training has 24 bits. Optax documents no precision of its
schedules. cosine_decay_schedule computes in float64 then.
"""

import sys

import jax
import optax

jax.config.update("jax_enable_x64", True)
rate = optax.linear_schedule(0.0, 1.0, 10)
expected, got = 0.1, float(rate(jax.numpy.int32(1)))
print(f"one tenth of the way from 0 to 1\n  expected {expected}\n  got      {got}")
sys.exit(1 if got == expected else 0)
