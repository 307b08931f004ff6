"""torch 2.13.0: clip_grad_value_ raises where no parameter has a gradient; clip_grad_norm_ returns 0.

So does a clip of no parameters at all, in every path. Nothing about it is documented.
"""

import sys

import torch

got = "nothing to do"
try:
    torch.nn.utils.clip_grad_value_([torch.nn.Parameter(torch.zeros(1))], 1.0)
except RuntimeError as error:
    got = f"RuntimeError: {error}"
expected = "nothing to do"
print(f"one parameter without a gradient\n  expected {expected}\n  got      {got}")
sys.exit(1 if got == expected else 0)
