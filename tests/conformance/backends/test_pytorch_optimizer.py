"""The adapter of pytorch_optimizer, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import check, run
from conformance.records import FOLLOWS

library = pytest.importorskip(
    "pytorch_optimizer", reason="pytorch_optimizer is not installed: nox -s conformance-matrix has it"
)


class Quasi(library.QHM):
    """Momentum with half of the gradient beside its average."""

    def __init__(self, params, lr=1e-3, momentum=0.0):
        super().__init__(params, lr, momentum, nu=0.5)


@pytest.mark.parametrize(
    "selection", ["gd.follows and loop", "lion.follows and foreach", "momentum_ema.follows and loop", "wsd and follows"]
)
def test_pytorch_optimizer_follows_its_formulas(selection):
    assert run("pytorch_optimizer", select=selection, dtypes=["float64", "float32"]).status == "conforms"


@pytest.mark.parametrize(
    "selection",
    [
        "adam.follows and QHAdam:loop",
        "adam_eps_hat.bias_correction and AdamC:loop",
        "adam_eps_hat.missing_gradient and PAdam:partial=0.5:loop",
        "sgd_l2.decay_law and SGDP:delta=0,coupled:loop",
        "momentum_nesterov.gradients_are_kept and SGDW:nesterov:loop",
        "copying and Lion:loop",
        "follows and LinearScheduler",
        "follows and Restarts:reloaded",
    ],
)
def test_where_pytorch_optimizer_deviates_is_known(selection):
    report = run("pytorch_optimizer", select=selection, dtypes=["float64"])

    assert [record.status for record in report.checks] == ["expected-deviation"]


def test_a_gradient_beside_its_average_is_no_momentum():
    report = check(Quasi, "momentum_ema", dtypes=["float64"])

    assert [record.status for record in report.checks if record.property == FOLLOWS] == ["deviates"]
