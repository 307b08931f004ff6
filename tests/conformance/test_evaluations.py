"""A formula has several accepted evaluations: the first whose bounds hold is named."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from conformance.api import check
from conformance.faults.normalization import BATCH_NORM, LAYER_NORM, STANDARDIZE, Norm, Running
from tests.helpers.honest import FORMS, in_one_pass, one_pass

WAVE = FORMS["schedule_cosine_to_10pct"]


def follows(form: str):
    return judged(WAVE[form], "schedule_cosine_to_10pct", "float64")


def judged(subject: object, formula: str, dtype: str):
    """The record of the differential check."""
    report = check(subject, formula, dtypes=(dtype,))
    (record,) = (record for record in report.checks if record.property == "follows_the_formula")
    return record


@pytest.mark.parametrize(
    ("form", "evaluation"), [("one factor", "schedule_cosine_to_10pct"), ("recursive", "recursive")]
)
def test_the_evaluation_that_contains_all_results_is_named(form, evaluation):
    record = follows(form)

    assert (record.status, record.evaluation) == ("conforms", evaluation)
    assert record.blind_to == ()


def test_a_length_that_is_fixed_is_run_to_its_end():
    def falling(step, peak_value):
        return WAVE["one factor"].body(step, peak_value, 90)

    report = check(falling, "schedule_cosine_to_10pct", dtypes=("float64",), hyperparameters={"decay_steps": 90})

    assert report.status == "conforms"
    assert all(record.ranges["sizes"][0] > 90 for record in report.checks)


def test_a_known_mistake_is_named():
    def by_ten_percent(step, peak_value, decay_steps):
        return peak_value * (0.95 + 0.05 * math.cos(math.pi * min(step, decay_steps) / decay_steps))

    report = check(by_ten_percent, "schedule_cosine_to_10pct", dtypes=("float64",))
    (record,) = (record for record in report.checks if record.property == "follows_the_formula")

    assert record.status == "deviates"
    assert "schedule_cosine_to_10pct_by_10pct: the rate falls by 10 %, not to 10 %" in record.diagnosis


VARIED = (
    "standardize_feature",
    "batch_norm",
    "layer_norm",
    "batch_norm_running_variance",
    "batch_norm_running_variance_biased",
)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("formula", VARIED)
def test_a_variance_in_one_pass_is_named_and_two_passes_and_welford_are_as_printed(formula, dtype):
    printed, welford, differing = list(FORMS[formula])

    assert differing == "one pass"
    for form, evaluation in ((printed, formula), (welford, formula), (differing, "one_pass")):
        record = judged(FORMS[formula][form], formula, dtype)
        assert (record.status, record.evaluation) == ("conforms", evaluation)
        assert record.blind_to == ()


def unbiased(moment):
    """The same moment with the divisor n - 1."""
    return lambda x, along: moment(x, along) * x.shape[along["axis"]] / max(x.shape[along["axis"]] - 1, 0.5)


def at(recipe, **parts):
    """A recipe in one pass, with another fault."""
    return Norm(replace(in_one_pass(recipe), **parts))


FAULTY = {
    "layer_norm": {
        "epsilon outside": at(LAYER_NORM, divisor=lambda moment, eps: np.sqrt(moment) + eps),
        "epsilon missing": at(LAYER_NORM, divisor=lambda moment, eps: np.sqrt(moment)),
        "epsilon tenfold": at(LAYER_NORM, divisor=lambda moment, eps: np.sqrt(moment + 10 * eps)),
        "unbiased": at(LAYER_NORM, moment=unbiased(in_one_pass(LAYER_NORM).moment)),
        "mean kept": at(LAYER_NORM, centre=lambda x, along: 0.0),
        "one is added": at(LAYER_NORM, affine=lambda y, w, b: (1 + w) * y + b),
        "a mean in float16": at(LAYER_NORM, centre=lambda x, along: np.mean(x, dtype=np.float16, **along)),
    },
    "batch_norm": {
        "unbiased": at(BATCH_NORM, moment=unbiased(in_one_pass(BATCH_NORM).moment)),
        "epsilon outside": at(BATCH_NORM, divisor=lambda moment, eps: np.sqrt(moment) + eps),
        "gain squared": at(BATCH_NORM, affine=lambda y, w, b: w * w * y + b),
    },
    "standardize_feature": {
        "unbiased": at(STANDARDIZE, moment=unbiased(in_one_pass(STANDARDIZE).moment)),
        "an epsilon": at(STANDARDIZE, divisor=lambda moment, eps: np.sqrt(moment + 1e-5)),
    },
    "batch_norm_running_variance": {"biased": Norm(Running(one_pass))},
    "batch_norm_running_variance_biased": {
        "one sample too many": Norm(Running(lambda x: one_pass(x) * len(x) / (len(x) + 1))),
        "uncentred": Norm(Running(lambda x: np.mean(x * x, axis=0))),
    },
}


@pytest.mark.parametrize(
    ("formula", "fault"), [(formula, fault) for formula, faults in FAULTY.items() for fault in faults]
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_wrong_program_in_one_pass_deviates(formula, fault, dtype):
    assert judged(FAULTY[formula][fault], formula, dtype).status == "deviates"
