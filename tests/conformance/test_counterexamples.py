"""Counterexamples of seeded faults can be checked by hand: few steps, few coordinates, few digits, a short text."""

from __future__ import annotations

from conformance import check
from conformance.faults import FAULTS, Fault
from conformance.presentation import by_cause, needs_a_look
from conformance.report import Report
from properties.differential import optimizer_follows_the_formula
from tests.helpers.counterexamples import difficulty
from tests.helpers.judging import implementation, judged

#: Drawn once: one fault of each module of faults, and others of all of them.
SAMPLE = (
    "adagrad_no_memory",
    "adam_lagging_second_moment",
    "adam_bourmaud_is_adam",
    "adam_learning_rate_change_ignored",
    "clip_largest_entry",
    "softmax_unshifted",
    "adamw_decay_skipped_when_total",
    "momentum_ema_first_buffer_is_gradient",
    "loss_cross_entropy_gradient_unshifted",
    "dropout_every_second_row_again",
    "lstm_cell_cell_clipped_at_10",
    "adamw_second_group_lost_on_load",
    "lion_decay_after_step",
    "lstm_cell_candidate_logistic",
    "batch_norm_eps_outside",
    "schedule_reduce_on_plateau_counts_improvements",
    "rmsprop_weight_missing",
    "schedule_transformer_starts_at_one",
    "clip_scalar_passes",
    "layer_norm_affine_swapped",
    "loss_cross_entropy_gradient_seventeenth_class_ignored",
    "rmsprop_hidden_decay",
    "schedule_triangular_starts_at_the_peak",
    "adam_tail_beyond_1024_untouched",
    "momentum_heavy_ball_ignored",
    "schedule_linear_decay_warmup_starts_at_a_third",
    "sigmoid_vjp_of_tanh",
    "adamw_decay_read_once",
    "adam_moments_lost_on_load",
    "sigmoid_shifted",
)

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


def named(id: str) -> Fault:
    (fault,) = (fault for fault in FAULTS if fault.id == id)
    return fault


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
        f"{fault.id}: {getattr(each, name)} {name}, at most {limit}"
        for each in found
        for name, limit in limits.items()
        if getattr(each, name) > limit
    ]
    return exceeded if found else [f"{fault.id}: nothing deviates"]


def test_counterexamples_of_sampled_faults_can_be_checked_by_hand(draws):
    assert [line for id in SAMPLE[:: draws(9, 1)] for line in too_hard(named(id))] == []


def test_what_is_left_as_it_was_drawn_could_not_be_checked_by_hand(unreduced):
    assert "4097 coordinates" in " ".join(too_hard(named("adam_tail_beyond_1024_untouched")))


def test_a_counter_that_wraps_is_shown_in_as_many_steps_as_it_takes_and_a_few_lines(monkeypatch):
    monkeypatch.setattr("conformance.engine.diagnose", lambda *arguments: "")
    fault = named("adam_step_counter_of_eight_bits")

    record = judged(implementation(fault.make, "adam"), (optimizer_follows_the_formula,))

    found = difficulty(record, Report("mine", 0, "quick"))
    assert found.steps == 256
    assert found.coordinates == 1
    assert found.lines <= 15


def test_the_exceptions_are_of_faults_that_are_sampled():
    assert {*STEPS, *COORDINATES} <= {*SAMPLE}
