"""What a model loses on samples, and models made of layers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence

from oracle.formula import Array, Scalar
from oracle.training.batches import batch_mean, batch_sum

__all__ = ["composed", "risk_mean", "risk_sum"]

Loss = Callable[[Array, Array], Scalar]
Model = Callable[[Array], Array]
Samples = Iterable[tuple[Array, Array]]


def composed(layers: Sequence[Model]) -> Model:
    r"""Make one model of layers, the first one first.

    .. math::

        f(x) = f_L(f_{L-1}(\dots f_2(f_1(x)) \dots))

    Parameters
    ----------
    layers : sequence of callable
        Each with its own parameters; without any, the input is returned.

    Returns
    -------
    callable

    Notes
    -----
    Bourmaud's slides, "Optimisation des paramètres".

    Examples
    --------
    >>> composed([lambda x: x + 1, lambda x: 10 * x])(2)
    30
    """

    def model(x: Array) -> Array:
        return functools.reduce(lambda value, layer: layer(value), layers, x)

    return model


def risk_sum(loss: Loss, model: Model, samples: Samples) -> Scalar:
    r"""Add up what a model loses on samples.

    .. math::

        L(\theta) = \sum_{i=1}^N l(Y_i, f(X_i; \theta))

    Parameters
    ----------
    loss : callable
        Of a prediction and its target.
    model : callable
        Of an input; it carries its parameters.
    samples : iterable of (input, target)

    Returns
    -------
    scalar
        Nothing else: neither the parameters nor an optimizer's memory are touched.

    Notes
    -----
    Bourmaud's slides, "Optimisation des paramètres"; over the samples kept for validation it is the validation
    loss of "Résumé de l'étape d'apprentissage". Two sums compare only over equally many samples.

    Examples
    --------
    >>> risk_sum(lambda prediction, target: (prediction - target) ** 2, lambda x: 2 * x, [(1, 1), (3, 4)])
    5
    """
    return batch_sum([loss(model(x), y) for x, y in samples])


def risk_mean(loss: Loss, model: Model, samples: Samples) -> Scalar:
    r"""Average what a model loses on samples.

    .. math::

        \mathcal L(\theta) = \frac1n \sum_{i=1}^n \ell_i(\theta)

    Parameters
    ----------
    loss : callable
        Of a prediction and its target.
    model : callable
        Of an input; it carries its parameters.
    samples : iterable of (input, target)
        At least one.

    Returns
    -------
    scalar

    Raises
    ------
    DomainError
        If there are no samples.

    Notes
    -----
    Lopès-Quintas' slides, "Il faut modifier la valeur du learning rate".

    Examples
    --------
    >>> risk_mean(lambda prediction, target: (prediction - target) ** 2, lambda x: 2 * x, [(1, 1), (3, 4)])
    2.5
    """
    return batch_mean([loss(model(x), y) for x, y in samples])
