"""The losses and probabilities that torch offers, given to `check` as they are."""

from __future__ import annotations

import functools

import pytest

from conformance import check

functional = pytest.importorskip("torch").nn.functional

CALLS = {
    "loss_cross_entropy": functional.cross_entropy,
    "loss_bce": functional.binary_cross_entropy,
    "bce_with_logits": functional.binary_cross_entropy_with_logits,
    "loss_mse": functional.mse_loss,
    "loss_squared_error": functools.partial(functional.mse_loss, reduction="sum"),
    "loss_l1": functools.partial(functional.l1_loss, reduction="sum"),
    "softmax": functools.partial(functional.softmax, dim=-1),
}


@pytest.mark.parametrize("formula", CALLS)
def test_the_function_itself_conforms(formula):
    report = check(CALLS[formula], formula, dtypes=("float64",))

    assert report.status == "conforms", report.summary()


@pytest.mark.parametrize(
    ("formula", "changed"),
    [
        ("loss_cross_entropy", {"reduction": "sum"}),
        ("loss_cross_entropy", {"label_smoothing": 1e-3}),
        ("bce_with_logits", {"reduction": "sum"}),
        ("loss_mse", {"reduction": "sum"}),
        ("loss_squared_error", {"reduction": "mean"}),
        ("loss_l1", {"reduction": "mean"}),
        ("softmax", {"dim": 0}),
    ],
    ids=str,
)
def test_another_setting_of_the_function_deviates(formula, changed):
    target = CALLS[formula]
    bare = target.func if isinstance(target, functools.partial) else target
    report = check(functools.partial(bare, **changed), formula, dtypes=("float64",))

    assert report.status == "deviates"
    assert any(record.diagnosis for record in report.checks if record.status == "deviates")
