"""torch 2.13.0: fused SGD with momentum raises when a parameter gets its first gradient after another of its group.

Velocities are made for all parameters of a call or for none. Foreach and loop make what is missing.
"""

import sys

import torch


def trained(fused: bool) -> object:
    """Give one of two parameters a gradient in the first step, and both in the second."""
    early, late = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = torch.optim.SGD([early, late], lr=1.0, momentum=0.5, fused=fused)
    early.grad = torch.ones(1)
    optimizer.step()
    late.grad = torch.ones(1)
    try:
        optimizer.step()
    except TypeError as error:
        return f"TypeError: {error}"
    return [early.item(), late.item()]


expected, got = trained(fused=False), trained(fused=True)
print(f"expected {expected}, as without fused\ngot      {got}")
sys.exit(1 if got == expected else 0)
