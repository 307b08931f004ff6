"""The figures on gradient clipping: one vector cut in two manners, and a descent that clipping keeps from exploding."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oracle.clipping.by_norm import clip_by_norm
from oracle.clipping.by_value import clip_by_value
from oracle.exact import exact

__all__ = ["ClipGeometry", "clip_geometry_points", "quadratic_descent", "two_cycle"]

Floats = NDArray[np.float64]


class ClipGeometry(NamedTuple):
    """A gradient and what clipping makes of it, as vectors from the origin."""

    initial: Floats
    by_value: Floats
    by_norm: Floats


def clip_geometry_points(grad: Floats, threshold: float) -> ClipGeometry:
    r"""Clip one gradient to the box :math:`[-\alpha, \alpha]^d`, and to the ball of radius :math:`\alpha`.

    Parameters
    ----------
    grad : array, shape (d,)
    threshold : float
        :math:`\alpha \ge 0`, of both.

    Returns
    -------
    ClipGeometry
        Every number is the exact one, correctly rounded.

    References
    ----------
    .. [1] lopesquintas2024updates, Gradient clipping

    Examples
    --------
    >>> clip_geometry_points(np.array([4.0, 3.0]), 2.5)
    ClipGeometry(initial=array([4., 3.]), by_value=array([2.5, 2.5]), by_norm=array([2. , 1.5]))
    """
    return ClipGeometry(
        grad, exact(clip_by_value, grad, clip_value=threshold), exact(clip_by_norm, grad, max_norm=threshold)
    )


def quadratic_descent(
    start: Any, steps: int, *, learning_rate: Any, threshold: Any = None, centre: Any = 1, curvature: Any = 2
) -> list[Any]:
    r"""Descend along :math:`f(x) = \frac{h}{2} (x - c)^2`, with or without clipping of the gradient's norm.

    .. math::

        x_{t+1} = x_t - \eta \operatorname{clip}(h (x_t - c); \alpha)

    Parameters
    ----------
    start : number
        :math:`x_0`, of any system that is ordered: fractions stay fractions.
    steps : int
    learning_rate : number
        :math:`\eta`: 1.05 in the document.
    threshold : number, optional
        :math:`\alpha > 0`; nothing is clipped if not given. The document prints neither it nor the start.
    centre, curvature : number, optional
        :math:`c` and :math:`h > 0`: 1 and 2 in the document, whose function is :math:`(x - 1)^2`.

    Returns
    -------
    list of number
        :math:`x_0, \dots, x_T`.

    References
    ----------
    .. [1] lopesquintas2024updates, Gradient clipping - exemple

    Examples
    --------
    >>> from fractions import Fraction
    >>> quadratic_descent(Fraction(0), 2, learning_rate=Fraction(21, 20), threshold=1)
    [Fraction(0, 1), Fraction(21, 20), Fraction(189, 200)]
    """
    points = [start]
    for _ in range(steps):
        grad = curvature * (points[-1] - centre)
        if threshold is not None:
            grad = max(-threshold, min(threshold, grad))  # in one dimension the norm is the modulus
        points.append(points[-1] - learning_rate * grad)
    return points


def two_cycle(points: list[Any]) -> int | None:
    """Return the first step from which the points only alternate between two; None if they do not.

    Parameters
    ----------
    points : list of number
        Of a descent whose next point depends on the last alone.

    Examples
    --------
    >>> two_cycle([5, 3, 1, 2, 1, 2]), two_cycle([5, 3, 1])
    (2, None)
    """
    for step, (now, after) in enumerate(zip(points, points[2:], strict=False)):
        if now == after != points[step + 1]:
            return step
    return None
