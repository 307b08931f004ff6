"""Normalization by the root mean square, without a shift."""

from __future__ import annotations

from oracle.arithmetic.primitives import namespace, quotient
from oracle.domains import at_least, greater_than
from oracle.formula import Array, Scalar, formula

__all__ = ["rms_norm"]


@formula(
    "rms_norm",
    kind="function",
    source=("zhang2019root, equation (4)", "lopesquintas2024updates, RMSNorm"),
    domain={"eps": at_least(0)},
    draw={"eps": greater_than(0)},
    neighbours=(
        "rms_norm_eps_outside",
        "rms_norm_eps_missing",
        "rms_norm_eps_tenfold",
        "rms_norm_centred",
        "rms_norm_centred_moment",
        "rms_norm_sum_of_squares",
        "rms_norm_gain_one_plus",
        "rms_norm_one_scale",
        "rms_norm_one_axis_up",
    ),
)
def rms_norm(x: Array, weight: Array, *, eps: Scalar) -> Array:
    r"""Divide each sample by the root mean square of its features, then scale every feature.

    .. math::

        z_i = \gamma_i \frac{x_i}{\sqrt{\frac1d \sum_{j=1}^d x_j^2 + \varepsilon}}

    Parameters
    ----------
    x : array, shape (..., d)
        Samples, their features along the last axis; finite.
    weight : array, shape (d,)
        :math:`\gamma`.
    eps : scalar
        :math:`\varepsilon \ge 0`, inside the root.

    Returns
    -------
    array, shape (..., d)
        :math:`z`; with :math:`\varepsilon = 0` a sample of zeros stays one.

    Raises
    ------
    DomainError
        If epsilon lies outside the domain above.

    Notes
    -----
    The document names the layer and prints no formula. The article has no epsilon; libraries add
    one inside the root.

    Examples
    --------
    >>> import numpy as np
    >>> rms_norm(np.array([1.0, 7.0]), np.array([2.0, 1.0]), eps=0.0)
    array([0.4, 1.4])
    """
    xp = namespace(x)
    root = xp.sqrt(xp.mean(x**2, axis=-1, keepdims=True) + eps)
    return weight * quotient(x, root)
