"""pytorch_optimizer 4.1.0: with weight_decouple=False, the decay of SGDP and AdamP has no effect on the parameters.

The penalty is added to the gradient after the averages took it in: the gradient of the caller changes, and nothing else.
"""

import sys

import pytorch_optimizer
import torch


def after_one_step(optimizer_class):
    """Return what a step without a gradient makes of 1."""
    weight = torch.nn.Parameter(torch.ones(1))
    weight.grad = torch.zeros(1)
    optimizer_class([weight], lr=0.5, weight_decay=0.5, weight_decouple=False).step()
    return weight.item()


found = [after_one_step(pytorch_optimizer.SGDP), after_one_step(pytorch_optimizer.AdamP)]
print("expected: less than 1 for both, 0.75 for SGDP")
print(f"got:      {found}")
sys.exit(found != [1.0, 1.0])
