"""The gradient of a large batch, gathered from smaller chunks before one update."""

from __future__ import annotations

from collections.abc import Sequence

from oracle.domains import at_least
from oracle.formula import Array, require_count
from oracle.training.batches import batch_mean, batch_sum

__all__ = ["accumulated_mean", "accumulated_sum", "mean_of_chunk_means"]

Chunks = Sequence[Sequence[Array]]


def accumulated_sum(chunks: Chunks) -> Array:
    r"""Gather sums: the large batch's own.

    .. math::

        \sum_j \sum_{i \in \Omega^{(j)}} \frac{\partial l_i}{\partial \theta}

    Parameters
    ----------
    chunks : sequence of sequence of array, shape (...)
        The gradients of the samples of each chunk, all taken at the same parameters.

    Returns
    -------
    array, shape (...)

    Notes
    -----
    Bourmaud's slides, "Apprendre sur une grande base de données annotées"; what repeated backward passes do in torch.

    Examples
    --------
    >>> accumulated_sum([[1, 2, 3], [6]])
    12
    """
    return batch_sum([batch_sum(chunk) for chunk in chunks])


def accumulated_mean(chunks: Chunks) -> Array:
    r"""Gather means, each with the weight of its chunk: the large batch's own.

    .. math::

        \sum_j \frac{|\Omega^{(j)}|}{|\Omega|}
            \cdot \frac{1}{|\Omega^{(j)}|} \sum_{i \in \Omega^{(j)}} \frac{\partial l_i}{\partial \theta}

    Parameters
    ----------
    chunks : sequence of sequence of array, shape (...)
        The gradients of the samples of each chunk, all taken at the same parameters; at least one in each.

    Returns
    -------
    array, shape (...)

    Raises
    ------
    DomainError
        If there is no chunk, or one is empty.

    Examples
    --------
    >>> accumulated_mean([[1, 2, 3], [6]])
    3.0
    """
    require_count("chunks", len(chunks), at_least(1))
    return batch_sum([len(chunk) * batch_mean(chunk) for chunk in chunks]) / sum(map(len, chunks))


def mean_of_chunk_means(chunks: Chunks) -> Array:
    r"""Average the means of chunks, whatever their sizes: the large batch's mean only if they are equal.

    .. math::

        \frac1k \sum_{j=1}^k \frac{1}{|\Omega^{(j)}|} \sum_{i \in \Omega^{(j)}} \frac{\partial l_i}{\partial \theta}

    Parameters
    ----------
    chunks : sequence of sequence of array, shape (...)
        The gradients of the samples of each chunk; at least one in each.

    Returns
    -------
    array, shape (...)

    Raises
    ------
    DomainError
        If there is no chunk, or one is empty.

    Notes
    -----
    What libraries with losses in the mean do when they divide by the number of chunks.

    Examples
    --------
    >>> mean_of_chunk_means([[1, 2, 3], [6]])
    4.0
    """
    return batch_mean([batch_mean(chunk) for chunk in chunks])
