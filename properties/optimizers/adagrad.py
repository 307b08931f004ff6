"""Claims about AdaGrad: the sum of squares only grows, and does not know in which order it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from oracle.arithmetic.balls import abs_upper, balls, working_precision
from oracle.bound import Enclosure
from properties.cases import Training
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, slack, total
from properties.strategies.inputs import trained
from properties.strategies.trainings import Plan
from properties.subject import Floats

__all__ = ["past_has_no_order", "rates_never_grow"]

_ADAGRADS = ("adagrad", "adagrad_eps_inside")


@claim(
    "rates_never_grow",
    kind="invariant",
    formulas=_ADAGRADS,
    statement=r"G_t \ge G_{t-1}, \quad \frac{\lvert \theta_t - \theta_{t-1} \rvert}{\eta_t \lvert g_t \rvert} \le "
    r"\frac{\lvert \theta_{t-1} - \theta_{t-2} \rvert}{\eta_{t-1} \lvert g_{t-1} \rvert}",
    source="lopesquintas2024updates, AdaGrad : réponse imparfaite: the accumulator grows, so that learning slows down",
    inputs=trained(Plan(8, steps=(2, 8), narrow_steps=(2, 4))),
    catches=(
        "adagrad_forgets",
        "adagrad_averages",
        "adagrad_restarts",
        "adagrad_signed_squares",
        "adagrad_no_memory",
        "adagrad_eps_inside_forgets",
    ),
)
def rates_never_grow(bench: Bench, *, training: Training) -> None:
    """The accumulator never falls, and no step is longer for its gradient than the one before."""
    observation, enclosures, values = bench.train(training), bench.enclosures(training), training.hyperparameters()
    with working_precision(PRECISION_BITS):
        for tensor, start in enumerate(training.params):
            errors = [np.zeros(start.shape), *(slack(row[tensor][0]) for row in enclosures)]
            shown = [start, *(params[tensor] for params in observation.params)]
            for number in range(1, len(training.steps)):
                growth = _growth(training, number, tensor, values[number - 1][tensor], values[number][tensor])
                before = abs_upper(balls(shown[number]) - balls(shown[number - 1]))
                with np.errstate(invalid="ignore"):  # after a gradient of 0 there is no rate to compare with
                    reach = growth * total(before, errors[number], errors[number - 1])
                error = np.where(growth < np.inf, total(reach, errors[number + 1], errors[number]), np.inf)
                bench.compare(
                    shown[number + 1],
                    Enclosure(value=balls(shown[number]), error=error),
                    quantity="param",
                    step=number + 1,
                    tensor=tensor,
                    note="the step is longer for its gradient than the one before",
                )
                states = [observation.states[step][tensor].get("sum") for step in (number - 1, number)]
                if states[0] is not None and states[1] is not None:
                    message = f"the sum of squares of tensor {tensor} fell in step {number + 1}"
                    bench.require(bool((states[1] >= states[0]).all()), message, quantity="sum")


def _growth(training: Training, number: int, tensor: int, old: Mapping[str, float], new: Mapping[str, float]) -> Floats:
    r"""Bound :math:`\eta_t |g_t| / (\eta_{t-1} |g_{t-1}|)` from above."""
    now, before = (np.asarray(training.steps[place].grads[tensor]) for place in (number, number - 1))
    rate = balls(new["learning_rate"]) / balls(old["learning_rate"])
    some = np.where(before == 0, 1.0, before)
    return np.where(before == 0, np.inf, abs_upper(rate * balls(now) / balls(some)))


def _turned(training: Training) -> Training:
    """Reverse the gradients before the last, and their signs."""
    *past, last = training.steps
    turned = [replace(step, grads=tuple(-np.asarray(grad) for grad in step.grads)) for step in reversed(past)]
    return replace(training, steps=(*turned, last))


@claim(
    "past_has_no_order",
    kind="metamorphic",
    formulas=_ADAGRADS,
    statement=r"\theta_T - \theta_{T-1} \text{ is the same for } (g_1, \dots, g_{T-1}, g_T) \text{ and } "
    r"(\pm g_{\pi(1)}, \dots, \pm g_{\pi(T-1)}, g_T)",
    source="lopesquintas2024updates, AdaGrad : une première réponse: a sum of squares",
    inputs=trained(Plan(6, steps=(3, 8), narrow_steps=(3, 3), still=True)),
    catches=(
        "adagrad_forgets",
        "adagrad_restarts",
        "adagrad_signed_squares",
        "adagrad_eps_inside_forgets",
    ),
)
def past_has_no_order(bench: Bench, *, training: Training) -> None:
    """The last step does not depend on the order and the signs of the gradients before it."""
    turned = _turned(training)
    first, second = bench.train(training).params, bench.train(turned).params
    bounds, other_bounds = bench.enclosures(training), bench.enclosures(turned)
    for tensor in range(len(training.params)):
        step = balls(second[-1][tensor]) - balls(second[-2][tensor])
        error = total(*(slack(rows[place][tensor][0]) for rows in (bounds, other_bounds) for place in (-1, -2)))
        bench.compare(
            first[-1][tensor],
            Enclosure(value=balls(first[-2][tensor]) + step, error=error),
            quantity="param",
            step=len(training.steps),
            tensor=tensor,
            note="the step depends on the order or the signs of the gradients before",
        )
