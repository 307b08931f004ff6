"""A deep copy of an optimizer of HeavyBall cannot step."""

import copy
import sys
from importlib.metadata import version

import heavyball
import torch

heavyball.utils.compile_mode = None
parameter = torch.nn.Parameter(torch.ones(3))
optimizer = heavyball.SGD([parameter], lr=0.5, compile_step=False)
parameter.grad = torch.ones(3)
optimizer.step()
(other,), copied = copy.deepcopy(([parameter], optimizer))
other.grad = torch.ones(3)
print(f"heavyball {version('heavyball')}: one step, a deep copy, and a second step of the copy")
print("expected, as of torch.optim.SGD: a second step")
try:
    copied.step()
except AttributeError as error:
    print(f"got: AttributeError: {error}")
else:
    sys.exit("got a second step: the finding is gone")
