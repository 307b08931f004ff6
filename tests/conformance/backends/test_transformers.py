"""The adapter of Transformers, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import check, run

pytest.importorskip("transformers", reason="transformers is not installed: nox -s conformance-matrix has it")

from transformers import get_scheduler

from conformance.backends import Implementation
from conformance.backends.torch_schedules import SchedulerFactory
from conformance.backends.transformers import backend


def judged(attach, formula, lengths, **fixed):
    """Judge a scheduler that is attached in another way than the adapter does."""
    implementation = Implementation(
        formula, "here", SchedulerFactory(attach, "peak_value", lengths), ("float64",), fixed=fixed
    )
    return check(implementation, formula, dtypes=["float64"])


def cosine_for_linear(optimizer, h):
    return get_scheduler("cosine", optimizer, h.warmup_steps, h.warmup_steps + h.decay_steps)


def decay_without_the_rise(optimizer, h):
    return get_scheduler("linear", optimizer, h.warmup_steps, h.decay_steps)


def from_one(optimizer, h):
    settings = {"min_lr_rate": 0.1}
    return get_scheduler("cosine_warmup_with_min_lr", optimizer, 0, h.decay_steps, scheduler_specific_kwargs=settings)


def square(optimizer, h):
    settings = {"lr_end": h.end_value, "power": 2.0}
    total = h.warmup_steps + h.decay_steps
    return get_scheduler("polynomial", optimizer, h.warmup_steps, total, scheduler_specific_kwargs=settings)


@pytest.mark.parametrize("name", [":linear", "inverse_sqrt", "8_cycles"])
def test_schedules_follow_their_formulas(name):
    report = run("transformers", select=name, dtypes=["float64"])

    assert report.conforms


@pytest.mark.parametrize(
    ("attach", "formula", "lengths", "fixed"),
    [
        (cosine_for_linear, "schedule_linear_decay_warmup", ("warmup_steps", "decay_steps"), {"end_value": 0.0}),
        (decay_without_the_rise, "schedule_linear_decay_warmup", ("warmup_steps", "decay_steps"), {"end_value": 0.0}),
        (square, "schedule_linear_decay_warmup", ("warmup_steps", "decay_steps"), {}),
        (from_one, "schedule_cosine_to_10pct", ("decay_steps",), {}),
    ],
)
def test_other_schedules_of_the_library_deviate(attach, formula, lengths, fixed, unreduced):
    assert judged(attach, formula, lengths, **fixed).status == "deviates"


@pytest.mark.parametrize("name", ["cosine_with_min_lr and follows", "49_cycles and follows"])
def test_known_deviations_show(name):
    report = run("transformers", select=name, dtypes=["float64"])

    assert {record.status for record in report.checks} == {"expected-deviation"}


def test_every_schedule_is_judged_as_it_runs_and_as_it_is_reloaded():
    labels = [each.label for each in backend().implementations]

    assert sum(label.endswith(":reloaded") for label in labels) == len(labels) / 2
    assert len(set(labels)) == len(labels)
