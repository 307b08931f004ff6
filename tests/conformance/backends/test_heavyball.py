"""The adapter of HeavyBall, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import run

heavyball = pytest.importorskip("heavyball", reason="heavyball is not installed: nox -s conformance-matrix has it")

from conformance.backends import Implementation
from conformance.backends.torch_optimizers import OptimizerFactory
from properties.catalogue import claims_for
from tests.helpers.judging import judged


def adamw(params, **keywords):
    heavyball.utils.compile_mode = None
    return heavyball.AdamW(params, compile_step=False, weight_decay=0.0, **keywords)


def nesterov(params, **keywords):
    heavyball.utils.compile_mode = None
    return heavyball.SGD(params, compile_step=False, weight_decay=0.0, **keywords)


@pytest.mark.parametrize("select", ["gd.follows", "momentum_heavy_ball.follows", "sgd_l2.follows"])
def test_heavyball_follows_its_formulas(select):
    report = run("heavyball", select=select, dtypes=["float32"])

    assert [record.status for record in report.checks if record.counted] == ["conforms"]


@pytest.mark.parametrize(
    ("constructor", "formula", "spellings"),
    [
        (adamw, "adam", {"learning_rate": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps"}),
        (nesterov, "momentum_ema", {"learning_rate": "lr", "momentum": "beta"}),
    ],
)
def test_what_computes_otherwise_deviates(constructor, formula, spellings, unreduced):
    subject = Implementation(formula, "here", OptimizerFactory(constructor, spellings), ("float32",))

    assert judged(subject, claims_for(formula)[:1], dtype="float32").status == "deviates"


@pytest.mark.parametrize("select", ["gd.copying", "gd.gradients_are_kept", "gd.follows"])
def test_known_deviations_show(select):
    report = run("heavyball", select=f"{select} and float64", dtypes=["float64"])

    assert [record.status for record in report.checks if record.counted] == ["expected-deviation"]
