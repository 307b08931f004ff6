"""The negative log-likelihood of a class among several."""

from __future__ import annotations

from oracle.arithmetic.curves import log_softmax
from oracle.arithmetic.primitives import namespace
from oracle.formula import Array, formula

__all__ = ["loss_cross_entropy"]


@formula(
    "loss_cross_entropy",
    kind="function",
    source=("bourmaudnetworks, Choix du coût : Classification",),
    domain={},
    neighbours=(
        "loss_cross_entropy_smoothed",
        "loss_cross_entropy_base_two",
        "loss_cross_entropy_clamped",
        "loss_cross_entropy_warmer",
        "loss_cross_entropy_without_sum",
        "loss_cross_entropy_averaged",
    ),
)
def loss_cross_entropy(scores: Array, target: Array) -> Array:
    r"""Take the negative log-likelihood of the true class, sample by sample.

    .. math::

        l = -\sum_c y_c \ln p_c = -s_y + \ln \sum_{c=0}^{C-1} e^{s_c}

    Parameters
    ----------
    scores : array, shape (..., C)
        :math:`s`; finite.
    target : array, shape (..., C)
        Probabilities of the classes: 1 for the true class y and 0 for the others.

    Returns
    -------
    array, shape (...)
        :math:`l`, for each sample.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The document gives the formula in a figure only. Evaluated *shifted*, with :math:`s - \max s` for s; the
    logarithm of an *unshifted* softmax is infinite where a probability underflows.

    Examples
    --------
    >>> import numpy as np
    >>> loss_cross_entropy(np.array([[1e4, 0.0], [0.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])) / np.array([1e4, np.log(2.0)])
    array([1., 1.])
    """
    xp = namespace(scores, target)
    return -xp.sum(target * log_softmax(scores), axis=-1)
