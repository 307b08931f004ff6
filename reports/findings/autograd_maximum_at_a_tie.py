"""Autograd's derivative of max(x, 0) at 0 is 1/2: the slope of maximum is shared out where both arguments are equal."""

import sys

from autograd import grad
from autograd import numpy as np

got = float(grad(lambda x: np.maximum(x, 0.0))(0.0))
print(f"derivative of maximum(x, 0) at 0: expected 0.0, got {got!r}")
sys.exit(1 if got == 0.0 else 0)
