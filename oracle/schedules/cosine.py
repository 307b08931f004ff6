"""Schedules that fall along half a wave of the cosine."""

from __future__ import annotations

from fractions import Fraction

from oracle.arithmetic.levels import cosine, level
from oracle.domains import at_least, greater_than
from oracle.formula import Scalar, formula
from oracle.schedules.evaluations import RECURSIVE

__all__ = ["cycle_of", "schedule_cosine_restarts", "schedule_cosine_to_10pct"]


def cycle_of(step: int, cycle_steps: int, cycle_growth: int) -> tuple[int, int, int]:
    """Find the cycle that a step lies in.

    Parameters
    ----------
    step : int
        At least 0.
    cycle_steps, cycle_growth : int
        Length of the first cycle, and what multiplies it from cycle to cycle; at least 1.

    Returns
    -------
    number, start, length : int
        Of the cycle, counted from 0.
    """
    if cycle_growth == 1:
        return step // cycle_steps, step - step % cycle_steps, cycle_steps
    number, start, length = 0, 0, cycle_steps
    while step >= start + length:
        number, start, length = number + 1, start + length, length * cycle_growth
    return number, start, length


@formula(
    "schedule_cosine_restarts",
    kind="schedule",
    source=(
        "lopesquintas2026complements, Échéancier: Par cycle et avec restart",
        "lopesquintas2025llm, Échéanciers cycliques",
        "loshchilov2017sgdr, Equation 5",
    ),
    domain={
        "peak_value": at_least(0),
        "end_value": at_least(0),
        "cycle_steps": at_least(1),
        "cycle_growth": at_least(1),
    },
    draw={"peak_value": greater_than(0)},
    neighbours=(
        "schedule_cosine_restarts_step_from_one",
        "schedule_cosine_restarts_step_late",
        "schedule_cosine_restarts_end_included",
        "schedule_cosine_restarts_without_growth",
        "schedule_cosine_restarts_without_restart",
        "schedule_cosine_restarts_linear",
        "schedule_cosine_restarts_degrees",
        "schedule_cosine_restarts_quarter_wave",
    ),
)
def schedule_cosine_restarts(
    step: int, *, peak_value: Scalar, end_value: Scalar, cycle_steps: int, cycle_growth: int
) -> Scalar:
    r"""Fall along half a cosine wave, and restart at the peak in cycles that grow.

    .. math::

        \eta_t = \eta_{\min} + \tfrac{1}{2} (\eta_{\max} - \eta_{\min})
            \left( 1 + \cos \frac{T_{cur}\, \pi}{T_i} \right)

    Parameters
    ----------
    step : int
        :math:`t \ge 0`, completed updates.
    peak_value : scalar
        :math:`\eta_{\max} \ge 0`, the rate at the start of each cycle.
    end_value : scalar
        :math:`\eta_{\min} \ge 0`, what the rate would be at the end of each cycle.
    cycle_steps : int
        :math:`T_0 \ge 1`, the length of the first cycle.
    cycle_growth : int
        :math:`T_{i+1} / T_i \ge 1`, what multiplies it from cycle to cycle.

    Returns
    -------
    scalar
        :math:`\eta_t`, where :math:`T_{cur}` updates of the :math:`T_i` of the cycle are done.

    Raises
    ------
    DomainError
        If an argument lies outside its domain above.

    Notes
    -----
    The documents leave open whether :math:`T_{cur}` takes the value :math:`T_i`. Here it does not: the
    step that would be the last of a cycle is the first of the next, as in the libraries, and so the rate
    never is :math:`\eta_{\min}`. Levels that change from cycle to cycle, which the documents allow, are
    not covered.

    Examples
    --------
    >>> values = {"peak_value": 1.0, "end_value": 0.0, "cycle_steps": 2, "cycle_growth": 2}
    >>> [round(schedule_cosine_restarts(t, **values), 4) for t in range(7)]
    [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]
    """
    _, start, length = cycle_of(step, cycle_steps, cycle_growth)
    wave = cosine(Fraction(step - start, length), peak_value, turns=-(-start // length))
    return level(end_value, peak_value, (1 + wave) / 2)


@formula(
    "schedule_cosine_to_10pct",
    kind="schedule",
    source=(
        "lopesquintas2025llm, Échéanciers cosinus",
        "hoffmann2022training, Appendix B",
    ),
    domain={"peak_value": at_least(0), "decay_steps": at_least(1)},
    draw={"peak_value": greater_than(0)},
    neighbours=(
        "schedule_cosine_to_10pct_step_from_one",
        "schedule_cosine_to_10pct_step_late",
        "schedule_cosine_to_10pct_by_10pct",
        "schedule_cosine_to_10pct_down_to_zero",
        "schedule_cosine_to_10pct_rises_again",
        "schedule_cosine_to_10pct_restarts",
        "schedule_cosine_to_10pct_straight",
        "schedule_cosine_to_10pct_in_degrees",
        "schedule_cosine_to_10pct_along_a_quarter_wave",
    ),
    evaluations={"recursive": RECURSIVE},
)
def schedule_cosine_to_10pct(step: int, *, peak_value: Scalar, decay_steps: int) -> Scalar:
    r"""Fall along half a cosine wave to a tenth of the peak, and stay there.

    .. math::

        \eta_t = \frac{\eta_{\max}}{10} + \frac{1}{2} \left( \eta_{\max} - \frac{\eta_{\max}}{10} \right)
            \left( 1 + \cos \frac{\min(t, T)\, \pi}{T} \right)

    Parameters
    ----------
    step : int
        :math:`t \ge 0`, completed updates.
    peak_value : scalar
        :math:`\eta_{\max} \ge 0`, the rate at the start.
    decay_steps : int
        :math:`T \ge 1`, the length of the training.

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
    The document says "by 10 %"; the paper that it cites decays by a factor of 10, to 10 %. After the end
    of the training, of which neither speaks, the rate stays.

    Examples
    --------
    >>> [round(schedule_cosine_to_10pct(t, peak_value=1.0, decay_steps=4), 4) for t in range(6)]
    [1.0, 0.8682, 0.55, 0.2318, 0.1, 0.1]
    """
    wave = cosine(Fraction(min(step, decay_steps), decay_steps), peak_value)
    return level(peak_value / 10, peak_value, (1 + wave) / 2)
