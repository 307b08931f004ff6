"""A claim about RMSProp: what its average can be, seen from AdaGrad's sum."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import abs_upper, balls, working_precision
from oracle.bound import Enclosure
from properties.cases import Training
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, slack, total
from properties.optimizers.adaptive import denominator
from properties.strategies.inputs import trained
from properties.strategies.trainings import Plan

__all__ = ["steps_beside_adagrad"]


@claim(
    "steps_beside_adagrad",
    kind="invariant",
    formulas=("rmsprop", "rmsprop_eps_inside"),
    statement=r"(1 - \alpha) g_t^2 \le v_t \le (1 - \alpha) \sum_{i \le t} g_i^2, \text{ so that } \theta_t - \theta_{t-1} "
    r"\text{ lies between the steps that both ends give}",
    source="lopesquintas2024updates, RMSProp : deuxième réponse, the figure that compares both accumulators",
    inputs=trained(Plan(8, steps=(2, 8), narrow_steps=(2, 3))),
    catches=(
        "rmsprop_eps_inside_root",
        "rmsprop_eps_missing",
        "rmsprop_eps_as_floor",
        "rmsprop_weight_missing",
        "rmsprop_weights_swapped",
        "rmsprop_bias_corrected",
        "rmsprop_starts_at_the_first_square",
        "rmsprop_starts_at_one",
        "rmsprop_lags",
        "rmsprop_no_root",
        "rmsprop_absolute_gradient",
        "rmsprop_ascends",
        "rmsprop_centered",
        "rmsprop_with_momentum",
        "rmsprop_eps_inside_eps_outside",
        "rmsprop_eps_inside_eps_on_average",
        "rmsprop_eps_inside_weight_missing",
        "rmsprop_eps_inside_lags",
    ),
)
def steps_beside_adagrad(bench: Bench, *, training: Training) -> None:
    """Every step is at least AdaGrad's at the rate for one over root 1 - alpha, and at most a first step's."""
    observation, enclosures = bench.train(training), bench.enclosures(training)
    before, uncertain = list(training.params), [np.zeros(param.shape) for param in training.params]
    with working_precision(PRECISION_BITS):
        sums = [balls(np.zeros(param.shape)) for param in training.params]
        for number, (step, values) in enumerate(zip(training.steps, training.hyperparameters(), strict=True)):
            for tensor, grad in enumerate(step.grads):
                table, shown, square = values[tensor], observation.params[number][tensor], balls(grad) ** 2
                sums[tensor] = sums[tensor] + square
                longest, shortest = (
                    balls(table["learning_rate"])
                    * balls(grad)
                    / denominator(bench.formula.id, (1 - balls(table["alpha"])) * squares, table["eps"])
                    for squares in (square, sums[tensor])
                )
                error = slack(enclosures[number][tensor][0])
                reach = total(abs_upper(longest - shortest) / 2, error, uncertain[tensor])
                bench.compare(
                    shown,
                    Enclosure(value=balls(before[tensor]) - (longest + shortest) / 2, error=reach),
                    quantity="param",
                    step=number + 1,
                    tensor=tensor,
                    note="the step is shorter than AdaGrad's, or longer than a first one",
                )
                before[tensor], uncertain[tensor] = shown, error
