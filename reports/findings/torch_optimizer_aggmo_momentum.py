"""torch-optimizer 0.3.0: AggMo keeps velocities under the values of their momenta.

A momentum that changes finds no velocity, and two that are equal share one, which then takes every gradient twice.
"""

import sys

import torch
import torch_optimizer


def trained(first, second):
    """Return where two gradients of 1 lead with these momenta."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch_optimizer.AggMo([weight], lr=1.0, betas=first)
    for betas in (first, second):
        optimizer.param_groups[0]["betas"] = betas
        weight.grad = torch.ones(1)
        optimizer.step()
    return weight.item()


print("expected: -2.5 for equal momenta of 0.5, as for one; and a momentum that can change")
equal = trained((0.5, 0.5), (0.5, 0.5))
try:
    changed = trained((0.5,), (0.25,))
except KeyError as error:
    print(f"got:      {equal}; and KeyError: {error}")
else:
    print(f"got:      {equal}, {changed}")
    sys.exit(equal == -2.5)
