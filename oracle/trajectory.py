"""Sequences of updates, folded without rounding between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oracle.arithmetic.primitives import namespace
from oracle.errors import ShapeError
from oracle.formula import Formula, initial_state

__all__ = ["Trajectory", "trajectory"]

Hyperparameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The repeated update of an optimizer's formula; runs in every number system.

    Parameters
    ----------
    formula : Formula
        Of an optimizer.
    """

    formula: Formula

    def require(self, arguments: Mapping[str, Any]) -> None:
        """Raise unless the hyperparameters of every step lie in their domains.

        Raises
        ------
        DomainError
            Naming the argument, its domain and the value.
        """
        hyperparameters = arguments.get("hyperparameters", {})
        for values in [hyperparameters] if isinstance(hyperparameters, Mapping) else hyperparameters:
            self.formula.require(values)

    def __call__(
        self, param: Any, grads: Sequence[Any], state: Any = None, *, hyperparameters: Hyperparameters
    ) -> tuple[list[Any], Any]:
        """Update the parameters once for every gradient.

        Parameters
        ----------
        param : array, shape (...)
        grads : sequence of array, shape (...)
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
        """
        steps = [hyperparameters] * len(grads) if isinstance(hyperparameters, Mapping) else hyperparameters
        if len(steps) != len(grads):
            raise ShapeError(f"grads and hyperparameters must have equal length, got {len(grads)} and {len(steps)}")
        if state is None:
            state = initial_state(self.formula.state_type, namespace(param).zeros_like(param))
        params = []
        for grad, values in zip(grads, steps, strict=True):
            param, state = self.formula(param, grad, state, **values)
            params.append(param)
        return params, state


def trajectory(formula: Formula) -> Trajectory:
    """Make a function of a whole sequence of gradients of an optimizer's formula.

    Parameters
    ----------
    formula : Formula
        Of an optimizer.

    Returns
    -------
    callable
        Maps ``(param, grads, state=None, *, hyperparameters)`` to the list of the parameters
        after each step and the last state; see `Trajectory.__call__`.

    Raises
    ------
    TypeError
        If the formula is not an optimizer's.
    """
    if formula.kind != "optimizer":
        raise TypeError(f"formula must be an optimizer's, got {formula!r}")
    return Trajectory(formula)
