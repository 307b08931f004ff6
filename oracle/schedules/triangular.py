"""A schedule that rises and falls linearly, again and again."""

from __future__ import annotations

from fractions import Fraction

from oracle.arithmetic.levels import level
from oracle.domains import at_least, greater_than
from oracle.formula import Scalar, formula

__all__ = ["schedule_triangular"]


@formula(
    "schedule_triangular",
    kind="schedule",
    source=(
        "lopesquintas2026complements, Échéancier: Par cycle",
        "smith2017cyclical, Section 3.2",
    ),
    domain={"init_value": at_least(0), "peak_value": at_least(0), "half_cycle_steps": at_least(1)},
    draw={"peak_value": greater_than(0)},
    neighbours=(
        "schedule_triangular_step_from_one",
        "schedule_triangular_step_late",
        "schedule_triangular_whole_for_half",
        "schedule_triangular_halving",
        "schedule_triangular_sawtooth",
        "schedule_triangular_once",
        "schedule_triangular_from_the_peak",
    ),
)
def schedule_triangular(step: int, *, init_value: Scalar, peak_value: Scalar, half_cycle_steps: int) -> Scalar:
    r"""Rise and fall linearly between two levels, in cycles.

    .. math::

        c &= \left\lfloor 1 + \frac{t}{2s} \right\rfloor \\
        x &= \left\lvert \frac{t}{s} - 2c + 1 \right\rvert \\
        \eta_t &= \eta_{\min} + (\eta_{\max} - \eta_{\min}) \max(0, 1 - x)

    Parameters
    ----------
    step : int
        :math:`t \ge 0`, completed updates.
    init_value : scalar
        :math:`\eta_{\min} \ge 0`, the rate at the start and at the end of each cycle.
    peak_value : scalar
        :math:`\eta_{\max} \ge 0`, the rate in the middle of each cycle.
    half_cycle_steps : int
        :math:`s \ge 1`, half the length of a cycle.

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
    The documents draw the curve and print no formula; this is the one of the paper. A program may round
    the quotient before it subtracts whole cycles, and so its bound grows with their number.

    Examples
    --------
    >>> [schedule_triangular(t, init_value=0.0, peak_value=1.0, half_cycle_steps=2) for t in range(6)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]
    """
    c = 1 + step // (2 * half_cycle_steps)
    x = abs(Fraction(step, half_cycle_steps) - 2 * c + 1)
    return level(init_value, peak_value, 1 - x, turns=2 * c)
