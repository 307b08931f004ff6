"""How long Adam's steps get under the gradients that make them longest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.balls import balls
from oracle.exact import exact
from oracle.optimizers.adam import AdamState, adam
from oracle.optimizers.step_bound import longest_step_gradients, paper_step_bound, step_bound, step_bound_limit

__all__ = ["StepBoundPoints", "step_bound_points"]

Floats = NDArray[np.float64]


class StepBoundPoints(NamedTuple):
    """Lengths of Adam's steps without epsilon, in units of the learning rate."""

    steps: NDArray[np.int64]  # t, from 1, ever further apart
    bound: Floats  # C_t: no step is longer
    reached: Floats  # the t-th step under the gradients of the longest steps
    limit: float  # of the bound
    paper: float  # what the paper of Adam prints


def _reached(beta1: Any, beta2: Any, steps: int) -> list[Any]:
    """Return the length of every step under the gradients of the longest steps; for balls."""
    origin = balls(0.0)
    state, lengths = AdamState(0, origin, origin), []
    for grad in longest_step_gradients(beta1, beta2, steps):
        param, state = adam(origin, grad, state, learning_rate=1, beta1=beta1, beta2=beta2, eps=0)
        lengths.append(-param)
    return lengths


def step_bound_points(beta1: float = 0.9, beta2: float = 0.999, steps: int = 10_000) -> StepBoundPoints:
    r"""Return the sharp bound on Adam's steps, and steps that reach it, up to a number of steps.

    Parameters
    ----------
    beta1, beta2 : float
        :math:`0 < \beta_1 < 1` and :math:`\beta_1^2 < \beta_2 < 1`.
    steps : int
        The last step, at least 1.

    Returns
    -------
    StepBoundPoints
        About sixteen points for each tenfold of steps; every number is the exact one, correctly rounded.

    Examples
    --------
    >>> points = step_bound_points(0.5, 0.75, 2)
    >>> points.steps, points.bound, points.reached
    (array([1, 2]), array([1.        , 1.01835015]), array([1.        , 1.01835015]))
    """
    shown = np.unique(np.geomspace(1, steps, 16 * len(str(steps))).round().astype(np.int64))
    reached = np.array(exact(_reached, beta1, beta2, steps))
    return StepBoundPoints(
        steps=shown,
        bound=np.array([exact(step_bound, beta1, beta2, int(step)) for step in shown]),
        reached=reached[shown - 1],
        limit=float(exact(step_bound_limit, beta1, beta2)),
        paper=paper_step_bound(beta1, beta2),
    )
