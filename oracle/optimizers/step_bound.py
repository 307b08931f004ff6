"""How long a step of Adam can be: a sharp constant, and the gradients that attain it."""

from __future__ import annotations

import math
from numbers import Real

from oracle.arithmetic.primitives import namespace
from oracle.domains import Domain, at_least, half_open
from oracle.errors import DomainError
from oracle.formula import Scalar

__all__ = [
    "longest_step_gradients",
    "paper_step_bound",
    "squared_step_bound",
    "squared_step_bound_limit",
    "step_bound",
    "step_bound_limit",
]

_DOMAIN = {"beta1": half_open(0, 1), "beta2": Domain(0, 1, low_open=True, high_open=True), "step": at_least(1)}


def _require(**arguments: Scalar) -> None:
    """Raise unless every plain number lies in its domain."""
    for name, value in arguments.items():
        if isinstance(value, Real):
            _DOMAIN[name].require(name, value)  # type: ignore[arg-type]  # fractions compare like floats


def _sqrt(square: Scalar) -> Scalar:
    return namespace(square).sqrt(square)


def squared_step_bound(beta1: Scalar, beta2: Scalar, step: int) -> Scalar:
    r"""Return the square of `step_bound`, which is rational in the betas.

    .. math::

        C_t^2 = \sum_{i=1}^{t} \frac{a_i^2}{b_i} = \Big( \frac{1 - \beta_1}{1 - \beta_1^t} \Big)^2
            \frac{1 - \beta_2^t}{1 - \beta_2} \sum_{j=0}^{t-1} \Big( \frac{\beta_1^2}{\beta_2} \Big)^j

    Parameters
    ----------
    beta1, beta2 : scalar
        Numbers of any one system, fractions too; :math:`0 \le \beta_1 < 1` and :math:`0 < \beta_2 < 1`.
    step : int
        :math:`t \ge 1`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Examples
    --------
    >>> from fractions import Fraction
    >>> squared_step_bound(Fraction(1, 2), Fraction(3, 4), 2)
    Fraction(28, 27)
    """
    _require(beta1=beta1, beta2=beta2, step=step)
    ratio, gathered = beta1**2 / beta2, 1
    for _ in range(step - 1):
        gathered = 1 + ratio * gathered
    return ((1 - beta1) / (1 - beta1**step)) ** 2 * (1 - beta2**step) / (1 - beta2) * gathered


def step_bound(beta1: Scalar, beta2: Scalar, step: int) -> Scalar:
    r"""Return the largest :math:`|\hat m_t| / \sqrt{\hat v_t}` that any gradients give.

    .. math::

        \frac{|\hat m_t|}{\sqrt{\hat v_t}} \le C_t = \sqrt{\sum_{i=1}^{t} \frac{a_i^2}{b_i}}, \qquad
        a_i = \frac{(1 - \beta_1) \beta_1^{t-i}}{1 - \beta_1^t}, \quad
        b_i = \frac{(1 - \beta_2) \beta_2^{t-i}}{1 - \beta_2^t}

    Parameters
    ----------
    beta1, beta2 : scalar
        Numbers of a system with roots; :math:`0 \le \beta_1 < 1` and :math:`0 < \beta_2 < 1`.
    step : int
        :math:`t \ge 1`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Notes
    -----
    Both corrected averages are weighted means, :math:`\hat m_t = \sum_i a_i g_i` and
    :math:`\hat v_t = \sum_i b_i g_i^2`, so this is the Cauchy-Schwarz inequality, and its equality
    case are the gradients of `longest_step_gradients`. A step of Adam is at most :math:`\eta C_t`
    long, and with an epsilon it is shorter. :math:`C_t` is 1 at the first step and for equal betas,
    and above 1 in every other case.

    Examples
    --------
    >>> from oracle.exact import exact
    >>> float(exact(step_bound, 0.9, 0.999, 1000))
    5.7811602003495945
    """
    return _sqrt(squared_step_bound(beta1, beta2, step))


def squared_step_bound_limit(beta1: Scalar, beta2: Scalar) -> Scalar:
    r"""Return the square of `step_bound_limit`, which is rational in the betas.

    .. math::

        C_\infty^2 = \frac{(1 - \beta_1)^2}{(1 - \beta_2) (1 - \beta_1^2 / \beta_2)}

    Parameters
    ----------
    beta1, beta2 : scalar
        Numbers of any one system, fractions too; :math:`0 \le \beta_1 < 1` and :math:`\beta_1^2 < \beta_2 < 1`.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Examples
    --------
    >>> from fractions import Fraction
    >>> squared_step_bound_limit(Fraction(1, 2), Fraction(3, 4))
    Fraction(3, 2)
    """
    _require(beta1=beta1, beta2=beta2)
    if isinstance(beta1, Real) and beta1**2 >= beta2:
        raise DomainError(f"beta1**2 must be below beta2 for the bound to have a limit, got {beta1=} and {beta2=}")
    return (1 - beta1) ** 2 / ((1 - beta2) * (1 - beta1**2 / beta2))


def step_bound_limit(beta1: Scalar, beta2: Scalar) -> Scalar:
    r"""Return what `step_bound` tends to as the steps go on.

    .. math::

        C_\infty = \frac{1 - \beta_1}{\sqrt{(1 - \beta_2) (1 - \beta_1^2 / \beta_2)}}

    Parameters
    ----------
    beta1, beta2 : scalar
        Numbers of a system with roots; :math:`0 \le \beta_1 < 1` and :math:`\beta_1^2 < \beta_2 < 1`. For smaller
        :math:`\beta_2` the bound grows without limit.

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Examples
    --------
    >>> from oracle.exact import exact
    >>> float(exact(step_bound_limit, 0.9, 0.999))
    7.270291799999694
    """
    return _sqrt(squared_step_bound_limit(beta1, beta2))


def longest_step_gradients(beta1: Scalar, beta2: Scalar, steps: int) -> list[Scalar]:
    r"""Return gradients whose every step of Adam without epsilon is as long as any can be.

    .. math::

        g_i = \Big( \frac{\beta_2}{\beta_1} \Big)^i \propto \frac{a_i}{b_i}, \qquad i = 1, \dots, t

    Parameters
    ----------
    beta1, beta2 : scalar
        Numbers of any one system, fractions too; :math:`0 < \beta_1 < 1` and :math:`0 < \beta_2 < 1`.
    steps : int
        :math:`t \ge 1`, the number of gradients.

    Notes
    -----
    Up to a common factor there are no others: this is the equality case of `step_bound`.

    Examples
    --------
    >>> longest_step_gradients(0.25, 0.5, 3)
    [2.0, 4.0, 8.0]
    """
    return [(beta2 / beta1) ** i for i in range(1, steps + 1)]


def paper_step_bound(beta1: float, beta2: float) -> float:
    r"""Return the bound on :math:`|\hat m_t| / \sqrt{\hat v_t}` that the paper of Adam prints; it is none.

    .. math::

        \frac{1 - \beta_1}{\sqrt{1 - \beta_2}} \text{ if } 1 - \beta_1 > \sqrt{1 - \beta_2}, \text{ else } 1

    Parameters
    ----------
    beta1, beta2 : float
        In :math:`[0, 1)`.

    Notes
    -----
    Section 2.1 of kingma2015adam. It is what a single gradient after many zeros gives in the limit;
    `longest_step_gradients` go beyond.

    Examples
    --------
    >>> paper_step_bound(0.5, 0.9375)
    2.0
    """
    return max(1.0, (1 - beta1) / math.sqrt(1 - beta2))
