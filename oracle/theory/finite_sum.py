"""Finite sums of losses, and every run that stochastic descent on them may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from oracle.training.batches import batch_mean, chosen
from oracle.training.sampling import expectation, total_variance, with_replacement
from oracle.training.stochastic import sgd_minibatch_mean

__all__ = ["Batch", "FiniteSum", "Loss", "Number", "Vector"]

Number: TypeAlias = Any  # a Fraction, a float or a sympy expression
Vector: TypeAlias = Any  # a numpy array of them, shape (d,)
Batch: TypeAlias = tuple[int, ...]


class Loss(NamedTuple):
    """The loss of one sample."""

    value: Callable[[Vector], Number]
    gradient: Callable[[Vector], Vector]


@dataclass(frozen=True, eq=False)
class FiniteSum:
    r"""A mean of finitely many losses, :math:`\mathcal L = \frac1n \sum_i \ell_i`, with its constants.

    Everything is computed in the numbers of the parameters that it is asked about: on vectors of
    fractions all values, moments and expectations are exact.

    Parameters
    ----------
    losses : tuple of Loss
        :math:`\ell_1, \dots, \ell_n`.
    smoothness : number
        :math:`\beta`, a Lipschitz constant of :math:`\nabla\mathcal L`.
    minimum : number
        :math:`\mathcal L(\theta^*)`.

    Notes
    -----
    Source: lopesquintas2025llm, Il faut modifier la valeur du learning rate.

    Examples
    --------
    Half the squared distances from -1 and 1, one step of length 1 from the middle:

    >>> from fractions import Fraction
    >>> import numpy as np
    >>> from oracle.theory.problems import bowls
    >>> problem = bowls([np.array([Fraction(-1)]), np.array([Fraction(1)])], curvature=Fraction(1))
    >>> start = np.array([Fraction(0)])
    >>> problem.loss(start), problem.variance(start), problem.minimum
    (Fraction(1, 2), Fraction(1, 1), Fraction(1, 2))
    >>> expectation(problem.loss(end) for _, end in problem.runs(start, [Fraction(1)]))
    Fraction(1, 1)
    """

    losses: tuple[Loss, ...]
    smoothness: Number
    minimum: Number

    def loss(self, param: Vector) -> Number:
        r""":math:`\mathcal L(\theta)`."""
        return batch_mean([loss.value(param) for loss in self.losses])

    def gradients(self, param: Vector) -> list[Vector]:
        r""":math:`\nabla\ell_1(\theta), \dots, \nabla\ell_n(\theta)`."""
        return [loss.gradient(param) for loss in self.losses]

    def gradient(self, param: Vector) -> Vector:
        r""":math:`\nabla\mathcal L(\theta)`."""
        return batch_mean(self.gradients(param))

    def squared_gradient(self, param: Vector) -> Number:
        r""":math:`\lVert \nabla\mathcal L(\theta) \rVert^2`."""
        gradient = self.gradient(param)
        return gradient @ gradient

    def second_moment(self, param: Vector) -> Number:
        r""":math:`\mathbb E \lVert \nabla\ell_i(\theta) \rVert^2` for a uniform index."""
        return expectation(gradient @ gradient for gradient in self.gradients(param))

    def variance(self, param: Vector) -> Number:
        r""":math:`\mathbb E \lVert \nabla\ell_i - \nabla\mathcal L \rVert^2`, the least :math:`\sigma^2` at a point."""
        return total_variance(self.gradients(param))

    def gap(self, param: Vector) -> Number:
        r""":math:`\mathcal L(\theta) - \mathcal L(\theta^*)`."""
        return self.loss(param) - self.minimum

    def estimate(self, param: Vector, batch: Batch) -> Vector:
        r""":math:`\frac{1}{n_B} \sum_{i \in \mathcal B} \nabla\ell_i(\theta)`, what comes twice counted twice."""
        return batch_mean([loss.gradient(param) for loss in chosen(self.losses, batch)])

    def runs(
        self, start: Vector, learning_rates: Sequence[Number], batches: Iterable[Batch] | None = None
    ) -> list[list[Vector]]:
        r"""Return every run of stochastic descent, one for each sequence of batches.

        Parameters
        ----------
        start : vector
            :math:`\theta_0`.
        learning_rates : sequence of number
            :math:`\eta_0, \dots, \eta_{T-1}`.
        batches : iterable of tuple of int, optional
            What each step draws from, uniformly and afresh; single samples if not given.

        Returns
        -------
        list of list of vector
            :math:`\theta_0, \dots, \theta_T` of all equally likely runs: an `expectation` is a mean over them.
        """
        choices = list(with_replacement(len(self.losses), 1) if batches is None else batches)
        found = [[start]]
        for rate in learning_rates:
            found = [[*run, self.updated(run[-1], batch, rate)] for run in found for batch in choices]
        return found

    def updated(self, param: Vector, batch: Batch, learning_rate: Number) -> Vector:
        """Return the parameters after one step along the gradient of a batch."""
        gradients = [loss.gradient for loss in self.losses]
        return sgd_minibatch_mean(param, gradients, batch, learning_rate=learning_rate)
