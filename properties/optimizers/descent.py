"""Claims about plain descent and the decay of parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from oracle.arithmetic.balls import BallArray, balls, working_precision
from oracle.bound import Enclosure
from properties.cases import Step, Training
from properties.claims import Bench, Space, claim
from properties.margins import PRECISION_BITS, slack, total
from properties.optimizers.common import compare_positions, mapped, planted, with_zero_gradients
from properties.strategies.hyperparameters import decay_factor
from properties.strategies.inputs import Inputs, keyword, trained
from properties.strategies.trainings import Plan, planned_trainings

__all__ = ["decay_law", "decoupling", "order_of_steps", "start_ignored", "sum_of_steps"]

_DECAYING = ("sgd_l2", "weight_decay_unscaled", "adamw", "adamw_paper_scaling", "lion", "lion_literal_ct")
_UNDECAYED = (
    "gd",
    "momentum_ema",
    "momentum_heavy_ball",
    "momentum_torch_dampening",
    "momentum_nesterov",
    "adagrad",
    "adagrad_eps_inside",
    "rmsprop",
    "rmsprop_eps_inside",
    "adam",
    "adam_eps_hat",
    "adam_bourmaud_literal_k1",
)
_PLAN = Plan(8, steps=(1, 8), narrow_steps=(1, 3))


def _shrinkage(bench: Bench, training: Training) -> list[list[BallArray]]:
    r"""Products :math:`\prod (1 - \eta_t \lambda)` of the decay factors so far, indexed ``[step][tensor]``."""
    products = [balls(1.0) for _ in training.params]
    table = []
    for step in training.hyperparameters():
        for tensor, values in enumerate(step):
            coefficient = values["weight_decay"] if "weight_decay" in values else values["l2_penalty"]
            factor = balls(decay_factor(bench.formula, values)) * balls(coefficient)
            products[tensor] = products[tensor] * (1 - factor)
        table.append(list(products))
    return table


def _decay_inputs(space: Space) -> Inputs:
    """Add trainings in which one step takes off all there is, where that is allowed."""

    def total_decay(training: Training) -> Training:
        return mapped(
            with_zero_gradients(training), values=lambda table: {name: whole.get(name, table[name]) for name in table}
        )

    whole = {"learning_rate": 0.5, "schedule_multiplier": 0.5, "weight_decay": 2.0, "l2_penalty": 2.0}
    inputs = trained(_PLAN, with_zero_gradients)(space)
    if space.formula.id != "weight_decay_unscaled":
        inputs["total"] = 2, keyword("training", planned_trainings(space.formula, space.dtype, _PLAN).map(total_decay))
    return inputs


@claim(
    "sum_of_steps",
    kind="invariant",
    formulas=("gd",),
    statement=r"\theta_T = \theta_0 - \sum_{t=1}^{T} \eta_t g_t",
    source="lopesquintas2024updates, Quel schéma d'optimisation choisir",
    inputs=trained(_PLAN),
    catches=(
        "gd_ascent",
        "gd_gradient_clipped",
        "gd_gradient_averaged",
        "gd_signed",
        "gradient_clipped_from_below",
        "update_rounded_down",
        "gd_hidden_momentum",
        "gd_first_rate_kept",
        "gd_gradient_leaks_between_tensors",
    ),
)
def sum_of_steps(bench: Bench, *, training: Training) -> None:
    """The movement is the sum of learning rates times gradients: linear in both."""
    with working_precision(PRECISION_BITS):
        params = [balls(param) for param in training.params]
        positions = []
        for step, values in zip(training.steps, training.hyperparameters(), strict=True):
            for tensor, grad in enumerate(step.grads):
                if grad is not None:
                    params[tensor] = params[tensor] - balls(values[tensor]["learning_rate"]) * balls(grad)
            positions.append(list(params))
        compare_positions(bench, training, positions, "the movement is not the sum of learning rate times gradient")


@claim(
    "order_of_steps",
    kind="metamorphic",
    formulas=("gd",),
    statement=r"\sum_t \eta_t g_t = \sum_t \eta_{\pi(t)} g_{\pi(t)}",
    source="lopesquintas2024updates, Quel schéma d'optimisation choisir",
    inputs=trained(Plan(4, steps=(2, 8), narrow_steps=(2, 3))),
    catches=(
        "gd_hidden_momentum",
        "gd_first_rate_kept",
        "gd_gradient_leaks_between_tensors",
    ),
)
def order_of_steps(bench: Bench, *, training: Training) -> None:
    """Pairs of learning rate and gradient may come in any order: nothing is remembered."""
    steps = [
        Step(step.grads, dict(enumerate(values[group.tensors[0]] for group in training.groups)))
        for step, values in zip(training.steps, training.hyperparameters(), strict=True)
    ]
    reverse = replace(training, steps=tuple(reversed(steps)))
    ends, others = bench.train(training).params[-1], bench.train(reverse).params[-1]
    bounds, other_bounds = bench.enclosures(training)[-1], bench.enclosures(reverse)[-1]
    for tensor, end in enumerate(ends):
        allowed = total(slack(bounds[tensor][0]), slack(other_bounds[tensor][0]))
        expected = Enclosure(value=balls(end), error=allowed)
        note = "the order of the steps changed where they lead"
        bench.compare(others[tensor], expected, quantity="param", step=len(steps), tensor=tensor, note=note)


@claim(
    "decay_law",
    kind="invariant",
    formulas=_DECAYING,
    statement=r"g_1 = \dots = g_T = 0 \implies \theta_T = \prod_{t=1}^{T} (1 - \eta_t \lambda)\, \theta_0",
    source="lopesquintas2024updates, Problème de la régularisation; bourmaudnetworks, Weight decay (there without the rate)",
    inputs=_decay_inputs,
    catches=(
        "adamw_no_decay",
        "adamw_decay_is_l2",
        "adamw_decay_unscaled",
        "adamw_decay_times_learning_rate_squared",
        "adamw_decay_twice",
        "adamw_decay_grows",
        "adamw_decay_bias_corrected",
        "adamw_decay_skipped_for_zero_gradient",
        "adamw_decay_skipped_for_one_dimension",
        "adamw_decay_in_numerator",
        "adamw_decay_uses_first_learning_rate",
        "sgd_l2_penalty_ignored",
        "sgd_l2_decay_grows",
        "sgd_l2_penalty_multiplies_gradient",
        "sgd_l2_penalty_not_scaled",
        "sgd_l2_penalty_halved",
        "weight_decay_unscaled_scaled",
        "weight_decay_unscaled_skipped_for_zero_gradient",
        "adamw_last_of_odd_forgotten",
        "adamw_decay_skipped_when_total",
        "lion_sign_of_zero_is_one",
        "lion_no_decay",
        "lion_decay_unscaled",
        "lion_decay_is_l2",
        "lion_decay_grows",
        "lion_decay_skipped_when_total",
        "lion_literal_ct_decay_unscaled",
        "adamw_paper_scaling_no_decay",
        "adamw_paper_scaling_decay_is_l2",
        "adamw_paper_scaling_decay_not_scheduled",
    ),
)
def decay_law(bench: Bench, *, training: Training) -> None:
    """With zero gradients only the decay acts, and it is geometric."""
    with working_precision(PRECISION_BITS):
        positions = [
            [product * balls(param) for product, param in zip(products, training.params, strict=True)]
            for products in _shrinkage(bench, training)
        ]
        compare_positions(bench, training, positions, "without gradients the parameters did not shrink by the decay")


@claim(
    "decoupling",
    kind="metamorphic",
    formulas=_DECAYING,
    statement=r"\theta_T - \theta'_T = \prod_{t=1}^{T} (1 - \eta_t \lambda) (\theta_0 - \theta'_0)",
    source="lopesquintas2024updates, Problème de la régularisation; loshchilov2019decoupled, Algorithm 2",
    inputs=trained(_PLAN),
    catches=(
        "adamw_no_decay",
        "adamw_decay_is_l2",
        "adamw_decay_unscaled",
        "adamw_decay_times_learning_rate_squared",
        "adamw_decay_twice",
        "adamw_decay_grows",
        "adamw_decay_bias_corrected",
        "adamw_decay_skipped_for_one_dimension",
        "adamw_decay_in_numerator",
        "adamw_decay_uses_first_learning_rate",
        "sgd_l2_penalty_ignored",
        "sgd_l2_decay_grows",
        "sgd_l2_penalty_multiplies_gradient",
        "sgd_l2_penalty_not_scaled",
        "sgd_l2_penalty_halved",
        "weight_decay_unscaled_scaled",
        "adamw_last_of_odd_forgotten",
        "lion_no_decay",
        "lion_decay_unscaled",
        "lion_decay_is_l2",
        "lion_decay_grows",
        "lion_literal_ct_decay_unscaled",
        "adamw_paper_scaling_no_decay",
        "adamw_paper_scaling_decay_is_l2",
    ),
)
def decoupling(bench: Bench, *, training: Training) -> None:
    """Two starts under the same gradients differ by the decay alone, and state does not know of it."""
    with working_precision(PRECISION_BITS):
        note = "the distance of two starts did not shrink by the decay alone"
        _compare_starts(bench, training, _shrinkage(bench, training), note)


@claim(
    "start_ignored",
    kind="metamorphic",
    formulas=_UNDECAYED,
    statement=r"\theta_T - \theta'_T = \theta_0 - \theta'_0",
    source="lopesquintas2024updates: without decay no rule reads the parameters, but for the gradient",
    inputs=trained(replace(_PLAN, cases=4)),
    catches=(
        "momentum_heavy_ball_trust_ratio",
        "adagrad_step_scaled_by_parameter",
        "adam_step_scaled_by_parameter",
        *planted(_UNDECAYED, "hidden_decay"),
    ),
)
def start_ignored(bench: Bench, *, training: Training) -> None:
    """Two starts under the same gradients keep their distance, and state does not know of it."""
    unchanged = [[balls(1.0) for _ in training.params] for _ in training.steps]
    _compare_starts(bench, training, unchanged, "two starts under the same gradients did not keep their distance")


def _compare_starts(bench: Bench, training: Training, products: list[list[BallArray]], note: str) -> None:
    """Compare a training with one from another start, whose distance is multiplied by ``products[step][tensor]``."""
    other = mapped(training, param=lambda param: np.where(param == 0, 0.5, -2.0 * param))
    first, second = bench.train(training), bench.train(other)
    bounds, other_bounds = bench.enclosures(training), bench.enclosures(other)
    for number, row in enumerate(products):
        for tensor, product in enumerate(row):
            param, states = bounds[number][tensor]
            other_param, other_states = other_bounds[number][tensor]
            with working_precision(PRECISION_BITS):
                distance = product * (balls(training.params[tensor]) - balls(other.params[tensor]))
                expected = balls(second.params[number][tensor]) + distance
            bench.compare(
                first.params[number][tensor],
                Enclosure(value=expected, error=total(slack(param), slack(other_param))),
                quantity="param",
                step=number + 1,
                tensor=tensor,
                note=note,
            )
            shown, other_shown = first.states[number][tensor], second.states[number][tensor]
            for name in states.keys() & shown.keys() & other_shown.keys():
                bench.compare(
                    shown[name],
                    Enclosure(
                        value=balls(other_shown[name]), error=total(slack(states[name]), slack(other_states[name]))
                    ),
                    quantity=name,
                    step=number + 1,
                    tensor=tensor,
                    note="state depends on the parameters",
                )
