"""torch-optimizer 0.3.0: SGDW subtracts lr * weight_decay from every parameter, whatever its value and its sign."""

import sys

import torch
import torch_optimizer

weight = torch.nn.Parameter(torch.tensor([-2.0, 0.0, 2.0]))
weight.grad = torch.zeros(3)
torch_optimizer.SGDW([weight], lr=0.5, weight_decay=0.5).step()

print("expected: [-1.5, 0.0, 1.5], that is (1 - lr * weight_decay) times [-2, 0, 2]")
print(f"got:      {weight.tolist()}")
sys.exit(weight.tolist() == [-1.5, 0.0, 1.5])
