"""All claims, those about one formula after another."""

from __future__ import annotations

from oracle.catalogue import get
from properties import differential
from properties.claims import Claim
from properties.clipping import by_norm, by_value
from properties.optimizers import adam, descent, elementwise, momentum

__all__ = ["CLAIMS", "claims_for"]

CLAIMS: tuple[Claim, ...] = (
    differential.optimizer_follows_the_formula,
    differential.function_follows_the_formula,
    descent.sum_of_steps,
    descent.order_of_steps,
    descent.decay_law,
    descent.decoupling,
    momentum.constant_gradient,
    momentum.gradient_scale,
    adam.bias_correction,
    adam.first_step_ignores_betas,
    adam.step_bound,
    adam.step_bound_attained,
    adam.scale_invariance,
    adam.penalty_alone,
    elementwise.zero_gradient_rests,
    elementwise.sign_symmetry,
    elementwise.permutation,
    elementwise.splitting_a_tensor,
    elementwise.splitting_a_group,
    elementwise.missing_gradient_is_no_step,
    by_norm.direction_kept,
    by_norm.norm_at_most,
    by_norm.identity_below_the_norm,
    by_norm.projecting_twice,
    by_norm.homogeneity,
    by_value.value_at_most,
    by_value.identity_below_the_value,
    by_value.clipping_twice,
    by_value.odd_symmetry,
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
