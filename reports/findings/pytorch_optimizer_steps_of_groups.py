"""pytorch_optimizer 4.1.0: updates of a group are counted, also those in which a parameter has no gradient.

FlashAdamW without quantization is AdamW, and of the first step that a parameter takes, AdamW knows the length.
"""

import sys

import pytorch_optimizer
import torch


def first_step(optimizer_class, **options):
    """Return where a parameter is whose first gradient comes in the second update."""
    early, late = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    optimizer = optimizer_class([early, late], lr=1.0, betas=(0.5, 0.75), eps=0.0, **options)
    early.grad = torch.ones(1)
    optimizer.step()
    late.grad = torch.ones(1)
    optimizer.step()
    return late.item()


found = first_step(pytorch_optimizer.FlashAdamW, quantize=False)
print(f"expected: {first_step(torch.optim.AdamW)} (torch.optim.AdamW)")
print(f"got:      {found}")
sys.exit(abs(found + 1.0) < 1e-6)
