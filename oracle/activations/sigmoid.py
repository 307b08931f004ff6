"""The logistic function."""

from __future__ import annotations

from oracle.activations.evaluations import GATES
from oracle.arithmetic import curves
from oracle.formula import Array, formula

__all__ = ["sigmoid"]


@formula(
    "sigmoid",
    kind="function",
    source=("lopesquintas2025llm, SiLU",),
    domain={},
    neighbours=(
        "sigmoid_hard",
        "sigmoid_base_two",
        "sigmoid_mirrored",
        "sigmoid_tanh",
        "sigmoid_normal",
        "sigmoid_steeper",
    ),
    evaluations=GATES,
)
def sigmoid(x: Array) -> Array:
    r"""Map every number to a proportion by the logistic function.

    .. math::

        \sigma(x) = \frac{1}{1 + e^{-x}}

    Parameters
    ----------
    x : array, shape (...)
        Finite.

    Returns
    -------
    array, shape (...)
        :math:`\sigma(x)`, strictly between 0 and 1 before it is rounded.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The exponential of the printed line overflows for large negative x, where the result is still 0;
    :math:`e^x / (1 + e^x)` does not.

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid(np.array([0.0, 800.0, -800.0]))
    array([0.5, 1. , 0. ])
    """
    return curves.sigmoid(x)  # 1 / (1 + exp(-x))
