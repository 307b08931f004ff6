"""pytorch_optimizer 4.1.0: QHAdam keeps the sums of the powers of its betas in float32, and loads them in the parameter's dtype.

With nus of 1 it is Adam. In float64 it goes astray in the eighth digit, and a training in bfloat16 that is saved and loaded
goes on otherwise: a sum of 10.5 is loaded as 10.5, one of 301.25 as 302.
"""

import sys

import pytorch_optimizer
import torch

weights = [torch.nn.Parameter(torch.zeros(1, dtype=torch.float64)) for _ in range(2)]
optimizers = [
    optimizer_class([weight], lr=1.0, betas=(0.9, 0.999), eps=0.0)
    for optimizer_class, weight in zip((torch.optim.Adam, pytorch_optimizer.QHAdam), weights, strict=True)
]
for gradient in (1.0, -2.0, 3.0):
    for weight, optimizer in zip(weights, optimizers, strict=True):
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()

print(f"expected: {weights[0].item()!r} (torch.optim.Adam)")
print(f"got:      {weights[1].item()!r}")
sys.exit(abs((weights[0] - weights[1]).item()) < 1e-12)
