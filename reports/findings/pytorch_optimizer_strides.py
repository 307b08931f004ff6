"""pytorch_optimizer 4.1.0: SGDP and AdamP raise for a parameter whose elements do not lie one after another in memory."""

import sys

import pytorch_optimizer
import torch

weight = torch.nn.Parameter(torch.ones(2, 3).t())
weight.grad = torch.ones(3, 2)

print("expected: an update")
try:
    pytorch_optimizer.SGDP([weight], lr=0.5, delta=0.0).step()
    pytorch_optimizer.AdamP([weight], lr=0.5, delta=0.0).step()
except RuntimeError as error:
    print(f"got:      RuntimeError: {error}")
else:
    print("got:      an update")
    sys.exit(1)
