"""torch-optimizer 0.3.0: a deep copy of Lamb cannot step, for options are kept where torch copies none."""

import copy
import sys

import torch
import torch_optimizer

weight = torch.nn.Parameter(torch.ones(1))
copied = copy.deepcopy(torch_optimizer.Lamb([weight]))
copied.param_groups[0]["params"][0].grad = torch.ones(1)

print("expected: the copy steps as the original does")
try:
    copied.step()
except AttributeError as error:
    print(f"got:      AttributeError: {error}")
else:
    print("got:      what is expected")
    sys.exit(1)
