"""Dropout of units by a given mask, in both conventions."""

from __future__ import annotations

from oracle.domains import Domain, closed
from oracle.formula import Array, Scalar, formula

__all__ = ["dropout_inverted", "dropout_keep_proportion"]

_DRAWN = Domain(0.0, 1.0, low_open=True)


@formula(
    "dropout_keep_proportion",
    kind="function",
    source=("lopesquintas2026complements, Dropout", "srivastava2014dropout, Section 4"),
    domain={"keep": closed(0, 1)},
    draw={"keep": _DRAWN},
    neighbours=(
        "dropout_inverted",
        "dropout_keep_proportion_complement",
        "dropout_keep_proportion_everywhere",
        "dropout_keep_proportion_by_keep",
        "dropout_keep_proportion_by_drop",
    ),
    drawn=("mask",),
)
def dropout_keep_proportion(x: Array, mask: Array, *, keep: Scalar) -> Array:  # noqa: ARG001 - the mask has it
    r"""Remove units where the mask is zero, and keep the others as they are.

    .. math::

        y = r \odot x, \qquad r_j \sim \mathrm{Bernoulli}(p)

    Parameters
    ----------
    x, mask : array, shape (...)
        :math:`x`, finite; and :math:`r`, ones where a unit is kept and zeros where it is removed.
    keep : scalar
        :math:`p \in [0, 1]`, the probability of a one, which the mask was drawn with.

    Returns
    -------
    array, shape (...)
        :math:`y`, of training.

    Raises
    ------
    DomainError
        If the proportion lies outside the domain above.

    Notes
    -----
    The document removes the proportion :math:`1 - p` of the units and still calls :math:`p` the
    proportion of the dropout: here it is what is kept. Inference takes all units and multiplies the
    weights behind them by :math:`p`: `oracle.dropout.inference`.

    Examples
    --------
    >>> import numpy as np
    >>> dropout_keep_proportion(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0]), keep=0.5)
    array([1., 0., 3.])
    """
    return mask * x


@formula(
    "dropout_inverted",
    kind="function",
    source=("srivastava2014dropout, Section 10",),
    domain={"keep": _DRAWN},
    neighbours=(
        "dropout_keep_proportion",
        "dropout_inverted_complement",
        "dropout_inverted_everywhere",
        "dropout_keep_proportion_by_keep",
        "dropout_keep_proportion_by_drop",
    ),
    drawn=("mask",),
)
def dropout_inverted(x: Array, mask: Array, *, keep: Scalar) -> Array:
    r"""Remove units where the mask is zero, and divide the others by the proportion that is kept.

    .. math::

        y = \frac{r \odot x}{p}, \qquad r_j \sim \mathrm{Bernoulli}(p)

    Parameters
    ----------
    x, mask : array, shape (...)
        :math:`x`, finite; and :math:`r`, ones where a unit is kept and zeros where it is removed.
    keep : scalar
        :math:`p \in (0, 1]`, the probability of a one, which the mask was drawn with.

    Returns
    -------
    array, shape (...)
        :math:`y`, of training.

    Raises
    ------
    DomainError
        If the proportion lies outside the domain above.

    Notes
    -----
    The form of the libraries, whose argument is the probability :math:`1 - p` of removing a unit; at
    inference it is the identity. It is ``dropout_keep_proportion`` divided by :math:`p`.

    Examples
    --------
    >>> import numpy as np
    >>> dropout_inverted(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0]), keep=0.5)
    array([2., 0., 6.])
    """
    return mask * x / keep
