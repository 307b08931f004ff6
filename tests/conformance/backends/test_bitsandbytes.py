"""The adapter of bitsandbytes, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import check, run

bitsandbytes = pytest.importorskip(
    "bitsandbytes", reason="bitsandbytes is not installed: nox -s conformance-matrix has it"
)

from conformance.backends import Implementation
from conformance.backends.bitsandbytes import ADAM, COPIES, RATE
from conformance.backends.torch_optimizers import OptimizerFactory


def judged(formula, constructor, spellings):
    implementation = Implementation(
        formula, "here", OptimizerFactory(constructor, spellings), ("float32",), expected=COPIES
    )
    return check(implementation, formula, dtypes=["float32"])


@pytest.mark.parametrize(
    "select", ["follows and optim.AdamW[", "follows and optim.Lion[", "follows and SGD:betas and heavy"]
)
def test_bitsandbytes_follows_its_formulas(select):
    report = run("bitsandbytes", select=select, dtypes=["float32"])

    assert [record.status for record in report.checks] == ["conforms"]


def test_decay_of_its_adam_is_decoupled(unreduced):
    spellings = {**ADAM, "l2_penalty": "weight_decay"}

    assert judged("adam_l2", bitsandbytes.optim.Adam, spellings).status == "deviates"


def test_its_rmsprop_takes_no_average_of_gradients(unreduced):
    spellings = {**RATE, "eps": "eps"}

    assert judged("adagrad", bitsandbytes.optim.RMSprop, spellings).status == "deviates"


@pytest.mark.parametrize(
    "select",
    [
        "copying and optim.AdamW[",
        "momentum_nesterov.follows",
        "momentum_torch_dampening.follows",
        "follows and optim.RMSprop[",
    ],
)
def test_known_deviations_show(select):
    report = run("bitsandbytes", select=select, dtypes=["float32"])

    assert [record.status for record in report.checks] == ["expected-deviation"]
