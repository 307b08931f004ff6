"""Layer normalization: every sample by its own features."""

from __future__ import annotations

from oracle.arithmetic.primitives import namespace, quotient, variance
from oracle.domains import at_least, greater_than
from oracle.formula import Array, Scalar, formula
from oracle.normalization.evaluations import EVALUATIONS

__all__ = ["layer_norm"]


@formula(
    "layer_norm",
    kind="function",
    source=("lopesquintas2024updates, Layer Normalization, equation (2)", "ba2016layer, equation (4)"),
    domain={"eps": at_least(0)},
    draw={"eps": greater_than(0)},
    neighbours=(
        "batch_norm",
        "rms_norm",
        "layer_norm_unbiased",
        "layer_norm_eps_outside",
        "layer_norm_eps_missing",
        "layer_norm_eps_tenfold",
        "layer_norm_mean_kept",
        "layer_norm_second_moment",
        "layer_norm_sum",
        "layer_norm_gain_one_plus",
        "layer_norm_affine_swapped",
        "batch_norm_one_scale",
    ),
    evaluations=EVALUATIONS,
)
def layer_norm(x: Array, weight: Array, bias: Array, *, eps: Scalar) -> Array:
    r"""Normalize each sample over its features, then scale and shift every feature.

    .. math::

        \mu &= \frac1d \sum_{j=1}^d x_j \\
        \sigma^2 &= \frac1d \sum_{j=1}^d (x_j - \mu)^2 \\
        \hat x_i &= \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}} \\
        z_i &= \gamma_i \hat x_i + \beta_i

    Parameters
    ----------
    x : array, shape (..., d)
        Samples, their features along the last axis; finite.
    weight, bias : array, shape (d,)
        :math:`\gamma` and :math:`\beta`.
    eps : scalar
        :math:`\varepsilon \ge 0`, inside the root.

    Returns
    -------
    array, shape (..., d)
        :math:`z`; with :math:`\varepsilon = 0` a constant sample becomes :math:`\beta`.

    Raises
    ------
    DomainError
        If epsilon lies outside the domain above.

    Notes
    -----
    The variance is the biased one. The document prints :math:`\gamma` and :math:`\beta` without the
    index of the feature; they are vectors.

    Examples
    --------
    >>> import numpy as np
    >>> layer_norm(np.array([1.0, 7.0]), np.array([10.0, 5.0]), np.array([1.0, 0.0]), eps=16.0)
    array([-5.,  3.])
    """
    xp = namespace(x)
    mean = xp.mean(x, axis=-1, keepdims=True)
    root = xp.sqrt(variance(x, axis=-1, keepdims=True) + eps)
    return weight * quotient(x - mean, root) + bias
