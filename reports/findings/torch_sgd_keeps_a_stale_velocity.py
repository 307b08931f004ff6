"""torch 2.13.0: SGD leaves its velocity alone in steps with momentum 0, and takes it up again where momentum returns.

By the recurrence ``v = momentum * v + g`` a step with momentum 0 forgets the past. Documented: the printed algorithm
updates the velocity only if momentum is not 0. It matters to whoever sets ``param_groups[...]["momentum"]`` on the way.
"""

import sys

import torch

parameter = torch.nn.Parameter(torch.zeros(1))
optimizer = torch.optim.SGD([parameter], lr=1.0, momentum=0.5)
got = []
for momentum, gradient in ((0.5, 1.0), (0.0, 0.0), (0.5, 0.0)):
    optimizer.param_groups[0]["momentum"] = momentum
    parameter.grad = torch.tensor([gradient])
    optimizer.step()
    got.append(parameter.item())
expected = [-1.0, -1.0, -1.0]
print(f"lr=1; momentum 0.5, 0, 0.5; gradients 1, 0, 0\n  expected {expected}\n  got      {got}")
sys.exit(1 if got == expected else 0)
