"""A step of a schedule-free optimizer writes over the gradients: AdamW divides them, and SGD adds the decay to them."""

import sys
from importlib.metadata import version

import schedulefree
import torch


def left(constructor, **settings):
    """Return the gradient that a step leaves of a gradient of 4."""
    parameter = torch.nn.Parameter(torch.ones(1))
    optimizer = constructor([parameter], lr=0.5, **settings)
    optimizer.train()
    parameter.grad = torch.full((1,), 4.0)
    optimizer.step()
    return parameter.grad.item()


print(f"schedulefree {version('schedulefree')}: the gradient after a step, expected 4, as of torch.optim.AdamW and SGD")
found = {
    "AdamWScheduleFree": left(schedulefree.AdamWScheduleFree),
    "SGDScheduleFree without decay": left(schedulefree.SGDScheduleFree),
    "SGDScheduleFree with decay 0.5": left(schedulefree.SGDScheduleFree, weight_decay=0.5),
}
for name, grad in found.items():
    print(f"{name}: got {grad}")
sys.exit(all(grad == 4.0 for grad in found.values()))
