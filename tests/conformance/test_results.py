"""What a function returns is judged by its values and its shape; its dtype may be wider than that of its arguments."""

from __future__ import annotations

import numpy as np
import pytest

from conformance import check
from conformance.records import FOLLOWS


def judged(function, formula, arrays="numpy"):
    """Return what is made of a function in float32, and why."""
    report = check(function, formula, arrays=arrays, dtypes=["float32"])
    (record,) = (record for record in report.checks if record.property == FOLLOWS)
    return record.status, record.message


def mean_in_float64(prediction, target):
    return np.mean((prediction - target).astype(np.float64) ** 2)


def mean_of_shape_one(prediction, target):
    return np.mean((prediction - target) ** 2)[None]


def mean_as_python_number(prediction, target):
    return float(np.mean((prediction - target) ** 2))


def rectified(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize(
    ("function", "formula"),
    [
        (mean_in_float64, "loss_mse"),
        (mean_as_python_number, "loss_mse"),
        (lambda x: rectified(x).astype(np.float64), "relu"),
        (lambda x: rectified(x).astype(object), "relu"),
    ],
    ids=["float64", "python number", "float64 array", "objects"],
)
def test_a_wider_result_is_as_good(function, formula):
    assert judged(function, formula) == ("conforms", "")


@pytest.mark.parametrize(
    ("function", "formula", "status", "message"),
    [
        (mean_of_shape_one, "loss_mse", "deviates", "result has shape (1,), expected ()"),
        (lambda x: (rectified(x),), "relu", "deviates", "result has shape (1, 1), expected (1,)"),
        (lambda x: rectified(x).astype(int), "relu", "deviates", "is allowed"),
        (lambda x: rectified(x).astype(np.float16), "relu", "deviates", "is allowed"),
        (lambda x: rectified(x) + 0j, "relu", "crash", "the result holds complex64, no real numbers"),
        (lambda x: rectified(x).astype("U40"), "relu", "crash", "no real numbers"),
    ],
    ids=["another shape", "tuple", "integers", "narrower", "complex", "text"],
)
def test_what_is_not_the_result_is_said_to_be_so(function, formula, status, message):
    found, why = judged(function, formula)

    assert found == status
    assert message in why


def test_a_complex_tensor_is_no_result():
    pytest.importorskip("torch")

    found, why = judged(lambda x: x.clamp(min=0) + 0j, "relu", arrays="torch")

    assert found == "crash"
    assert "the tensor holds torch.complex64, no real numbers" in why
