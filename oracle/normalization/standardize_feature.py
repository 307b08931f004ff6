"""Standardizing the features of a data set."""

from __future__ import annotations

from oracle.arithmetic.primitives import namespace, variance
from oracle.formula import Array, formula
from oracle.normalization.evaluations import EVALUATIONS

__all__ = ["standardize_feature"]


@formula(
    "standardize_feature",
    kind="function",
    source=("lopesquintas2024updates, Couche Batch Normalization: première approximation",),
    domain={},
    neighbours=(
        "standardize_feature_unbiased",
        "standardize_feature_mean_kept",
        "standardize_feature_second_moment",
        "standardize_feature_no_root",
        "standardize_feature_sum",
        "standardize_feature_other_axis",
        "standardize_feature_one_scale",
    ),
    evaluations=EVALUATIONS,
)
def standardize_feature(x: Array) -> Array:
    r"""Subtract the mean of each feature, and divide by its standard deviation.

    .. math::

        \hat x^{(k)} = \frac{x^{(k)} - \overline{x^{(k)}}}{\sigma_{x^{(k)}}}

    Parameters
    ----------
    x : array, shape (n, ...)
        One sample per row; finite, and no feature constant.

    Returns
    -------
    array, shape (n, ...)
        :math:`\hat x`.

    Raises
    ------
    DomainError
        From `oracle.exact`, if a feature is constant: 0/0 has no value here.

    Notes
    -----
    The document leaves the divisor of the variance open; it is n, as in its batch normalization.
    There is no epsilon.

    Examples
    --------
    >>> import numpy as np
    >>> standardize_feature(np.array([[1.0, 10.0], [3.0, 30.0]]))
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    xp = namespace(x)
    mean = xp.mean(x, axis=0, keepdims=True)
    deviation = xp.sqrt(variance(x, axis=0, keepdims=True))
    return (x - mean) / deviation
