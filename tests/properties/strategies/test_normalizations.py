"""Calls of normalization layers are what a check of them needs."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import get
from properties.cases import Call
from properties.claims import Space
from properties.drawing import draw_cases
from properties.strategies.calls import calls, kinds
from tests.helpers.programs.normalization_programs import NORMALIZATION_IDS

CASES = [(id, kind) for id in NORMALIZATION_IDS for kind in kinds(get(id))]


def drawn(formula: str, kind: str, dtype: str = "float64", count: int = 8) -> list[Call]:
    return draw_cases(calls(Space(get(formula), dtype, "quick"), kind), count, 5)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(("formula", "kind"), CASES)
def test_calls_have_exact_numbers_of_matching_shapes_and_values_to_be_drawn(formula, kind, dtype):
    record = get(formula)
    for call in drawn(formula, kind, dtype):
        x, *others = call.arrays

        assert len(call.arrays) == len(record.arrays)
        assert all(np.array_equal(FORMATS[dtype].round(array), array) for array in call.arrays)
        assert all(array.shape == x.shape[-1:] for array in others)
        assert all(value in record.draw[name] for name, value in call.hyperparameters.items())
        assert set(call.hyperparameters) == set(record.hyperparameters)


def test_some_means_lie_a_million_spreads_from_zero():
    offsets = {
        round(float(np.abs(np.mean(c.arrays[0])) / np.ptp(c.arrays[0])), -4) for c in drawn("layer_norm", "offset")
    }

    assert max(offsets) >= 1e5


def test_constant_calls_have_no_variance_and_single_ones_one_element():
    assert all(np.ptp(call.arrays[0]) == 0 for call in drawn("batch_norm", "constant"))
    assert all(call.arrays[0].shape[0] == 1 for call in drawn("batch_norm", "single"))
    assert all(call.arrays[0].shape[-1] == 1 for call in drawn("layer_norm", "single"))


def test_about_half_of_the_shifts_are_zero():
    zero = [not call.arrays[2].any() for call in drawn("layer_norm", "short", count=60)]

    assert 15 <= sum(zero) <= 45


def test_epsilon_is_of_the_order_of_the_variance():
    for call in drawn("layer_norm", "short", count=40):
        assert 1e-3 <= call.hyperparameters["eps"] / max(np.abs(call.arrays[0]).max(), 1e-3) ** 2 <= 1e3


def test_running_variances_are_not_negative():
    for id in ("batch_norm_running_variance", "batch_norm_running_variance_biased"):
        assert all((call.arrays[1] >= 0).all() for call in drawn(id, "short"))
