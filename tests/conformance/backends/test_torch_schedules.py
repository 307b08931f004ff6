"""Torch's schedulers as schedules."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

from conformance.api import run
from conformance.backends import Backend, Implementation
from oracle.catalogue import FORMULAS, get
from tests.helpers.rates import settings

torch = pytest.importorskip("torch")

from conformance.backends.torch_schedules import BEYOND, SchedulerFactory, schedules

EVERY = tuple(schedules())
STEPS = np.arange(20.0)
#: Schedules with a root of the step, which torch leaves to functions that its users write.
WITHOUT_SCHEDULER = {"schedule_classic_warmup", "schedule_transformer"}
#: Schedulers that compute none of the documents' schedules: by powers, jumps and polynomials, or what others make.
WITHOUT_SCHEDULE = {
    "ChainedScheduler",
    "ExponentialLR",
    "LRScheduler",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "StepLR",
}


def test_every_schedule_and_every_scheduler_is_judged_or_known_to_have_no_counterpart():
    judged = {each.formula for each in EVERY}
    called = {name for each in EVERY for name in re.findall(r"\w+(?:LR|Restarts|OnPlateau)\b", each.label)}

    assert sorted(judged) == sorted({each.id for each in FORMULAS if each.kind == "schedule"} - WITHOUT_SCHEDULER)
    assert sorted(called) == sorted(set(torch.optim.lr_scheduler.__all__) - WITHOUT_SCHEDULE)


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.label)
def test_every_scheduler_gives_a_rate_for_every_step(each):
    schedule = each.factory(dtype="float64", device="cpu")

    rates = schedule(STEPS, **settings(get(each.formula)))

    assert rates.shape == STEPS.shape
    assert rates.dtype == np.float64
    assert np.array_equal(schedule(STEPS, **settings(get(each.formula))), rates)


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.label)
def test_every_scheduler_travels_to_other_processes(each):
    assert isinstance(pickle.loads(pickle.dumps(each)).factory, SchedulerFactory)


def test_the_lengths_of_a_factory_are_those_of_its_formula():
    wrong = [each.label for each in EVERY if get(each.formula).lengths != each.factory.lengths]

    assert wrong == []


def test_every_scheduler_conforms_or_deviates_as_known():
    report = run(Backend("torch", torch.__version__, EVERY), dtypes=("float64",))
    known = {(record.formula, record.property) for record in report.checks if record.status == "expected-deviation"}

    assert report.status in ("conforms", "expected-deviation")
    assert {formula for formula, _ in known} == {"schedule_cosine_to_10pct"}
    assert all(record.status in ("conforms", "expected-deviation") for record in report.checks)


def test_the_wave_of_cosine_annealing_rises_after_its_end():
    (each,) = (each for each in EVERY if each.label.endswith(".CosineAnnealingLR"))
    rates = each.factory(dtype="float64", device="cpu")(np.arange(5.0), peak_value=1.0, decay_steps=2)

    assert [round(rate, 12) for rate in rates] == [1.0, 0.55, 0.1, 0.55, 1.0]


def test_linear_lr_refuses_to_start_at_zero():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)

    with pytest.raises(ValueError, match="Starting multiplicative factor"):
        torch.optim.lr_scheduler.LinearLR(optimizer, 0.0, 1.0, 4)


def test_until_its_end_a_decay_that_rises_again_is_judged():
    def attach(optimizer, h):
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, h.decay_steps, eta_min=0.2 * h.peak_value)

    factory = SchedulerFactory(attach, "peak_value", ("decay_steps",))
    high = Implementation("schedule_cosine_to_10pct", "mine", factory, ("float64",), expected=BEYOND)
    report = run(Backend("mine", "1", (high,)), select="follows", isolate=False)

    assert report.status == "deviates"
