"""lion-pytorch 0.2.5: the foreach Lion raises if no parameter of a group has a gradient."""

import sys

import torch
from lion_pytorch.foreach import Lion

trained, frozen = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
trained.grad = torch.ones(1)
optimizer = Lion([{"params": [trained]}, {"params": [frozen]}], lr=0.5)

print("expected: the first parameter becomes -0.5, and the second stays 0.0")
try:
    optimizer.step()
except RuntimeError as error:
    print(f"got:      RuntimeError: {error}")
else:
    print(f"got:      {trained.item()} and {frozen.item()}")
    sys.exit(1)
