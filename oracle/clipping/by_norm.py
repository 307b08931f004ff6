"""Clipping a gradient to a maximal Euclidean norm."""

from __future__ import annotations

from oracle.arithmetic.primitives import euclidean_norm, rescaled
from oracle.clipping.evaluations import EVALUATIONS
from oracle.domains import at_least, greater_than
from oracle.formula import Array, Scalar, formula

__all__ = ["clip_by_norm", "clip_by_norm_torch"]


@formula(
    "clip_by_norm",
    kind="function",
    source=("lopesquintas2024updates, Gradient clipping", "pascanu2013difficulty, Algorithm 1"),
    domain={"max_norm": at_least(0)},
    draw={"max_norm": greater_than(0)},
    neighbours=(
        "clip_by_norm_torch",
        "clip_by_norm_always_rescaled",
        "clip_by_norm_unit",
        "clip_by_norm_l1",
        "clip_by_norm_squared",
        "clip_by_norm_root_mean_square",
        "clip_by_value",
    ),
    evaluations=EVALUATIONS,
)
def clip_by_norm(grad: Array, *, max_norm: Scalar) -> Array:
    r"""Shorten a gradient to a maximal Euclidean norm, keeping its direction.

    .. math::

        \tilde g = \begin{cases}
            \alpha \dfrac{g}{\lVert g \rVert_2} & \text{if } \lVert g \rVert_2 \ge \alpha \\
            g & \text{otherwise}
        \end{cases}

    Parameters
    ----------
    grad : array, shape (...)
        :math:`g`, the whole gradient; finite.
    max_norm : scalar
        :math:`\alpha \ge 0`.

    Returns
    -------
    array, shape (...)
        :math:`\tilde g`; 0 where the quotient is 0/0.

    Raises
    ------
    DomainError
        If the threshold lies outside the domain above.

    Notes
    -----
    Both branches agree at :math:`\lVert g \rVert_2 = \alpha`, so that :math:`>` serves as well
    as :math:`\ge`. The norm is the Euclidean one of the whole gradient; the document leaves it open.

    Examples
    --------
    >>> import numpy as np
    >>> clip_by_norm(np.array([6.0, 8.0]), max_norm=5.0)
    array([3., 4.])
    >>> clip_by_norm(np.array([6.0, 8.0]), max_norm=20.0)
    array([6., 8.])
    """
    norm = euclidean_norm(grad)
    return rescaled(grad, max_norm, norm)  # max_norm * grad / norm if norm >= max_norm, else grad


@formula(
    "clip_by_norm_torch",
    kind="function",
    source=("pytorchclip, clip_grad_norm_",),
    domain={"max_norm": at_least(0)},
    draw={"max_norm": greater_than(0)},
    neighbours=(
        "clip_by_norm",
        "clip_by_norm_torch_always_rescaled",
        "clip_by_norm_torch_l1",
        "clip_by_norm_torch_squared",
        "clip_by_norm_torch_root_mean_square",
        "clip_by_value",
    ),
    evaluations=EVALUATIONS,
)
def clip_by_norm_torch(grad: Array, *, max_norm: Scalar) -> Array:
    r"""Shorten a gradient to a maximal norm, with a millionth added to its norm.

    .. math::

        \tilde g = \min\left(1, \frac{\alpha}{\lVert g \rVert_2 + 10^{-6}}\right) g

    Parameters
    ----------
    grad : array, shape (...)
        :math:`g`, the whole gradient; finite.
    max_norm : scalar
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
    The result is always shorter than :math:`\alpha`, and a gradient whose norm lies less than
    a millionth below :math:`\alpha` is shortened although it fits. The constant is the float64
    nearest to :math:`10^{-6}`.

    Examples
    --------
    >>> import numpy as np
    >>> clip_by_norm_torch(np.array([6.0, 8.0]), max_norm=20.0)
    array([6., 8.])
    """
    norm = euclidean_norm(grad) + 1e-6
    return rescaled(grad, max_norm, norm)  # max_norm * grad / norm if norm >= max_norm, else grad
