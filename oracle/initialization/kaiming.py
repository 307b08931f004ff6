r"""Initialization of fully connected layers whose activations are rectifiers.

The draws are arguments: numbers of :math:`\mathcal U_{[-1, 1]}`, one of each parameter.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from oracle.arithmetic.primitives import namespace
from oracle.formula import Array

__all__ = [
    "LayerParameters",
    "kaiming_bound_squared",
    "kaiming_uniform_init",
    "kaiming_uniform_zero_bias",
    "torch_linear_init",
]


class LayerParameters(NamedTuple):
    """Weight and bias of a layer."""

    weight: Any
    bias: Any


def kaiming_bound_squared(fan_in: int, *, slope_squared: Fraction | int = 0) -> Fraction:
    r"""Return the square of the largest modulus of a weight.

    .. math::

        \frac{3}{n_{in}} \cdot \frac{2}{1 + a^2}

    Parameters
    ----------
    fan_in : int
        :math:`n_{in}`, how many numbers each output is computed from.
    slope_squared : Fraction or int
        :math:`a^2`, of the slope that the activation has for negative numbers: 0 of a rectifier.

    Returns
    -------
    Fraction
        Its root is :math:`\sqrt{6 / n_{in}}` for a rectifier.

    Examples
    --------
    >>> kaiming_bound_squared(24)
    Fraction(1, 4)
    """
    return Fraction(6) / ((1 + Fraction(slope_squared)) * fan_in)


def _scaled(draws: Array, bound_squared: Fraction) -> Array:
    xp = namespace(draws)
    return xp.sqrt(bound_squared.numerator * xp.ones_like(draws) / bound_squared.denominator) * draws


def kaiming_uniform_init(weight_draws: Array, bias_draws: Array) -> LayerParameters:
    r"""Scale draws as the document prints it.

    .. math::

        W_0 = \sqrt{\frac{6}{n_{in}}} \, \mathcal U_{[-1,1]}(n_{out}, n_{in}), \qquad
        b_0 = \frac{1}{\sqrt{n_{in}}} \, \mathcal U_{[-1,1]}(n_{out})

    Parameters
    ----------
    weight_draws : array, shape (n_out, n_in)
    bias_draws : array, shape (n_out,)

    Returns
    -------
    LayerParameters

    Notes
    -----
    The weights are those of He et al., whose biases are 0: `kaiming_uniform_zero_bias`. The bias is that of
    `torch_linear_init`, whose weights are smaller by the root of 6.

    Examples
    --------
    >>> import numpy as np
    >>> kaiming_uniform_init(np.ones((1, 6)), np.ones(1)).weight.tolist()
    [[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]
    """
    fan_in = weight_draws.shape[-1]
    return LayerParameters(
        weight=_scaled(weight_draws, kaiming_bound_squared(fan_in)),
        bias=_scaled(bias_draws, Fraction(1, fan_in)),
    )


def kaiming_uniform_zero_bias(weight_draws: Array) -> LayerParameters:
    """Scale draws as `kaiming_uniform_init`, with biases of 0, so that every layer keeps the mean square.

    Parameters
    ----------
    weight_draws : array, shape (n_out, n_in)

    Returns
    -------
    LayerParameters
    """
    weight = _scaled(weight_draws, kaiming_bound_squared(weight_draws.shape[-1]))
    return LayerParameters(weight=weight, bias=namespace(weight).zeros_like(weight[..., 0]))


def torch_linear_init(weight_draws: Array, bias_draws: Array) -> LayerParameters:
    r"""Scale draws as ``torch.nn.Linear`` does by default.

    .. math::

        W_0 = \frac{1}{\sqrt{n_{in}}} \, \mathcal U_{[-1,1]}(n_{out}, n_{in}), \qquad
        b_0 = \frac{1}{\sqrt{n_{in}}} \, \mathcal U_{[-1,1]}(n_{out})

    Parameters
    ----------
    weight_draws : array, shape (n_out, n_in)
    bias_draws : array, shape (n_out,)

    Returns
    -------
    LayerParameters

    Notes
    -----
    It calls Kaiming's law with a slope of :math:`\sqrt 5`, which no activation of the network has: a sixth of the
    variance that keeps the mean square.

    Examples
    --------
    >>> import numpy as np
    >>> torch_linear_init(np.ones((1, 4)), np.ones(1)).weight.tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """
    fan_in = weight_draws.shape[-1]
    return LayerParameters(
        weight=_scaled(weight_draws, kaiming_bound_squared(fan_in, slope_squared=5)),
        bias=_scaled(bias_draws, Fraction(1, fan_in)),
    )
