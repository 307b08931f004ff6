"""No honest program for dropout leaves the bound of every precision model."""

import numpy as np
import pytest
import torch

from oracle.arithmetic.formats import FORMATS, precision_models
from oracle.bound import bound
from oracle.dropout.inference import dropout_inference_scaling
from oracle.dropout.masks import dropout_inverted, dropout_keep_proportion

INVERTED = {
    "quotient": lambda x, mask, keep: mask * x / keep,
    "scaled mask": lambda x, mask, keep: x * (mask / keep),
    "scaled units": lambda x, mask, keep: (x / keep) * mask,
    "reciprocal": lambda x, mask, keep: x * mask * (1 / keep),
    "choice": lambda x, mask, keep: torch.where(mask > 0, x / keep, torch.zeros_like(x)),
    "fused": lambda x, mask, keep: torch.addcmul(torch.zeros_like(x), x, mask, value=1 / keep),
    "scalar tensor": lambda x, mask, keep: mask * x / torch.tensor(keep, dtype=x.dtype),
}
KEPT = {
    "product": lambda x, mask, keep: mask * x,
    "choice": lambda x, mask, keep: torch.where(mask > 0, x, torch.zeros_like(x)),
    "fill": lambda x, mask, keep: x.masked_fill(mask == 0, 0.0),
    "difference": lambda x, mask, keep: x - (1 - mask) * x,
    "interpolation": lambda x, mask, keep: torch.lerp(torch.zeros_like(x), x, mask),
}
INFERENCE = {
    "product": lambda x, mask, keep: x * keep,
    "scalar tensor": lambda x, mask, keep: x * torch.tensor(keep, dtype=x.dtype),
    "double": lambda x, mask, keep: (x.double() * keep).to(x.dtype),
    "interpolation": lambda x, mask, keep: torch.lerp(torch.zeros_like(x), x, keep),
    "commuted": lambda x, mask, keep: torch.mul(keep, x),
}
CASES = [
    (formula, name, program)
    for formula, programs in (
        (dropout_inverted, INVERTED),
        (dropout_keep_proportion, KEPT),
        (dropout_inference_scaling, INFERENCE),
    )
    for name, program in programs.items()
]


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(("formula", "name", "program"), CASES, ids=[f"{case[0].id}-{case[1]}" for case in CASES])
def test_no_honest_program_leaves_the_bound(formula, name, program, dtype, draws, entropy, judged):
    form, rng = FORMATS[dtype], np.random.default_rng([len(name), entropy])
    models, bounded, elements, used = list(precision_models(dtype)), 0, 0, 0.0
    count = draws(12, 400)
    for _ in range(count):
        scale = rng.choice([1.0, 1.0, 30.0, 1e-3, form.smallest_normal])
        x, mask = form.round(rng.normal(size=16) * scale), rng.choice([0.0, 1.0], 16)
        keep = float(rng.choice([0.5, 0.75, 0.1, 0.9, 0.3, 1.0]))
        tensors = (torch.tensor(array).to(getattr(torch, dtype)) for array in (x, mask))
        shown = program(*tensors, keep).double().numpy()
        arrays = (x, mask)[: len(formula.arrays)]
        enclosures = {model: bound(formula, *arrays, precision=model, keep=keep) for model in models}
        models = [model for model in models if float(np.max(enclosures[model].ratio(shown))) <= 1.0]

        assert models, f"{name} leaves every bound at keep={keep}, x={x.tolist()}"
        used = max(used, float(np.max(enclosures[models[0]].ratio(shown))))
        elements += x.size
        bounded += int(np.count_nonzero(enclosures[models[0]].bounded))
    judged("calls", count)

    assert bounded == elements
    assert used >= 0.01 or formula is dropout_keep_proportion  # which multiplies by 0 and 1
