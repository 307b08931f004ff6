"""pytorch_optimizer 4.1.0: updates change the gradients, which belong to the caller: penalties, and Nesterov's momentum."""

import sys

import pytorch_optimizer
import torch


def left(name, **options):
    """Return what an update leaves of a gradient of 1."""
    weight = torch.nn.Parameter(torch.full((1,), 8.0))
    weight.grad = torch.ones(1)
    getattr(pytorch_optimizer, name)([weight], lr=0.5, foreach=False, **options).step()
    return weight.grad.item()


found = {
    "penalty of SGDW": left("SGDW", weight_decay=0.5, weight_decouple=False),
    "penalty of QHAdam": left("QHAdam", weight_decay=0.5),
    "momentum of SGDW": left("SGDW", momentum=0.5, nesterov=True),
}
print("expected: 1.0 each time")
print(f"got:      {found}")
sys.exit(1.0 in found.values())
