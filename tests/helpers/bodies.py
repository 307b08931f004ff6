"""Honest subjects without a line of mathematics of their own: the bodies of formulas, run on numpy arrays."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from conformance.faults.programs import EVERYTHING
from oracle.formula import Formula, initial_state
from properties.subject import Closure, Floats, Function, Group, Place, RandomFunction, Schedule, Stepper

__all__ = ["factory"]


class _Stepper:
    def __init__(self, formula: Formula, params: Sequence[Floats], groups: Sequence[Group], dtype: str) -> None:
        self._formula = formula
        self._dtype = dtype
        self._params = [np.array(param, dtype=dtype) for param in params]
        self._states: list[Any] = [initial_state(formula.state_type, np.zeros_like(param)) for param in self._params]
        self._groups = [dict(group.hyperparameters) for group in groups]
        self._signs = [-1 if group.maximize else 1 for group in groups]
        self._owner = {tensor: number for number, group in enumerate(groups) for tensor in group.tensors}

    def step(self, grads: Sequence[Floats | None]) -> None:
        self._grads = grads
        for tensor, grad in enumerate(grads):
            if grad is not None:
                param, self._states[tensor] = self._formula(
                    self._params[tensor],
                    self._signs[self._owner[tensor]] * np.asarray(grad, dtype=self._dtype),
                    self._states[tensor],
                    **self._groups[self._owner[tensor]],
                )
                self._params[tensor] = np.asarray(param, dtype=self._dtype)  # scalars may have widened it

    def params(self) -> list[Floats]:
        return [np.array(param, dtype=np.float64) for param in self._params]

    def state(self) -> list[Mapping[str, Floats]]:
        return [
            {name: np.array(value, dtype=np.float64) for name, value in state._asdict().items() if name != "step"}
            for state in self._states
        ]

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        self._groups[group].update(values)

    def grads(self) -> list[Floats | None]:
        return [None if grad is None else np.array(grad, dtype=np.float64) for grad in self._grads]

    def places(self) -> list[Place]:
        return [Place(param.dtype.name, "cpu", param.shape) for param in self._params]

    def copied(self) -> _Stepper:
        return copy.deepcopy(self)

    resumed = pickled = copied  # there is nothing that is not saved

    def saved(self) -> object:
        return copy.deepcopy((self._params, self._states))

    def rewound(self, saved: Any) -> None:
        self._params, self._states = copy.deepcopy(saved)

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        self._groups.append(dict(group.hyperparameters))
        self._signs.append(-1 if group.maximize else 1)
        for param in params:
            self._owner[len(self._params)] = len(self._groups) - 1
            self._params.append(np.array(param, dtype=self._dtype))
            self._states.append(initial_state(self._formula.state_type, np.zeros_like(self._params[-1])))

    def freeze(self, tensors: Sequence[int]) -> None:
        """Nothing to do: what is frozen has no gradient."""

    def step_accumulated(self, passes: Sequence[Sequence[Floats | None]]) -> None:
        self.step([None if grads[0] is None else sum(grads) for grads in zip(*passes, strict=True)])

    def step_closure(self, closure: Closure) -> float:
        loss, grads = closure()
        self.step(grads)
        return loss

    def step_clipped(self, grads: Sequence[Floats | None], limit: float) -> None:
        self.step([None if grad is None else np.clip(grad, -limit, limit) for grad in grads])

    def step_sparse(self, grads: Sequence[Floats | None]) -> None:
        self.step(grads)


def factory(formula: Formula) -> Any:
    """Return a factory of subjects that evaluate a formula's body in float64 or float32."""

    def optimizers(params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str) -> Stepper:
        return _Stepper(formula, params, groups, dtype)

    def functions(*, dtype: str, device: str) -> Function:
        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            with np.errstate(all="ignore"):  # squares may leave the range
                return np.array(
                    formula(*(np.asarray(array, dtype=dtype) for array in arrays), **hyperparameters), dtype=np.float64
                )

        return function

    def drawn(*, dtype: str, device: str) -> RandomFunction:
        def function(x: Floats, *seed: Floats, keep: float) -> Floats:
            if not seed:
                return x if formula.id == "dropout_inverted" else np.asarray(x * keep, dtype=dtype).astype(np.float64)
            mask = np.random.default_rng(int(seed[0])).random(x.shape) < keep
            return functions(dtype=dtype, device=device)(x, mask, keep=keep)

        return function

    def schedules(*, dtype: str, device: str) -> Schedule:
        return lambda steps, **hyperparameters: np.array(
            [formula(int(step), **hyperparameters) for step in steps], dtype=dtype
        ).astype(np.float64)

    if formula.drawn:
        return drawn
    optimizers.offers = EVERYTHING
    return {"optimizer": optimizers, "function": functions, "schedule": schedules}[formula.kind]
