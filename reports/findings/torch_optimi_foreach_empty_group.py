"""torch-optimi 0.3.3: by foreach, an update raises if no parameter of a group has a gradient."""

import sys
import warnings

import optimi
import torch

warnings.simplefilter("ignore", DeprecationWarning)  # foreach is deprecated in favour of Triton
trained, frozen = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
trained.grad = torch.ones(1)
optimizer = optimi.SGD([{"params": [trained]}, {"params": [frozen]}], lr=0.5, foreach=True)

print("expected: the first parameter becomes -0.5, and the second stays 0.0")
try:
    optimizer.step()
except RuntimeError as error:
    print(f"got:      RuntimeError: {str(error).splitlines()[0]}")
else:
    print(f"got:      {trained.item()} and {frozen.item()}")
    sys.exit(1)
