"""HeavyBall rounds the learning rate to float32, also where parameters and storage are float64."""

import sys
from importlib.metadata import version

import heavyball
import torch

heavyball.utils.compile_mode = None
parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
settings = {"beta": 0.0, "weight_decay": 0.0, "storage_dtype": "float64", "compile_step": False}
optimizer = heavyball.SGD([parameter], lr=0.1, **settings)
parameter.grad = torch.ones(1, dtype=torch.float64)
optimizer.step()

print(f"heavyball {version('heavyball')}: SGD without momentum, a learning rate of 0.1, and a gradient of 1 at 0")
print(f"expected: {-0.1!r}, got {parameter.item()!r} (the float32 next to 0.1 is {torch.tensor(0.1).item()!r})")
print(f"gradient afterwards: {parameter.grad}")
sys.exit(parameter.item() == -0.1)
