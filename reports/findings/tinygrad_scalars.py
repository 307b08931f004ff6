"""Optimizers of tinygrad cannot update a parameter without axes, but for fused ones: their learning rate has an axis."""

import os
import sys
from importlib.metadata import version

os.environ["DEV"] = "PYTHON"  # needs no compiler

import numpy as np
from tinygrad import Context, Tensor
from tinygrad.nn.optim import SGD


def step(shape: tuple[int, ...], fused: bool) -> str:
    """Update once, and say what became of it."""
    parameter = Tensor(np.zeros(1, np.float32)).reshape(shape).contiguous().realize()
    optimizer = SGD([parameter], lr=1.0, fused=fused)
    parameter.grad = Tensor(np.ones(1, np.float32)).reshape(shape).contiguous().realize()
    try:
        optimizer.step()
    except ValueError as error:
        return f"ValueError: {error}"
    return str(parameter.numpy().item())


with Context(TRAINING=1):
    got = [step((1,), False), step((), True), step((), False)]
print(
    f"tinygrad {version('tinygrad')}: a step by -1 of a parameter with an axis, without by a fused optimizer, without"
)
print("expected: ['-1.0', '-1.0', '-1.0']")
print(f"got: {got}")
sys.exit(0 if got[:2] == ["-1.0", "-1.0"] and got[2].startswith("ValueError") else 1)
