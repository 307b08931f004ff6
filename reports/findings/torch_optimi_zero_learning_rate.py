"""torch-optimi 0.3.3: fully decoupled decay raises ZeroDivisionError for a learning rate that starts at 0.

max_lr is the learning rate of the construction unless given, 0 at the start of a warmup, and is divided by.
"""

import sys

import optimi
import torch

weight = torch.nn.Parameter(torch.ones(1))
weight.grad = torch.zeros(1)
optimizer = optimi.AdamW([weight], lr=0.0, weight_decay=1e-4, decouple_lr=True, foreach=False)

print("expected: a learning rate of 0 is refused here or leaves the parameter at 1.0")
try:
    optimizer.step()
except ZeroDivisionError as error:
    print(f"got:      ZeroDivisionError: {error}")
else:
    print(f"got:      {weight.item()}")
    sys.exit(1)
