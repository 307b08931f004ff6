"""A cost of classification and regression together."""

import numpy as np
import pytest
import torch

from oracle.arithmetic.formats import FORMATS, precision_models
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.losses.combined import loss_combined
from oracle.losses.cross_entropy import loss_cross_entropy
from tests.helpers.honest import log_softmax

SCORES, LABELS = np.array([[0.5, -1.0, 2.0], [3.0, 0.0, -0.5]]), np.array([1, 0])
PREDICTION, TARGET = np.array([0.5, -2.0]), np.array([1.0, 1.0])


def test_equal_scores_and_residuals_as_worked_by_hand():
    value = exact(loss_combined, np.zeros((2, 4)), LABELS, PREDICTION, TARGET, regression_weight=0.0)

    assert float(value) == np.log(4.0)
    assert loss_combined(np.array([[0.0, 1e4]]), np.array([0]), PREDICTION, TARGET, regression_weight=2.0) == 10018.5


def test_without_a_weight_it_is_the_cross_entropy():
    combined = exact(loss_combined, SCORES, LABELS, PREDICTION, TARGET, regression_weight=0.0)

    assert combined == exact(loss_cross_entropy, SCORES, LABELS)


def picked(s, y):
    return -np.mean(np.take_along_axis(log_softmax(s), y[:, None], -1), dtype=s.dtype)


PROGRAMS = {
    "printed": lambda s, y, r, t, w: picked(s, y) + w * np.sum((t - r) ** 2, dtype=s.dtype),
    "regression first": lambda s, y, r, t, w: w * np.sum((r - t) * (r - t), dtype=s.dtype) + picked(s, y),
    "weighted squares": lambda s, y, r, t, w: np.sum(w * (t - r) ** 2, dtype=s.dtype) + picked(s, y),
    "weighted residuals": lambda s, y, r, t, w: np.sum((w * (t - r)) * (t - r), dtype=s.dtype) + picked(s, y),
    "backwards": lambda s, y, r, t, w: picked(s[::-1], y[::-1]) + w * np.sum(((t - r) ** 2)[::-1], dtype=s.dtype),
    "torch": lambda s, y, r, t, w: (
        torch.nn.functional.cross_entropy(torch.tensor(s), torch.tensor(y))
        + float(w) * torch.nn.functional.mse_loss(torch.tensor(r), torch.tensor(t), reduction="sum")
    ).numpy(),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_honest_program_leaves_the_bound(program, dtype, draws):
    rng, form, bounded, used = np.random.default_rng(len(program)), FORMATS[dtype], 0, 0.0
    for _ in range(draws(40, 2000)):
        scale = rng.choice([0.1, 1.0, 10.0])
        arrays = [form.round(scale * rng.normal(size=shape)) for shape in ((3, 4), (5,), (5,))]
        labels, weight = rng.integers(0, 4, 3), float(form.round(np.array(10.0 ** rng.uniform(-2, 1))))
        enclosure = bound(
            loss_combined,
            arrays[0],
            labels,
            *arrays[1:],
            precision=precision_models(dtype)[-1],
            regression_weight=weight,
        )
        s, r, t = (array.astype(dtype) for array in arrays)
        observed = np.float64(PROGRAMS[program](s, labels, r, t, np.dtype(dtype).type(weight)))

        used = max(used, float(enclosure.ratio(observed)))
        bounded += int(np.isfinite(enclosure.error))

    assert 0.01 <= used <= 1
    assert bounded > 0


@pytest.mark.parametrize("weight", [-0.5, np.inf])
def test_a_weight_outside_its_domain_is_refused(weight):
    with pytest.raises(DomainError, match="regression_weight must be in"):
        exact(loss_combined, SCORES, LABELS, PREDICTION, TARGET, regression_weight=weight)


def test_a_label_that_is_no_class_is_refused():
    with pytest.raises(DomainError, match="label must hold whole numbers"):
        exact(loss_combined, SCORES, LABELS + 0.5, PREDICTION, TARGET, regression_weight=1.0)
