"""Tinygrad's SGD with momentum raises for float64 parameters, as its velocity is float32 unless OPTIM_DTYPE says otherwise."""

import os
import sys
from importlib.metadata import version

os.environ["DEV"] = "PYTHON"  # needs no compiler

import numpy as np
from tinygrad import Context, Tensor
from tinygrad.nn.optim import SGD

parameter = Tensor(np.zeros(1)).realize()
optimizer = SGD([parameter], lr=1.0, momentum=0.5)
parameter.grad = Tensor(np.ones(1)).realize()
print(f"tinygrad {version('tinygrad')}: one step of a {parameter.dtype} with learning rate 1 and gradient 1")
print("expected: -1.0")
try:
    with Context(TRAINING=1):
        optimizer.step()
except RuntimeError as error:
    print(f"got: RuntimeError: {error}")
else:
    sys.exit(f"got {parameter.numpy().item()}: the finding is gone")
