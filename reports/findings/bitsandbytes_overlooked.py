"""A group's own ``momentum`` (SGD) or ``alpha`` (RMSprop) changes nothing in bitsandbytes."""

import sys

import bitsandbytes
import torch


def trained(constructor, inside, outside, gradients):
    """Return where gradients take a number from 0, with a hyperparameter given to the group, or else to the optimizer."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = constructor([{"params": [parameter], **inside}], lr=1.0, **outside)
    for gradient in gradients:
        parameter.grad = torch.full((1,), gradient)
        optimizer.step()
    return parameter.item()


print(f"bitsandbytes {bitsandbytes.__version__}: two gradients, 1 and 2, and a learning rate of 1")
overlooked = []
for name, values in (("SGD", {"momentum": 0.25}), ("RMSprop", {"alpha": 0.25})):
    others = dict.fromkeys(values, 0.75)
    expected = trained(getattr(torch.optim, name), values, others, (1.0, 2.0))
    got = trained(getattr(bitsandbytes.optim, name), values, others, (1.0, 2.0))
    print(f"{name} with {others}, a group with {values}: expected, as of torch, {expected:.6f}, got {got:.6f}")
    overlooked.append(abs(expected - got) > 1e-3)
sys.exit(not all(overlooked))
