"""pytorch_optimizer 4.1.0: AdamC adds 1e-15 to the second moment under the root, beside the epsilon that it is given.

The length of Adam's first step is the learning rate, whatever the gradient is; this one depends on the gradient's size.
"""

import sys

import pytorch_optimizer
import torch


def first_step(gradient):
    """Return where a parameter is after one update."""
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    weight.grad = torch.tensor([gradient], dtype=torch.float64)
    pytorch_optimizer.AdamC([weight], lr=1.0, eps=0.0).step()
    return weight.item()


found = {gradient: first_step(gradient) for gradient in (1.0, 1e-4, 1e-6, 1e-8)}
print("expected: -1 for every gradient")
print(f"got:      {found}")
sys.exit(abs(found[1e-8] + 1.0) < 1e-6)
