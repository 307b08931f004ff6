"""Probabilities of classes from their scores."""

from __future__ import annotations

from oracle.arithmetic import curves
from oracle.formula import Array, formula
from oracle.losses.evaluations import PROBABILITIES

__all__ = ["softmax"]


@formula(
    "softmax",
    kind="function",
    source=("bourmaudnetworks, Choix du coût : Classification",),
    domain={},
    neighbours=(
        "softmax_warmer",
        "softmax_base_two",
        "softmax_with_rest",
        "softmax_other_axis",
        "softmax_independent",
        "softmax_doubled",
    ),
    evaluations=PROBABILITIES,
)
def softmax(scores: Array) -> Array:
    r"""Turn the scores of classes into their probabilities.

    .. math::

        p_i = \frac{e^{s_i}}{\sum_{c=0}^{C-1} e^{s_c}}

    Parameters
    ----------
    scores : array, shape (..., C)
        :math:`s`; finite.

    Returns
    -------
    array, shape (..., C)
        :math:`p`, which adds up to 1 along the last axis.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    Evaluated *shifted*, with :math:`s - \max s` for s, which is the same number. As it is printed,
    *unshifted*, the exponentials leave the range of float64 from a score of 709.8 on, of float32 from 88.8 on.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([1e4, 1e4, -1e4]))
    array([0.5, 0.5, 0. ])
    """
    return curves.softmax(scores)  # exp(s) / sum(exp(s))
