"""The number times the probability that a normal one is smaller, and its two approximations."""

from __future__ import annotations

from oracle.activations.evaluations import GATES
from oracle.arithmetic.curves import normal_cdf, sigmoid, tanh_argument
from oracle.formula import Array, formula

__all__ = ["gelu", "gelu_sigmoid", "gelu_tanh"]


@formula(
    "gelu",
    kind="function",
    source=("lopesquintas2025llm, GELU", "hendrycks2016gaussian, Section 2"),
    domain={},
    neighbours=("gelu_tanh", "gelu_sigmoid", "silu", "relu", "gelu_unscaled", "gelu_steeper"),
)
def gelu(x: Array) -> Array:
    r"""Weight every number with the probability that a standard normal number is smaller.

    .. math::

        \operatorname{GELU}(x) = x \, \mathbb{P}(X \le x)
            = \frac{x}{2} \left(1 + \operatorname{erf}\frac{x}{\sqrt 2}\right),
            \qquad X \sim \mathcal{N}(0, 1)

    Parameters
    ----------
    x : array, shape (...)
        Finite.

    Returns
    -------
    array, shape (...)
        :math:`\operatorname{GELU}(x)`.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The document writes :math:`\phi` for the cumulative distribution; read as the density it would
    give :math:`x \phi(x)`, against :math:`\operatorname{GELU}(1) = 0.841...`. Not monotone: its minimum is
    -0.169971207479904 at -0.751791524693564.

    Examples
    --------
    >>> import numpy as np
    >>> gelu(np.array([0.0, 40.0, -40.0])).tolist()
    [0.0, 40.0, -0.0]
    """
    return x * normal_cdf(x)  # x / 2 * (1 + erf(x / sqrt(2)))


@formula(
    "gelu_tanh",
    kind="function",
    source=("hendrycks2016gaussian, Section 2",),
    domain={},
    neighbours=("gelu", "gelu_sigmoid", "silu", "relu", "gelu_tanh_without_cube"),
)
def gelu_tanh(x: Array) -> Array:
    r"""Approximate ``gelu`` by a hyperbolic tangent.

    .. math::

        \frac{x}{2} \left(1 + \tanh\left(\sqrt{\frac{2}{\pi}} (x + 0.044715 \, x^3)\right)\right)

    Parameters
    ----------
    x : array, shape (...)
        Finite.

    Returns
    -------
    array, shape (...)
        The approximation; it differs from ``gelu`` by at most 4.733e-4.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    :math:`(1 + \tanh v) / 2 = \sigma(2 v)`. The constant is the float64 nearest to 0.044715.

    Examples
    --------
    >>> import numpy as np
    >>> gelu_tanh(np.array([0.0, 40.0, -40.0])).tolist()
    [0.0, 40.0, -0.0]
    """
    return x * sigmoid(2 * tanh_argument(x))  # x / 2 * (1 + tanh(tanh_argument(x)))


@formula(
    "gelu_sigmoid",
    kind="function",
    source=("hendrycks2016gaussian, Section 2",),
    domain={},
    neighbours=("gelu", "gelu_tanh", "silu", "relu", "gelu_sigmoid_rounded"),
    evaluations=GATES,
)
def gelu_sigmoid(x: Array) -> Array:
    r"""Approximate ``gelu`` by a logistic function.

    .. math::

        x \, \sigma(1.702 \, x)

    Parameters
    ----------
    x : array, shape (...)
        Finite.

    Returns
    -------
    array, shape (...)
        The approximation; it differs from ``gelu`` by at most 0.020335.

    Raises
    ------
    DomainError
        Never: every finite number is in the domain.

    Notes
    -----
    The constant is the float64 nearest to 1.702.

    Examples
    --------
    >>> import numpy as np
    >>> gelu_sigmoid(np.array([0.0, 800.0, -800.0]))
    array([  0., 800.,  -0.])
    """
    return x * sigmoid(1.702 * x)
