"""In float64, differentiable steps of Adam have corrections in single precision."""

import sys

import torch


def step(eps, gradient, **flags):
    """Return where the first gradient takes a number of float64 from 0."""
    parameter = torch.zeros(1, dtype=torch.float64)
    optimizer = torch.optim.Adam([parameter], lr=1.0, betas=(0.5, 0.5), eps=eps, **flags)
    parameter.grad = torch.full((1,), gradient, dtype=torch.float64).requires_grad_(bool(flags))
    optimizer.step()
    return parameter.item()


print(f"torch {torch.__version__}: Adam with differentiable=True, parameters in float64, the first step from 0")
cases = [(0.3, 1.0), (3e-61, 0.0)]
for eps, gradient in cases:
    expected, got = step(eps, gradient), step(eps, gradient, differentiable=True)
    print(f"eps {eps}, gradient {gradient}: expected, as without it, {expected!r}, got {got!r}")
sys.exit(all(step(*case) == step(*case, differentiable=True) for case in cases))
