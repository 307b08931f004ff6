"""Gradients of losses with respect to predictions and scores: what the way back begins with."""

from __future__ import annotations

import math

from oracle.arithmetic.curves import difference, one_hot, sigmoid, softmax
from oracle.formula import Array, Integers, formula
from oracle.losses.cross_entropy import require_samples
from oracle.losses.evaluations import PROBABILITIES

__all__ = ["bce_with_logits_gradient", "loss_cross_entropy_gradient", "loss_squared_error_gradient"]


@formula(
    "loss_squared_error_gradient",
    kind="function",
    source=("bourmaudnetworks, Choix du coût : Régression",),
    domain={},
    neighbours=(
        "loss_squared_error_gradient_halved",
        "loss_squared_error_gradient_mean",
        "loss_squared_error_gradient_turned",
        "loss_squared_error_gradient_signs",
    ),
)
def loss_squared_error_gradient(prediction: Array, target: Array) -> Array:
    r"""Differentiate ``loss_squared_error`` with respect to the prediction.

    .. math::

        \nabla_s \lVert y - s \rVert_2^2 = 2 (s - y)

    Parameters
    ----------
    prediction, target : array, shape (...)
        :math:`s` and :math:`y`; finite, of one shape.

    Returns
    -------
    array, shape (...)
        The derivative by each element.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The factor 2 stays, as the loss has no factor 1/2.

    Examples
    --------
    >>> import numpy as np
    >>> loss_squared_error_gradient(np.array([1.0, 2.0]), np.array([3.0, 5.0])).tolist()
    [-4.0, -6.0]
    """
    return 2 * difference(prediction, target)


@formula(
    "bce_with_logits_gradient",
    kind="function",
    source=("bourmaudnetworks, Choix du coût : « Cross-entropy » à deux classes vs « Binary cross-entropy »",),
    domain={},
    neighbours=(
        "bce_with_logits_gradient_summed",
        "bce_with_logits_gradient_turned",
        "bce_with_logits_gradient_smoothed",
        "bce_with_logits_gradient_without_target",
    ),
)
def bce_with_logits_gradient(score: Array, target: Array) -> Array:
    r"""Differentiate ``bce_with_logits`` with respect to the scores.

    .. math::

        \frac{\partial l}{\partial z_i} = \frac1n \left( \sigma(z_i) - y_i \right)

    Parameters
    ----------
    score : array, shape (...)
        :math:`z`, finite.
    target : array, shape (...)
        :math:`y` in :math:`[0, 1]`, of the same shape.

    Returns
    -------
    array, shape (...)
        The derivative by each element.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The document shows the losses in a figure, without their derivatives.

    Examples
    --------
    >>> import numpy as np
    >>> bce_with_logits_gradient(np.array([0.0, 0.0]), np.array([0.0, 1.0])).tolist()
    [0.25, -0.25]
    """
    return (sigmoid(score) - target) / math.prod(score.shape)


@formula(
    "loss_cross_entropy_gradient",
    kind="function",
    source=("bourmaudnetworks, Choix du coût : Classification",),
    domain={},
    neighbours=(
        "loss_cross_entropy_gradient_summed",
        "loss_cross_entropy_gradient_turned",
        "loss_cross_entropy_gradient_without_label",
        "loss_cross_entropy_gradient_smoothed",
        "loss_cross_entropy_gradient_warmer",
        "loss_cross_entropy_gradient_averaged",
    ),
    evaluations=PROBABILITIES,
)
def loss_cross_entropy_gradient(scores: Array, target: Integers) -> Array:
    r"""Differentiate ``loss_cross_entropy`` with respect to the scores.

    .. math::

        \nabla_{s_n} l = \frac1N \left( p_n - e_{y_n} \right)

    Parameters
    ----------
    scores : array, shape (N, C)
        :math:`s`; finite. One sample alone may have shape (C,), and its class shape ().
    target : array of whole numbers, shape (N,)
        :math:`y`, the true class of each sample, from 0 to C - 1.

    Returns
    -------
    array, shape (N, C)
        The derivative by each score.

    Raises
    ------
    DomainError
        If a class is no whole number from 0 to C - 1, or the scores have more than two axes.

    Notes
    -----
    Softmax and cross-entropy together: their product of Jacobians is this difference. Each row adds up to 0.

    Examples
    --------
    >>> import numpy as np
    >>> loss_cross_entropy_gradient(np.zeros((1, 2)), np.array([1])).tolist()
    [[0.5, -0.5]]
    """
    require_samples(scores)
    return (softmax(scores) - one_hot(target, scores)) / math.prod(scores.shape[:-1])
