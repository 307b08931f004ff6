"""torch-optimi 0.3.3: Adam counts the updates of a group, also those in which a parameter has no gradient.

Of the first step that a parameter takes, Adam knows the length: the learning rate.
"""

import sys

import optimi
import torch


def first_step(optimizer_class, **options):
    """Return where a parameter is whose first gradient comes in the second update."""
    early, late = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    optimizer = optimizer_class([early, late], lr=1.0, betas=(0.5, 0.75), eps=0.0, **options)
    early.grad = torch.ones(1)
    optimizer.step()
    late.grad = torch.ones(1)
    optimizer.step()
    return late.item()


found = first_step(optimi.Adam, foreach=False)
print(f"expected: {first_step(torch.optim.Adam)} (torch.optim.Adam)")
print(f"got:      {found}")
sys.exit(abs(found + 1.0) < 1e-6)
