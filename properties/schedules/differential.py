"""The differential claim of schedules: every rate lies in the oracle's enclosure."""

from __future__ import annotations

from oracle.catalogue import FORMULAS
from properties.cases import Call
from properties.claims import Bench, claim
from properties.strategies.runs import ran

__all__ = ["schedule_follows_the_formula"]

#: Seen to fail under every seed that was tried.
_FAULTS = (
    "schedule_constant_divided",
    "schedule_constant_zero_at_first",
    "schedule_constant_slowly_decays",
    "schedule_constant_plus_a_little",
    "schedule_classic_warmup_one_early",
    "schedule_classic_warmup_never_reaches_the_peak",
    "schedule_classic_warmup_overshoots",
    "schedule_classic_warmup_floor_scaled_twice",
    "schedule_classic_warmup_falls_inversely",
    "schedule_classic_warmup_jumps",
    "schedule_triangular_one_early",
    "schedule_triangular_integer_division",
    "schedule_triangular_overshoots",
    "schedule_triangular_own_floor",
    "schedule_triangular_starts_at_the_peak",
    "schedule_triangular_whole_cycle_for_half",
    "schedule_triangular_fixed_floor",
    "schedule_triangular_halves_each_cycle",
    "schedule_triangular_stops_after_a_cycle",
    "schedule_triangular_sawtooth_shape",
    "schedule_cosine_restarts_one_late_at_restart",
    "schedule_cosine_restarts_one_cycle_late",
    "schedule_cosine_restarts_full_amplitude",
    "schedule_cosine_restarts_fixed_floor",
    "schedule_cosine_restarts_never_restarts",
    "schedule_cosine_restarts_degrees_taken",
    "schedule_cosine_restarts_quarter_of_a_wave",
    "schedule_cosine_restarts_growth_ignored",
    "schedule_cosine_to_10pct_by_a_tenth",
    "schedule_cosine_to_10pct_to_nothing",
    "schedule_cosine_to_10pct_degrees_taken",
    "schedule_cosine_to_10pct_rises_after_the_end",
    "schedule_cosine_to_10pct_fixed_floor",
    "schedule_cosine_to_10pct_epochs_for_steps",
    "schedule_linear_decay_warmup_wrong_end",
    "schedule_linear_decay_warmup_starts_at_a_third",
    "schedule_linear_decay_warmup_rises_after_the_end",
    "schedule_linear_decay_warmup_below_the_end",
    "schedule_linear_decay_warmup_jumps",
    "schedule_linear_decay_warmup_until_one",
    "schedule_linear_decay_warmup_falls_to_half",
    "schedule_linear_decay_warmup_fixed_start",
    "schedule_transformer_starts_at_one",
    "schedule_transformer_epochs_for_steps",
    "schedule_transformer_maximum_taken",
    "schedule_transformer_width_without_root",
    "schedule_transformer_falls_inversely",
    "schedule_transformer_multiplied_by_a_rate",
    "schedule_reduce_on_plateau_one_early",
    "schedule_reduce_on_plateau_counts_improvements",
    "schedule_reduce_on_plateau_below_its_floor",
    "schedule_reduce_on_plateau_recovers",
    "schedule_reduce_on_plateau_factor_squared",
    "schedule_reduce_on_plateau_every_epoch",
    "schedule_reduce_on_plateau_raised_to_its_floor",
    "schedule_reduce_on_plateau_least_change",
    "schedule_reduce_on_plateau_factor_floored",
)


@claim(
    "follows_the_formula",
    kind="differential",
    formulas=tuple(formula.id for formula in FORMULAS if formula.kind == "schedule"),
    statement=r"\lvert \hat\eta_t - \eta_t \rvert \le E_t",
    source="the formula's own; the bounds E are derived operation by operation",
    inputs=ran(),
    catches=_FAULTS,
)
def schedule_follows_the_formula(bench: Bench, *, call: Call) -> None:
    """Every rate lies where some honest program would put it, at each step of three cycles."""
    bench.compare(bench.call(call), bench.enclosure(call), quantity="result")
