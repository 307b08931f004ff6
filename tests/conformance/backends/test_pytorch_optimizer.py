"""The adapter of pytorch_optimizer, on what is installed of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import check, run
from conformance.backends import Backend
from conformance.records import FOLLOWS

library = pytest.importorskip(
    "pytorch_optimizer", reason="pytorch_optimizer is not installed: nox -s conformance-matrix has it"
)

from conformance.backends.pytorch_optimizer import backend


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
        "follows and CosineAnnealingWarmupRestarts:reloaded",
    ],
)
def test_where_pytorch_optimizer_deviates_is_known(selection):
    report = run("pytorch_optimizer", select=selection, dtypes=["float64"])

    assert [record.status for record in report.checks] == ["expected-deviation"]


class Forgetting(library.PAdam):
    """Adam that begins anew when a state is loaded, and cannot be copied either."""

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        self.state.clear()


class Doubled(library.AdamC):
    """Adam with 1e-15 beside its second moment, and updates of twice the length."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["lr"] *= 2.0
        super().step(closure)
        for group in self.param_groups:
            group["lr"] /= 2.0


def instead(label, constructor, **constants):
    """Put a class in the place of one that the backend describes, with all that is known of that one."""
    (entry,) = (entry for entry in backend().implementations if entry.label == f"pytorch_optimizer.{label}")
    factory = replace(entry.factory, constructor=constructor, constants={**entry.factory.constants, **constants})
    return Backend("mine", "1", (replace(entry, factory=factory),))


def test_in_an_order_without_copies_what_crashes_when_copied_is_judged():
    mine = instead("PAdam:partial=0.5:loop", Forgetting)

    assert run(mine, select="any_order", dtypes=["float64"]).status == "deviates"


def test_where_nothing_is_added_to_the_second_moment_the_updates_are_judged():
    mine = instead("AdamC:foreach", Doubled)

    assert run(mine, select="follows", dtypes=["float32"]).status == "deviates"


def test_a_gradient_beside_its_average_is_no_momentum():
    report = check(Quasi, "momentum_ema", dtypes=["float64"])

    assert [record.status for record in report.checks if record.property == FOLLOWS] == ["deviates"]
