"""Clipping a gradient coordinate by coordinate."""

from __future__ import annotations

from oracle.arithmetic.primitives import namespace
from oracle.domains import at_least, greater_than
from oracle.formula import Array, Scalar, formula

__all__ = ["clip_by_value"]


@formula(
    "clip_by_value",
    kind="function",
    source=("lopesquintas2024updates, Gradient clipping",),
    domain={"clip_value": at_least(0)},
    draw={"clip_value": greater_than(0)},
    neighbours=(
        "clip_by_norm",
        "clip_by_norm_root_mean_square",
        "clip_by_value_high_only",
        "clip_by_value_low_only",
        "clip_by_value_zeroed",
        "clip_by_value_modulus",
        "clip_by_value_saturated",
    ),
)
def clip_by_value(grad: Array, *, clip_value: Scalar) -> Array:
    r"""Force every coordinate of a gradient into an interval around zero.

    .. math::

        \tilde g_i = \max(-\alpha, \min(\alpha, g_i))

    Parameters
    ----------
    grad : array, shape (...)
        :math:`g`; finite.
    clip_value : scalar
        :math:`\alpha \ge 0`.

    Returns
    -------
    array, shape (...)
        :math:`\tilde g`.

    Raises
    ------
    DomainError
        If the threshold lies outside the domain above.

    Notes
    -----
    The direction of the gradient may be lost; ``clip_by_norm`` keeps it.

    Examples
    --------
    >>> import numpy as np
    >>> clip_by_value(np.array([3.0, -0.5, -4.0]), clip_value=1.0)
    array([ 1. , -0.5, -1. ])
    """
    xp = namespace(grad)
    return xp.maximum(-clip_value, xp.minimum(clip_value, grad))
