"""Tinygrad's BatchNorm raises ZeroDivisionError in training on one sample, whose statistics it would correct."""

import os
import sys
from importlib.metadata import version

os.environ["DEV"] = "PYTHON"  # needs no compiler

import numpy as np
from tinygrad import Context, Tensor, nn

sample = Tensor(np.ones((1, 1), np.float32))
print(f"tinygrad {version('tinygrad')}: a batch normalization of one sample with eps=1, which is its own mean")
with Context(TRAINING=1):
    untracked = nn.BatchNorm(1, eps=1.0, track_running_stats=False)(sample).numpy().item()
    print(f"expected {untracked}, as without running statistics, or ValueError, as of torch")
    try:
        result = nn.BatchNorm(1, eps=1.0)(sample)
    except ZeroDivisionError as error:
        print(f"got: ZeroDivisionError: {error}")
    else:
        sys.exit(f"got {result.numpy().item()}: the finding is gone")
