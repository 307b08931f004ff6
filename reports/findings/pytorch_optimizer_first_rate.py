"""pytorch_optimizer 4.1.0: CosineAnnealingWarmupRestarts without a warmup starts with the lowest rate, not the highest."""

import sys

import pytorch_optimizer
import torch


def rates(scheduler_class, *arguments, **options):
    """Return the rates of six updates."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = scheduler_class(optimizer, *arguments, **options)
    found = []
    for _ in range(6):
        found.append(round(optimizer.param_groups[0]["lr"], 3))
        optimizer.step()
        scheduler.step()
    return found


expected = rates(torch.optim.lr_scheduler.CosineAnnealingWarmRestarts, 4)
restarts = pytorch_optimizer.lr_scheduler.CosineAnnealingWarmupRestarts
found = rates(restarts, 4, max_lr=1.0, min_lr=0.0, gamma=1.0)
print(f"expected: {expected} (torch's CosineAnnealingWarmRestarts)")
print(f"got:      {found}")
sys.exit(found == expected)
