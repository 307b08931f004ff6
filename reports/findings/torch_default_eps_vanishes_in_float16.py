"""torch 2.13.0: the default eps of Adagrad (1e-10) rounds to 0 in float16, and a zero gradient becomes 0/0.

So do those of RMSprop, Adam and AdamW (1e-8): the smallest positive number of float16 is 6e-8. Customary advice is to
keep parameters in float32; neither the constructors nor the documentation of the optimizers say so.
"""

import sys

import torch

found = False
for constructor in (torch.optim.Adagrad, torch.optim.RMSprop, torch.optim.Adam, torch.optim.AdamW):
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float16))
    parameter.grad = torch.zeros_like(parameter)
    constructor([parameter]).step()
    expected, got = 0.0, parameter.item()
    print(f"{constructor.__name__}: 0 after a gradient of 0\n  expected {expected}\n  got      {got}")
    found = found or got != expected
sys.exit(0 if found else 1)
