r"""What one step of descent does to a smooth loss, at most.

The functions are right-hand sides. They compute with any numbers; they are bounds where the
hypotheses hold: :math:`\mathcal L` is :math:`\beta`-smooth, the index is drawn independently of the
past, the estimate of the gradient is unbiased, and its second moment is at most
:math:`\sigma^2 + \lVert \nabla\mathcal L(\theta_t) \rVert^2`.
"""

from __future__ import annotations

from oracle.theory.finite_sum import Number, Vector
from oracle.training.sampling import minibatch_variance_with_replacement

__all__ = [
    "descent_inequality",
    "expected_descent_eq1",
    "expected_descent_eq2",
    "noise_floor",
    "proposition_minibatch_variance",
    "sgd_expected_inequality",
]


def descent_inequality(loss: Number, gradient: Vector, step: Vector, *, smoothness: Number) -> Number:
    r"""Bound a smooth loss at another point.

    .. math::

        \mathcal L(\theta_{t+1}) \le \mathcal L(\theta_t)
            + \langle \nabla\mathcal L(\theta_t), \theta_{t+1} - \theta_t \rangle
            + \frac{\beta}{2} \lVert \theta_{t+1} - \theta_t \rVert^2

    Parameters
    ----------
    loss, gradient : number, vector
        :math:`\mathcal L(\theta_t)` and :math:`\nabla\mathcal L(\theta_t)`.
    step : vector
        :math:`\theta_{t+1} - \theta_t`, which is :math:`-\eta_t \nabla\ell_{i_t}(\theta_t)` for
        stochastic descent; the slide puts it in without the minus.
    smoothness : number
        :math:`\beta > 0`.

    Returns
    -------
    number

    Notes
    -----
    Source: lopesquintas2025llm, Il faut modifier la valeur du learning rate.

    Examples
    --------
    >>> from fractions import Fraction
    >>> import numpy as np
    >>> one = np.array([Fraction(1)])
    >>> descent_inequality(Fraction(3), 4 * one, -one / 2, smoothness=Fraction(8))
    Fraction(2, 1)
    """
    return loss + gradient @ step + smoothness * (step @ step) / 2


def sgd_expected_inequality(
    loss: Number,
    gradient: Vector,
    estimate: Vector,
    second_moment: Number,
    *,
    learning_rate: Number,
    smoothness: Number,
) -> Number:
    r"""Bound the expected loss after a stochastic step, whatever the estimate of the gradient.

    .. math::

        \mathbb E[\mathcal L(\theta_{t+1})] \le \mathcal L(\theta_t)
            - \eta_t \langle \nabla\mathcal L(\theta_t), \mathbb E[\nabla\ell_{i_t}(\theta_t)] \rangle
            + \frac{\beta \eta_t^2}{2} \mathbb E[\lVert \nabla\ell_{i_t}(\theta_t) \rVert^2]

    Parameters
    ----------
    loss, gradient : number, vector
        :math:`\mathcal L(\theta_t)` and :math:`\nabla\mathcal L(\theta_t)`.
    estimate, second_moment : vector, number
        :math:`\mathbb E[\nabla\ell_{i_t}(\theta_t)]` and
        :math:`\mathbb E[\lVert \nabla\ell_{i_t}(\theta_t) \rVert^2]`.
    learning_rate, smoothness : number
        :math:`\eta_t \ge 0` and :math:`\beta > 0`.

    Returns
    -------
    number

    Notes
    -----
    Source: lopesquintas2025llm, Il faut modifier la valeur du learning rate, which prints a plus before
    the inner product.

    Examples
    --------
    >>> from fractions import Fraction
    >>> import numpy as np
    >>> one = np.array([Fraction(1)])
    >>> sgd_expected_inequality(Fraction(3), one, one, Fraction(4), learning_rate=Fraction(1, 2), smoothness=2)
    Fraction(7, 2)
    """
    return loss - learning_rate * (gradient @ estimate) + smoothness * learning_rate**2 * second_moment / 2


def expected_descent_eq1(
    loss: Number, squared_gradient: Number, *, learning_rate: Number, smoothness: Number, variance: Number
) -> Number:
    r"""Bound the expected loss after a step along the gradient of one sample.

    .. math::

        \mathbb E[\mathcal L(\theta_{t+1})] \le \mathcal L(\theta_t)
            - \Big( \eta_t - \frac{\beta \eta_t^2}{2} \Big) \lVert \nabla\mathcal L(\theta_t) \rVert^2
            + \frac{\beta \eta_t^2}{2} \sigma^2

    Parameters
    ----------
    loss, squared_gradient : number
        :math:`\mathcal L(\theta_t)` and :math:`\lVert \nabla\mathcal L(\theta_t) \rVert^2`.
    learning_rate, smoothness, variance : number
        :math:`\eta_t \ge 0`, :math:`\beta > 0` and :math:`\sigma^2 \ge 0`.

    Returns
    -------
    number

    Notes
    -----
    Source: lopesquintas2025llm, equation (1). It holds for every :math:`\eta_t \ge 0`, also beyond the
    :math:`1 / \beta` that the slide asks for, and promises descent only where the squared gradient
    exceeds `noise_floor`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> half = Fraction(1, 2)
    >>> expected_descent_eq1(Fraction(3), Fraction(4), learning_rate=half, smoothness=2, variance=Fraction(8))
    Fraction(4, 1)
    """
    return expected_descent_eq2(
        loss,
        squared_gradient,
        learning_rate=learning_rate,
        smoothness=smoothness,
        variance=variance,
        batch_size=1,
    )


def expected_descent_eq2(
    loss: Number,
    squared_gradient: Number,
    *,
    learning_rate: Number,
    smoothness: Number,
    variance: Number,
    batch_size: int,
) -> Number:
    r"""Bound the expected loss after a step along the mean gradient of a batch.

    .. math::

        \mathbb E[\mathcal L(\theta_{t+1})] \le \mathcal L(\theta_t)
            - \Big( \eta_t - \frac{\beta \eta_t^2}{2} \Big) \lVert \nabla\mathcal L(\theta_t) \rVert^2
            + \frac{\beta \eta_t^2}{2 n_B} \sigma^2

    Parameters
    ----------
    loss, squared_gradient : number
        :math:`\mathcal L(\theta_t)` and :math:`\lVert \nabla\mathcal L(\theta_t) \rVert^2`.
    learning_rate, smoothness, variance : number
        :math:`\eta_t \ge 0`, :math:`\beta > 0` and :math:`\sigma^2 \ge 0`, of one sample.
    batch_size : int
        :math:`n_B \ge 1` samples, drawn with replacement.

    Returns
    -------
    number

    Notes
    -----
    Source: lopesquintas2025llm, equation (2), in the annex.

    Examples
    --------
    >>> from fractions import Fraction
    >>> constants = {"learning_rate": Fraction(1, 2), "smoothness": 2, "variance": Fraction(8)}
    >>> expected_descent_eq2(Fraction(3), Fraction(4), **constants, batch_size=4)
    Fraction(5, 2)
    """
    curved = smoothness * learning_rate**2 / 2
    return loss - (learning_rate - curved) * squared_gradient + curved * variance / batch_size


def noise_floor(*, learning_rate: Number, smoothness: Number, variance: Number) -> Number:
    r"""Squared gradient at which the noise undoes the descent.

    .. math::

        \frac{\eta \beta \sigma^2}{2 - \eta \beta}

    Parameters
    ----------
    learning_rate, smoothness, variance : number
        :math:`0 < \eta \beta < 2` and :math:`\sigma^2 \ge 0`.

    Returns
    -------
    number
        Above it equation (1) promises descent. It is also the expected squared gradient at which
        stochastic descent with a fixed rate settles on `oracle.theory.problems.bowls`.

    Notes
    -----
    Source: lopesquintas2025llm, equation (1), solved for equal losses.

    Examples
    --------
    >>> from fractions import Fraction
    >>> noise_floor(learning_rate=Fraction(1, 2), smoothness=2, variance=Fraction(56, 9))
    Fraction(56, 9)
    """
    return learning_rate * smoothness * variance / (2 - learning_rate * smoothness)


def proposition_minibatch_variance(squared_gradient: Number, *, variance: Number, batch_size: int) -> Number:
    r"""Bound the second moment of the mean gradient of a batch drawn with replacement.

    .. math::

        \mathbb E \bigg[ \Big\lVert \frac{1}{n_B} \sum_{i \in \mathcal B_t} \nabla\ell_i(\theta_t) \Big\rVert^2 \bigg]
            \le \frac{\sigma^2}{n_B} + \lVert \nabla\mathcal L(\theta_t) \rVert^2

    Parameters
    ----------
    squared_gradient : number
        :math:`\lVert \nabla\mathcal L(\theta_t) \rVert^2`.
    variance : number
        :math:`\sigma^2`, at least the variance of one sample at :math:`\theta_t`.
    batch_size : int
        :math:`n_B \ge 1`.

    Returns
    -------
    number

    Raises
    ------
    DomainError
        If the size is no whole number, or too small.

    Notes
    -----
    Source: lopesquintas2025llm, Proposition 1, which calls the second moment a variance. The bound is
    attained where :math:`\sigma^2` is the variance of one sample at :math:`\theta_t`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> proposition_minibatch_variance(Fraction(5), variance=Fraction(6), batch_size=3)
    Fraction(7, 1)
    """
    return minibatch_variance_with_replacement(variance, batch_size) + squared_gradient
