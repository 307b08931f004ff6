"""Where a normalization stands: beside an activation, and in a residual block."""

from __future__ import annotations

from collections.abc import Callable

from oracle.formula import Array

__all__ = ["activation_then_bn", "bn_then_activation", "post_norm", "pre_norm"]

Map = Callable[[Array], Array]


def bn_then_activation(x: Array, *, normalize: Map, activation: Map) -> Array:
    r"""Normalize before the activation, :math:`g(\mathrm{BN}(x))`, as Ioffe and Szegedy do.

    Examples
    --------
    >>> bn_then_activation(3.0, normalize=lambda x: x - 4, activation=abs)
    1.0
    """
    return activation(normalize(x))


def activation_then_bn(x: Array, *, normalize: Map, activation: Map) -> Array:
    r"""Normalize after the activation, :math:`\mathrm{BN}(g(x))`, as the documents recommend.

    Examples
    --------
    >>> activation_then_bn(3.0, normalize=lambda x: x - 4, activation=abs)
    -1.0
    """
    return normalize(activation(x))


def pre_norm(x: Array, *, normalize: Map, block: Map) -> Array:
    r"""Normalize what a residual block is given: :math:`x + F(\mathrm N(x))`.

    Examples
    --------
    >>> pre_norm(3.0, normalize=lambda x: x / 3, block=lambda x: 2 * x)
    5.0
    """
    return x + block(normalize(x))


def post_norm(x: Array, *, normalize: Map, block: Map) -> Array:
    r"""Normalize what a residual block returns: :math:`\mathrm N(x + F(x))`.

    Examples
    --------
    >>> post_norm(3.0, normalize=lambda x: x / 3, block=lambda x: 2 * x)
    3.0
    """
    return normalize(x + block(x))
