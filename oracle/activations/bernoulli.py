"""The random mask whose expectation is GELU."""

from __future__ import annotations

from typing import NamedTuple

from oracle.arithmetic.curves import normal_cdf
from oracle.arithmetic.primitives import namespace
from oracle.formula import Array

__all__ = ["Moments", "gelu_bernoulli", "gelu_bernoulli_moments"]


class Moments(NamedTuple):
    """Mean and variance."""

    mean: Array
    variance: Array


def gelu_bernoulli(x: Array, draw: Array) -> Array:
    r"""Keep the numbers that a draw from the normal distribution does not exceed: :math:`x \, \mathbf 1[X \le x]`.

    Parameters
    ----------
    x : array, shape (...)
    draw : array, shape (...)
        :math:`X`, standard normal: so that a number is kept with the probability :math:`\Phi(x)`.

    Returns
    -------
    array, shape (...)
        The number, or 0.

    Examples
    --------
    >>> import numpy as np
    >>> gelu_bernoulli(np.array([-2.0, 1.0]), np.array([0.5, 0.5])).tolist()
    [0.0, 1.0]
    """
    xp = namespace(x, draw)
    return xp.where(draw <= x, x, xp.zeros_like(x))


def gelu_bernoulli_moments(x: Array) -> Moments:
    r"""Enumerate the two outcomes :math:`x` and 0, of probabilities :math:`\Phi(x)` and :math:`\Phi(-x)`.

    Parameters
    ----------
    x : array, shape (...)

    Returns
    -------
    Moments
        The mean is :math:`\operatorname{GELU}(x)`.

    Examples
    --------
    >>> import numpy as np
    >>> gelu_bernoulli_moments(np.array([0.0, 40.0])).mean.tolist()
    [0.0, 40.0]
    """
    kept, dropped = normal_cdf(x), normal_cdf(-x)
    mean = kept * x
    return Moments(mean, kept * (x - mean) ** 2 + dropped * mean**2)
