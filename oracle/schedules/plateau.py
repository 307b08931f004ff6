"""Reducing the learning rate when a metric no longer improves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from oracle.arithmetic.primitives import namespace
from oracle.domains import Domain, at_least, greater_than, half_open
from oracle.formula import Scalar, formula

__all__ = ["Plateau", "reduce_on_plateau", "schedule_reduce_on_plateau", "watch"]

_SHARE = Domain(0.0, 1.0, low_open=True, high_open=True)


@formula(
    "schedule_reduce_on_plateau",
    kind="schedule",
    source=("bourmaudnetworks, Evolution du pas d'apprentissage",),
    domain={
        "peak_value": at_least(0),
        "end_value": at_least(0),
        "factor": _SHARE,
        "improving_steps": at_least(1),
        "patience": at_least(0),
    },
    draw={"peak_value": greater_than(0)},
    neighbours=(
        "schedule_reduce_on_plateau_step_from_one",
        "schedule_reduce_on_plateau_step_late",
        "schedule_reduce_on_plateau_reaching",
        "schedule_reduce_on_plateau_impatient",
        "schedule_reduce_on_plateau_one_reduction",
        "schedule_reduce_on_plateau_unlimited",
        "schedule_reduce_on_plateau_raised_to_its_floor",
    ),
)
def schedule_reduce_on_plateau(
    step: int, *, peak_value: Scalar, end_value: Scalar, factor: Scalar, improving_steps: int, patience: int
) -> Scalar:
    r"""Keep the rate while a metric improves, then multiply it by a factor whenever the patience is over.

    .. math::

        \eta_t = \max\left(f^{j}\, \eta_0,\; \min(\eta_{\min}, \eta_0)\right), \qquad
            j = \left\lfloor \frac{\max(0, t - s)}{P + 1} \right\rfloor

    Parameters
    ----------
    step : int
        :math:`t \ge 0`, epochs whose metric is known.
    peak_value, end_value : scalar
        :math:`\eta_0 \ge 0` and the floor :math:`\eta_{\min} \ge 0`.
    factor : scalar
        :math:`0 < f < 1`.
    improving_steps : int
        :math:`s \ge 1`: the metric improves in the first so many epochs, and in no later one.
    patience : int
        :math:`P \ge 0`, epochs without improvement that are let pass: the next one reduces the rate.

    Returns
    -------
    scalar
        :math:`\eta_t`.

    Raises
    ------
    DomainError
        If an argument lies outside its domain above.

    Notes
    -----
    The document names the rule and prints no formula. This is `reduce_on_plateau`, the rule for any metrics, on those
    of a training that improves and then does not; a floor above the start is never met.

    Examples
    --------
    >>> values = {"peak_value": 1.0, "end_value": 0.1, "factor": 0.5, "improving_steps": 2, "patience": 1}
    >>> [float(schedule_reduce_on_plateau(t, **values)) for t in range(8)]
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    reductions = max(0, step - improving_steps) // (patience + 1)
    xp = namespace(peak_value, end_value)
    return xp.maximum(peak_value * factor**reductions, xp.minimum(end_value, peak_value))


class Plateau(NamedTuple):
    """What is remembered between epochs."""

    rate: Any
    best: Any = math.inf  # the lowest metric that counted as an improvement
    waiting: int = 0  # epochs in a row without one
    cooling: int = 0  # epochs after a reduction that are still let pass


def watch(
    state: Plateau,
    metric: Any,
    *,
    factor: Any,
    patience: int,
    end_value: Any = 0,
    threshold: Any = 0,
    relative: bool = False,
    cooldown: int = 0,
    smallest_change: Any = 0,
) -> Plateau:
    """Take in the metric of one epoch; the arguments are those of `reduce_on_plateau`."""
    improved = metric < (state.best * (1 - threshold) if relative else state.best - threshold)
    best = metric if improved else state.best
    waiting = 0 if improved or state.cooling else state.waiting + 1
    if waiting <= patience:
        return Plateau(state.rate, best, waiting, max(state.cooling - 1, 0))
    reduced = max(state.rate * factor, end_value)
    rate = reduced if state.rate - reduced > smallest_change else state.rate
    return Plateau(rate, best, 0, cooldown)


def reduce_on_plateau(metrics: Iterable[Any], *, init_value: Any, **settings: Any) -> list[Any]:
    r"""Multiply the rate by a factor whenever the best metric has stood for too many epochs.

    .. math::

        \eta_{t} = \begin{cases}
            \max(f\, \eta_{t-1},\; \eta_{\min}) & \text{if no } \ell_s < b_s - \delta \text{ for } P + 1
                \text{ epochs in a row} \\
            \eta_{t-1} & \text{otherwise}
        \end{cases}

    Parameters
    ----------
    metrics : iterable of number
        :math:`\ell_1, \ell_2, \dots`, one for each epoch; lower is better.
    init_value : number
        :math:`\eta_0 \ge 0`.
    factor : number
        :math:`0 < f < 1`.
    patience : int
        :math:`P \ge 0`, epochs without improvement that are let pass: the next one reduces the rate. Programs that
        reduce it when the count *reaches* their patience have a patience of one more.
    end_value : number, optional
        :math:`\eta_{\min} \ge 0`.
    threshold : number, optional
        :math:`\delta \ge 0`: what is not lower by more than this is no improvement.
    relative : bool, optional
        Whether the threshold is a part of the best metric; then :math:`\delta < 1`.
    cooldown : int, optional
        Epochs after each reduction in which nothing is counted.
    smallest_change : number, optional
        Reductions that are not larger are left out.

    Returns
    -------
    list of number
        :math:`\eta_1, \eta_2, \dots`, the rate after each epoch; numbers of any system that is ordered.

    Raises
    ------
    DomainError
        If an argument lies outside its domain above.

    Notes
    -----
    The document names the rule and prints no formula. This is the form of torch, whose defaults are a relative
    threshold of :math:`10^{-4}` and a smallest change of :math:`10^{-8}`. A relative threshold raises the bar
    instead of lowering it while the best metric is negative, and means nothing where it is zero.

    References
    ----------
    .. [1] bourmaudnetworks, Evolution du pas d'apprentissage

    Examples
    --------
    >>> reduce_on_plateau([3, 2, 2, 2, 1, 1, 1], init_value=1.0, factor=0.5, patience=1)
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
    """
    for name, domain in _DOMAIN.items():
        if name in settings:
            domain.require(name, settings[name])
    at_least(0).require("init_value", init_value)
    if settings.get("relative"):
        half_open(0, 1).require("threshold", settings.get("threshold", 0))
    state, rates = Plateau(init_value), []
    for metric in metrics:
        state = watch(state, metric, **settings)
        rates.append(state.rate)
    return rates


_DOMAIN = {
    "factor": _SHARE,
    "patience": at_least(0),
    "end_value": at_least(0),
    "threshold": at_least(0),
    "cooldown": at_least(0),
    "smallest_change": at_least(0),
}
