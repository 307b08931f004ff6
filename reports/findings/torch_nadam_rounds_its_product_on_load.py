"""torch 2.13.0: NAdam keeps its running product in float32, and ``load_state_dict`` casts it to the parameter's dtype.

In half precision a training that is saved and loaded goes on from a rounded product, so that the corrections of all
later steps are others; in float64 the dtype changes and the value does not. Of ``step`` the same was mended (issue 74424).
"""

import sys

import torch

found = False
for dtype in (torch.float64, torch.bfloat16, torch.float16):
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=dtype))
    parameter.grad = torch.ones_like(parameter)
    saved = torch.optim.NAdam([parameter])
    saved.step()
    loaded = torch.optim.NAdam([parameter])
    loaded.load_state_dict(saved.state_dict())
    expected, got = (optimizer.state[parameter]["mu_product"] for optimizer in (saved, loaded))
    print(f"mu_product of a {dtype} parameter")
    print(f"  expected {expected.item()!r} in {expected.dtype}\n  got      {got.item()!r} in {got.dtype}")
    found = found or got.dtype != expected.dtype
sys.exit(0 if found else 1)
