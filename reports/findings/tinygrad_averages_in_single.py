"""Tinygrad's Adam computes in float32, also for float64 parameters, unless OPTIM_DTYPE says otherwise: 1e-50 is 0."""

import os
import sys
from importlib.metadata import version

os.environ["DEV"] = "PYTHON"  # needs no compiler

import numpy as np
from tinygrad import Context, Tensor
from tinygrad.nn.optim import Adam

parameter = Tensor(np.zeros(1)).realize()
optimizer = Adam([parameter], lr=1.0, eps=1e-50)
parameter.grad = Tensor(np.zeros(1)).realize()
with Context(TRAINING=1):
    optimizer.step()
got = parameter.numpy().item()
print(f"tinygrad {version('tinygrad')}: a step of a {parameter.dtype} with gradient 0 and eps=1e-50, which float64 has")
print(f"expected 0.0, got {got}")
sys.exit(1 if got == 0.0 else 0)
