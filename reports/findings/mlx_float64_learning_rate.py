"""MLX's optimizers keep a learning rate that is a Python float in float32, for float64 parameters too."""

import sys

import mlx.core as mx
import numpy as np
from mlx.optimizers import SGD

with mx.stream(mx.cpu):
    optimizer = SGD(learning_rate=0.1)
    gradient, parameter = (mx.array(np.array(value), dtype=mx.float64) for value in (1.0, 0.0))
    got = optimizer.apply_gradients({"w": gradient}, {"w": parameter})["w"].item()

print(f"one step: expected {-0.1!r}, got {got!r}")
sys.exit(1 if got == -0.1 else 0)
