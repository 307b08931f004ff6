"""Claims about AdaGrad and RMSProp alike: a step is the gradient over what the squares have become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from oracle.arithmetic.balls import BallArray, abs_upper, balls, working_precision
from oracle.arithmetic.primitives import namespace
from oracle.bound import Enclosure
from properties.cases import Training
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, slack, total
from properties.optimizers.common import compare_positions, compare_runs, mapped, with_constant_gradients
from properties.strategies.inputs import trained
from properties.strategies.trainings import Plan

__all__ = ["after_silence", "constant_gradient", "denominator", "longest_step", "scale_invariance"]

_ADAPTIVE = ("adagrad", "adagrad_eps_inside", "rmsprop", "rmsprop_eps_inside")
_PLAN = Plan(6, steps=(1, 8), narrow_steps=(1, 3))


def denominator(formula: str, squares: BallArray, eps: float) -> BallArray:
    """Return what divides the gradient, of what the squares have become."""
    xp = namespace(squares)
    below: BallArray = xp.sqrt(squares + eps) if formula.endswith("eps_inside") else xp.sqrt(squares) + eps
    return below


def _compare_closed_form(
    bench: Bench, training: Training, squares: Callable[[int, int, Mapping[str, Any]], BallArray], note: str
) -> None:
    """Compare all positions with those of ``squares(step, tensor, values)``, which says what divides in each step."""
    with working_precision(PRECISION_BITS):
        params = [balls(param) for param in training.params]
        positions = []
        for number, (step, values) in enumerate(zip(training.steps, training.hyperparameters(), strict=True)):
            for tensor, grad in enumerate(step.grads):
                if grad is not None:
                    below = denominator(
                        bench.formula.id, squares(number + 1, tensor, values[tensor]), values[tensor]["eps"]
                    )
                    params[tensor] = params[tensor] - balls(values[tensor]["learning_rate"]) * balls(grad) / below
            positions.append(list(params))
        compare_positions(bench, training, positions, note)


def _gathered(grad: Any, weight: Any) -> BallArray:
    gathered: BallArray = weight * balls(grad) ** 2
    return gathered


@claim(
    "constant_gradient",
    kind="invariant",
    formulas=_ADAPTIVE,
    statement=r"g_t = g \implies \theta_t - \theta_{t-1} = -\eta_t \frac{g}{\sqrt{w_t} \lvert g \rvert + \epsilon}, "
    r"\quad w_t = t \text{ for AdaGrad}, \ 1 - \alpha^t \text{ for RMSProp}",
    source="lopesquintas2024updates, AdaGrad : réponse imparfaite, and RMSProp : deuxième réponse, summed",
    inputs=trained(_PLAN, with_constant_gradients),
    catches=(
        "adagrad_eps_inside_root",
        "adagrad_eps_missing",
        "adagrad_starts_at_a_tenth",
        "adagrad_forgets",
        "adagrad_averages",
        "adagrad_lags",
        "adagrad_restarts",
        "adagrad_absolute_gradient",
        "adagrad_signed_squares",
        "adagrad_no_root",
        "adagrad_sum_shared_by_tensor",
        "adagrad_no_memory",
        "adagrad_ascends",
        "adagrad_eps_inside_eps_outside",
        "adagrad_eps_inside_eps_squared",
        "adagrad_eps_inside_lags",
        "adagrad_eps_inside_forgets",
        "rmsprop_eps_inside_root",
        "rmsprop_eps_missing",
        "rmsprop_eps_as_floor",
        "rmsprop_weight_missing",
        "rmsprop_weights_swapped",
        "rmsprop_sums",
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
def constant_gradient(bench: Bench, *, training: Training) -> None:
    """Under a constant gradient AdaGrad's steps fall like one over the root of t, RMSProp's to the learning rate."""

    def squares(step: int, tensor: int, values: Mapping[str, Any]) -> BallArray:
        weight = 1 - balls(values["alpha"]) ** step if "alpha" in values else step
        return _gathered(training.steps[0].grads[tensor], weight)

    _compare_closed_form(bench, training, squares, "a constant gradient did not give the steps of its closed form")


def _with_silence(training: Training) -> Training:
    """Make all gradients between the first and the last zero."""
    first, *middle, last = training.steps
    silent = [replace(step, grads=tuple(np.zeros_like(grad) for grad in step.grads)) for step in middle]
    return replace(training, steps=(first, *silent, last))


@claim(
    "after_silence",
    kind="invariant",
    formulas=_ADAPTIVE,
    statement=r"g_2 = \dots = g_{T-1} = 0 \implies G_T = g_1^2 + g_T^2 \text{ (AdaGrad)}, \quad "
    r"v_T = (1 - \alpha)(\alpha^{T-1} g_1^2 + g_T^2) \text{ (RMSProp)}",
    source="lopesquintas2024updates, RMSProp : deuxième réponse: what both remember of gradients long past",
    inputs=trained(Plan(6, steps=(3, 8), narrow_steps=(3, 3)), _with_silence),
    catches=(
        "adagrad_eps_inside_root",
        "adagrad_eps_missing",
        "adagrad_starts_at_a_tenth",
        "adagrad_forgets",
        "adagrad_averages",
        "adagrad_lags",
        "adagrad_restarts",
        "adagrad_absolute_gradient",
        "adagrad_signed_squares",
        "adagrad_no_root",
        "adagrad_sum_shared_by_tensor",
        "adagrad_no_memory",
        "adagrad_ascends",
        "adagrad_eps_inside_eps_outside",
        "adagrad_eps_inside_eps_squared",
        "adagrad_eps_inside_lags",
        "adagrad_eps_inside_forgets",
        "rmsprop_eps_inside_root",
        "rmsprop_eps_missing",
        "rmsprop_eps_as_floor",
        "rmsprop_weight_missing",
        "rmsprop_weights_swapped",
        "rmsprop_sums",
        "rmsprop_bias_corrected",
        "rmsprop_starts_at_the_first_square",
        "rmsprop_starts_at_one",
        "rmsprop_lags",
        "rmsprop_no_root",
        "rmsprop_absolute_gradient",
        "rmsprop_never_falls",
        "rmsprop_ascends",
        "rmsprop_centered",
        "rmsprop_with_momentum",
        "rmsprop_eps_inside_eps_outside",
        "rmsprop_eps_inside_eps_on_average",
        "rmsprop_eps_inside_weight_missing",
        "rmsprop_eps_inside_lags",
    ),
)
def after_silence(bench: Bench, *, training: Training) -> None:
    """While gradients are zero nothing moves; AdaGrad forgets nothing of the past, RMSProp as a power of alpha."""

    def squares(step: int, tensor: int, values: Mapping[str, Any]) -> BallArray:
        first, now = training.steps[0].grads[tensor], training.steps[step - 1].grads[tensor]
        alpha = balls(values["alpha"]) if "alpha" in values else balls(1.0)
        gathered = _gathered(first, alpha ** (step - 1))
        if step > 1:
            gathered = gathered + _gathered(now, 1.0)
        weighed: BallArray = (1 - alpha) * gathered if "alpha" in values else gathered
        return weighed

    _compare_closed_form(bench, training, squares, "gradients long past are not remembered as they should be")


@claim(
    "longest_step",
    kind="invariant",
    formulas=_ADAPTIVE,
    statement=r"\lvert \theta_t - \theta_{t-1} \rvert \le \eta_t \frac{\lvert g_t \rvert}{\sqrt{w} \lvert g_t \rvert + "
    r"\epsilon} < \frac{\eta_t}{\sqrt{w}}, \quad w = 1 \text{ for AdaGrad}, \ 1 - \alpha \text{ for RMSProp}",
    source="lopesquintas2024updates, AdaGrad : une première réponse: the gradient's own square is part of what divides",
    inputs=trained(Plan(6)),
    catches=(
        "adagrad_eps_inside_root",
        "adagrad_eps_missing",
        "adagrad_averages",
        "adagrad_lags",
        "adagrad_absolute_gradient",
        "adagrad_signed_squares",
        "adagrad_no_root",
        "adagrad_eps_inside_eps_outside",
        "adagrad_eps_inside_eps_squared",
        "adagrad_eps_inside_lags",
        "rmsprop_eps_inside_root",
        "rmsprop_eps_missing",
        "rmsprop_eps_as_floor",
        "rmsprop_lags",
        "rmsprop_no_root",
        "rmsprop_absolute_gradient",
        "rmsprop_centered",
        "rmsprop_with_momentum",
        "rmsprop_eps_inside_eps_outside",
        "rmsprop_eps_inside_lags",
    ),
)
def longest_step(bench: Bench, *, training: Training) -> None:
    """No step is longer than the first one would be under the same gradient."""
    observation, enclosures = bench.train(training), bench.enclosures(training)
    before, uncertain = list(training.params), [np.zeros(param.shape) for param in training.params]
    with working_precision(PRECISION_BITS):
        for number, (step, values) in enumerate(zip(training.steps, training.hyperparameters(), strict=True)):
            for tensor, grad in enumerate(step.grads):
                table, shown = values[tensor], observation.params[number][tensor]
                weight = 1 - balls(table["alpha"]) if "alpha" in table else balls(1.0)
                below = denominator(bench.formula.id, _gathered(grad, weight), table["eps"])
                reach = abs_upper(balls(table["learning_rate"]) * balls(grad) / below)
                error = slack(enclosures[number][tensor][0])
                allowed = Enclosure(value=balls(before[tensor]), error=total(reach, error, uncertain[tensor]))
                note = "the step is longer than the gradient's own square allows"
                bench.compare(shown, allowed, quantity="param", step=number + 1, tensor=tensor, note=note)
                before[tensor], uncertain[tensor] = shown, error


@claim(
    "scale_invariance",
    kind="metamorphic",
    formulas=_ADAPTIVE,
    statement=r"\theta_T(a g, a \epsilon) = \theta_T(g, \epsilon), \text{ inside the root } "
    r"\theta_T(a g, a^2 \epsilon) = \theta_T(g, \epsilon), \quad a > 0",
    source="lopesquintas2024updates, AdaGrad : une première réponse: learning is made uniform over the directions",
    inputs=trained(Plan(6)),
    catches=(
        "adagrad_eps_inside_root",
        "adagrad_starts_at_a_tenth",
        "adagrad_absolute_gradient",
        "adagrad_no_root",
        "adagrad_eps_inside_eps_outside",
        "adagrad_eps_inside_eps_squared",
        "rmsprop_eps_inside_root",
        "rmsprop_starts_at_one",
        "rmsprop_no_root",
        "rmsprop_absolute_gradient",
        "rmsprop_eps_inside_eps_outside",
    ),
    varies=("eps",),
)
def scale_invariance(bench: Bench, *, training: Training) -> None:
    """Gradients twice as large, with epsilon in its unit, lead to the same place."""
    unit = 4.0 if bench.formula.id.endswith("eps_inside") else 2.0
    scaled = mapped(
        training,
        grad=lambda grad: 2.0 * grad,
        values=lambda table: {name: unit * value if name == "eps" else value for name, value in table.items()},
    )
    compare_runs(bench, training, scaled, lambda params: params, "scaling gradients and epsilon moved the end")
