"""Updates whose gradients are taken where the updates start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from oracle.errors import ShapeError
from oracle.formula import Array, Formula
from oracle.trajectory import Hyperparameters, trajectory

__all__ = ["trained"]


def trained(
    formula: Formula,
    param: Array,
    gradients: Sequence[Callable[[Array], Array]],
    state: Any = None,
    *,
    hyperparameters: Hyperparameters,
) -> tuple[list[Array], Any]:
    r"""Update the parameters once for every gradient, each taken at the parameters of that moment.

    .. math::

        g_{t+1} = \nabla \mathcal L_t(\theta_t)

    Parameters
    ----------
    formula : Formula
        Of an optimizer.
    param : array, shape (...)
        :math:`\theta_0`.
    gradients : sequence of callable
        :math:`\nabla \mathcal L_t`, of one batch after another.
    state : NamedTuple, optional
        The memory before the first step; zero if not given.
    hyperparameters : mapping, or sequence of mappings
        One for all steps, or one for each.

    Returns
    -------
    params, state : list of array, NamedTuple
        The parameters after each step, and the last state.

    Raises
    ------
    DomainError
        If a hyperparameter lies outside its domain.
    ShapeError
        If there are not as many mappings as gradients.

    Notes
    -----
    `oracle.trajectory.trajectory` is the same for gradients that are known beforehand.

    Examples
    --------
    >>> from oracle.optimizers.descent import gd
    >>> trained(gd, 8.0, [lambda x: x] * 3, hyperparameters={"learning_rate": 0.5})
    ([4.0, 2.0, 1.0], NoState())
    """
    steps = hyperparameters if isinstance(hyperparameters, Sequence) else [hyperparameters] * len(gradients)
    if len(steps) != len(gradients):
        raise ShapeError(f"gradients and hyperparameters must have equal length, got {len(gradients)} and {len(steps)}")
    fold = trajectory(formula)
    _, state = fold(param, [], state, hyperparameters=[])
    params = []
    for gradient, values in zip(gradients, steps, strict=True):
        (param,), state = fold(param, [gradient(param)], state, hyperparameters=values)
        params.append(param)
    return params, state
