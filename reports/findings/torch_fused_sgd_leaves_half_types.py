"""torch 2.13.0, CPU: fused SGD computes whole vector blocks of half precision parameters and does not store them.

Only the elements after the last whole block change; foreach and loop change all. The documentation of ``fused`` promises
both half types. Reported as https://github.com/pytorch/pytorch/issues/191763.
"""

import sys

import torch

expected = [0.5] * 17
found = False
for dtype in (torch.bfloat16, torch.float16):
    parameter = torch.nn.Parameter(torch.ones(17, dtype=dtype))
    parameter.grad = torch.ones_like(parameter)
    torch.optim.SGD([parameter], lr=0.5, fused=True).step()
    got = parameter.tolist()
    print(f"{dtype}: 17 ones, lr=0.5, a gradient of ones\n  expected {expected}\n  got      {got}")
    found = found or got != expected
sys.exit(0 if found else 1)
