"""The adapter of torch-optimizer, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import check, run

library = pytest.importorskip(
    "torch_optimizer", reason="torch-optimizer is not installed: nox -s conformance-matrix has it"
)


class Quasi(library.QHAdam):
    """Adam with half of the gradient beside its average."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas, nus=(0.5, 1.0), eps=eps)


@pytest.mark.parametrize(
    "selection", ["gd.follows and SGDW", "momentum_ema.follows and QHM", "adam.follows and QHAdam"]
)
def test_torch_optimizer_follows_its_formulas(selection):
    assert run("torch-optimizer", select=selection, dtypes=["float64", "float32"]).status == "conforms"


@pytest.mark.parametrize(
    "selection",
    [
        "sgd_l2.decay_law and SGDW",
        "momentum_heavy_ball.follows and AggMo",
        "momentum_heavy_ball.follows and SGDP",
        "sgd_l2.gradients_are_kept and QHM:grad",
        "copying and Lamb",
    ],
)
def test_where_torch_optimizer_deviates_is_known(selection):
    report = run("torch-optimizer", select=selection, dtypes=["float64"])

    assert [record.status for record in report.checks] == ["expected-deviation"]


def test_a_gradient_beside_its_average_is_not_adam():
    assert check(Quasi, "adam", dtypes=["float64"]).status == "deviates"
