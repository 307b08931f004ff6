"""One cost for classification and regression together."""

from __future__ import annotations

from oracle.domains import at_least, greater_than
from oracle.formula import Array, Integers, Scalar, formula
from oracle.losses.cross_entropy import loss_cross_entropy
from oracle.losses.evaluations import COSTS
from oracle.losses.regression import loss_squared_error

__all__ = ["loss_combined"]


@formula(
    "loss_combined",
    kind="function",
    source=("bourmaudnetworks, Choix du coût : Combinaison de coûts",),
    domain={"regression_weight": at_least(0)},
    draw={"regression_weight": greater_than(0)},
    neighbours=(
        "loss_combined_unweighted",
        "loss_combined_all_weighted",
        "loss_combined_complementary",
        "loss_combined_mean",
        "loss_combined_squared_weight",
    ),
    evaluations=COSTS,
)
def loss_combined(
    scores: Array, label: Integers, prediction: Array, target: Array, *, regression_weight: Scalar
) -> Array:
    r"""Add the weighted cost of a regression to that of a classification.

    .. math::

        l = l_{CE}(y, s^{cls}) + \lambda \, \lVert t - s^{reg} \rVert_2^2

    Parameters
    ----------
    scores : array, shape (N, C)
        :math:`s^{cls}`; finite.
    label : array of whole numbers, shape (N,)
        :math:`y`, the true class of each sample, from 0 to C - 1.
    prediction, target : array, shape (...)
        :math:`s^{reg}` and :math:`t`; finite, of one shape.
    regression_weight : scalar
        :math:`\lambda \ge 0`.

    Returns
    -------
    array, shape ()
        The sum of both costs.

    Raises
    ------
    DomainError
        If the weight is negative, a label is no class, or the scores have more than two axes.

    Notes
    -----
    The document shows the combination in a figure, without a formula and without weights: ``loss_cross_entropy``
    and ``loss_squared_error`` are its costs of each kind.

    Examples
    --------
    >>> import numpy as np
    >>> scores, label = np.array([[0.0, 1e4]]), np.array([0])
    >>> loss_combined(scores, label, np.array([1.0]), np.array([3.0]), regression_weight=0.5).tolist()
    10002.0
    """
    return loss_cross_entropy.body(scores, label) + regression_weight * loss_squared_error.body(prediction, target)
