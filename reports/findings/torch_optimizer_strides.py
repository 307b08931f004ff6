"""torch-optimizer 0.3.0: SGDP and AdamP raise for a parameter whose elements do not lie one after another in memory."""

import sys

import torch
import torch_optimizer

weight = torch.nn.Parameter(torch.ones(2, 3).t())
weight.grad = torch.ones(3, 2)

print("expected: an update")
try:
    torch_optimizer.SGDP([weight], lr=0.5, delta=0.0).step()
    torch_optimizer.AdamP([weight], lr=0.5, delta=0.0).step()
except RuntimeError as error:
    print(f"got:      RuntimeError: {error}")
else:
    print("got:      an update")
    sys.exit(1)
