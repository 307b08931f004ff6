"""Tinygrad's Adam keeps the powers of its coefficients in float32, also where all else is float64."""

import os
import sys
from importlib.metadata import version

os.environ |= {"DEV": "PYTHON", "DEFAULT_FLOAT": "float64", "OPTIM_DTYPE": "float64"}  # needs no compiler

import numpy as np
from tinygrad import Context, Tensor
from tinygrad.nn.optim import Adam

parameter = Tensor(np.zeros(1)).realize()
optimizer = Adam([parameter], lr=1.0, b1=0.9, b2=0.999, eps=1e-8)
parameter.grad = Tensor(np.ones(1)).realize()
with Context(TRAINING=1):
    optimizer.step()
got = parameter.numpy().item()
expected = -1.0 / (1.0 + 1e-8)  # the first step is learning rate times the sign of the gradient, but for epsilon
print(f"tinygrad {version('tinygrad')}: {optimizer.m[0].dtype} averages, {optimizer.b1_t.dtype} powers")
print(f"first step: expected {expected!r}, got {got!r}")
sys.exit(1 if abs(got - expected) <= 1e-12 else 0)
