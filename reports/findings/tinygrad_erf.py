"""Tinygrad's erf is an approximation with an error up to 1.5e-7, also in float64, and so is the GELU made of it."""

import math
import os
import sys
from importlib.metadata import version

os.environ["DEV"] = "PYTHON"  # needs no compiler

import numpy as np
from tinygrad import Tensor

got = Tensor(np.ones(1)).gelu(approximate="none").numpy().item()
expected = 0.5 * (1.0 + math.erf(math.sqrt(0.5)))
print(f"tinygrad {version('tinygrad')}: gelu of the float64 1 without approximation")
print(f"expected {expected!r}, got {got!r}")
sys.exit(1 if abs(got - expected) <= 1e-12 else 0)
