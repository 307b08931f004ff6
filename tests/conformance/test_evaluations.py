"""A formula has several accepted evaluations: the first whose bounds hold is named."""

from __future__ import annotations

import math

import pytest

from conformance.api import check
from tests.helpers.honest import FORMS

WAVE = FORMS["schedule_cosine_to_10pct"]


def follows(form: str):
    report = check(WAVE[form], "schedule_cosine_to_10pct", dtypes=("float64",))
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
