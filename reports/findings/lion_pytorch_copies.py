"""lion-pytorch 0.2.5: a deep copy of Lion cannot step, for an option is kept where torch copies none."""

import copy
import sys

import torch
from lion_pytorch import Lion

weight = torch.nn.Parameter(torch.zeros(1))
copied = copy.deepcopy(Lion([weight], lr=0.5))
copied.param_groups[0]["params"][0].grad = torch.ones(1)

print("expected: the copy steps as the original does")
try:
    copied.step()
except AttributeError as error:
    print(f"got:      AttributeError: {error}")
else:
    print("got:      what is expected")
    sys.exit(1)
