"""A deep copy of an optimizer of bitsandbytes cannot step."""

import copy
import sys

import bitsandbytes
import torch

parameter = torch.nn.Parameter(torch.ones(3))
optimizer = bitsandbytes.optim.AdamW([parameter], lr=0.5)
parameter.grad = torch.ones(3)
optimizer.step()
(other,), copied = copy.deepcopy(([parameter], optimizer))
other.grad = torch.ones(3)
print(f"bitsandbytes {bitsandbytes.__version__}: one step, a deep copy, and a second step of the copy")
print("expected, as of torch.optim.AdamW: a second step")
try:
    copied.step()
except AttributeError as error:
    print(f"got: AttributeError: {error}")
else:
    sys.exit("got a second step: the finding is gone")
