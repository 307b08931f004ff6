"""After its last step, Transformers' cosine with a lowest rate rises to the peak again; its other schedules rest."""

import sys

import torch
import transformers

STEPS = 4


def rates(name, **settings):
    """Return the rates of twice as many steps as the schedule is given."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = transformers.get_scheduler(name, optimizer, 0, STEPS, scheduler_specific_kwargs=settings)
    shown = []
    for _ in range(2 * STEPS + 1):
        shown.append(round(scheduler.get_last_lr()[0], 4))
        optimizer.step()
        scheduler.step()
    return shown


wave = rates("cosine_with_min_lr", min_lr_rate=0.1)
resting = rates("warmup_stable_decay", num_decay_steps=STEPS, min_lr_ratio=0.1)
print(f"transformers {transformers.__version__}: a decay to 0.1 over {STEPS} steps, and as many after it")
print(f"expected, as warmup_stable_decay has it: {resting}")
print(f"got of cosine_with_min_lr:               {wave}")
sys.exit(wave == resting)
