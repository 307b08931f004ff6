"""torch-optimi 0.3.3: updates change the gradients, which belong to the caller: by foreach, and with a penalty."""

import sys
import warnings

import optimi
import torch

warnings.simplefilter("ignore", DeprecationWarning)  # foreach is deprecated in favour of Triton


def left(**options):
    """Return what an update of Adam leaves of a gradient of 1."""
    weight = torch.nn.Parameter(torch.full((1,), 8.0))
    weight.grad = torch.ones(1)
    optimi.Adam([weight], lr=0.5, **options).step()
    return weight.grad.item()


found = {"foreach": left(foreach=True, eps=0.5), "weight_decay": left(foreach=False, weight_decay=0.5)}
print("expected: {'foreach': 1.0, 'weight_decay': 1.0}")
print(f"got:      {found}")
sys.exit(1.0 in found.values())
