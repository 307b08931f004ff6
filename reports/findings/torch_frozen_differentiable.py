"""With a learning rate of 0, differentiable steps of Adam make NaN of parameters whose gradients were all 0."""

import sys

import torch


def step(gradient, **flags):
    """Return where the first gradient takes a number from 1, at a learning rate of 0."""
    parameter = torch.ones(1)
    optimizer = torch.optim.Adam([parameter], lr=0.0, **flags)
    parameter.grad = torch.full((1,), gradient).requires_grad_(bool(flags))
    optimizer.step()
    return parameter.item()


print(f"torch {torch.__version__}: Adam(lr=0, differentiable=True), as at the first step of a warmup, a parameter of 1")
for gradient in (1.0, 0.0):
    print(f"gradient {gradient}: expected 1.0, got {step(gradient, differentiable=True)}")
found = step(0.0, differentiable=True) != 1.0
sys.exit(not found)
