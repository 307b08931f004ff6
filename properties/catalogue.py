"""All claims, those about one formula after another."""

from __future__ import annotations

from oracle.catalogue import get
from properties import differential
from properties.activations import curves
from properties.claims import Claim
from properties.clipping import by_norm, by_value
from properties.differentiation import gradients
from properties.differentiation import layers as linear_layers
from properties.dropout import masks
from properties.gating import blocks, gates, lstm
from properties.losses import classification, combined, regression
from properties.normalization import layers, statistics
from properties.optimizers import (
    adagrad,
    adam,
    adam_bourmaud,
    adaptive,
    descent,
    elementwise,
    lifecycle,
    lion,
    momentum,
    rmsprop,
)
from properties.schedules import differential as schedule_differential
from properties.schedules import shape, symmetry

__all__ = ["CLAIMS", "claims_for"]

CLAIMS: tuple[Claim, ...] = (
    differential.optimizer_follows_the_formula,
    differential.function_follows_the_formula,
    schedule_differential.schedule_follows_the_formula,
    masks.masked_follows_the_formula,
    descent.sum_of_steps,
    descent.order_of_steps,
    descent.decay_law,
    descent.decoupling,
    descent.start_ignored,
    momentum.constant_gradient,
    momentum.unrolled_weights,
    momentum.gradient_scale,
    adaptive.constant_gradient,
    adaptive.after_silence,
    adaptive.longest_step,
    adaptive.scale_invariance,
    adagrad.rates_never_grow,
    adagrad.past_has_no_order,
    rmsprop.steps_beside_adagrad,
    adam.bias_correction,
    adam.first_step_ignores_betas,
    adam.step_bound,
    adam.step_bound_attained,
    adam.scale_invariance,
    adam.lone_gradient,
    adam.penalty_alone,
    adam.within_the_box,
    adam_bourmaud.corrections_multiply,
    lion.one_length,
    lion.first_step,
    lion.amplitude_ignored,
    lion.within_the_box,
    elementwise.zero_gradient_rests,
    elementwise.sign_symmetry,
    elementwise.permutation,
    elementwise.splitting_a_tensor,
    elementwise.splitting_a_group,
    elementwise.copies_move_alike,
    elementwise.missing_gradient_is_no_step,
    lifecycle.late_group_starts_anew,
    lifecycle.resuming_changes_nothing,
    lifecycle.copying_changes_nothing,
    lifecycle.saving_changes_nothing,
    lifecycle.rewinding_changes_nothing,
    lifecycle.gradients_are_kept,
    lifecycle.parameters_keep_their_place,
    lifecycle.any_order,
    by_norm.direction_kept,
    by_norm.norm_at_most,
    by_norm.identity_below_the_norm,
    by_norm.projecting_twice,
    by_norm.homogeneity,
    by_value.value_at_most,
    by_value.identity_below_the_value,
    by_value.clipping_twice,
    by_value.odd_symmetry,
    masks.keeps_its_proportion,
    masks.units_are_drawn_apart,
    masks.passes_are_drawn_apart,
    masks.nothing_removed,
    masks.identity_at_inference,
    masks.scaled_at_inference,
    layers.mean_is_the_shift,
    layers.second_moment,
    layers.largest_deviation,
    layers.shift_invariance,
    layers.scale_invariance,
    layers.permuted_rows,
    layers.slices_apart,
    layers.doubled_affine,
    layers.zero_gain,
    layers.constants_become_the_shift,
    layers.direction_of_a_sample,
    statistics.zero_momentum_keeps,
    statistics.whole_momentum_forgets,
    statistics.permuted_batch,
    statistics.doubled_batch,
    statistics.features_apart,
    shape.levels_at_turns,
    shape.stays_between_levels,
    shape.rises_and_falls,
    shape.steepest_step,
    symmetry.scales_with_its_levels,
    symmetry.repeats_its_cycle,
    symmetry.mirrored_halves,
    symmetry.proportional_rise,
    symmetry.inverse_root_fall,
    symmetry.equal_factors,
    curves.reflection,
    curves.complement,
    curves.value_at_zero,
    curves.far_from_zero,
    curves.rises,
    curves.below_the_rectifier,
    curves.doubled_number,
    regression.symmetry,
    regression.zero_residuals,
    regression.doubled_residuals,
    regression.repeated_samples,
    classification.probabilities_add_up,
    classification.shifted_scores,
    classification.permuted_classes,
    classification.equal_scores,
    classification.order_of_scores,
    classification.never_negative,
    classification.two_classes,
    classification.undecided_costs_log_two,
    classification.within_the_margin,
    classification.classes_exchanged,
    classification.gap_is_the_score,
    combined.without_weight_only_classes,
    combined.nothing_left_to_regress,
    combined.proportional_to_the_weight,
    gradients.doubled_cotangent,
    gradients.nothing_comes_of_nothing,
    gradients.slope_at_most,
    gradients.slope_is_even,
    gradients.antisymmetry,
    gradients.no_gradient_at_the_target,
    gradients.samples_share_the_gradient,
    gradients.largest_gradient,
    gradients.rows_add_up_to_zero,
    linear_layers.repeated_samples,
    linear_layers.permuted_samples,
    linear_layers.outputs_apart,
    linear_layers.equal_cotangents,
    linear_layers.permuted_classes,
    gates.doubled_branch,
    gates.closed_branch,
    gates.mirrored_gate,
    gates.rows_apart,
    blocks.doubled_matrices,
    blocks.nothing_in_nothing_out,
    blocks.permuted_hidden_units,
    blocks.mirrored_block,
    lstm.nothing_learned,
    lstm.kept_cell,
    lstm.forgotten_cell,
    lstm.closed_output,
    lstm.reach_of_a_step,
    lstm.mirrored_memory,
    lstm.permuted_units,
    lstm.samples_apart,
)


def claims_for(formula_id: str) -> tuple[Claim, ...]:
    """Return the claims that hold for a formula, the differential one first.

    Parameters
    ----------
    formula_id : str
        Id of a formula; an alias stands for its formula.

    Raises
    ------
    UnknownFormulaError
        If there is no such formula.
    """
    formula = get(formula_id)
    return tuple(claim for claim in CLAIMS if formula.id in claim.formulas)
