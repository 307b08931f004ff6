"""Tinygrad keeps a learning rate in float32, also that of float64 parameters, unless DEFAULT_FLOAT says otherwise."""

import os
import sys
from importlib.metadata import version

os.environ["DEV"] = "PYTHON"  # needs no compiler

import numpy as np
from tinygrad import Context, Tensor
from tinygrad.nn.optim import SGD

parameter = Tensor(np.zeros(1)).realize()
optimizer = SGD([parameter], lr=0.1)
parameter.grad = Tensor(np.ones(1)).realize()
with Context(TRAINING=1):
    optimizer.step()
got = parameter.numpy().item()
print(f"tinygrad {version('tinygrad')}: one step of a {parameter.dtype} with learning rate 0.1 and gradient 1")
print(f"expected -0.1, got {got!r}")
sys.exit(1 if got == -0.1 else 0)
