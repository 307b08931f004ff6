"""torch 2.13.0: SGD's foreach path with Nesterov momentum adds the velocity to the gradients where they are kept.

Whoever reads ``p.grad`` after the step, or accumulates on it, finds another gradient; loop and fused leave it.
https://github.com/pytorch/pytorch/pull/92706 means to rule it out.
"""

import sys

import torch

parameter = torch.nn.Parameter(torch.zeros(2))
parameter.grad = torch.ones(2)
torch.optim.SGD([parameter], lr=1.0, momentum=0.5, nesterov=True, foreach=True).step()
expected, got = [1.0, 1.0], parameter.grad.tolist()
print(f"the gradient after a step\n  expected {expected}\n  got      {got}")
sys.exit(1 if got == expected else 0)
