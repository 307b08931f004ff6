"""torch 2.13.0, CPU: fused optimizers read and write memory in its order, whatever the strides of a tensor are.

A parameter with gaps, and a gradient laid out otherwise than its parameter, get the updates of other elements. Nothing
is raised, and nothing about it is documented; on CUDA the same is refused (issue 106951).
"""

import sys

import torch

found = False
for constructor in (torch.optim.SGD, torch.optim.Adagrad, torch.optim.Adam, torch.optim.AdamW):
    results = []
    for fused in (False, True):
        parameter = torch.nn.Parameter(torch.arange(8.0)[::2])
        parameter.grad = torch.ones(4)
        constructor([parameter], lr=1.0, fused=fused).step()
        results.append([round(value, 3) for value in parameter.tolist()])
    expected, got = results
    print(f"{constructor.__name__}: [0, 2, 4, 6] in every second place, lr=1, a gradient of ones")
    print(f"  expected {expected}, as without fused\n  got      {got}")
    found = found or got != expected
sys.exit(0 if found else 1)
