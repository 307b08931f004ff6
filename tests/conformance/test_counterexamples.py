"""Counterexamples of seeded faults can be checked by hand: few steps, few coordinates, few digits, a short text."""

from __future__ import annotations

import pkgutil
import random
from importlib import import_module

from conformance import check, faults
from conformance.faults import FAULTS, Fault
from conformance.presentation import by_cause, needs_a_look
from conformance.report import Report
from properties.differential import optimizer_follows_the_formula
from tests.helpers.counterexamples import difficulty
from tests.helpers.judging import implementation, judged

SEED, SAMPLE = 0, 30

#: Steps that a sampled fault needs if not one.
STEPS = {
    "adagrad_no_memory": 2,  # after the first step there is one square to remember
    "adam_bourmaud_is_adam": 2,  # the second step starts from what the first one wrote back
    "adam_learning_rate_change_ignored": 2,  # the rate changes after the first step
    "adam_moments_lost_on_load": 2,  # after the first step there are moments to lose
    "adamw_second_group_lost_on_load": 2,  # after the first step the optimizer is saved
    "adamw_decay_read_once": 2,  # the decay changes after the first step
    "momentum_heavy_ball_ignored": 2,  # after the first step there is a velocity
}

#: Coordinates that are shown of a sampled fault if more than two.
COORDINATES = {
    # Nothing is wrong before element 1025, and of many elements only pieces are left out, not single ones.
    "adam_tail_beyond_1024_untouched": 1080,
    # Class 16 is the seventeenth.
    "loss_cross_entropy_gradient_seventeenth_class_ignored": 17,
    # So many pairs of fair coins are needed to tell that some fall alike: the false alarm is 2**-54.
    "dropout_every_second_row_again": 168,
}


def sampled() -> list[Fault]:
    """One fault of each module of faults, and others of all of them."""
    draw = random.Random(SEED)
    modules = sorted(module.name for module in pkgutil.iter_modules(faults.__path__))
    families = [getattr(import_module(f"conformance.faults.{name}"), "FAULTS", ()) for name in modules]
    chosen = [draw.choice(family) for family in families if family]
    others = [fault for fault in FAULTS if fault not in chosen]
    return chosen + draw.sample(others, SAMPLE - len(chosen))


def shown(fault: Fault):
    """The difficulty of each counterexample that the report on a fault prints."""
    report = check(fault.make, fault.formula, dtypes=["float64"])
    first, _ = by_cause(filter(needs_a_look, report.checks))
    return [difficulty(record, report) for record in first]


def too_hard(fault: Fault) -> list[str]:
    """What exceeds the limits of what can be checked by hand."""
    found = shown(fault)
    limits = {
        "steps": STEPS.get(fault.id, 1) + 3,
        "coordinates": COORDINATES.get(fault.id, 2),
        "digits": 3,
        "lines": 25,
        "columns": 100,
    }
    exceeded = [
        f"{fault.id}: {getattr(each, name)} {name}, at most {limit} (faults sampled from seed {SEED})"
        for each in found
        for name, limit in limits.items()
        if getattr(each, name) > limit
    ]
    return exceeded if found else [f"{fault.id}: nothing deviates"]


def test_counterexamples_of_sampled_faults_can_be_checked_by_hand(draws):
    chosen = sampled()

    assert [line for fault in chosen[:: draws(9, 1)] for line in too_hard(fault)] == []


def test_what_is_left_as_it_was_drawn_could_not_be_checked_by_hand(unreduced):
    (fault,) = (fault for fault in sampled() if fault.id == "adam_tail_beyond_1024_untouched")

    assert "4097 coordinates" in " ".join(too_hard(fault))


def test_a_counter_that_wraps_is_shown_in_as_many_steps_as_it_takes_and_a_few_lines(monkeypatch):
    monkeypatch.setattr("conformance.engine.diagnose", lambda *arguments: "")
    (fault,) = (fault for fault in FAULTS if fault.id == "adam_step_counter_of_eight_bits")

    record = judged(implementation(fault.make, "adam"), (optimizer_follows_the_formula,))

    found = difficulty(record, Report("mine", 0, "quick"))
    assert found.steps == 256
    assert found.coordinates == 1
    assert found.lines <= 15


def test_the_exceptions_are_of_faults_that_are_sampled():
    assert {*STEPS, *COORDINATES} <= {fault.id for fault in sampled()}
