"""torch 2.13.0: CosineAnnealingLR rises again after T_max steps, up to where it began.

Documented: the closed form of its documentation is a wave, and "without restarts" is said to mean that the count goes
on. As a schedule that anneals to a floor, which is what SGDR does within a cycle and optax and Keras do, it is to rest
there: train for longer than T_max and the rate comes back.
"""

import sys

import torch

parameter = torch.nn.Parameter(torch.zeros(1))
optimizer = torch.optim.SGD([parameter], lr=1.0)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2, eta_min=0.1)
got = []
for _ in range(5):
    got.append(round(optimizer.param_groups[0]["lr"], 6))
    optimizer.step()
    scheduler.step()
expected = [1.0, 0.55, 0.1, 0.1, 0.1]
print(f"T_max=2, eta_min=0.1, from 1\n  expected {expected}\n  got      {got}")
sys.exit(1 if got == expected else 0)
