"""Descent along the gradient of a part of the samples: one, the mean of a batch, the sum of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oracle.formula import Array, NoState, Scalar
from oracle.optimizers.descent import gd
from oracle.training.batches import batch_mean, batch_sum, chosen

__all__ = ["sgd", "sgd_bourmaud_sum", "sgd_minibatch_mean"]

Gradients = Sequence[Callable[[Array], Array]]


def _moved(param: Array, grad: Array, learning_rate: Scalar) -> Array:
    return gd(param, grad, NoState(), learning_rate=learning_rate)[0]


def sgd(param: Array, gradients: Gradients, index: int, *, learning_rate: Scalar) -> Array:
    r"""Move the parameters against the gradient of one sample.

    .. math::

        \theta_{t+1} = \theta_t - \eta_t \nabla \ell_{i_t}(\theta_t)

    Parameters
    ----------
    param : array, shape (...)
        :math:`\theta_t`.
    gradients : sequence of callable
        :math:`\nabla \ell_i` of every sample; only the one that is drawn is evaluated.
    index : int
        :math:`i_t`, counted from 0.
    learning_rate : scalar
        :math:`\eta_t \ge 0`.

    Returns
    -------
    array, shape (...)
        :math:`\theta_{t+1}`.

    Raises
    ------
    DomainError
        If there is no such sample, or the learning rate is negative.

    Notes
    -----
    Lopès-Quintas' slides, "Il faut modifier la valeur du learning rate".

    Examples
    --------
    >>> sgd(8.0, [lambda x: x, lambda x: 2 * x], 1, learning_rate=0.25)
    4.0
    """
    (gradient,) = chosen(gradients, (index,))
    return _moved(param, gradient(param), learning_rate)


def sgd_minibatch_mean(param: Array, gradients: Gradients, batch: Sequence[int], *, learning_rate: Scalar) -> Array:
    r"""Move the parameters against the mean gradient of a batch.

    .. math::

        \theta_{t+1} = \theta_t - \eta_t \Big( \frac{1}{n_B} \sum_{i \in \mathcal B_t} \nabla \ell_i(\theta_t) \Big)

    Parameters
    ----------
    param : array, shape (...)
        :math:`\theta_t`.
    gradients : sequence of callable
        :math:`\nabla \ell_i` of every sample; only those of the batch are evaluated.
    batch : sequence of int
        :math:`\mathcal B_t`, counted from 0, at least one; drawn with replacement a sample may occur several times.
    learning_rate : scalar
        :math:`\eta_t \ge 0`.

    Returns
    -------
    array, shape (...)
        :math:`\theta_{t+1}`.

    Raises
    ------
    DomainError
        If the batch is empty, there is no such sample, or the learning rate is negative.

    Notes
    -----
    Lopès-Quintas' slides, "Annexe : SGD par mini-batch".

    Examples
    --------
    >>> sgd_minibatch_mean(8.0, [lambda x: x, lambda x: 2 * x], (0, 1), learning_rate=0.25)
    5.0
    """
    grad = batch_mean([gradient(param) for gradient in chosen(gradients, batch)])
    return _moved(param, grad, learning_rate)


def sgd_bourmaud_sum(param: Array, gradients: Gradients, batch: Sequence[int], *, learning_rate: Scalar) -> Array:
    r"""Move the parameters against the summed gradient of a batch.

    .. math::

        g_{k+1} &= \sum_{i \in \Omega_k} \frac{\partial l_i}{\partial \theta} \Big|_{\theta = \theta_k} \\
        \theta_{k+1} &= \theta_k - \alpha g_{k+1}

    Parameters
    ----------
    param : array, shape (...)
        :math:`\theta_k`.
    gradients : sequence of callable
        :math:`\partial l_i / \partial \theta` of every sample; only those of the batch are evaluated.
    batch : sequence of int
        :math:`\Omega_k`, counted from 0.
    learning_rate : scalar
        :math:`\alpha \ge 0`.

    Returns
    -------
    array, shape (...)
        :math:`\theta_{k+1}`.

    Raises
    ------
    DomainError
        If there is no such sample, or the learning rate is negative.

    Notes
    -----
    Bourmaud's slides, "Apprendre sur une grande base de données annotées". With :math:`\alpha = \eta / |\Omega_k|`
    it is `sgd_minibatch_mean`.

    Examples
    --------
    >>> sgd_bourmaud_sum(8.0, [lambda x: x, lambda x: 2 * x], (0, 1), learning_rate=0.25)
    2.0
    """
    grad = batch_sum([gradient(param) for gradient in chosen(gradients, batch)])
    return _moved(param, grad, learning_rate)
