"""Tinygrad's tanh is twice the sigmoid of twice a number, less one: of small numbers all digits get lost."""

import os
import sys
from importlib.metadata import version

os.environ["DEV"] = "PYTHON"  # needs no compiler

import numpy as np
from tinygrad import Tensor

numbers = [1e-3, 1e-6, 1e-9]
got = Tensor(np.array(numbers, np.float32)).tanh().numpy().tolist()
print(f"tinygrad {version('tinygrad')}: the float32 hyperbolic tangents of {numbers}")
print(f"expected {np.tanh(np.array(numbers, np.float32)).tolist()}")
print(f"got {got}")
sys.exit(0 if got[2] == 0.0 else 1)
