"""Torch's schedulers over three cycles, saved and loaded at every step: the formula, or another one by name."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, ReduceLROnPlateau

from conformance.backends import Implementation
from conformance.backends.torch_schedules import SchedulerFactory, schedules
from conformance.engine import Engine
from conformance.session import Counts, Session
from conformance.specimen import Specimen
from oracle.arithmetic.formats import precision_models
from oracle.bound import bound
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.schedules.plateau import reduce_on_plateau
from properties.catalogue import claims_for

(DOUBLE,) = precision_models("float64")
SETTINGS = {
    "schedule_constant": {"init_value": 0.3},
    "schedule_triangular": {"init_value": 0.1, "peak_value": 0.7, "half_cycle_steps": 5},
    "schedule_cosine_restarts": {"peak_value": 0.7, "end_value": 0.1, "cycle_steps": 3, "cycle_growth": 2},
    "schedule_cosine_to_10pct": {"peak_value": 0.7, "decay_steps": 7},
    "schedule_linear_decay_warmup": {"peak_value": 0.7, "end_value": 0.1, "warmup_steps": 4, "decay_steps": 6},
    "schedule_reduce_on_plateau": {
        "peak_value": 0.7,
        "end_value": 0.02,
        "factor": 0.3,
        "improving_steps": 5,
        "patience": 3,
    },
}
#: Steps of three cycles, or of three times the course.
LENGTHS = dict.fromkeys(SETTINGS, 31) | {"schedule_cosine_restarts": 3 + 6 + 12 + 2, "schedule_cosine_to_10pct": 22}
SCHEDULERS = [each for each in schedules() if not each.label.endswith(":reloaded")]
#: What a scheduler is where it is not the schedule.
OTHERWISE = {"torch.optim.lr_scheduler.CosineAnnealingLR": "schedule_cosine_to_10pct_rises_again"}


def follows(rates, formula, values):
    """Whether all rates lie in the bounds of the formula, or in those of one of its other evaluations."""
    steps = np.arange(float(len(rates)))
    enclosures = (bound(program, steps, precision=DOUBLE, **values) for program in formula.programs.values())
    return any(float(np.max(enclosure.ratio(rates))) <= 1.0 for enclosure in enclosures)


def shown(factory, formula, reloads=(), length=None):
    schedule = replace(factory, reloads=reloads)(dtype="float64", device="cpu")
    return schedule(np.arange(float(length or LENGTHS[formula])), **SETTINGS[formula])


@pytest.mark.parametrize("each", SCHEDULERS, ids=lambda each: each.label)
def test_every_step_is_the_formulas_or_the_named_ones_wherever_the_state_was_saved(each):
    formula, values = get(each.formula), SETTINGS[each.formula]
    computed = neighbour(formula, OTHERWISE[each.label]) if each.label in OTHERWISE else formula
    through = shown(each.factory, each.formula)

    assert follows(through, computed, values)
    assert follows(through, formula, values) == (each.label not in OTHERWISE)
    for saved in range(LENGTHS[each.formula] - 1):
        assert np.array_equal(shown(each.factory, each.formula, (saved,)), through), f"saved after step {saved}"


@pytest.mark.parametrize(
    ("attach", "formula", "named"),
    [
        (
            lambda optimizer, h: CyclicLR(
                optimizer, h.init_value, h.peak_value, h.half_cycle_steps, mode="triangular2", cycle_momentum=False
            ),
            "schedule_triangular",
            "schedule_triangular_halving",
        ),
        (
            lambda optimizer, h: CosineAnnealingWarmRestarts(optimizer, h.cycle_steps, 1, eta_min=h.end_value),
            "schedule_cosine_restarts",
            "schedule_cosine_restarts_without_growth",
        ),
    ],
    ids=["triangular2", "without growth"],
)
def test_other_modes_are_neighbours_by_name(attach, formula, named):
    factory = SchedulerFactory(attach, "peak_value", get(formula).lengths)
    rates = shown(factory, formula)

    assert follows(rates, neighbour(get(formula), named), SETTINGS[formula])
    assert not follows(rates, get(formula), SETTINGS[formula])


def test_restarts_asked_for_by_their_step_miss_some_of_them():
    """The number of the cycle is found by a logarithm in floats, which is too small at the restart of step 121."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = CosineAnnealingWarmRestarts(optimizer, 1, 3, eta_min=0.0)
    scheduler.step(121)

    asked = optimizer.param_groups[0]["lr"]
    exact_rate = get("schedule_cosine_restarts")(121, peak_value=1.0, end_value=0.0, cycle_steps=1, cycle_growth=3)
    assert (asked, exact_rate) == (0.0, 1.0)


# -- Faults of saving and loading ------------------------------------------------------------------------------------


class Forgets(CyclicLR):
    """Does not save which step it has reached."""

    def state_dict(self):
        return {name: value for name, value in super().state_dict().items() if name != "last_epoch"}


class StepsOnLoading(CosineAnnealingWarmRestarts):
    """Takes one more step when it is loaded, as if an epoch had passed."""

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        self.step()


class LosesTheGrowth(CosineAnnealingWarmRestarts):
    """Saves the step in its cycle and not the cycle's length."""

    def state_dict(self):
        return {name: value for name, value in super().state_dict().items() if name != "T_i"}


class StartsFromTheBase(CosineAnnealingLR):
    """Sets the optimizer back to the rate to start from."""

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        for group, rate in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = rate


FAULTS = {
    Forgets: (
        "schedule_triangular",
        lambda optimizer, h: Forgets(optimizer, h.init_value, h.peak_value, h.half_cycle_steps, cycle_momentum=False),
    ),
    StepsOnLoading: (
        "schedule_cosine_restarts",
        lambda optimizer, h: StepsOnLoading(optimizer, h.cycle_steps, h.cycle_growth, eta_min=h.end_value),
    ),
    LosesTheGrowth: (
        "schedule_cosine_restarts",
        lambda optimizer, h: LosesTheGrowth(optimizer, h.cycle_steps, h.cycle_growth, eta_min=h.end_value),
    ),
    StartsFromTheBase: (
        "schedule_cosine_to_10pct",
        lambda optimizer, h: StartsFromTheBase(optimizer, h.decay_steps, eta_min=0.1 * h.peak_value),
    ),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_of_loading_is_right_without_it_and_wrong_after_it(fault, monkeypatch):
    monkeypatch.setattr("conformance.engine.shrink", lambda *arguments: None)
    formula, attach = FAULTS[fault]
    factory = SchedulerFactory(attach, "peak_value", get(formula).lengths)
    short = SETTINGS[formula].get("decay_steps", LENGTHS[formula])
    through = shown(factory, formula, length=short)
    wrong = [
        saved for saved in range(1, short - 1) if not np.array_equal(shown(factory, formula, (saved,), short), through)
    ]

    assert follows(through, get(formula), SETTINGS[formula])
    assert wrong
    claims = claims_for(formula)
    subject = Implementation(formula, "here", replace(factory, reloads=range(10**9)), ("float64",))
    record = Engine(Session("quick", 0), get(formula), claims).check(
        claims[0], Specimen(subject, "float64", "cpu", Counts())
    )
    assert record.status == "deviates"


# -- Reduction on a plateau ------------------------------------------------------------------------------------------

RANDOM = np.random.default_rng(0)
#: Histories with ties, improvements inside the threshold, long rests, and negative metrics.
HISTORIES = [
    [1.0] * 24,
    [3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.75, 0.5, 0.25] * 2,
    [2.0**-step for step in range(24)],
    [1.0 - step * 1e-5 for step in range(24)],
    [-1.0, -1.00005, -1.0, -0.5, -2.0, -2.0, -2.0, -1.5] * 3,
    *(np.round(RANDOM.random(40) * 4) / 4 for _ in range(4)),
]
MODES = [
    {"patience": patience, "cooldown": cooldown, "threshold": threshold, "relative": relative, **levels}
    for patience in (0, 1, 3)
    for cooldown in (0, 2)
    for threshold, relative in ((0.0, False), (0.25, False), (1e-4, True))
    for levels in ({"factor": 0.5}, {"factor": 0.1, "end_value": 0.02, "smallest_change": 1e-8})
]


def reduced_by_torch(metrics, settings, saved=(), scheduler_type=ReduceLROnPlateau):
    def made():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.7)
        scheduler = scheduler_type(
            optimizer,
            factor=settings["factor"],
            patience=settings["patience"],
            threshold=settings["threshold"],
            threshold_mode="rel" if settings["relative"] else "abs",
            cooldown=settings["cooldown"],
            min_lr=settings.get("end_value", 0),
            eps=settings.get("smallest_change", 0),
        )
        return optimizer, scheduler

    optimizer, scheduler = made()
    rates = []
    for step, metric in enumerate(metrics):
        if step in saved:
            state = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
            optimizer, scheduler = made()
            optimizer.load_state_dict(state[0])
            scheduler.load_state_dict(state[1])
        optimizer.step()
        scheduler.step(float(metric))
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def by_the_formula(metrics, settings):
    """The same rule in the same floats: both multiply and compare the same numbers in the same order."""
    return reduce_on_plateau([float(metric) for metric in metrics], init_value=0.7, **settings)


@pytest.mark.parametrize("settings", MODES, ids=lambda settings: ",".join(map(str, settings.values())))
def test_torch_reduces_at_the_same_epochs_by_the_same_factors_wherever_it_was_saved(settings):
    for metrics in HISTORIES:
        expected = by_the_formula(metrics, settings)

        assert reduced_by_torch(metrics, settings) == expected
        assert reduced_by_torch(metrics, settings, range(len(metrics))) == expected
    for saved in range(24):
        assert reduced_by_torch(HISTORIES[1], settings, (saved,)) == by_the_formula(HISTORIES[1], settings)


class ReducesOneEarly(ReduceLROnPlateau):
    """Reduces when the count reaches the patience."""

    def step(self, metrics, epoch=None):
        self.patience -= 1
        super().step(metrics)
        self.patience += 1


class ForgetsTheBest(ReduceLROnPlateau):
    """Does not save the best metric."""

    def state_dict(self):
        return {name: value for name, value in super().state_dict().items() if name != "best"}


class CountsInCooldown(ReduceLROnPlateau):
    """Counts epochs of the cooldown as waiting."""

    @property
    def in_cooldown(self):
        return False


class KeepsTheCount(ReduceLROnPlateau):
    """Does not start to count anew after an improvement."""

    def step(self, metrics, epoch=None):
        before = self.num_bad_epochs
        super().step(metrics)
        self.num_bad_epochs = max(self.num_bad_epochs, before if self.num_bad_epochs == 0 else 0)


@pytest.mark.parametrize("fault", [ReducesOneEarly, ForgetsTheBest, CountsInCooldown, KeepsTheCount])
def test_a_wrong_reduction_is_told_from_the_rule(fault):
    differing = [
        settings
        for settings in MODES
        for metrics in HISTORIES
        if reduced_by_torch(metrics, settings, range(len(metrics)), fault) != by_the_formula(metrics, settings)
    ]

    assert differing
