r"""How small the gradients of a run become, at least on average.

The functions are right-hand sides: bounds of means of
:math:`\mathbb E \lVert \nabla\mathcal L(\theta_t) \rVert^2` over the first :math:`T` points of a run. The
hypotheses are those of `oracle.theory.descent`; :math:`\mathcal L` need not be convex.
"""

from __future__ import annotations

from collections.abc import Sequence

from oracle.theory.finite_sum import Number

__all__ = [
    "theorem_decreasing_lr",
    "theorem_fixed_lr",
    "theorem_fixed_lr_sharp",
    "theorem_minibatch_fixed_lr",
]


def theorem_fixed_lr(steps: int, *, learning_rate: Number, smoothness: Number, variance: Number, gap: Number) -> Number:
    r"""Bound the mean squared gradient of stochastic descent with a fixed rate.

    .. math::

        \mathbb E \bigg[ \frac1T \sum_{t=0}^{T-1} \lVert \nabla\mathcal L(\theta_t) \rVert^2 \bigg]
            \le \eta \beta \sigma^2 + \frac{2 (\mathcal L(\theta_0) - \mathcal L(\theta^*))}{\eta T}

    Parameters
    ----------
    steps : int
        :math:`T \ge 1`.
    learning_rate, smoothness : number
        :math:`0 < \eta \le 1 / \beta`.
    variance, gap : number
        :math:`\sigma^2 \ge 0` and :math:`\mathcal L(\theta_0) - \mathcal L(\theta^*)`.

    Returns
    -------
    number

    Notes
    -----
    Source: lopesquintas2025llm, Théorème 1. The first term is attained at :math:`\eta = 1 / \beta`, the
    second at :math:`T = 1`, both on `oracle.theory.problems.bowls`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> half = Fraction(1, 2)
    >>> theorem_fixed_lr(4, learning_rate=half, smoothness=2, variance=Fraction(3), gap=Fraction(5))
    Fraction(8, 1)
    """
    return theorem_minibatch_fixed_lr(
        steps, learning_rate=learning_rate, smoothness=smoothness, variance=variance, gap=gap, batch_size=1
    )


def theorem_fixed_lr_sharp(
    steps: int, *, learning_rate: Number, smoothness: Number, variance: Number, gap: Number
) -> Number:
    r"""Bound the same mean without giving anything away, for rates up to twice as large.

    .. math::

        \mathbb E \bigg[ \frac1T \sum_{t=0}^{T-1} \lVert \nabla\mathcal L(\theta_t) \rVert^2 \bigg]
            \le \frac{\frac{\mathcal L(\theta_0) - \mathcal L(\theta^*)}{\eta T} + \frac{\eta \beta \sigma^2}{2}}
                {1 - \frac{\eta \beta}{2}}

    Parameters
    ----------
    steps : int
        :math:`T \ge 1`.
    learning_rate, smoothness : number
        :math:`0 < \eta < 2 / \beta`.
    variance, gap : number
        :math:`\sigma^2 \ge 0`, over :math:`n_B` for batches, and :math:`\mathcal L(\theta_0) - \mathcal L(\theta^*)`.

    Returns
    -------
    number
        At most `theorem_fixed_lr` where that holds.

    Notes
    -----
    Source: lopesquintas2025llm, the proof of Théorème 1 before it replaces
    :math:`\eta - \eta^2 \beta / 2` by :math:`\eta / 2`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> theorem_fixed_lr_sharp(4, learning_rate=Fraction(1, 2), smoothness=1, variance=Fraction(3), gap=Fraction(6))
    Fraction(5, 1)
    """
    noise = learning_rate * smoothness * variance / 2
    return (gap / (learning_rate * steps) + noise) / (1 - learning_rate * smoothness / 2)


def theorem_minibatch_fixed_lr(
    steps: int, *, learning_rate: Number, smoothness: Number, variance: Number, gap: Number, batch_size: int
) -> Number:
    r"""Bound the mean squared gradient of descent along batches with a fixed rate.

    .. math::

        \mathbb E \bigg[ \frac1T \sum_{t=0}^{T-1} \lVert \nabla\mathcal L(\theta_t) \rVert^2 \bigg]
            \le \frac{\eta \beta \sigma^2}{n_B} + \frac{2 (\mathcal L(\theta_0) - \mathcal L(\theta^*))}{\eta T}

    Parameters
    ----------
    steps : int
        :math:`T \ge 1`.
    learning_rate, smoothness : number
        :math:`0 < \eta \le 1 / \beta`.
    variance, gap : number
        :math:`\sigma^2 \ge 0`, of one sample, and :math:`\mathcal L(\theta_0) - \mathcal L(\theta^*)`.
    batch_size : int
        :math:`n_B \ge 1` samples, drawn with replacement in every step.

    Returns
    -------
    number

    Notes
    -----
    Source: lopesquintas2025llm, Théorème 3.

    Examples
    --------
    >>> from fractions import Fraction
    >>> constants = {"learning_rate": Fraction(1, 2), "smoothness": 2, "variance": Fraction(3), "gap": Fraction(5)}
    >>> theorem_minibatch_fixed_lr(4, **constants, batch_size=3)
    Fraction(6, 1)
    """
    return learning_rate * smoothness * variance / batch_size + 2 * gap / (learning_rate * steps)


def theorem_decreasing_lr(
    learning_rates: Sequence[Number], *, smoothness: Number, variance: Number, gap: Number
) -> Number:
    r"""Bound the mean squared gradient, weighted by rates that change from step to step.

    .. math::

        \mathbb E \bigg[ \frac{1}{\sum_{t=0}^{T-1} \eta_t}
            \sum_{t=0}^{T-1} \eta_t \lVert \nabla\mathcal L(\theta_t) \rVert^2 \bigg]
            \le \frac{2 (\mathcal L(\theta_0) - \mathcal L(\theta^*)) + \beta \sigma^2 \sum_{t=0}^{T-1} \eta_t^2}
                {\sum_{t=0}^{T-1} \eta_t}

    Parameters
    ----------
    learning_rates : sequence of number
        :math:`0 < \eta_t \le 1 / \beta` of the first :math:`T \ge 1` steps, in any order.
    smoothness, variance, gap : number
        :math:`\beta > 0`, :math:`\sigma^2 \ge 0` and :math:`\mathcal L(\theta_0) - \mathcal L(\theta^*)`.

    Returns
    -------
    number
        Tends to 0 if the sum of the rates diverges and that of their squares does not.

    Notes
    -----
    Source: lopesquintas2025llm, Théorème 2, which states the limit alone and has no proof; this is what
    the proof of Théorème 1 gives for rates that change.

    Examples
    --------
    >>> from fractions import Fraction
    >>> rates = [Fraction(1), Fraction(1, 2), Fraction(1, 2)]
    >>> theorem_decreasing_lr(rates, smoothness=1, variance=Fraction(4), gap=Fraction(5))
    Fraction(8, 1)
    """
    squares = sum(rate**2 for rate in learning_rates)
    return (2 * gap + smoothness * variance * squares) / sum(learning_rates)
