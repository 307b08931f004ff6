"""Linear units whose output another linear map lets through."""

from __future__ import annotations

from oracle.arithmetic.curves import affine, normal_cdf, sigmoid
from oracle.formula import Array, formula

__all__ = ["geglu", "glu", "swiglu"]


@formula(
    "glu",
    kind="function",
    source=(
        "lopesquintas2025llm, Gated Linear Unit",
        "dauphin2017language, Section 2",
    ),
    domain={},
    neighbours=(
        "glu_swapped",
        "glu_without_bias",
        "glu_without_gate_bias",
        "glu_bilinear",
        "geglu",
        "swiglu",
    ),
)
def glu(x: Array, w: Array, b: Array, v: Array, c: Array) -> Array:
    r"""Let a linear map through by the logistic function of another.

    .. math::

        (X W + b) \otimes \sigma(X V + c)

    Parameters
    ----------
    x : array, shape (..., N, d)
        Rows; finite.
    w, v : array, shape (d, d')
        :math:`W` and :math:`V`.
    b, c : array, shape (d',)
        :math:`b` and :math:`c`, added to every row.

    Returns
    -------
    array, shape (..., N, d')
        Each row is computed by itself.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The activation is on the second branch here, on the first in ``geglu`` and ``swiglu``: as printed.

    Examples
    --------
    >>> import numpy as np
    >>> one, none = np.ones((1, 1)), np.zeros(1)
    >>> glu(np.array([[2.0]]), one, none, 0 * one, none).tolist()
    [[1.0]]
    """
    return affine(x, w, b) * sigmoid(affine(x, v, c))


@formula(
    "geglu",
    kind="function",
    source=(
        "lopesquintas2025llm, Gated Linear Unit",
        "shazeer2020glu, Section 2",
    ),
    domain={},
    neighbours=(
        "geglu_swapped",
        "geglu_without_bias",
        "geglu_without_gate_bias",
        "glu_bilinear",
        "glu",
        "swiglu",
    ),
)
def geglu(x: Array, w: Array, b: Array, v: Array, c: Array) -> Array:
    r"""Multiply the GELU of a linear map by another linear map.

    .. math::

        \operatorname{GELU}(X W + b) \otimes (X V + c)

    Parameters
    ----------
    x : array, shape (..., N, d)
        Rows; finite.
    w, v : array, shape (d, d')
        :math:`W` and :math:`V`.
    b, c : array, shape (d',)
        :math:`b` and :math:`c`, added to every row.

    Returns
    -------
    array, shape (..., N, d')
        Each row is computed by itself.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    ``glu`` with the branches swapped and ``gelu`` for the logistic function.

    Examples
    --------
    >>> import numpy as np
    >>> one, none = np.ones((1, 1)), np.zeros(1)
    >>> geglu(np.array([[2.0]]), one, none, 0 * one, none + 1).tolist()
    [[1.9544997361036416]]
    """
    u = affine(x, w, b)
    return u * normal_cdf(u) * affine(x, v, c)


@formula(
    "swiglu",
    kind="function",
    source=(
        "lopesquintas2025llm, Gated Linear Unit",
        "shazeer2020glu, Section 2",
    ),
    domain={},
    neighbours=(
        "swiglu_swapped",
        "swiglu_without_bias",
        "swiglu_without_gate_bias",
        "glu_bilinear",
        "glu",
        "geglu",
    ),
)
def swiglu(x: Array, w: Array, b: Array, v: Array, c: Array) -> Array:
    r"""Multiply the SiLU of a linear map by another linear map.

    .. math::

        \operatorname{SiLU}(X W + b) \otimes (X V + c)

    Parameters
    ----------
    x : array, shape (..., N, d)
        Rows; finite.
    w, v : array, shape (d, d')
        :math:`W` and :math:`V`.
    b, c : array, shape (d',)
        :math:`b` and :math:`c`, added to every row.

    Returns
    -------
    array, shape (..., N, d')
        Each row is computed by itself.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    Swish with :math:`\beta = 1`, which the document fixes and Shazeer leaves open.

    Examples
    --------
    >>> import numpy as np
    >>> one, none = np.ones((1, 1)), np.zeros(1)
    >>> swiglu(np.array([[2.0]]), one, none, 0 * one, none + 1).tolist()
    [[1.7615941559557646]]
    """
    u = affine(x, w, b)
    return u * sigmoid(u) * affine(x, v, c)
