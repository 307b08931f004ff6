"""torch-optimizer 0.3.0: QHM and QHAdam add the penalty to the gradients where they are kept."""

import sys

import torch
import torch_optimizer


def left(optimizer_class):
    """Return what an update leaves of a gradient of 1."""
    weight = torch.nn.Parameter(torch.full((1,), 8.0))
    weight.grad = torch.ones(1)
    optimizer_class([weight], lr=0.5, weight_decay=0.5).step()
    return weight.grad.item()


found = [left(torch_optimizer.QHM), left(torch_optimizer.QHAdam)]
print("expected: [1.0, 1.0]")
print(f"got:      {found}")
sys.exit(1.0 in found)
