"""Blocks around a gated unit, and how wide they may be."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from oracle.arithmetic.curves import affine, sigmoid
from oracle.arithmetic.primitives import namespace
from oracle.formula import Array, formula

__all__ = ["ffn_glu", "ffn_glu_hidden_size", "ffn_parameters", "ffn_swiglu", "glu_generic"]

Activation = Callable[[Array], Array]


def glu_generic(x: Array, w: Array, b: Array, v: Array, c: Array, *, activation: Activation) -> Array:
    r"""Multiply an activation of a linear map by another linear map: :math:`a(X W + b) \otimes (X V + c)`.

    Parameters
    ----------
    x : array, shape (..., N, d)
        Rows.
    w, v : array, shape (d, d')
        :math:`W` and :math:`V`.
    b, c : array, shape (d',)
        :math:`b` and :math:`c`, added to every row.
    activation : callable
        :math:`a`, element by element: ``gelu`` makes ``geglu`` of it, ``silu`` makes ``swiglu``.

    Returns
    -------
    array, shape (..., N, d')

    Examples
    --------
    >>> import numpy as np
    >>> one, none = np.ones((1, 1)), np.zeros(1)
    >>> glu_generic(np.array([[3.0]]), one, none, one, none, activation=lambda u: u).tolist()
    [[9.0]]
    """
    return activation(affine(x, w, b)) * affine(x, v, c)


def ffn_glu(x: Array, w: Array, v: Array, w2: Array, *, activation: Activation) -> Array:
    r"""Feed every row forward through a gated unit: :math:`(a(x W) \otimes x V) W_2`.

    Parameters
    ----------
    x : array, shape (N, d)
        One position per row.
    w, v : array, shape (d, d_ff)
        :math:`W` and :math:`V`; there are no biases.
    w2 : array, shape (d_ff, d)
        :math:`W_2`.
    activation : callable
        :math:`a`, element by element.

    Returns
    -------
    array, shape (N, d)

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> ffn_glu(np.array([[3.0], [-2.0]]), one, 2 * one, one, activation=lambda u: np.maximum(u, 0)).tolist()
    [[18.0], [0.0]]
    """
    matmul = namespace(x).matmul
    return matmul(activation(matmul(x, w)) * matmul(x, v), w2)


@formula(
    "ffn_swiglu",
    kind="function",
    source=("shazeer2020glu, equation (6)", "lopesquintas2025llm, Gated Linear Unit"),
    domain={},
    neighbours=(
        "ffn_swiglu_swapped",
        "ffn_swiglu_bilinear",
        "ffn_swiglu_logistic",
        "ffn_swiglu_normal",
        "ffn_swiglu_ungated",
    ),
)
def ffn_swiglu(x: Array, w: Array, v: Array, w2: Array) -> Array:
    r"""Feed every row forward through SiLU of a linear map times another linear map.

    .. math::

        \left(\operatorname{SiLU}(x W) \otimes x V\right) W_2

    Parameters
    ----------
    x : array, shape (N, d)
        One position per row; finite.
    w, v : array, shape (d, d_ff)
        :math:`W` and :math:`V`; there are no biases.
    w2 : array, shape (d_ff, d)
        :math:`W_2`.

    Returns
    -------
    array, shape (N, d)
        Each row is computed by itself.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    ``ffn_glu`` with ``silu``. The document shows a figure with any activation.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> ffn_swiglu(np.array([[2.0]]), one, one, one).tolist()
    [[3.5231883119115293]]
    """
    matmul = namespace(x).matmul
    u = matmul(x, w)
    return matmul(u * sigmoid(u) * matmul(x, v), w2)


def ffn_parameters(width: int, hidden: Fraction | int, *, gated: bool, biases: bool) -> Fraction | int:
    r"""Count the parameters of a feed-forward block of two matrices, or of three if it is gated.

    Parameters
    ----------
    width, hidden : int
        :math:`d` and :math:`d_{ff}`; a fraction stands for a width that balances two counts.
    gated, biases : bool

    Examples
    --------
    >>> ffn_parameters(512, 2048, gated=False, biases=True)
    2099712
    """
    matrices = 3 if gated else 2
    return matrices * width * hidden + (biases * ((matrices - 1) * hidden + width))


def ffn_glu_hidden_size(hidden: int, *, width: int = 1, biases: bool = False) -> Fraction:
    r"""Width at which a gated block has as many parameters as a plain one: :math:`d_{ff}' = \frac23 d_{ff}`.

    Parameters
    ----------
    hidden : int
        :math:`d_{ff}`, of the plain block.
    width : int
        :math:`d`; it makes no difference without biases.
    biases : bool
        Whether both blocks have them: then :math:`d_{ff}' = d_{ff} \frac{2 d + 1}{3 d + 2}`.

    Returns
    -------
    Fraction
        To be rounded to a whole number.

    Examples
    --------
    >>> ffn_glu_hidden_size(3072)
    Fraction(2048, 1)
    """
    return hidden * (Fraction(2 * width + 1, 3 * width + 2) if biases else Fraction(2, 3))
