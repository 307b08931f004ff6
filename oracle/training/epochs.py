"""Passes over all samples: orders, their minibatches, and the samples kept for validation."""

from __future__ import annotations

import math
from collections.abc import Sequence

from oracle.domains import at_least, closed
from oracle.formula import require_count

__all__ = ["epoch", "order", "train_valid_split"]


def order(count: int, seed: int) -> tuple[int, ...]:
    """Return the order of samples that a seed numbers.

    Parameters
    ----------
    count : int
        Number of samples, from 0 on.
    seed : int
        From 0 on; the seeds below ``count!`` give every order once, lexicographically, and larger ones repeat them.

    Returns
    -------
    tuple of int
        Each sample once, counted from 0.

    Raises
    ------
    DomainError
        If a number is negative.

    Notes
    -----
    A seed drawn uniformly below ``count!`` shuffles uniformly: its digits in the factorial system choose, one after
    another, among the samples that are left.

    Examples
    --------
    >>> [order(3, seed) for seed in range(6)]
    [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    """
    require_count("count", count, at_least(0))
    require_count("seed", seed, at_least(0))
    left = list(range(count))
    rest = seed % math.factorial(count)
    places = []
    for remaining in range(count - 1, -1, -1):
        place, rest = divmod(rest, math.factorial(remaining))
        places.append(place)
    return tuple(left.pop(place) for place in places)


def epoch(order: Sequence[int], size: int, *, drop_last: bool = False) -> list[tuple[int, ...]]:
    r"""Cut an order of all samples into minibatches.

    Parameters
    ----------
    order : sequence of int
        Every sample once.
    size : int
        :math:`b \ge 1`; the last minibatch is shorter where :math:`b` does not divide the number :math:`N` of samples.
    drop_last : bool, optional
        Whether to leave a shorter one out.

    Returns
    -------
    list of tuple of int
        :math:`\lceil N / b \rceil` minibatches, or :math:`\lfloor N / b \rfloor` without a shorter one.

    Raises
    ------
    DomainError
        If the size is too small.

    Notes
    -----
    Bourmaud's slides, "Apprendre sur une grande base de données annotées": the size, and not the number, of the
    minibatches is given.

    Examples
    --------
    >>> epoch((3, 0, 4, 1, 2), 2)
    [(3, 0), (4, 1), (2,)]
    >>> epoch((3, 0, 4, 1, 2), 2, drop_last=True)
    [(3, 0), (4, 1)]
    """
    require_count("size", size, at_least(1))
    stop = len(order) - len(order) % size if drop_last else len(order)
    return [tuple(order[start : start + size]) for start in range(0, stop, size)]


def train_valid_split(order: Sequence[int], valid_count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Split the samples once and for all, before the first epoch.

    Parameters
    ----------
    order : sequence of int
        Every sample once.
    valid_count : int
        How many to keep for validation: the last ones.

    Returns
    -------
    train, valid : tuple of int
        Together all samples, none in both.

    Raises
    ------
    DomainError
        If there are not as many samples.

    Notes
    -----
    Bourmaud's slides, "Résumé de l'étape d'apprentissage".

    Examples
    --------
    >>> train_valid_split((3, 0, 4, 1, 2), 2)
    ((3, 0, 4), (1, 2))
    """
    require_count("valid_count", valid_count, closed(0, len(order)))
    cut = len(order) - valid_count
    return tuple(order[:cut]), tuple(order[cut:])
