"""What dropout becomes when nothing is drawn: scaled units, and the ensembles that they stand for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from oracle.domains import closed
from oracle.formula import Array, Scalar, formula

__all__ = ["dropout_inference_scaling", "masks", "probability"]


@formula(
    "dropout_inference_scaling",
    kind="function",
    source=("lopesquintas2026complements, Dropout", "srivastava2014dropout, Section 4"),
    domain={"keep": closed(0, 1)},
    neighbours=(),
)
def dropout_inference_scaling(x: Array, *, keep: Scalar) -> Array:
    r"""Multiply units by the proportion that training keeps.

    .. math::

        y = p\, x

    Parameters
    ----------
    x : array, shape (...)
        Units that dropout was applied to in training; finite.
    keep : scalar
        :math:`p \in [0, 1]`, the proportion that was kept.

    Returns
    -------
    array, shape (...)
        :math:`y`, of inference.

    Raises
    ------
    DomainError
        If the proportion lies outside the domain above.

    Notes
    -----
    The document multiplies the weights behind the units, which is the same: :math:`(p W) x = W (p x)`.
    The bias is not multiplied. It is the inference of ``dropout_keep_proportion``, and judged with it.

    Examples
    --------
    >>> dropout_inference_scaling(3.0, keep=0.5)
    1.5
    """
    return keep * x


def masks(units: int) -> Iterator[tuple[int, ...]]:
    r"""Yield the :math:`2^n` masks of a layer, each a network of its own.

    Parameters
    ----------
    units : int
        :math:`n \ge 0`.

    Examples
    --------
    >>> list(masks(2))
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    return itertools.product((0, 1), repeat=units)


def probability(mask: Sequence[int], keep: Any) -> Any:
    r"""Probability of a mask of independent units: :math:`p^{|r|} (1 - p)^{n - |r|}`.

    Parameters
    ----------
    mask : sequence of int
        :math:`r`, of zeros and ones.
    keep : number
        :math:`p \in [0, 1]`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> probability((1, 0, 1), Fraction(3, 4))
    Fraction(9, 64)
    """
    kept = sum(mask)
    return keep**kept * (1 - keep) ** (len(mask) - kept)
