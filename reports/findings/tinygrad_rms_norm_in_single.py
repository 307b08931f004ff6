"""Tinygrad's RMSNorm computes in float32, whatever the dtypes of its input and its weight are."""

import os
import sys
from importlib.metadata import version

os.environ |= {"DEV": "PYTHON", "DEFAULT_FLOAT": "float64"}  # needs no compiler

import numpy as np
from tinygrad import Tensor, nn

layer = nn.RMSNorm(1, eps=1.0)
got = layer(Tensor(np.ones((1, 1)))).numpy().item()
expected = 0.5**0.5
print(f"tinygrad {version('tinygrad')}: the norm of the float64 1 with eps=1 and a weight of {layer.weight.dtype}")
print(f"expected {expected!r}, got {got!r}")
sys.exit(1 if abs(got - expected) <= 1e-12 else 0)
