"""HeavyBall keeps the momentum of parameters in float16 in float32, until a saved state is loaded: then in float16."""

import sys
from importlib.metadata import version

import heavyball
import torch

heavyball.utils.compile_mode = None


def _made(start):
    parameter = torch.nn.Parameter(torch.full((1,), start, dtype=torch.float16))
    return parameter, heavyball.SGD([parameter], lr=1.0, beta=0.75, weight_decay=0.0, compile_step=False)


def _trained(*, reloaded):
    parameter, optimizer = _made(0.0)
    for grad in (1.0, 0.39990234375, 0.0):
        if reloaded and grad == 0.0:
            state = optimizer.state_dict()
            parameter, optimizer = _made(parameter.item())
            optimizer.load_state_dict(state)
        parameter.grad = torch.full((1,), grad, dtype=torch.float16)
        optimizer.step()
    return parameter.item()


expected, got = _trained(reloaded=False), _trained(reloaded=True)
print(
    f"heavyball {version('heavyball')}: SGD of a parameter in float16, with a momentum of 0.75 and gradients 1, 0.4 and 0"
)
print(f"expected: {expected!r}, got {got!r} where the state was saved and loaded before the last step")
sys.exit(expected == got)
