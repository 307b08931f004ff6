"""AdaGrad on x^2 + 3 y^2, where it does not see that one direction is three times as steep as the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.arithmetic.primitives import namespace, quotient
from oracle.exact import exact
from oracle.formula import Formula, initial_state
from oracle.optimizers.adagrad import adagrad
from oracle.optimizers.descent import gd

__all__ = ["CURVATURES", "Point", "descent_path", "follow", "loss", "path", "scaled_path"]

Point = tuple[float, float]

#: Second derivatives of the loss along x and y; it is 6-smooth and 2-strongly convex.
CURVATURES = np.array([2.0, 6.0])


def loss(x: Any, y: Any) -> Any:
    """Return the height :math:`x^2 + 3 y^2`, of which the minimum is 0 at the origin."""
    return x**2 + 3 * y**2


def follow(formula: Formula, start: Any, steps: int, **hyperparameters: Any) -> list[Any]:
    """Let an optimizer descend the loss, in any number system.

    Parameters
    ----------
    formula : Formula
        Of an optimizer.
    start : array, shape (2,)
    steps : int
    **hyperparameters : scalar

    Returns
    -------
    list of array
        The start, and the parameters after each step.
    """
    param, state = start, initial_state(formula.state_type, namespace(start).zeros_like(start))
    params = [param]
    for _ in range(steps):
        param, state = formula(param, CURVATURES * param, state, **hyperparameters)
        params.append(param)
    return params


def path(rate: float, start: Point, steps: int, eps: float = 0.0) -> list[Point]:
    r"""Return the points of AdaGrad, every coordinate correctly rounded.

    Parameters
    ----------
    rate : float
        Learning rate, above 0.
    start : tuple of float
        :math:`(x_0, y_0)`; the documents name none.
    steps : int
        Updates; the documents draw 10.
    eps : float
        Added outside the root.

    Returns
    -------
    list of tuple of float
        ``steps + 1`` points, the start among them.

    Examples
    --------
    >>> path(1.0, (2.0, -1.0), 1)
    [(2.0, -1.0), (1.0, 0.0)]
    """
    return _points(adagrad, start, steps, learning_rate=rate, eps=eps)


def descent_path(rate: float, start: Point, steps: int) -> list[Point]:
    r"""Return the points of gradient descent, :math:`x_t = (1 - 2 \eta)^t x_0` and :math:`y_t = (1 - 6 \eta)^t y_0`.

    Parameters
    ----------
    rate : float
        Learning rate; descent converges if it is below 1/3.
    start : tuple of float
    steps : int

    Returns
    -------
    list of tuple of float
        ``steps + 1`` points, the start among them.

    Examples
    --------
    >>> descent_path(0.25, (2.0, 2.0), 2)
    [(2.0, 2.0), (1.0, -1.0), (0.5, 0.5)]
    """
    return _points(gd, start, steps, learning_rate=rate)


def scaled_path(start: Any, steps: int) -> list[Any]:
    r"""Return the path of one coordinate in units of the learning rate, whatever its curvature.

    .. math::

        r_{t+1} = r_t \left(1 - \frac{1}{\sqrt{\sum_{s \le t} r_s^2}}\right)

    Parameters
    ----------
    start : array
        :math:`r_0 = x_0 / \eta`, in any number system.
    steps : int

    Returns
    -------
    list of array
        :math:`r_0, \dots, r_T`; what has hit the minimum stays there.
    """
    xp = namespace(start)
    places, squares = [start], xp.zeros_like(start)
    for _ in range(steps):
        here = places[-1]
        squares = squares + here**2
        places.append(here - quotient(here, xp.sqrt(squares)))
    return places


def _points(formula: Formula, start: Point, steps: int, **hyperparameters: float) -> list[Point]:
    def follow_exactly(begin: Any, values: Any) -> list[Any]:
        return follow(formula, begin, steps, **values)

    formula.require(hyperparameters)
    points = exact(follow_exactly, np.array(start, dtype=np.float64), hyperparameters)
    return [(float(x), float(y)) for x, y in points]
