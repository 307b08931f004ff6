"""SGD of bitsandbytes takes ``nesterov`` and ``dampening``, and does nothing with them."""

import sys

import bitsandbytes
import torch


def trained(constructor, **settings):
    """Return where two gradients of 1 take a number from 0."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = constructor([parameter], lr=1.0, momentum=0.5, **settings)
    for _ in range(2):
        parameter.grad = torch.ones(1)
        optimizer.step()
    return parameter.item()


print(f"bitsandbytes {bitsandbytes.__version__}: SGD with momentum 0.5 and a learning rate of 1, two gradients of 1")
ignored = []
for settings in ({}, {"nesterov": True}, {"dampening": 0.5}):
    expected, got = (trained(each, **settings) for each in (torch.optim.SGD, bitsandbytes.optim.SGD))
    print(f"{settings}: expected, as of torch.optim.SGD, {expected}, got {got}")
    ignored.append(expected != got)
sys.exit(ignored != [False, True, True])
