"""Where probabilities of classes lie."""

from __future__ import annotations

from oracle.formula import Array

__all__ = ["in_simplex"]


def in_simplex(p: Array) -> bool:
    r"""Tell whether numbers are probabilities of classes, :math:`p \in \Delta^{C-1}`.

    .. math::

        \sum_{i=0}^{C-1} p_i = 1, \qquad p_i \ge 0

    Parameters
    ----------
    p : array, shape (C,)
        Fractions, or other numbers without rounding.

    Returns
    -------
    bool

    Notes
    -----
    The superscript counts dimensions: probabilities of four classes lie in :math:`\Delta^3`. The document's sum
    leaves out the class 0.

    Examples
    --------
    >>> from fractions import Fraction
    >>> in_simplex([Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)])
    True
    """
    return bool(sum(p) == 1 and all(share >= 0 for share in p))
