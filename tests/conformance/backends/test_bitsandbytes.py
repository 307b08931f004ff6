"""The adapter of bitsandbytes, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import run

bitsandbytes = pytest.importorskip(
    "bitsandbytes", reason="bitsandbytes is not installed: nox -s conformance-matrix has it"
)

from conformance.backends import Implementation
from conformance.backends.bitsandbytes import ADAM, RATE
from conformance.backends.torch_optimizers import OptimizerFactory
from properties.catalogue import claims_for
from tests.helpers.judging import judged


@pytest.mark.parametrize(
    ("select", "status"),
    [
        ("follows and optim.AdamW[", "conforms"),
        ("follows and SGD:betas and heavy", "conforms"),
        ("copying and optim.AdamW[", "expected-deviation"),
        ("momentum_nesterov.follows", "expected-deviation"),
        ("momentum_torch_dampening.follows", "expected-deviation"),
        ("follows and optim.RMSprop[", "expected-deviation"),
    ],
)
def test_formulas_are_followed_and_known_deviations_show(select, status):
    report = run("bitsandbytes", select=select, dtypes=["float32"])

    assert [record.status for record in report.checks] == [status]


@pytest.mark.parametrize(
    ("name", "formula", "spellings"),
    [
        ("Adam", "adam_l2", {**ADAM, "l2_penalty": "weight_decay"}),
        ("RMSprop", "adagrad", {**RATE, "eps": "eps"}),
    ],
)
def test_what_computes_otherwise_deviates(name, formula, spellings, unreduced):
    factory = OptimizerFactory(getattr(bitsandbytes.optim, name), spellings)
    subject = Implementation(formula, "here", factory, ("float32",))

    assert judged(subject, claims_for(formula)[:1], dtype="float32").status == "deviates"
