"""Tinygrad's BatchNorm raises for float64 in training, as its statistics are float32 unless DEFAULT_FLOAT says otherwise."""

import os
import sys
from importlib.metadata import version

os.environ["DEV"] = "PYTHON"  # needs no compiler

import numpy as np
from tinygrad import Context, Tensor, nn

print(f"tinygrad {version('tinygrad')}: a batch normalization of the float64 numbers -1 and 1 without eps")
print("expected: [-1.0, 1.0]")
try:
    with Context(TRAINING=1):
        result = nn.BatchNorm(1, eps=0.0, affine=False)(Tensor(np.array([[-1.0], [1.0]])))
except RuntimeError as error:
    print(f"got: RuntimeError: {error}")
else:
    sys.exit(f"got {result.numpy().ravel().tolist()}: the finding is gone")
