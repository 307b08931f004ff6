"""The adapter of lion-pytorch, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import check, run
from conformance.records import FOLLOWS

lion_pytorch = pytest.importorskip(
    "lion_pytorch", reason="lion-pytorch is not installed: nox -s conformance-matrix has it"
)


class OneBeta(lion_pytorch.Lion):
    """Lion whose step looks at the average that it keeps."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, lr, betas, weight_decay)
        update = self.update_fn
        self.update_fn = lambda *tensors_and_rates: update(*tensors_and_rates[:5], *tensors_and_rates[6:] * 2)


def test_lion_pytorch_follows_lion_but_where_it_raises():
    report = run("lion-pytorch", select="follows", dtypes=["float64"])

    assert report.conforms
    assert {record.implementation: record.status for record in report.checks} == {
        "lion_pytorch.Lion": "conforms",
        "lion_pytorch.foreach.Lion": "expected-deviation",
        "lion_pytorch.cautious_lion.Lion:cautious_factor=1": "conforms",
    }


def test_that_a_copy_cannot_step_is_known():
    report = run("lion-pytorch", select="copying", dtypes=["float32"])

    assert [record.status for record in report.checks] == ["expected-deviation"] * 3


@pytest.mark.parametrize("target", [OneBeta, "lion_pytorch.cautious_lion:Lion"])
def test_other_rules_than_lion_deviate(target):
    report = check(target, "lion", dtypes=["float64"])

    assert [record.status for record in report.checks if record.property == FOLLOWS] == ["deviates"]
