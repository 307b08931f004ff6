"""What the samples of a batch add up to, and how far a batch is from all samples."""

from __future__ import annotations

from collections.abc import Sequence

from oracle.domains import at_least, closed
from oracle.formula import Array, require_count

__all__ = ["batch_mean", "batch_sum", "centred_noise", "chosen", "left_out"]


def chosen(terms: Sequence[Array], batch: Sequence[int]) -> list[Array]:
    """Return the terms of the samples of a batch.

    Parameters
    ----------
    terms : sequence of array
        One for every sample.
    batch : sequence of int
        Samples, counted from 0; one may occur several times.

    Raises
    ------
    DomainError
        If there is no such sample.

    Examples
    --------
    >>> chosen([2, 3, 5], (2, 0))
    [5, 2]
    """
    for index in batch:
        require_count("index", index, closed(0, len(terms) - 1))
    return [terms[index] for index in batch]


def batch_sum(terms: Sequence[Array]) -> Array:
    r"""Add up the losses, or the gradients, of the samples of a batch.

    .. math::

        \sum_{i \in \Omega} \frac{\partial l_i}{\partial \theta}

    Parameters
    ----------
    terms : sequence of array, shape (...)
        One for every sample of the batch.

    Returns
    -------
    array, shape (...)
        Added in order; the empty sum is 0.

    Notes
    -----
    The convention of Bourmaud's slides ("Apprendre sur une grande base de données annotées").

    Examples
    --------
    >>> from fractions import Fraction
    >>> batch_sum([Fraction(1, 2), Fraction(1, 3)])
    Fraction(5, 6)
    """
    return sum(terms)


def batch_mean(terms: Sequence[Array]) -> Array:
    r"""Average the losses, or the gradients, of the samples of a batch.

    .. math::

        \frac{1}{n_B} \sum_{i \in \mathcal B} \nabla \ell_i

    Parameters
    ----------
    terms : sequence of array, shape (...)
        One for every sample of the batch, at least one.

    Returns
    -------
    array, shape (...)

    Raises
    ------
    DomainError
        If the batch is empty.

    Notes
    -----
    The convention of Lopès-Quintas' slides ("Annexe : SGD par mini-batch") and the default of most libraries.

    Examples
    --------
    >>> from fractions import Fraction
    >>> batch_mean([Fraction(1, 2), Fraction(1, 3)])
    Fraction(5, 12)
    """
    require_count("size", len(terms), at_least(1))
    return batch_sum(terms) / len(terms)


def left_out(terms: Sequence[Array], batch: Sequence[int]) -> Array:
    r"""Add up the samples that are not in a batch: by how much its sum falls short of the whole.

    .. math::

        \sum_{i \in \Omega} \frac{\partial l_i}{\partial \theta}
            = \sum_{i=1}^N \frac{\partial l_i}{\partial \theta} - \sum_{i \notin \Omega} \frac{\partial l_i}{\partial \theta}

    Parameters
    ----------
    terms : sequence of array, shape (...)
        One for every sample.
    batch : sequence of int
        Samples, counted from 0, each at most once.

    Returns
    -------
    array, shape (...)
        The last sum.

    Raises
    ------
    DomainError
        If there is no such sample.

    Notes
    -----
    Bourmaud's slides call it the noise, but its mean is not 0: see `centred_noise`.

    Examples
    --------
    >>> left_out([2, 3, 5], (0,))
    8
    """
    for index in batch:
        require_count("index", index, closed(0, len(terms) - 1))
    return batch_sum([term for index, term in enumerate(terms) if index not in batch])


def centred_noise(terms: Sequence[Array], batch: Sequence[int]) -> Array:
    r"""Return by how much the mean of a batch exceeds the mean of all samples.

    .. math::

        \xi = \frac{1}{|\Omega|} \sum_{i \in \Omega} \frac{\partial l_i}{\partial \theta}
            - \frac1N \sum_{i=1}^N \frac{\partial l_i}{\partial \theta}

    Parameters
    ----------
    terms : sequence of array, shape (...)
        One for every sample.
    batch : sequence of int
        Samples, counted from 0, at least one.

    Returns
    -------
    array, shape (...)
        Its mean over batches drawn uniformly is 0.

    Raises
    ------
    DomainError
        If the batch is empty or there is no such sample.

    Examples
    --------
    >>> from fractions import Fraction
    >>> centred_noise([Fraction(2), Fraction(3), Fraction(5)], (0,))
    Fraction(-4, 3)
    """
    return batch_mean(chosen(terms, batch)) - batch_mean(terms)
