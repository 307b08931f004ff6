"""Losses of regression: squares and moduli of the residuals."""

from __future__ import annotations

from oracle.arithmetic.curves import difference
from oracle.arithmetic.primitives import namespace
from oracle.formula import Array, formula

__all__ = ["loss_l1", "loss_mse", "loss_squared_error"]


@formula(
    "loss_squared_error",
    kind="function",
    source=("bourmaudnetworks, Choix du coût : Régression",),
    domain={},
    neighbours=("loss_mse", "loss_l1", "loss_squared_error_halved", "loss_squared_error_root"),
)
def loss_squared_error(prediction: Array, target: Array) -> Array:
    r"""Add up the squared residuals of one sample.

    .. math::

        \lVert y - s \rVert_2^2 = \sum_i (y_i - s_i)^2

    Parameters
    ----------
    prediction, target : array, shape (...)
        :math:`s` and :math:`y`; finite, of one shape.

    Returns
    -------
    array, shape ()
        The sum over all elements: no mean, and no factor 1/2.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The document's vectors are outputs for one sample. The default of most libraries is the mean,
    the formula ``loss_mse``.

    Examples
    --------
    >>> import numpy as np
    >>> loss_squared_error(np.array([1.0, 2.0]), np.array([3.0, 5.0])).tolist()
    13.0
    """
    return namespace(prediction).sum(difference(target, prediction) ** 2)


@formula(
    "loss_mse",
    kind="function",
    source=("lopesquintas2025llm, Il faut modifier la valeur du learning rate",),
    domain={},
    neighbours=("loss_squared_error", "loss_l1", "loss_mse_in_half", "loss_mse_bessel", "loss_mse_of_root"),
)
def loss_mse(prediction: Array, target: Array) -> Array:
    r"""Average the squared residuals.

    .. math::

        \mathcal{L} = \frac1n \sum_{i=1}^n (y_i - \hat y_i)^2

    Parameters
    ----------
    prediction, target : array, shape (...)
        :math:`s` and :math:`y`; finite, of one shape.

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
    The mean of ``loss_squared_error`` over samples with one output each.

    Examples
    --------
    >>> import numpy as np
    >>> loss_mse(np.array([1.0, 2.0]), np.array([3.0, 5.0])).tolist()
    6.5
    """
    return namespace(prediction).mean(difference(target, prediction) ** 2)


@formula(
    "loss_l1",
    kind="function",
    source=("bourmaudnetworks, Choix du coût : Régression",),
    domain={},
    neighbours=("loss_squared_error", "loss_mse", "loss_l1_mean", "loss_l1_smooth"),
)
def loss_l1(prediction: Array, target: Array) -> Array:
    r"""Add up the moduli of the residuals of one sample.

    .. math::

        \lVert y - s \rVert_1 = \sum_i |y_i - s_i|

    Parameters
    ----------
    prediction, target : array, shape (...)
        :math:`s` and :math:`y`; finite, of one shape.

    Returns
    -------
    array, shape ()
        The sum over all elements.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    A norm of the residuals; the default of most libraries divides it by the number of elements.

    Examples
    --------
    >>> import numpy as np
    >>> loss_l1(np.array([1.0, 2.0]), np.array([3.0, -5.0])).tolist()
    9.0
    """
    xp = namespace(prediction)
    return xp.sum(xp.abs(difference(target, prediction)))
