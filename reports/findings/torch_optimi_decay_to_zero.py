"""torch-optimi 0.3.3: a parameter that should decay to zero does not decay at all.

The factor 1 - lr * weight_decay is kept in the variable of the decay, and a factor of 0 is taken for a decay of 0.
"""

import sys

import optimi
import torch


def after_one_step(weight_decay):
    """Return what a step without a gradient makes of 1."""
    weight = torch.nn.Parameter(torch.ones(1))
    weight.grad = torch.zeros(1)
    optimi.AdamW([weight], lr=1.0, weight_decay=weight_decay, foreach=False).step()
    return weight.item()


results = {weight_decay: after_one_step(weight_decay) for weight_decay in (0.5, 0.75, 1.0)}
print("expected: {0.5: 0.5, 0.75: 0.25, 1.0: 0.0}")
print(f"got:      {results}")
sys.exit(results[1.0] == 0.0)
