"""Claims about momentum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from oracle.arithmetic.balls import BallArray, balls, working_precision
from properties.cases import Training
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS
from properties.optimizers.common import compare_positions, compare_runs, mapped, planted, with_constant_gradients
from properties.strategies.inputs import trained
from properties.strategies.trainings import Plan

__all__ = ["constant_gradient", "gradient_scale", "step_weights", "unrolled_weights"]

_MOMENTA = ("momentum_ema", "momentum_heavy_ball", "momentum_torch_dampening", "momentum_nesterov")
_PLAN = Plan(8, steps=(2, 10), narrow_steps=(1, 3))


def _gathered_weight(formula: str, values: Mapping[str, float], step: int) -> BallArray:
    """Return what multiplies learning rate and gradient in one step, if all gradients so far were equal."""
    momentum = balls(values["momentum"])
    gathered = 1 - momentum**step  # of an average with weights summing to one
    weight: BallArray
    match formula:
        case "momentum_ema":
            weight = gathered
        case "momentum_heavy_ball":
            weight = gathered / (1 - momentum)
        case "momentum_torch_dampening":
            power = momentum ** (step - 1)
            weight = power + (1 - balls(values["dampening"])) * (1 - power) / (1 - momentum)
        case _:  # momentum_nesterov looks one step ahead
            weight = 1 + momentum * gathered / (1 - momentum)
    return weight


@claim(
    "constant_gradient",
    kind="invariant",
    formulas=_MOMENTA,
    statement=r"g_t = g \implies \theta_T = \theta_0 - \sum_{t=1}^{T} \eta_t w_t g, \quad "
    r"w_t = 1 - \gamma^t \text{ for the average}",
    source="lopesquintas2024updates, Avec momentum (1), summed for a constant gradient",
    inputs=trained(_PLAN, with_constant_gradients),
    catches=(
        "momentum_without_normalisation",
        "momentum_ema_first_buffer_is_gradient",
        "momentum_ema_weights_swapped",
        "momentum_heavy_ball_averages",
        "momentum_heavy_ball_ignored",
        "momentum_heavy_ball_stale_buffer",
        "momentum_heavy_ball_aliases_gradient",
        "momentum_rate_in_buffer",
        "momentum_heavy_ball_looks_ahead",
        "momentum_dampened_first_step",
        "momentum_torch_dampening_ignored",
        "momentum_torch_dampening_on_buffer",
        "nesterov_lookahead_missing",
        "momentum_nesterov_stale_look_ahead",
        "momentum_nesterov_averages",
    ),
)
def constant_gradient(bench: Bench, *, training: Training) -> None:
    """Under a constant gradient the velocity gathers geometrically."""
    with working_precision(PRECISION_BITS):
        params = [balls(param) for param in training.params]
        positions = []
        for number, (step, values) in enumerate(zip(training.steps, training.hyperparameters(), strict=True)):
            for tensor, grad in enumerate(step.grads):
                if grad is not None:
                    weight = _gathered_weight(bench.formula.id, values[tensor], number + 1)
                    rate = balls(values[tensor]["learning_rate"])
                    params[tensor] = params[tensor] - rate * weight * balls(grad)
            positions.append(list(params))
        compare_positions(
            bench, training, positions, "a constant gradient did not gather speed as its closed form says"
        )


def step_weights(formula: str, values: Sequence[Mapping[str, float]]) -> list[BallArray]:
    """Return what multiplies learning rate and each gradient so far in the latest step.

    Parameters
    ----------
    formula : str
        Id of a formula with momentum.
    values : sequence of mapping
        Hyperparameters of each step so far.
    """
    weights: list[BallArray] = []
    kept = balls(1.0)  # of a velocity, through the steps that followed
    for number in reversed(range(len(values))):
        entering = balls(1.0)
        if formula == "momentum_ema":
            entering = 1 - balls(values[number]["momentum"])
        elif formula == "momentum_torch_dampening" and number > 0:
            entering = 1 - balls(values[number]["dampening"])
        weights.insert(0, entering * kept)
        kept = kept * balls(values[number]["momentum"])
    if formula == "momentum_nesterov":
        weights = [balls(values[-1]["momentum"]) * weight for weight in weights]
        weights[-1] = 1 + weights[-1]
    return weights


@claim(
    "unrolled_weights",
    kind="invariant",
    formulas=_MOMENTA,
    statement=r"\theta_t = \theta_{t-1} - \eta_t \sum_{i \le t} w_i g_i, \quad "
    r"w_i = (1 - \gamma_i) \prod_{j = i + 1}^{t} \gamma_j \text{ for the average}",
    source="lopesquintas2024updates, Avec momentum (1), whose factor has the index of the step, unrolled",
    inputs=trained(Plan(8, steps=(3, 6), narrow_steps=(2, 3), adjusted=True)),
    catches=(
        "momentum_without_normalisation",
        "momentum_ema_first_buffer_is_gradient",
        "momentum_ema_weights_swapped",
        "momentum_ema_momentum_read_once",
        "momentum_ema_scaled_late",
        "momentum_heavy_ball_averages",
        "momentum_heavy_ball_ignored",
        "momentum_heavy_ball_stale_buffer",
        "momentum_heavy_ball_aliases_gradient",
        "momentum_heavy_ball_looks_ahead",
        "momentum_heavy_ball_momentum_read_once",
        "momentum_dampened_first_step",
        "momentum_torch_dampening_ignored",
        "momentum_torch_dampening_on_buffer",
        "momentum_torch_dampening_read_once",
        "nesterov_lookahead_missing",
        "momentum_nesterov_stale_look_ahead",
        "momentum_nesterov_averages",
        "momentum_nesterov_momentum_of_last_step",
    ),
    varies=("momentum",),
)
def unrolled_weights(bench: Bench, *, training: Training) -> None:
    """While the momentum varies, every step is a weighted sum of all gradients so far."""
    values = training.hyperparameters()
    with working_precision(PRECISION_BITS):
        params = [balls(param) for param in training.params]
        positions = []
        for number in range(len(training.steps)):
            for tensor in range(len(params)):
                past = [row[tensor] for row in values[: number + 1]]
                rate = balls(past[-1]["learning_rate"])
                for step, weight in zip(training.steps, step_weights(bench.formula.id, past), strict=False):
                    params[tensor] = params[tensor] - rate * weight * balls(step.grads[tensor])
            positions.append(list(params))
        compare_positions(bench, training, positions, "the step is not the weighted sum of all gradients so far")


@claim(
    "gradient_scale",
    kind="metamorphic",
    formulas=("gd", *_MOMENTA),
    statement=r"\theta_T(a g, \eta / a) = \theta_T(g, \eta)",
    source="lopesquintas2024updates, Avec momentum (1), which is linear in the gradients",
    inputs=trained(replace(_PLAN, cases=4)),
    catches=(
        "gd_gradient_clipped",
        "gd_signed",
        "gradient_clipped_from_below",
        "update_rounded_down",
        *planted(_MOMENTA, "gradient_clipped"),
    ),
    varies=("learning_rate",),
)
def gradient_scale(bench: Bench, *, training: Training) -> None:
    """Gradients four times as large under a quarter of the learning rate lead to the same place."""
    scaled = mapped(
        training,
        grad=lambda grad: 4.0 * grad,
        values=lambda table: {n: value / 4.0 if n == "learning_rate" else value for n, value in table.items()},
    )
    compare_runs(bench, training, scaled, lambda params: params, "scaling gradients up and rates down moved the end")
