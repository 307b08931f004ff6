"""The number times its own logistic function."""

from __future__ import annotations

from oracle.activations.evaluations import GATES
from oracle.arithmetic.curves import sigmoid
from oracle.formula import Array, formula

__all__ = ["silu"]


@formula(
    "silu",
    kind="function",
    source=("lopesquintas2025llm, SiLU",),
    domain={},
    neighbours=("gelu", "gelu_sigmoid", "relu", "silu_steeper", "silu_hard", "sigmoid"),
    evaluations=GATES,
)
def silu(x: Array) -> Array:
    r"""Weight every number with its own logistic function.

    .. math::

        \operatorname{SiLU}(x) = x \, \sigma(x) = \frac{x}{1 + e^{-x}}

    Parameters
    ----------
    x : array, shape (...)
        Finite.

    Returns
    -------
    array, shape (...)
        :math:`\operatorname{SiLU}(x)`.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    Swish with :math:`\beta = 1`. Not monotone: its minimum is :math:`x^* + 1 = -0.278464542761...`
    at :math:`x^* = -1.278464542761...`.

    Examples
    --------
    >>> import numpy as np
    >>> silu(np.array([0.0, 800.0, -800.0]))
    array([  0., 800.,  -0.])
    """
    return x * sigmoid(x)
