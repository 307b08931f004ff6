"""What gradient descent promises on smooth losses: the classical bounds, each of them attained."""

from __future__ import annotations

from oracle.domains import at_least
from oracle.formula import Scalar, require_count

__all__ = ["descent_bound", "gd_contraction", "gd_convex_bound", "gd_optimal_rate"]


def descent_bound(loss: Scalar, squared_norm: Scalar, *, learning_rate: Scalar, smoothness: Scalar) -> Scalar:
    r"""Bound the loss after one step of gradient descent.

    .. math::

        \mathcal L(\theta_{t+1}) \le \mathcal L(\theta_t)
            - \eta \Big( 1 - \frac{\beta \eta}{2} \Big) \lVert \nabla \mathcal L(\theta_t) \rVert^2

    Parameters
    ----------
    loss : scalar
        :math:`\mathcal L(\theta_t)`.
    squared_norm : scalar
        :math:`\lVert \nabla \mathcal L(\theta_t) \rVert^2`.
    learning_rate : scalar
        :math:`\eta \ge 0`; the loss must fall for :math:`0 < \eta < 2 / \beta`.
    smoothness : scalar
        :math:`\beta > 0`, of the loss.

    Returns
    -------
    scalar
        Attained by :math:`\frac{\beta}{2} \lVert \theta - c \rVert^2`.

    Examples
    --------
    >>> descent_bound(8.0, 16.0, learning_rate=0.5, smoothness=1.0)
    2.0
    """
    return loss - learning_rate * (1 - smoothness * learning_rate / 2) * squared_norm


def gd_contraction(learning_rate: Scalar, *, convexity: Scalar, smoothness: Scalar) -> Scalar:
    r"""Bound the distance from the minimiser after a step, over that before.

    .. math::

        \frac{\lVert \theta_{t+1} - \theta^* \rVert}{\lVert \theta_t - \theta^* \rVert}
            \le \max(|1 - \eta \mu|, |1 - \eta \beta|)

    Parameters
    ----------
    learning_rate : scalar
        :math:`\eta \ge 0`, a number that compares.
    convexity, smoothness : scalar
        :math:`0 < \mu \le \beta`, of a strongly convex and smooth loss.

    Returns
    -------
    scalar
        Attained by a quadratic with the curvatures :math:`\mu` and :math:`\beta`; below 1 for
        :math:`0 < \eta < 2 / \beta`.

    Examples
    --------
    >>> gd_contraction(0.5, convexity=1.0, smoothness=3.0)
    0.5
    """
    return max(abs(1 - learning_rate * convexity), abs(1 - learning_rate * smoothness))


def gd_optimal_rate(*, convexity: Scalar, smoothness: Scalar) -> Scalar:
    r"""Return the learning rate that contracts most.

    .. math::

        \eta^* = \frac{2}{\mu + \beta}

    Parameters
    ----------
    convexity, smoothness : scalar
        :math:`0 < \mu \le \beta`, the extreme curvatures.

    Returns
    -------
    scalar
        Its contraction is :math:`(\kappa - 1) / (\kappa + 1)` with :math:`\kappa = \beta / \mu`.

    Examples
    --------
    >>> gd_optimal_rate(convexity=1.0, smoothness=3.0)
    0.5
    """
    return 2 / (convexity + smoothness)


def gd_convex_bound(squared_distance: Scalar, *, step_length: Scalar, smoothness: Scalar, steps: int) -> Scalar:
    r"""Bound how far the loss is from its minimum after some steps on a convex loss.

    .. math::

        \mathcal L(\theta_T) - \mathcal L^* \le \frac{\beta \lVert \theta_0 - \theta^* \rVert^2}{4 T h + 2}

    Parameters
    ----------
    squared_distance : scalar
        :math:`\lVert \theta_0 - \theta^* \rVert^2`.
    step_length : scalar
        :math:`h = \eta \beta`, with :math:`0 < h \le 1`.
    smoothness : scalar
        :math:`\beta > 0`.
    steps : int
        :math:`T \ge 0`.

    Returns
    -------
    scalar
        Attained by a parabola continued by its tangents.

    Raises
    ------
    DomainError
        If the number of steps is negative.

    Notes
    -----
    Drori and Teboulle, Performance of first-order methods for smooth convex minimization (2014), Theorem 3.1.

    Examples
    --------
    >>> gd_convex_bound(12.0, step_length=0.5, smoothness=3.0, steps=2)
    6.0
    """
    require_count("steps", steps, at_least(0))
    return smoothness * squared_distance / (4 * steps * step_length + 2)
