"""MLX's layer_norm and rms_norm of float64 arrays compute in float32 on the CPU."""

import math
import sys

import mlx.core as mx
import numpy as np


def array(values):
    """Make a float64 array."""
    return mx.array(np.array(values), dtype=mx.float64)


with mx.stream(mx.cpu):
    ones, zeros = array([1.0, 1.0]), array([0.0, 0.0])
    layer = mx.fast.layer_norm(array([[1.0, 0.0]]), ones, zeros, 1.0)[0, 0].item()
    root = mx.fast.rms_norm(array([[1.0, 1.0]]), ones, 1.0)[0, 0].item()

expected = 0.5 / math.sqrt(1.25), 1.0 / math.sqrt(2.0)
print(f"layer_norm: expected {expected[0]!r}, got {layer!r}")
print(f"rms_norm: expected {expected[1]!r}, got {root!r}")
sys.exit(1 if abs(layer - expected[0]) <= 1e-12 and abs(root - expected[1]) <= 1e-12 else 0)
