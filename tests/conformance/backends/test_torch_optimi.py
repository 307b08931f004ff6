"""The adapter of torch-optimi, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import check, run

optimi = pytest.importorskip("optimi", reason="torch-optimi is not installed: nox -s conformance-matrix has it")


class Undamped(optimi.SGD):
    """Momentum whose buffer is a sum and not an average."""

    def __init__(self, params, lr, momentum=0.0):
        super().__init__(params, lr, momentum, dampening=False, foreach=False)


@pytest.mark.parametrize("selection", ["gd.follows and loop", "ema.follows and loop", "lion.first_step and loop"])
def test_torch_optimi_follows_its_formulas(selection):
    assert run("torch-optimi", select=selection, dtypes=["float64", "float32"]).status == "conforms"


@pytest.mark.parametrize(
    "selection",
    [
        "adamw.decay_law and loop",
        "adam.missing_gradient and loop",
        "sgd_l2.gradients_are_kept and SGD:loop",
        "gd.follows and foreach",
    ],
)
def test_where_torch_optimi_deviates_is_known(selection):
    report = run("torch-optimi", select=selection, dtypes=["float64"])

    assert [record.status for record in report.checks] == ["expected-deviation"]


def test_a_sum_is_no_average():
    assert check(Undamped, "momentum_ema", dtypes=["float64"]).status == "deviates"
