"""Gradient descent on a parabola."""

from __future__ import annotations

from oracle.formula import NoState, Scalar
from oracle.optimizers.descent import gd

__all__ = ["descent_on_square", "square"]


def square(x: Scalar) -> Scalar:
    """Return the loss :math:`f(x) = x^2`."""
    return x**2


def descent_on_square(start: Scalar, *, learning_rate: Scalar, steps: int) -> list[Scalar]:
    r"""Descend :math:`f(x) = x^2`.

    .. math::

        x_t = x_{t-1} - 2 \eta x_{t-1} = (1 - 2 \eta)^t x_0

    Parameters
    ----------
    start : number
        :math:`x_0`; a float, a `fractions.Fraction`, or a number of any other system.
    learning_rate : number
        :math:`\eta \ge 0`, of the same kind.
    steps : int
        How many to take.

    Returns
    -------
    list of number
        :math:`x_0, x_1, \dots`, one more than there are steps.

    Notes
    -----
    The iterates tend to the minimum for :math:`0 < \eta < 1`, without a change of sign up to
    :math:`\eta = \tfrac12`, which reaches it in one step; at :math:`\eta = 1` they alternate forever.

    Source: lopesquintas2024updates, Méthode, the figure of a descent.

    Examples
    --------
    >>> from fractions import Fraction
    >>> [str(x) for x in descent_on_square(Fraction(1), learning_rate=Fraction(1, 4), steps=3)]
    ['1', '1/2', '1/4', '1/8']
    """
    points = [start]
    for _ in range(steps):
        x, _ = gd(points[-1], 2 * points[-1], NoState(), learning_rate=learning_rate)
        points.append(x)
    return points
