"""Torch's functions are called with the arrays and hyperparameters of the formula, and nothing else is done."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from conformance.backends import Implementation
from conformance.backends.torch_functions import TensorFunction, functions
from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import get
from oracle.exact import exact
from properties.subject import Rejected

torch = pytest.importorskip("torch")

NORMS = [each for each in functions() if each.label.rpartition(".")[2].partition(":")[0].endswith("_norm")]
ARRAYS = {
    "x": np.array([[0.75, -0.25, 2.0], [1.5, 0.5, -3.0], [-0.125, 1.0, 0.25]]),
    "weight": np.array([2.0, -0.5, 1.5]),
    "bias": np.array([0.25, 3.0, -1.0]),
    "running": np.array([0.5, 2.0, 1.0]),
}
VALUES = {"eps": 0.125, "momentum": 0.75}


def arguments(implementation: Implementation):
    formula = get(implementation.formula)
    return [ARRAYS[name] for name in formula.arrays], {name: VALUES[name] for name in formula.hyperparameters}


def test_every_layer_and_both_kernels_are_there():
    assert {each.formula for each in NORMS} == {
        "layer_norm",
        "rms_norm",
        "batch_norm",
        "batch_norm_running_mean",
        "batch_norm_running_variance",
    }
    assert len(NORMS) == 8


@pytest.mark.parametrize("implementation", NORMS, ids=lambda each: f"{each.formula}-{each.label}")
def test_a_layer_returns_nearly_the_exact_value_in_float64(implementation):
    arrays, values = arguments(implementation)
    result = implementation.factory(dtype="float64", device="cpu")(*arrays, **values)
    expected = exact(get(implementation.formula), *arrays, **values)

    assert result.shape == expected.shape
    assert (np.abs(result - expected) <= 64 * 2.0**-53 * 8).all()


@pytest.mark.parametrize("implementation", NORMS, ids=lambda each: f"{each.formula}-{each.label}")
@pytest.mark.parametrize("dtype", FORMATS)
def test_results_are_numbers_of_the_dtype_and_inputs_stay(implementation, dtype):
    arrays, values = arguments(implementation)
    before = [array.copy() for array in arrays]
    result = implementation.factory(dtype=dtype, device="cpu")(*arrays, **values)

    assert np.array_equal(FORMATS[dtype].round(result), result)
    assert all(np.array_equal(array, kept) for array, kept in zip(arrays, before, strict=True))


@pytest.mark.parametrize("implementation", NORMS, ids=lambda each: f"{each.formula}-{each.label}")
def test_it_can_be_sent_to_another_process(implementation):
    assert pickle.loads(pickle.dumps(implementation)).label == implementation.label


def test_a_batch_of_one_that_torch_refuses_is_rejected():
    (batch_norm,) = [each for each in NORMS if each.formula == "batch_norm" and each.label.endswith("samples")]

    with pytest.raises(Rejected, match="Expected more than 1 value per channel"):
        batch_norm.factory(dtype="float64", device="cpu")(ARRAYS["x"][:1], ARRAYS["weight"], ARRAYS["bias"], eps=0.125)


def test_other_errors_are_not_taken_for_a_refusal():
    def broken(x):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        TensorFunction(broken)(dtype="float64", device="cpu")(np.ones(2))
