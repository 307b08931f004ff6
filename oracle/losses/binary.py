"""Losses of two classes, from a probability and from a score."""

from __future__ import annotations

from oracle.arithmetic.curves import difference, logistic_loss
from oracle.arithmetic.primitives import namespace
from oracle.formula import Array, formula
from oracle.losses.evaluations import COSTS

__all__ = ["bce_with_logits", "loss_bce"]


@formula(
    "loss_bce",
    kind="function",
    source=("lopesquintas2025llm, Il faut modifier la valeur du learning rate",),
    domain={},
    neighbours=(
        "loss_bce_summed",
        "loss_bce_base_two",
        "loss_bce_clamped",
        "loss_bce_smoothed",
        "loss_bce_positive_only",
    ),
)
def loss_bce(prediction: Array, target: Array) -> Array:
    r"""Average the negative log-likelihood of probabilities of the positive class.

    .. math::

        \mathcal{L} = -\frac1n \sum_{i=1}^n \left( y_i \ln \hat y_i + (1 - y_i) \ln(1 - \hat y_i) \right)

    Parameters
    ----------
    prediction : array, shape (...)
        :math:`\hat y`, strictly between 0 and 1.
    target : array, shape (...)
        :math:`y` in :math:`[0, 1]`, of the same shape.

    Returns
    -------
    array, shape ()
        The mean over all elements.

    Raises
    ------
    DomainError
        By `oracle.exact.exact`, where a logarithm has no value.

    Notes
    -----
    The document prints the sum without its brackets; it extends over both terms. At
    :math:`\hat y = 1/2` it is :math:`\ln 2` whatever the target.

    Examples
    --------
    >>> import numpy as np
    >>> loss_bce(np.array([0.5, 0.5]), np.array([0.0, 1.0])) / np.log(2.0)
    np.float64(1.0)
    """
    xp = namespace(prediction)
    positive = target * xp.log(prediction)
    negative = difference(1, target) * xp.log(difference(1, prediction))
    return -xp.mean(positive + negative)


@formula(
    "bce_with_logits",
    kind="function",
    source=("bourmaudnetworks, Choix du coût : « Cross-entropy » à deux classes vs « Binary cross-entropy »",),
    domain={},
    neighbours=(
        "bce_with_logits_summed",
        "bce_with_logits_base_two",
        "bce_with_logits_smoothed",
        "bce_with_logits_positive_only",
    ),
    evaluations=COSTS,
)
def bce_with_logits(score: Array, target: Array) -> Array:
    r"""Average the negative log-likelihood of scores of the positive class.

    .. math::

        \frac1n \sum_{i=1}^n \left( \ln(1 + e^{z_i}) - y_i z_i \right)
            = \frac1n \sum_{i=1}^n \left( \max(z_i, 0) - y_i z_i + \ln(1 + e^{-|z_i|}) \right)

    Parameters
    ----------
    score : array, shape (...)
        :math:`z`, finite.
    target : array, shape (...)
        :math:`y` in :math:`[0, 1]`, of the same shape.

    Returns
    -------
    array, shape ()
        The mean over all elements.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    ``loss_bce`` of :math:`\hat y = \sigma(z)`, without its overflow: the second form is evaluated.

    Examples
    --------
    >>> import numpy as np
    >>> bce_with_logits(np.array([1e4, -1e4]), np.array([0.0, 0.0])).tolist()
    5000.0
    """
    return namespace(score).mean(logistic_loss(score, target))
