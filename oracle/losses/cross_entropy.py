"""The negative log-likelihood of a class among several."""

from __future__ import annotations

from oracle.arithmetic.curves import chosen, log_softmax
from oracle.arithmetic.primitives import namespace
from oracle.errors import DomainError
from oracle.formula import Array, Integers, formula
from oracle.losses.evaluations import COSTS

__all__ = ["loss_cross_entropy", "require_samples", "soft_cross_entropies"]


def require_samples(scores: Array) -> None:
    """Refuse arrays of more than two axes: programs differ in which of them the classes are.

    Raises
    ------
    DomainError
        If the scores are neither those of samples, nor of one sample alone.
    """
    if len(scores.shape) not in (1, 2):
        raise DomainError(f"scores must have shape (N, C), or (C,) for one sample, got {tuple(scores.shape)}")


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
        "loss_cross_entropy_summed",
        "loss_cross_entropy_averaged",
    ),
    evaluations=COSTS,
)
def loss_cross_entropy(scores: Array, target: Integers) -> Array:
    r"""Average the negative log-likelihood of the true class over the samples.

    .. math::

        l = \frac1N \sum_{n=1}^N -\ln p_{y_n}
            = \frac1N \sum_{n=1}^N \left( -s_{y_n} + \ln \sum_{c=0}^{C-1} e^{s_c} \right)

    Parameters
    ----------
    scores : array, shape (N, C)
        :math:`s`; finite. One sample alone may have shape (C,), and its class shape ().
    target : array of whole numbers, shape (N,)
        :math:`y`, the true class of each sample, from 0 to C - 1.

    Returns
    -------
    array, shape ()
        The mean over all samples.

    Raises
    ------
    DomainError
        If a class is no whole number from 0 to C - 1, or the scores have more than two axes.

    Notes
    -----
    The document gives the formula for one sample, in a figure only; the mean is the default of most libraries.
    Evaluated *shifted*, with :math:`s - \max s` for s; the logarithm of an *unshifted* softmax is infinite
    where a probability underflows.

    Examples
    --------
    >>> import numpy as np
    >>> loss_cross_entropy(np.array([[1e4, 0.0], [0.0, 1e4]]), np.array([1, 1])).tolist()
    5000.0
    """
    require_samples(scores)
    return -namespace(scores).mean(chosen(log_softmax(scores), target))  # -mean(ln p_y)


def soft_cross_entropies(scores: Array, target: Array) -> Array:
    r"""Take the cross-entropy of each sample with probabilities of the classes: :math:`-\sum_c y_c \ln p_c`.

    Parameters
    ----------
    scores : array, shape (..., C)
        :math:`s`; finite.
    target : array, shape (..., C)
        :math:`y`, which adds up to 1; 1 for the true class and 0 for the others give `loss_cross_entropy` of
        one sample.

    Returns
    -------
    array, shape (...)
    """
    return -namespace(scores, target).sum(target * log_softmax(scores), axis=-1)
