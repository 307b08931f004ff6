"""Of 49 cycles, Transformers misses the restarts of seven: in their steps the rate is nearly zero, and not the peak."""

import sys

import torch
import transformers

CYCLES, LENGTH, PEAK = 49, 4, 1.0

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
scheduler = transformers.get_cosine_with_hard_restarts_schedule_with_warmup(
    optimizer, num_warmup_steps=0, num_training_steps=CYCLES * LENGTH, num_cycles=CYCLES
)
rates = []
for _ in range(CYCLES * LENGTH):
    rates.append(scheduler.get_last_lr()[0])
    optimizer.step()
    scheduler.step()

missed = [cycle for cycle in range(CYCLES) if rates[cycle * LENGTH] != PEAK]
print(f"transformers {transformers.__version__}: cosine with {CYCLES} hard restarts, one in {LENGTH} steps")
print(f"expected at steps {LENGTH - 1}, {LENGTH}, {LENGTH + 1}: [{rates[3]:.3f}, {PEAK:.3f}, {rates[1]:.3f}]")
print(f"got: [{', '.join(f'{rate:.3g}' for rate in rates[3:6])}]")
print(
    f"the rate is not the peak where cycles {missed} start: 49 * (1 / 49) = {49 * (1 / 49)!r}, whose remainder is taken"
)
sys.exit(not missed)
