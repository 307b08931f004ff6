"""What AdaGrad and RMSProp keep of the squares of their gradients: one sum that grows, one average that forgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from oracle.arithmetic.primitives import namespace
from oracle.exact import exact
from oracle.examples.adagrad_quadratic import CURVATURES, Point
from oracle.formula import initial_state
from oracle.optimizers.adagrad import adagrad
from oracle.optimizers.rmsprop import rmsprop

__all__ = ["accumulators", "norms", "norms_on_own_paths"]


def accumulators(gradients: Sequence[Any], alpha: Any) -> list[tuple[Any, Any]]:
    r"""Return AdaGrad's sum of squares and RMSProp's average after each gradient, in any number system.

    Parameters
    ----------
    gradients : sequence of array, shape (...)
        Both see the same ones.
    alpha : scalar
        Memory of RMSProp, in [0, 1].

    Returns
    -------
    list of tuple of array
        :math:`(G_t, v_t)`.
    """
    zeros = namespace(gradients[0]).zeros_like(gradients[0])
    summed, averaged = (initial_state(formula.state_type, zeros) for formula in (adagrad, rmsprop))
    kept = []
    for grad in gradients:
        # Parameters, learning rate and epsilon have no part in what is kept.
        _, summed = adagrad(zeros, grad, summed, learning_rate=0, eps=1)
        _, averaged = rmsprop(zeros, grad, averaged, learning_rate=0, alpha=alpha, eps=1)
        kept.append((summed.sum, averaged.square_avg))
    return kept


def norms(gradients: Sequence[Sequence[float]], alpha: float) -> list[Point]:
    r"""Return the Euclidean norms of both accumulators on common gradients, correctly rounded.

    Parameters
    ----------
    gradients : sequence of sequence of float
        One vector for each step.
    alpha : float
        Memory of RMSProp, in [0, 1].

    Returns
    -------
    list of tuple of float
        :math:`(\lVert G_t \rVert, \lVert v_t \rVert)`: AdaGrad's first.

    Examples
    --------
    >>> norms([[3.0, 0.0], [0.0, 0.0]], 0.5)
    [(9.0, 4.5), (9.0, 2.25)]
    """
    rmsprop.require({"alpha": alpha})
    return _rounded(accumulators, [np.array(grad, dtype=np.float64) for grad in gradients], alpha)


def norms_on_own_paths(rate: float, start: Point, steps: int, alpha: float) -> list[Point]:
    r"""Return the norms where each optimizer descends :math:`x^2 + 3 y^2` on a path of its own, without epsilon.

    Parameters
    ----------
    rate : float
        Learning rate of both.
    start : tuple of float
    steps : int
    alpha : float
        Memory of RMSProp, in [0, 1).

    Returns
    -------
    list of tuple of float
        :math:`(\lVert G_t \rVert, \lVert v_t \rVert)`, of different gradients from the second step on.

    Examples
    --------
    >>> norms_on_own_paths(1.0, (0.0, 1.0), 2, 0.75)
    [(36.0, 9.0), (36.0, 15.75)]
    """
    options = {"learning_rate": rate, "eps": 0.0}
    rmsprop.require({**options, "alpha": alpha})

    def both(begin: Any, memory: Any) -> list[tuple[Any, Any]]:
        places, states = [begin, begin], [initial_state(f.state_type, 0 * begin) for f in (adagrad, rmsprop)]
        kept = []
        for _ in range(steps):
            places[0], states[0] = adagrad(places[0], CURVATURES * places[0], states[0], **options)
            places[1], states[1] = rmsprop(places[1], CURVATURES * places[1], states[1], alpha=memory, **options)
            kept.append((states[0].sum, states[1].square_avg))
        return kept

    return _rounded(both, np.array(start, dtype=np.float64), alpha)


def _rounded(function: Any, *arguments: Any) -> list[Point]:
    """Return the norms of pairs of arrays."""

    def pairs(values: Any) -> list[Any]:
        norm = namespace(values[-1]).linalg.vector_norm
        return [(norm(summed), norm(averaged)) for summed, averaged in function(*values)]

    return [(float(summed), float(averaged)) for summed, averaged in exact(pairs, list(arguments))]
