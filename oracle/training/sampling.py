"""Every batch that a draw can give, and what is expected of them.

All outcomes of an enumeration are equally likely, so that an expectation is a mean over them: in fractions
it is exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from oracle.arithmetic.primitives import namespace
from oracle.domains import at_least, closed
from oracle.errors import ShapeError
from oracle.formula import Array, Scalar, require_count
from oracle.training.batches import batch_mean

__all__ = [
    "covariance",
    "expectation",
    "minibatch_variance_with_replacement",
    "minibatch_variance_without_replacement",
    "total_variance",
    "with_replacement",
    "without_replacement",
]


def with_replacement(count: int, size: int) -> Iterator[tuple[int, ...]]:
    """Enumerate the batches of independent uniform draws.

    Parameters
    ----------
    count : int
        Number of samples, at least 1.
    size : int
        Number of draws, at least 1; it may exceed the count.

    Returns
    -------
    iterator of tuple of int
        ``count**size`` sequences of samples, counted from 0.

    Raises
    ------
    DomainError
        If a number is too small.

    Examples
    --------
    >>> list(with_replacement(2, 2))
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    require_count("count", count, at_least(1))
    require_count("size", size, at_least(1))
    return itertools.product(range(count), repeat=size)


def without_replacement(count: int, size: int) -> Iterator[tuple[int, ...]]:
    """Enumerate the batches in which no sample occurs twice.

    Parameters
    ----------
    count : int
        Number of samples, at least 1.
    size : int
        Size of a batch, from 1 to the count.

    Returns
    -------
    iterator of tuple of int
        All subsets of this size, samples counted from 0.

    Raises
    ------
    DomainError
        If a number is too small or too large.

    Examples
    --------
    >>> list(without_replacement(3, 2))
    [(0, 1), (0, 2), (1, 2)]
    """
    require_count("count", count, at_least(1))
    require_count("size", size, closed(1, count))
    return itertools.combinations(range(count), size)


def expectation(outcomes: Iterable[Array]) -> Array:
    r"""Return the mean over equally likely outcomes, :math:`\mathbb E[X]`.

    Parameters
    ----------
    outcomes : iterable of array, shape (...)
        At least one.

    Returns
    -------
    array, shape (...)

    Raises
    ------
    DomainError
        If there is no outcome.

    Examples
    --------
    >>> from fractions import Fraction
    >>> expectation(Fraction(sum(batch), 2) for batch in with_replacement(3, 2))
    Fraction(1, 1)
    """
    return batch_mean(list(outcomes))


def covariance(left: Iterable[Array], right: Iterable[Array]) -> Array:
    r"""Return how two quantities vary together, coordinate by coordinate.

    .. math::

        \mathbb E[(X - \mathbb E X)(Y - \mathbb E Y)]

    Parameters
    ----------
    left, right : iterable of array, shape (...)
        Both quantities in each of the equally likely outcomes, in the same order.

    Returns
    -------
    array, shape (...)

    Raises
    ------
    DomainError
        If there is no outcome.
    ShapeError
        If there are not as many of one as of the other.

    Examples
    --------
    >>> from fractions import Fraction
    >>> covariance([Fraction(0), Fraction(1)], [Fraction(3), Fraction(1)])
    Fraction(-1, 2)
    """
    xs, ys = list(left), list(right)
    if len(xs) != len(ys):
        raise ShapeError(f"left and right must have equal length, got {len(xs)} and {len(ys)}")
    x_mean, y_mean = expectation(xs), expectation(ys)
    return expectation((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))


def total_variance(outcomes: Iterable[Array]) -> Scalar:
    r"""Return the mean squared distance from the mean, which is the trace of the covariance.

    .. math::

        \mathbb E \lVert X - \mathbb E X \rVert^2 = \mathbb E \lVert X \rVert^2 - \lVert \mathbb E X \rVert^2

    Parameters
    ----------
    outcomes : iterable of array, shape (...)
        At least one.

    Returns
    -------
    scalar

    Raises
    ------
    DomainError
        If there is no outcome.

    Examples
    --------
    >>> from fractions import Fraction
    >>> total_variance([Fraction(0), Fraction(0), Fraction(3)])
    Fraction(2, 1)
    """
    values = list(outcomes)
    by_coordinate = covariance(values, values)
    return namespace(by_coordinate).sum(by_coordinate)


def minibatch_variance_with_replacement(variance: Scalar, size: int) -> Scalar:
    r"""Return the variance of the mean of independent draws.

    .. math::

        \mathbb E \Big\lVert \frac{1}{n_B} \sum_{i \in \mathcal B} \nabla \ell_i - \nabla \mathcal L \Big\rVert^2
            = \frac{V}{n_B}

    Parameters
    ----------
    variance : scalar
        :math:`V`, of one draw: see `total_variance`.
    size : int
        :math:`n_B \ge 1`.

    Returns
    -------
    scalar

    Raises
    ------
    DomainError
        If the size is too small.

    Notes
    -----
    Lopès-Quintas' slides, "Annexe : SGD par mini-batch", Proposition 1. It is not 0 at :math:`n_B = n`.

    Examples
    --------
    >>> minibatch_variance_with_replacement(6, 4)
    1.5
    """
    require_count("size", size, at_least(1))
    return variance / size


def minibatch_variance_without_replacement(variance: Scalar, size: int, count: int) -> Scalar:
    r"""Return the variance of the mean of a uniform subset.

    .. math::

        \frac{V}{n_B} \cdot \frac{n - n_B}{n - 1}

    Parameters
    ----------
    variance : scalar
        :math:`V`, of one draw: see `total_variance`.
    size : int
        :math:`n_B`, from 1 to :math:`n`.
    count : int
        :math:`n \ge 2`.

    Returns
    -------
    scalar
        0 at :math:`n_B = n`, where the subset is everything.

    Raises
    ------
    DomainError
        If a number is too small or too large.

    Examples
    --------
    >>> minibatch_variance_without_replacement(6, 2, 5)
    2.25
    """
    require_count("count", count, at_least(2))
    require_count("size", size, closed(1, count))
    return variance * (count - size) / (size * (count - 1))
