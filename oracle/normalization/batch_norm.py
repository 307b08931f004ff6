"""Batch normalization in training: the layer, and the statistics that it gathers for inference."""

from __future__ import annotations

from oracle.arithmetic.primitives import moving_average, namespace, quotient, variance
from oracle.domains import at_least, closed, greater_than
from oracle.formula import Array, Scalar, formula
from oracle.normalization.evaluations import EVALUATIONS

__all__ = [
    "batch_norm",
    "batch_norm_running_mean",
    "batch_norm_running_variance",
    "batch_norm_running_variance_biased",
]

_SLIDES = "lopesquintas2024updates, Couche Batch Normalization"


@formula(
    "batch_norm",
    kind="function",
    source=(f"{_SLIDES}: seconde approximation", "ioffe2015batch, Algorithm 1"),
    domain={"eps": at_least(0)},
    draw={"eps": greater_than(0)},
    neighbours=(
        "layer_norm",
        "batch_norm_unbiased",
        "batch_norm_eps_outside",
        "batch_norm_eps_missing",
        "batch_norm_eps_tenfold",
        "batch_norm_mean_kept",
        "batch_norm_second_moment",
        "batch_norm_sum",
        "batch_norm_gain_one_plus",
        "batch_norm_affine_swapped",
        "batch_norm_one_scale",
    ),
    evaluations=EVALUATIONS,
)
def batch_norm(x: Array, weight: Array, bias: Array, *, eps: Scalar) -> Array:
    r"""Normalize each feature over the samples of a batch, then scale and shift it.

    .. math::

        \mu_{\mathcal B} &= \frac1m \sum_{j=1}^m x_j \\
        \sigma_{\mathcal B}^2 &= \frac1m \sum_{j=1}^m (x_j - \mu_{\mathcal B})^2 \\
        \hat x_i &= \frac{x_i - \mu_{\mathcal B}}{\sqrt{\sigma_{\mathcal B}^2 + \varepsilon}} \\
        z_i &= \gamma \hat x_i + \beta

    Parameters
    ----------
    x : array, shape (m, d)
        A batch, one sample per row; finite.
    weight, bias : array, shape (d,)
        :math:`\gamma` and :math:`\beta`, one pair per feature.
    eps : scalar
        :math:`\varepsilon \ge 0`, inside the root.

    Returns
    -------
    array, shape (m, d)
        :math:`z`; with :math:`\varepsilon = 0` a constant feature becomes :math:`\beta`.

    Raises
    ------
    DomainError
        If epsilon lies outside the domain above.

    Notes
    -----
    The variance is the biased one. The document prints :math:`\gamma` and :math:`\beta` without the
    index of the feature; there is one pair for each. It has no rule for inference.

    Examples
    --------
    >>> import numpy as np
    >>> batch_norm(np.array([[1.0], [7.0]]), np.array([10.0]), np.array([1.0]), eps=16.0)
    array([[-5.],
           [ 7.]])
    """
    xp = namespace(x)
    mean = xp.mean(x, axis=0, keepdims=True)
    root = xp.sqrt(variance(x, axis=0, keepdims=True) + eps)
    return weight * quotient(x - mean, root) + bias


@formula(
    "batch_norm_running_mean",
    kind="function",
    source=("ioffe2015batch, Algorithm 2", "pytorchbatchnorm, BatchNorm1d"),
    domain={"momentum": closed(0, 1)},
    neighbours=(
        "batch_norm_running_variance",
        "batch_norm_running_mean_complement",
        "batch_norm_running_mean_sum",
        "batch_norm_running_mean_undamped",
        "batch_norm_running_mean_last_batch",
    ),
)
def batch_norm_running_mean(x: Array, running: Array, *, momentum: Scalar) -> Array:
    r"""Gather the means of batches, for inference.

    .. math::

        \bar\mu' = (1 - \rho) \bar\mu + \rho \mu_{\mathcal B}

    Parameters
    ----------
    x : array, shape (m, d)
        A batch, one sample per row; finite.
    running : array, shape (d,)
        :math:`\bar\mu`, what has been gathered.
    momentum : scalar
        :math:`\rho`, the weight of the new value, in [0, 1].

    Returns
    -------
    array, shape (d,)
        :math:`\bar\mu'`.

    Raises
    ------
    DomainError
        If the momentum lies outside the domain above.

    Notes
    -----
    Keras calls the weight of the old value its momentum.

    Examples
    --------
    >>> import numpy as np
    >>> batch_norm_running_mean(np.array([[1.0], [7.0]]), np.array([2.0]), momentum=0.5)
    array([3.])
    """
    mean = namespace(x).mean(x, axis=0)
    return moving_average(1 - momentum, running, mean)


@formula(
    "batch_norm_running_variance",
    kind="function",
    source=("ioffe2015batch, Algorithm 2", "pytorchbatchnorm, BatchNorm1d"),
    domain={"momentum": closed(0, 1)},
    neighbours=(
        "batch_norm_running_variance_biased",
        "batch_norm_running_mean",
        "batch_norm_running_variance_complement",
        "batch_norm_running_variance_squares",
        "batch_norm_running_variance_root",
        "batch_norm_running_variance_second_moment",
        "batch_norm_running_variance_undamped",
        "batch_norm_running_variance_last_batch",
    ),
    evaluations=EVALUATIONS,
)
def batch_norm_running_variance(x: Array, running: Array, *, momentum: Scalar) -> Array:
    r"""Gather the unbiased variances of batches, for inference.

    .. math::

        \bar v' = (1 - \rho) \bar v + \rho \frac{m}{m - 1} \sigma_{\mathcal B}^2

    Parameters
    ----------
    x : array, shape (m, d)
        A batch, one sample per row, at least two; finite.
    running : array, shape (d,)
        :math:`\bar v`, what has been gathered.
    momentum : scalar
        :math:`\rho`, the weight of the new value, in [0, 1].

    Returns
    -------
    array, shape (d,)
        :math:`\bar v'`.

    Raises
    ------
    DomainError
        If the momentum lies outside the domain above.

    Notes
    -----
    The batch itself is normalized with the biased variance. Torch gathers the unbiased one, Keras
    the biased one.

    Examples
    --------
    >>> import numpy as np
    >>> batch_norm_running_variance(np.array([[1.0], [7.0]]), np.array([2.0]), momentum=0.5)
    array([10.])
    """
    m = x.shape[0]
    unbiased = variance(x, axis=0) * m / (m - 1)
    return moving_average(1 - momentum, running, unbiased)


@formula(
    "batch_norm_running_variance_biased",
    kind="function",
    source=("kerasbatchnorm, BatchNormalization",),
    domain={"momentum": closed(0, 1)},
    neighbours=(
        "batch_norm_running_variance",
        "batch_norm_running_mean",
        "batch_norm_running_variance_biased_complement",
        "batch_norm_running_variance_squares",
        "batch_norm_running_variance_root",
        "batch_norm_running_variance_second_moment",
        "batch_norm_running_variance_biased_undamped",
        "batch_norm_running_variance_biased_last_batch",
    ),
    evaluations=EVALUATIONS,
)
def batch_norm_running_variance_biased(x: Array, running: Array, *, momentum: Scalar) -> Array:
    r"""Gather the biased variances of batches, for inference.

    .. math::

        \bar v' = (1 - \rho) \bar v + \rho \sigma_{\mathcal B}^2

    Parameters
    ----------
    x : array, shape (m, d)
        A batch, one sample per row; finite.
    running : array, shape (d,)
        :math:`\bar v`, what has been gathered.
    momentum : scalar
        :math:`\rho`, the weight of the new value, in [0, 1].

    Returns
    -------
    array, shape (d,)
        :math:`\bar v'`.

    Raises
    ------
    DomainError
        If the momentum lies outside the domain above.

    Notes
    -----
    Keras calls the weight of the old value its momentum.

    Examples
    --------
    >>> import numpy as np
    >>> batch_norm_running_variance_biased(np.array([[1.0], [7.0]]), np.array([2.0]), momentum=0.5)
    array([5.5])
    """
    return moving_average(1 - momentum, running, variance(x, axis=0))
