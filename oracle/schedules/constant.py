"""A learning rate that stays what it is."""

from __future__ import annotations

from oracle.domains import at_least
from oracle.formula import Scalar, formula

__all__ = ["schedule_constant"]


@formula(
    "schedule_constant",
    kind="schedule",
    source=(
        "lopesquintas2026complements, Échéancier: Classique",
        "bourmaudnetworks, Evolution du pas d'apprentissage",
    ),
    domain={"init_value": at_least(0)},
    neighbours=(
        "schedule_constant_zero_first",
        "schedule_constant_halved",
        "schedule_constant_decreasing",
    ),
)
def schedule_constant(step: int, *, init_value: Scalar) -> Scalar:  # noqa: ARG001 - a constant ignores the step
    r"""Keep the learning rate.

    .. math::

        \eta_t = \eta

    Parameters
    ----------
    step : int
        :math:`t \ge 0`, completed updates.
    init_value : scalar
        :math:`\eta \ge 0`.

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
    Neither sum of the Robbins-Monro conditions converges: :math:`\sum_t \eta_t = \infty`, as they ask,
    and :math:`\sum_t \eta_t^2 = \infty`, which leaves noise of the size of :math:`\eta`.

    Examples
    --------
    >>> schedule_constant(1000, init_value=0.5)
    0.5
    """
    return init_value
