"""Two ways to choose a learning rate: by trials, and by one run in which it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from numbers import Real
from typing import NamedTuple

from oracle.domains import at_least, greater_than
from oracle.errors import ShapeError
from oracle.formula import Scalar, require_count

__all__ = [
    "Trial",
    "grid_search",
    "lr_range_test",
    "lr_range_test_linear_axis",
    "range_test_factor",
    "range_test_rates",
]


class Trial(NamedTuple):
    """A learning rate, and where training with it ended."""

    learning_rate: Scalar
    loss: Scalar


def grid_search(rates: Iterable[Scalar], final_loss: Callable[[Scalar], Scalar]) -> Trial:
    """Train with every learning rate and keep the best.

    Parameters
    ----------
    rates : iterable of scalar
        The grid, at least one.
    final_loss : callable
        Trains with a learning rate and returns the loss that counts.

    Returns
    -------
    Trial
        Of equally good ones the first.

    Raises
    ------
    DomainError
        If the grid is empty.

    Notes
    -----
    Bourmaud's slides, "Définir la valeur du pas d'apprentissage", Solution 1.

    Examples
    --------
    >>> grid_search([1, 2, 4], lambda rate: (rate - 3) ** 2)
    Trial(learning_rate=2, loss=1)
    """
    trials = [Trial(rate, final_loss(rate)) for rate in rates]
    require_count("rates", len(trials), at_least(1))
    return min(trials, key=lambda trial: trial.loss)


def range_test_factor(first: Scalar, last: Scalar, count: int) -> Scalar:
    r"""Return the factor by which a learning rate grows from one end of a range to the other.

    .. math::

        q = (\alpha_{\max} / \alpha_0)^{1 / (K - 1)}

    Parameters
    ----------
    first, last : scalar
        :math:`0 < \alpha_0 < \alpha_{\max}`; floats or expressions, in which the root is exact.
    count : int
        :math:`K \ge 2`.

    Returns
    -------
    scalar

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Examples
    --------
    >>> import sympy
    >>> range_test_factor(sympy.Rational(1, 10**7), sympy.Integer(10), 9)
    10
    """
    require_count("count", count, at_least(2))
    if isinstance(first, Real) and isinstance(last, Real):
        greater_than(0).require("first", float(first))
        greater_than(float(first)).require("last", float(last))
    return (last / first) ** Fraction(1, count - 1)


def range_test_rates(first: Scalar, factor: Scalar, count: int) -> list[Scalar]:
    r"""Return the learning rates of a range test, one for each minibatch.

    .. math::

        \alpha_k = \alpha_0 q^k, \quad k = 0, \dots, K - 1

    Parameters
    ----------
    first : scalar
        :math:`\alpha_0 > 0`, very small: Bourmaud's slides say 1e-7.
    factor : scalar
        :math:`q > 1`, so that the rate grows at every minibatch: see `range_test_factor`.
    count : int
        :math:`K \ge 2`.

    Returns
    -------
    list of scalar

    Raises
    ------
    DomainError
        If an argument lies outside the domain above.

    Examples
    --------
    >>> range_test_rates(1, 10, 4)
    [1, 10, 100, 1000]
    """
    require_count("count", count, at_least(2))
    for name, value, domain in (("first", first, greater_than(0)), ("factor", factor, greater_than(1))):
        if isinstance(value, Real):
            domain.require(name, value)  # type: ignore[arg-type]  # fractions compare like floats
    return [first * factor**k for k in range(count)]


def _steepest_fall(rates: Sequence[Scalar], losses: Sequence[Scalar], axis: Sequence[Scalar]) -> Scalar:
    if len(rates) != len(losses):
        raise ShapeError(f"rates and losses must have equal length, got {len(rates)} and {len(losses)}")
    require_count("rates", len(rates), at_least(2))
    slopes = [(losses[k + 1] - losses[k]) / (axis[k + 1] - axis[k]) for k in range(len(rates) - 1)]
    return rates[slopes.index(min(slopes))]


def lr_range_test(rates: Sequence[Scalar], losses: Sequence[Scalar]) -> Scalar:
    r"""Return the learning rate at which the loss falls fastest against the rate's logarithm.

    .. math::

        \alpha_{k^*}, \qquad k^* = \arg\min_k (L_{k+1} - L_k)
            = \arg\min_k \frac{L_{k+1} - L_k}{\ln \alpha_{k+1} - \ln \alpha_k}

    Parameters
    ----------
    rates : sequence of scalar
        :math:`\alpha_k`, at least two, in a geometric progression: see `range_test_rates`.
    losses : sequence of scalar
        :math:`L_k`, of the minibatch before the update with :math:`\alpha_k`; smoothed beforehand if wanted.

    Returns
    -------
    scalar
        Of equally steep falls the first.

    Raises
    ------
    DomainError
        If there are fewer than two rates.
    ShapeError
        If there are not as many losses as rates.

    Notes
    -----
    Bourmaud's slides ("Définir la valeur du pas d'apprentissage", Solution 2) say "gradient le plus négatif", which
    is the slope of the loss curve; they leave the axis open. The other one is `lr_range_test_linear_axis`.

    Examples
    --------
    >>> lr_range_test([1, 10, 100, 1000], [9, 8, 2, 5])
    10
    """
    return _steepest_fall(rates, losses, range(len(rates)))


def lr_range_test_linear_axis(rates: Sequence[Scalar], losses: Sequence[Scalar]) -> Scalar:
    r"""Return the learning rate at which the loss falls fastest against the rate itself.

    .. math::

        \alpha_{k^*}, \qquad k^* = \arg\min_k \frac{L_{k+1} - L_k}{\alpha_{k+1} - \alpha_k}

    Parameters
    ----------
    rates : sequence of scalar
        :math:`\alpha_k`, at least two, increasing.
    losses : sequence of scalar
        :math:`L_k`, of the minibatch before the update with :math:`\alpha_k`.

    Returns
    -------
    scalar
        Of equally steep falls the first; small rates weigh more, by :math:`1 / \alpha`.

    Raises
    ------
    DomainError
        If there are fewer than two rates.
    ShapeError
        If there are not as many losses as rates.

    Examples
    --------
    >>> lr_range_test_linear_axis([1, 10, 100, 1000], [9, 8, 2, 5])
    1
    """
    return _steepest_fall(rates, losses, rates)
