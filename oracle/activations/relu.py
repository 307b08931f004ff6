"""The rectifier."""

from __future__ import annotations

from oracle.arithmetic.primitives import namespace
from oracle.formula import Array, formula

__all__ = ["relu"]


@formula(
    "relu",
    kind="function",
    source=("lopesquintas2025llm, GELU",),
    domain={},
    neighbours=("relu_leaky", "relu_capped", "relu_modulus", "relu_negative", "gelu", "silu"),
)
def relu(x: Array) -> Array:
    r"""Keep positive numbers and replace negative ones by zero.

    .. math::

        \operatorname{relu}(x) = \max(0, x)

    Parameters
    ----------
    x : array, shape (...)
        Finite.

    Returns
    -------
    array, shape (...)
        :math:`\operatorname{relu}(x)`.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    Not differentiable at 0, which the documents say of it when they introduce ``gelu``.

    Examples
    --------
    >>> import numpy as np
    >>> relu(np.array([2.0, -0.5, 0.0]))
    array([2., 0., 0.])
    """
    xp = namespace(x)
    return xp.maximum(x, xp.zeros_like(x))
