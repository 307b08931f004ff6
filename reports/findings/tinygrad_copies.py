"""A deep copy of a tensor of tinygrad shares its numbers with the original, and is updated anew whenever it is read."""

import copy
import os
import sys
from importlib.metadata import version

os.environ["DEV"] = "PYTHON"  # needs no compiler

import numpy as np
from tinygrad import Context, Tensor
from tinygrad.nn.optim import SGD

parameter = Tensor(np.zeros(1, np.float32)).realize()
optimizer = SGD([parameter], lr=1.0)
copied, other = copy.deepcopy((optimizer, parameter))
other.grad = Tensor(np.ones(1, np.float32)).realize()
with Context(TRAINING=1):
    copied.step()
read = [tensor.numpy().item() for tensor in (other, other, parameter)]
print(f"tinygrad {version('tinygrad')}: one step by -1 of a deep copy, which is read twice, and then the original")
print("expected: [-1.0, -1.0, 0.0]")
print(f"got: {read}")
sys.exit(1 if read == [-1.0, -1.0, 0.0] else 0)
