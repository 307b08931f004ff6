"""Claims about Lion: every step has one length, and only signs decide its direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from oracle.arithmetic.balls import BallArray, abs_upper, balls, working_precision
from oracle.bound import Enclosure, bound
from oracle.formula import initial_state
from properties.cases import Training
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, total
from properties.optimizers.common import compare_positions, compare_runs, mapped
from properties.strategies.inputs import trained
from properties.strategies.trainings import Plan
from properties.subject import Floats

__all__ = ["amplitude_ignored", "first_step", "one_length", "within_the_box"]

_LIONS = ("lion", "lion_literal_ct")
_SIGNS = (-1.0, 0.0, 1.0)


def _kept(values: Mapping[str, Any]) -> BallArray:
    r"""Return :math:`1 - \eta \lambda`."""
    kept: BallArray = 1 - balls(values["learning_rate"]) * balls(values["weight_decay"])
    return kept


def _one_step(bench: Bench, param: Floats, sign: Floats, values: Mapping[str, Any]) -> Enclosure:
    """Return the enclosure of one step along given signs."""
    start = initial_state(bench.formula.state_type, np.zeros(param.shape))
    if hasattr(start, "direction"):
        start = start._replace(direction=sign)
    moved: Enclosure = bound(bench.formula, param, sign, precision=bench.precision, state=start, **values)[0]
    return moved


@claim(
    "one_length",
    kind="invariant",
    formulas=_LIONS,
    statement=r"\theta_t = (1 - \eta_t \lambda) \theta_{t-1} - \eta_t s, \quad s \in \{-1, 0, 1\}",
    source="lopesquintas2024updates, Optimizer Lion: the amplitude of the gradient is not used",
    inputs=trained(Plan(8, steps=(1, 8), narrow_steps=(1, 4), zeros=True)),
    catches=(
        "lion_unsigned",
        "lion_smooth_sign",
        "lion_normalised",
        "lion_no_decay",
        "lion_decay_unscaled",
        "lion_decay_is_l2",
        "lion_decay_after_step",
        "lion_decay_grows",
        "lion_rate_slightly_off",
        "lion_literal_ct_decay_unscaled",
        "lion_literal_ct_unsigned",
    ),
)
def one_length(bench: Bench, *, training: Training) -> None:
    """Beside the decay every element moves by exactly the learning rate, to either side, or stays."""
    observation = bench.train(training)
    before = list(training.params)
    for number, values in enumerate(training.hyperparameters()):
        for tensor, shown in enumerate(observation.params[number]):
            param, table = before[tensor], values[tensor]
            ratios = [_one_step(bench, param, np.full(param.shape, sign), table).ratio(shown) for sign in _SIGNS]
            nearest = np.array(_SIGNS)[np.argmin(ratios, axis=0)]
            step = _one_step(bench, param, nearest, table)
            # A hidden copy moves what the step starts from, and hardly changes how the step rounds.
            hidden = bench.precision.preimage_radius(param) if number else 0.0
            with working_precision(PRECISION_BITS):
                reach = abs_upper(abs(_kept(table)) + 1) * hidden
            bench.compare(
                shown,
                Enclosure(value=step.value, error=total(step.error, reach)),
                quantity="param",
                step=number + 1,
                tensor=tensor,
                note="the step is neither the learning rate to one side nor nothing",
            )
            before[tensor] = shown


@claim(
    "first_step",
    kind="invariant",
    formulas=_LIONS,
    statement=r"\theta_1 = (1 - \eta \lambda) \theta_0 - \eta \operatorname{sign}(g_1) \text{ whatever the betas; without "
    r"the sign where } c_0 \text{ is used}",
    source="lopesquintas2024updates, Optimizer Lion, at t = 1 from averages of 0",
    inputs=trained(Plan(8, steps=(1, 1), narrow_steps=(1, 1), zeros=True)),
    catches=(
        "lion_sign_of_old_average",
        "lion_one_step_late",
        "lion_sign_of_zero_is_one",
        "lion_unsigned",
        "lion_smooth_sign",
        "lion_normalised",
        "lion_no_decay",
        "lion_decay_unscaled",
        "lion_decay_is_l2",
        "lion_decay_after_step",
        "lion_decay_grows",
        "lion_ascends",
        "lion_rate_slightly_off",
        "lion_literal_ct_in_time",
        "lion_literal_ct_decay_unscaled",
    ),
)
def first_step(bench: Bench, *, training: Training) -> None:
    """The first step goes along the sign of the gradient, which is 0 for 0; one step late it goes nowhere."""
    (values,), (step,) = training.hyperparameters(), training.steps
    late = bench.formula.id == "lion_literal_ct"
    with working_precision(PRECISION_BITS):
        positions = []
        for param, grad, table in zip(training.params, step.grads, values, strict=True):
            signs = 0.0 * param if late or grad is None else np.sign(grad)
            positions.append(_kept(table) * balls(param) - balls(table["learning_rate"]) * balls(signs))
        compare_positions(bench, training, [positions], "the first step did not go along the sign of the gradient")


@claim(
    "amplitude_ignored",
    kind="metamorphic",
    formulas=_LIONS,
    statement=r"\theta_T(a g) = \theta_T(g), \quad a > 0 \text{ (of one sign, by coordinate)}",
    source="lopesquintas2024updates, Optimizer Lion: only the sign of the gradients' combination is used",
    inputs=trained(Plan(8, steps=(1, 8), narrow_steps=(1, 3))),
    catches=(
        "lion_unsigned",
        "lion_smooth_sign",
        "lion_normalised",
        "lion_literal_ct_unsigned",
    ),
)
def amplitude_ignored(bench: Bench, *, training: Training) -> None:
    """Gradients in other units, another one for each element, lead to the same place."""

    def scaled(grad: Floats) -> Floats:
        powers = 2.0 ** (np.arange(grad.size) % 3 + 1)
        return grad * powers.reshape(grad.shape)

    other = mapped(training, grad=scaled)
    compare_runs(bench, training, other, lambda params: params, "larger gradients led elsewhere")


@claim(
    "within_the_box",
    kind="invariant",
    formulas=_LIONS,
    statement=r"\eta_t \lambda \le 1 \implies \lvert \theta_t \rvert \le \max(\lvert \theta_{t-1} \rvert, 1 / \lambda)",
    source="chen2023symbolic, Algorithm 2: decay and a step of fixed length are in balance at 1 / lambda",
    inputs=trained(Plan(6, steps=(2, 8), narrow_steps=(2, 4), still=True)),
    catches=(
        "lion_unsigned",
        "lion_no_decay",
        "lion_decay_unscaled",
        "lion_decay_grows",
        "lion_literal_ct_unsigned",
    ),
)
def within_the_box(bench: Bench, *, training: Training) -> None:
    """No parameter leaves the interval that the decay balances; from outside it is drawn in."""
    observation = bench.train(training)
    before = list(training.params)
    for number, values in enumerate(training.hyperparameters()):
        for tensor, shown in enumerate(observation.params[number]):
            param, table = before[tensor], values[tensor]
            before[tensor] = shown
            if table["learning_rate"] * table["weight_decay"] > 1 or not table["weight_decay"]:
                continue  # such a decay overshoots, or there is no interval
            with working_precision(PRECISION_BITS):
                edge = np.maximum(np.abs(param), abs_upper(1 / balls(table["weight_decay"])))
            rounding = _one_step(bench, param, np.ones(param.shape), table).error
            hidden = 2 * bench.precision.preimage_radius(param) if number else 0.0
            bench.compare(
                shown,
                Enclosure(value=balls(np.zeros(param.shape)), error=total(edge, rounding, hidden)),
                quantity="param",
                step=number + 1,
                tensor=tensor,
                note="the parameter left the interval in which decay and steps are in balance",
            )
