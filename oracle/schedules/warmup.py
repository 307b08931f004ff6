"""Schedules that rise linearly to a peak and then fall."""

from __future__ import annotations

from fractions import Fraction

from oracle.arithmetic.levels import inverse_root, level, root
from oracle.arithmetic.primitives import namespace
from oracle.domains import at_least, greater_than
from oracle.formula import Scalar, formula
from oracle.schedules.evaluations import RECURSIVE

__all__ = ["schedule_classic_warmup", "schedule_linear_decay_warmup", "schedule_transformer"]


@formula(
    "schedule_classic_warmup",
    kind="schedule",
    source=(
        "lopesquintas2026complements, Échéancier: Classique",
        "vaswani2017attention, Section 5.3",
    ),
    domain={"peak_value": at_least(0), "end_value": at_least(0), "warmup_steps": at_least(1)},
    draw={"peak_value": greater_than(0)},
    neighbours=(
        "schedule_classic_warmup_step_from_one",
        "schedule_classic_warmup_step_late",
        "schedule_classic_warmup_without_floor",
        "schedule_classic_warmup_without_rise",
        "schedule_classic_warmup_inverse",
        "schedule_classic_warmup_kept",
    ),
)
def schedule_classic_warmup(step: int, *, peak_value: Scalar, end_value: Scalar, warmup_steps: int) -> Scalar:
    r"""Rise linearly to a peak, then fall with the inverse root of the step.

    .. math::

        \eta_t = \eta_{\min} + (\eta_{\max} - \eta_{\min}) \begin{cases}
            t / \tau & \text{if } t \le \tau \\
            \sqrt{\tau / t} & \text{otherwise}
        \end{cases}

    Parameters
    ----------
    step : int
        :math:`t \ge 0`, completed updates.
    peak_value : scalar
        :math:`\eta_{\max} \ge 0`, the rate at the end of the warm-up.
    end_value : scalar
        :math:`\eta_{\min} \ge 0`, where the rate starts and what it tends to.
    warmup_steps : int
        :math:`\tau \ge 1`.

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
    The document draws the curve and prints no formula; this is its usual form. It draws schedules that
    tend to 0 and calls it more useful to keep a floor: both are values of ``end_value``.

    Examples
    --------
    >>> [schedule_classic_warmup(t, peak_value=1.0, end_value=0.0, warmup_steps=4) for t in (0, 2, 4, 16)]
    [0.0, 0.5, 1.0, 0.5]
    """
    weight = Fraction(step, warmup_steps) if step <= warmup_steps else root(Fraction(warmup_steps, step), peak_value)
    return level(end_value, peak_value, weight)


@formula(
    "schedule_linear_decay_warmup",
    kind="schedule",
    source=("lopesquintas2025llm, Échéanciers cosinus",),
    domain={
        "peak_value": at_least(0),
        "end_value": at_least(0),
        "warmup_steps": at_least(1),
        "decay_steps": at_least(1),
    },
    draw={"peak_value": greater_than(0)},
    neighbours=(
        "schedule_linear_decay_warmup_step_from_one",
        "schedule_linear_decay_warmup_step_late",
        "schedule_linear_decay_warmup_decay_from_zero",
        "schedule_linear_decay_warmup_to_zero",
        "schedule_linear_decay_warmup_falls_on",
        "schedule_linear_decay_warmup_cosine",
    ),
    evaluations={"recursive": RECURSIVE},
)
def schedule_linear_decay_warmup(
    step: int, *, peak_value: Scalar, end_value: Scalar, warmup_steps: int, decay_steps: int
) -> Scalar:
    r"""Rise linearly from zero to a peak, then fall linearly to a last level and stay there.

    .. math::

        \eta_t = \begin{cases}
            \eta_{\max}\, t / \tau & \text{if } t \le \tau \\
            \eta_{\mathrm{end}} + (\eta_{\max} - \eta_{\mathrm{end}})
                \dfrac{\max(0, T - t)}{T - \tau} & \text{otherwise}
        \end{cases}

    Parameters
    ----------
    step : int
        :math:`t \ge 0`, completed updates.
    peak_value : scalar
        :math:`\eta_{\max} \ge 0`, the rate at the end of the warm-up.
    end_value : scalar
        :math:`\eta_{\mathrm{end}} \ge 0`, the rate at the end of the decay and after it.
    warmup_steps : int
        :math:`\tau \ge 1`.
    decay_steps : int
        :math:`T - \tau \ge 1`, updates from the peak to the last level, without those of the warm-up.

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
    The document draws the rate over its maximum, which its caption prints the other way round, and
    prints no formula; this is its usual form. What follows the end is not drawn: the rate stays.

    Examples
    --------
    >>> values = {"peak_value": 1.0, "end_value": 0.5, "warmup_steps": 2, "decay_steps": 4}
    >>> [schedule_linear_decay_warmup(t, **values) for t in (0, 1, 2, 4, 6, 100)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.5]
    """
    if step <= warmup_steps:
        return level(0 * peak_value, peak_value, Fraction(step, warmup_steps))
    return level(end_value, peak_value, max(Fraction(0), Fraction(warmup_steps + decay_steps - step, decay_steps)))


@formula(
    "schedule_transformer",
    kind="schedule",
    source=(
        "lopesquintas2025llm, Échéancier des Transformers originels",
        "vaswani2017attention, Equation 3",
    ),
    domain={"model_width": greater_than(0), "warmup_steps": at_least(1)},
    neighbours=(
        "schedule_transformer_step_from_one",
        "schedule_transformer_step_late",
        "schedule_transformer_steeper",
        "schedule_transformer_without_warmup",
        "schedule_transformer_larger",
        "schedule_transformer_width_not_rooted",
    ),
)
def schedule_transformer(step: int, *, model_width: Scalar, warmup_steps: int) -> Scalar:
    r"""Rise linearly during the warm-up, then fall with the inverse root of the step.

    .. math::

        \eta_t = \frac{1}{\sqrt{d}} \min\left\{ \frac{1}{\sqrt{t}},\; t\, \tau^{-1.5} \right\}

    Parameters
    ----------
    step : int
        :math:`t \ge 0`, completed updates.
    model_width : scalar
        :math:`d > 0`, the width of the model: 512 in the paper.
    warmup_steps : int
        :math:`\tau \ge 1`: 4000 in the paper.

    Returns
    -------
    scalar
        :math:`\eta_t`; 0 for :math:`t = 0`, which is its limit.

    Raises
    ------
    DomainError
        If an argument lies outside its domain above.

    Notes
    -----
    The document counts :math:`t` and the warm-up in epochs; the paper counts updates.

    Examples
    --------
    >>> [float(schedule_transformer(t, model_width=4.0, warmup_steps=4)) for t in (0, 2, 4, 16)]
    [0.0, 0.125, 0.25, 0.125]
    """
    if step == 0:
        return 0 * model_width
    falling = inverse_root(model_width * step)
    rising = step * inverse_root(model_width * warmup_steps) / warmup_steps
    return namespace(falling).minimum(falling, rising)
