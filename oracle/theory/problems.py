"""Problems whose smoothness, minimum and noise are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oracle.theory.finite_sum import FiniteSum, Loss, Number, Vector
from oracle.training.sampling import expectation

__all__ = ["bowls", "shifted", "tilted"]


def bowls(centres: Sequence[Vector], *, curvature: Number) -> FiniteSum:
    r"""Half squared distances from points, on which the theorems are attained.

    .. math::

        \ell_i(\theta) = \frac{\beta}{2} \lVert \theta - c_i \rVert^2, \qquad
        \sigma^2 = \frac{\beta^2}{n} \sum_i \lVert c_i - \bar c \rVert^2

    Parameters
    ----------
    centres : sequence of vector
        :math:`c_1, \dots, c_n`.
    curvature : number
        :math:`\beta > 0`.

    Returns
    -------
    FiniteSum
        Its gradients have the same covariance everywhere.

    Examples
    --------
    >>> from fractions import Fraction
    >>> import numpy as np
    >>> problem = bowls([np.array([Fraction(c)]) for c in (0, 1, 3)], curvature=Fraction(2))
    >>> problem.variance(np.array([Fraction(5)])), problem.minimum
    (Fraction(56, 9), Fraction(14, 9))
    """

    def loss(centre: Vector) -> Loss:
        return Loss(
            value=lambda param: curvature * ((param - centre) @ (param - centre)) / 2,
            gradient=lambda param: curvature * (param - centre),
        )

    losses, middle = tuple(map(loss, centres)), expectation(centres)
    return FiniteSum(losses, curvature, expectation(loss.value(middle) for loss in losses))


def tilted(
    value: Callable[[Vector], Number],
    gradient: Callable[[Vector], Vector],
    *,
    smoothness: Number,
    minimum: Number,
    slopes: Sequence[Vector],
) -> FiniteSum:
    r"""One function, tilted differently for each sample: noise that is the same everywhere.

    .. math::

        \ell_i(\theta) = f(\theta) + \langle a_i - \bar a, \theta \rangle, \qquad
        \sigma^2 = \frac1n \sum_i \lVert a_i - \bar a \rVert^2

    Parameters
    ----------
    value, gradient : callable
        :math:`f`, convex or not, and :math:`\nabla f`.
    smoothness, minimum : number
        A Lipschitz constant of :math:`\nabla f`, and the least value of :math:`f`.
    slopes : sequence of vector
        :math:`a_1, \dots, a_n`.

    Returns
    -------
    FiniteSum
        Its mean is :math:`f`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> import numpy as np
    >>> slopes = [np.array([Fraction(a)]) for a in (0, 2)]
    >>> flat = tilted(lambda x: 0 * x @ x, lambda x: 0 * x, smoothness=1, minimum=0, slopes=slopes)
    >>> flat.variance(np.array([Fraction(7)]))
    Fraction(1, 1)
    """
    level = expectation(slopes)

    def loss(slope: Vector) -> Loss:
        return Loss(
            value=lambda param: value(param) + (slope - level) @ param,
            gradient=lambda param: gradient(param) + (slope - level),
        )

    return FiniteSum(tuple(map(loss, slopes)), smoothness, minimum)


def shifted(problem: FiniteSum, constant: Number) -> FiniteSum:
    r"""Add a constant to every loss, :math:`\ell_i + k`: nothing that descent could notice.

    Examples
    --------
    >>> from fractions import Fraction
    >>> import numpy as np
    >>> shifted(bowls([np.array([Fraction(1)])], curvature=Fraction(2)), Fraction(3)).minimum
    Fraction(3, 1)
    """

    def raised(loss: Loss) -> Loss:
        return Loss(value=lambda param: loss.value(param) + constant, gradient=loss.gradient)

    return FiniteSum(tuple(map(raised, problem.losses)), problem.smoothness, problem.minimum + constant)
