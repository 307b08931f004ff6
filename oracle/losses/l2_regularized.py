"""A loss with half the squared norm of the parameters."""

from __future__ import annotations

from oracle.arithmetic.primitives import namespace
from oracle.formula import Array, Scalar

__all__ = ["l2_regularized_loss"]


def l2_regularized_loss(loss: Scalar, param: Array, l2_penalty: Scalar) -> Scalar:
    r"""Return the loss with the penalty on large parameters.

    .. math::

        \mathcal{L}_\lambda(w) = \mathcal{L}(w) + \frac{\lambda}{2} \lVert w \rVert_2^2

    Parameters
    ----------
    loss : scalar
        :math:`\mathcal{L}(w)`.
    param : array, shape (...)
        :math:`w`, of any one number system.
    l2_penalty : scalar
        :math:`\lambda \ge 0`.

    Returns
    -------
    scalar

    Notes
    -----
    lopesquintas2024updates, Problème de la régularisation. Its gradient is
    :math:`\nabla \mathcal{L}(w) + \lambda w`: descended plainly it gives the formula ``sgd_l2``,
    and by Adam ``adam_l2``.

    Examples
    --------
    >>> import numpy as np
    >>> float(l2_regularized_loss(1.0, np.array([3.0, 4.0]), 0.5))
    7.25
    """
    return loss + l2_penalty * namespace(param).sum(param**2) / 2
