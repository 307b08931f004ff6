"""Nesterov's method with a momentum of its own in every step, and the momenta that it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from oracle.arithmetic.primitives import namespace

__all__ = ["accelerated_path", "growing_momentum", "nesterov_momenta"]


def growing_momentum(step: Any) -> Any:
    r"""Return the momentum that grows with the steps so that no strong convexity is needed.

    .. math::

        \mu_t = \frac{t - 1}{t + 2}

    Parameters
    ----------
    step : int, Fraction or float
        :math:`t \ge 1`, the update after which the path looks ahead.

    Notes
    -----
    The documents say that Nesterov's method needs a schedule for its momentum and print none. This is the customary
    rational one; that of nesterov1983method is `nesterov_momenta`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> [str(growing_momentum(Fraction(t))) for t in (1, 2, 3)]
    ['0', '1/4', '2/5']
    """
    return (step - 1) / (step + 2)


def nesterov_momenta(first: Any, steps: int) -> list[Any]:
    r"""Return Nesterov's own momenta.

    .. math::

        \lambda_1 &= 1, \quad \lambda_{t+1} = \frac{1 + \sqrt{1 + 4 \lambda_t^2}}{2} \\
        \mu_t &= \frac{\lambda_t - 1}{\lambda_{t+1}}

    Parameters
    ----------
    first : scalar
        The number 1 in the number system of the result.
    steps : int

    Returns
    -------
    list of scalar
        :math:`\mu_1, \dots, \mu_T`, from 0 towards 1.

    Notes
    -----
    nesterov1983method, the accelerated method.

    Examples
    --------
    >>> [round(float(momentum), 4) for momentum in nesterov_momenta(1.0, 3)]
    [0.0, 0.2818, 0.434]
    """
    xp = namespace(first)
    momenta = []
    for _ in range(steps):
        after = (1 + xp.sqrt(1 + 4 * first**2)) / 2
        momenta.append((first - 1) / after)
        first = after
    return momenta


def accelerated_path(gradient: Callable[[Any], Any], start: Any, rate: Any, momenta: Sequence[Any]) -> list[Any]:
    r"""Return the path of Nesterov's method, whose gradients are taken where the momentum leads.

    .. math::

        x_t &= y_{t-1} - \eta \nabla f(y_{t-1}) \\
        y_t &= x_t + \mu_t (x_t - x_{t-1})

    Parameters
    ----------
    gradient : callable
        Maps parameters to their gradient.
    start : number or array
        :math:`x_0 = y_0`.
    rate : scalar
        :math:`\eta`.
    momenta : sequence of scalar
        :math:`\mu_1, \dots, \mu_T`.

    Returns
    -------
    list
        :math:`x_1, \dots, x_T`.

    Notes
    -----
    nesterov1983method, the accelerated method; for a convex loss with a Lipschitz gradient of constant
    :math:`1 / \eta` and either of the momenta above, :math:`f(x_T) - f(x^*) \le 2 \lVert x_0 - x^* \rVert^2 / (\eta (T
    + 1)^2)`.

    Where the momentum varies this is not ``momentum_nesterov``, whose velocity keeps :math:`\mu_t` of itself; here it
    keeps :math:`\mu_{t-1}`, and looks ahead by :math:`\mu_t`.

    Examples
    --------
    >>> accelerated_path(lambda x: x, 8.0, 0.5, [0.5, 0.5])
    [4.0, 1.0]
    """
    here = ahead = start
    path = []
    for momentum in momenta:
        before, here = here, ahead - rate * gradient(ahead)
        ahead = here + momentum * (here - before)
        path.append(here)
    return path
