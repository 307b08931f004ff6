"""pytorch_optimizer 4.1.0: a deep copy of an optimizer cannot step, for options are kept where torch copies none."""

import copy
import sys

import pytorch_optimizer
import torch

print("expected: the copies step as the originals do")
raised = []
for name in ("Lion", "SGDW", "QHM", "QHAdam", "AdamP", "AdamC", "PAdam", "AdaMod", "GaLore", "Fira", "FlashAdamW"):
    weight = torch.nn.Parameter(torch.ones(1))
    copied = copy.deepcopy(getattr(pytorch_optimizer, name)([weight]))
    copied.param_groups[0]["params"][0].grad = torch.ones(1)
    try:
        copied.step()
    except AttributeError as error:
        raised.append(name)
        print(f"got:      AttributeError: {error}")
    else:
        print(f"got:      a step of {name}")
sys.exit(not raised)
