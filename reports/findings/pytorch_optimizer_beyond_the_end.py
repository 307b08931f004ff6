"""pytorch_optimizer 4.1.0: after its last step LinearScheduler goes on to negative learning rates, and CosineScheduler up again."""

import sys

import pytorch_optimizer
import torch


def rates(scheduler_class):
    """Return the rates of five updates of a schedule of two."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = scheduler_class(optimizer, t_max=2, max_lr=1.0)
    return [round(float(scheduler.step()), 3) for _ in range(5)]


found = [rates(pytorch_optimizer.LinearScheduler), rates(pytorch_optimizer.CosineScheduler)]
print("expected: 1.0, 0.5 and 0.0, and then 0.0 or an error")
print(f"got:      {found[0]} and {found[1]}")
sys.exit(min(found[0]) >= 0.0 or found[1][-1] == 0.0)
