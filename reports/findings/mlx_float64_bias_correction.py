"""MLX's Adam computes its bias corrections of float64 parameters in float32."""

import sys

import mlx.core as mx
import numpy as np
from mlx.optimizers import Adam

with mx.stream(mx.cpu):
    rate = mx.array(np.array(1.0), dtype=mx.float64)
    optimizer = Adam(rate, betas=[0.9, 0.999], eps=1e-8, bias_correction=True)
    gradient, parameter = (mx.array(np.array(value), dtype=mx.float64) for value in (1.0, 0.0))
    got = optimizer.apply_gradients({"w": gradient}, {"w": parameter})["w"].item()

expected = -1.0 / (1.0 + 1e-8)  # the first step is learning rate times the sign of the gradient, but for epsilon
print(f"first step: expected {expected!r}, got {got!r}")
sys.exit(1 if abs(got - expected) <= 1e-12 else 0)
