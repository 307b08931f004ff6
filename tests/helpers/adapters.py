"""Adapters of a library that is honest, each with one vice of its own: what the kit for backends must call by its name."""

from __future__ import annotations

import copy
import os
import random
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from conformance.backends import Backend, Implementation
from properties.subject import Group, Rejected

__all__ = ["BACKEND", "FUNCTIONS", "HONEST", "PARDONED", "VICES", "VIRTUES"]


class Momentum:
    """Heavy-ball momentum of numpy's arrays, without a vice."""

    def __init__(self, params, groups, dtype):
        self.dtype = dtype
        self.parameters = [self.taken(param) for param in params]
        self.velocities = [np.zeros_like(param) for param in self.parameters]
        self.groups = [Group(group.tensors, dict(group.hyperparameters)) for group in groups]

    def taken(self, param):
        return np.array(param, dtype=self.dtype)

    def given(self, grad):
        return np.array(grad, dtype=self.dtype)

    def options(self, group):
        return group.hyperparameters

    def step(self, grads):
        for group in self.groups:
            options = self.options(group)
            for tensor in group.tensors:
                if grads[tensor] is not None:
                    self.update(tensor, self.given(grads[tensor]), **options)

    def update(self, tensor, grad, *, learning_rate, momentum):
        self.velocities[tensor] = np.asarray(momentum * self.velocities[tensor] + grad)
        self.parameters[tensor] -= learning_rate * self.velocities[tensor]

    def params(self):
        return [np.array(param, dtype=np.float64) for param in self.parameters]

    def state(self):
        return [{"momentum_buffer": np.array(velocity, dtype=np.float64)} for velocity in self.velocities]

    def set_hyperparameters(self, group, values):
        self.groups[group] = Group(self.groups[group].tensors, {**self.groups[group].hyperparameters, **values})

    def copied(self):
        return copy.deepcopy(self)


@dataclass(frozen=True)
class Factory:
    """Makes subjects of one class."""

    subject: type[Momentum]
    offers: tuple[str, ...] = ("copied",)
    withheld: tuple[str, ...] = ()

    def __call__(self, params, groups, *, dtype, device):
        return self.subject(params, groups, dtype)


class WritesToGradients(Momentum):
    def given(self, grad):
        grad *= 2
        return grad / 2


class KeepsParameters(Momentum):
    def taken(self, param):
        return np.asarray(param, dtype=self.dtype)


class KeepsParametersAndWritesElsewhere(KeepsParameters):
    def update(self, tensor, grad, *, learning_rate, momentum):
        self.velocities[tensor] = momentum * self.velocities[tensor] + grad
        self.parameters[tensor] = self.parameters[tensor] - learning_rate * self.velocities[tensor]


class KeepsGradients(Momentum):
    def given(self, grad):
        return np.asarray(grad, dtype=self.dtype)

    def update(self, tensor, grad, *, learning_rate, momentum):
        super().update(tensor, grad, learning_rate=learning_rate, momentum=momentum)
        if momentum == 0 or not np.any(self.velocities[tensor] - grad):
            self.velocities[tensor] = grad


class KeepsHyperparameters(Momentum):
    def __init__(self, params, groups, dtype):
        super().__init__(params, groups, dtype)
        self.groups = list(groups)


class ChangesHyperparameters(Momentum):
    def __init__(self, params, groups, dtype):
        super().__init__(params, groups, dtype)
        for group in groups:
            group.hyperparameters["momentum"] /= 2


class ShowsItsArrays(Momentum):
    def params(self):
        return self.parameters


class SharesState(Momentum):
    velocities_of_all: ClassVar[dict[int, np.ndarray]] = {}

    def update(self, tensor, grad, *, learning_rate, momentum):
        before = self.velocities_of_all.get(tensor)
        if before is not None and before.shape == grad.shape:
            self.velocities[tensor] = before
        super().update(tensor, grad, learning_rate=learning_rate, momentum=momentum)
        self.velocities_of_all[tensor] = self.velocities[tensor]


class SeesItsNeighbour(Momentum):
    last: ClassVar[list[Momentum]] = []

    def step(self, grads):
        if self.last and self.last[0] is not self and len(self.last[0].parameters) == len(self.parameters):
            grads = [None if grad is None else 2 * grad for grad in grads]
        super().step(grads)
        self.last[:] = [self]

    def __init__(self, params, groups, dtype):
        super().__init__(params, groups, dtype)
        self.last.clear()


class Forgets(Momentum):
    def step(self, grads):
        self.velocities = [np.zeros_like(param) for param in self.parameters]
        super().step(grads)


class IgnoresMomentum(Momentum):
    def options(self, group):
        return {**group.hyperparameters, "momentum": 0.5}


class IgnoresWhatIsSet(Momentum):
    def set_hyperparameters(self, group, values):
        pass


class SetsForAll(Momentum):
    def set_hyperparameters(self, group, values):
        for number in range(len(self.groups)):
            super().set_hyperparameters(number, values)


class HasOneGroup(Momentum):
    def options(self, group):
        return self.groups[0].hyperparameters


class RoundsParameters(Momentum):
    def taken(self, param):
        return np.array(np.float32(param), dtype=self.dtype)


class RoundsGradients(Momentum):
    def given(self, grad):
        return np.array(np.float32(grad), dtype=self.dtype)


class ComputesInDouble(Momentum):
    def __init__(self, params, groups, dtype):
        super().__init__(params, groups, "float64")


class ShowsSingle(Momentum):
    def params(self):
        return [param.astype(np.float32) for param in super().params()]


class ShowsLists(Momentum):
    def params(self):
        return [param.tolist() for param in super().params()]


class Flattens(Momentum):
    def params(self):
        return [param.ravel() for param in super().params()]


class Reverses(Momentum):
    def params(self):
        return super().params()[::-1]


class LosesTheLast(Momentum):
    def params(self):
        return super().params()[:-1] or super().params()


class RefusesScalars(Momentum):
    def __init__(self, params, groups, dtype):
        super().__init__(params, groups, dtype)
        if any(param.ndim == 0 for param in params):
            raise ValueError("no scalars")


class RejectsScalars(Momentum):
    def __init__(self, params, groups, dtype):
        super().__init__(params, groups, dtype)
        if any(param.ndim == 0 for param in params):
            raise Rejected("no scalars")


class RejectsAll(Momentum):
    def __init__(self, params, groups, dtype):
        raise Rejected("not today")


class SetsNothing(Momentum):
    def set_hyperparameters(self, group, values):
        before = self.groups[group].hyperparameters
        if {**before, **values} != before:
            raise Rejected("what it begins with is what it goes on with")


class MisreadsLayouts(Momentum):
    def given(self, grad):
        return np.array(grad, dtype=self.dtype).ravel(order="K").reshape(grad.shape)


class ShowsMore(Momentum):
    def state(self):
        return [{**entries, "velocity": entries["momentum_buffer"]} for entries in super().state()]


class ShowsLess(Momentum):
    def state(self):
        return [{} for _ in self.parameters]


class SharesWithItsCopy(Momentum):
    def copied(self):
        other = copy.copy(self)
        other.parameters = copy.deepcopy(self.parameters)  # not the list of velocities
        return other


class LoadsParametersAlone(Momentum):
    def saved(self):
        return copy.deepcopy(self.parameters)

    def rewound(self, saved):
        self.parameters = copy.deepcopy(saved)


class StepsWhenSaved(LoadsParametersAlone):
    def saved(self):
        super().step([np.zeros(param.shape) for param in self.parameters])
        return super().saved()


class TakesMissingForZero(Momentum):
    def step(self, grads):
        pairs = zip(grads, self.parameters, strict=True)
        super().step([np.zeros(param.shape) if grad is None else grad for grad, param in pairs])


class Draws(Momentum):
    def given(self, grad):
        return super().given(grad) + random.getrandbits(20) / 2**40


class SeedsNumpy(Momentum):
    def step(self, grads):
        np.random.seed(7)  # noqa: NPY002 - the state that subjects use
        super().step(grads)


class SetsNumpysErrors(Momentum):
    def __init__(self, params, groups, dtype):
        super().__init__(params, groups, dtype)
        np.seterr(divide="ignore")


class SetsTheEnvironment(Momentum):
    def step(self, grads):
        os.environ["EXACTSTEP_TEST"] = "changed"
        super().step(grads)


class LeavesItsFolder(Momentum):
    def step(self, grads):
        os.chdir("/")
        super().step(grads)


class Prints(Momentum):
    def step(self, grads):
        print("stepping")
        super().step(grads)


class PrintsToErrors(Momentum):
    def step(self, grads):
        print("careful", file=sys.stderr)
        super().step(grads)


class Warns(Momentum):
    def step(self, grads):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        super().step(grads)


class Raises(Momentum):
    def step(self, grads):
        raise KeyError("lr")


class Exits(Momentum):
    def step(self, grads):
        sys.exit(0)


#: By name; what each deserves is said by the tests.
VICES = {
    "offers what is not there": Factory(Momentum, ("copied", "pickled")),
    "hides what is there": Factory(Momentum, ()),
    "writes to gradients": Factory(WritesToGradients),
    "keeps parameters": Factory(KeepsParameters),
    "keeps parameters, and writes elsewhere": Factory(KeepsParametersAndWritesElsewhere),
    "keeps gradients": Factory(KeepsGradients),
    "keeps hyperparameters": Factory(KeepsHyperparameters),
    "changes hyperparameters": Factory(ChangesHyperparameters),
    "shows its arrays": Factory(ShowsItsArrays),
    "shares state": Factory(SharesState),
    "sees its neighbour": Factory(SeesItsNeighbour),
    "forgets": Factory(Forgets),
    "ignores momentum": Factory(IgnoresMomentum),
    "ignores what is set": Factory(IgnoresWhatIsSet),
    "sets for all": Factory(SetsForAll),
    "has one group": Factory(HasOneGroup),
    "rounds parameters": Factory(RoundsParameters),
    "rounds gradients": Factory(RoundsGradients),
    "shows float32": Factory(ShowsSingle),
    "shows lists": Factory(ShowsLists),
    "flattens": Factory(Flattens),
    "reverses": Factory(Reverses),
    "loses the last": Factory(LosesTheLast),
    "refuses scalars": Factory(RefusesScalars),
    "rejects all": Factory(RejectsAll),
    "misreads layouts": Factory(MisreadsLayouts),
    "shows more": Factory(ShowsMore),
    "shows less": Factory(ShowsLess),
    "shares with its copy": Factory(SharesWithItsCopy),
    "loads parameters alone": Factory(LoadsParametersAlone, ("copied", "saved", "rewound")),
    "steps when it is saved": Factory(StepsWhenSaved, ("copied", "saved"), ("rewound",)),
    "takes missing gradients for zeros": Factory(TakesMissingForZero),
    "draws": Factory(Draws),
    "seeds": Factory(SeedsNumpy),
    "sets numpy's errors": Factory(SetsNumpysErrors),
    "sets the environment": Factory(SetsTheEnvironment),
    "leaves its folder": Factory(LeavesItsFolder),
    "prints": Factory(Prints),
    "prints to errors": Factory(PrintsToErrors),
    "warns": Factory(Warns),
    "raises": Factory(Raises),
    "exits": Factory(Exits),
}


def _described(label: str, factory: Factory, *dtypes: str) -> Implementation:
    return Implementation("momentum_heavy_ball", label, factory, dtypes, state=("momentum_buffer",))


HONEST = _described("honest", Factory(Momentum), "float64", "float32")
#: What is no vice: to refuse what is declared to be refused, and to leave a method alone that a class happens to have.
PARDONED = (
    _described("rejects scalars", Factory(RejectsScalars), "float64"),
    _described("withholds a method", Factory(Momentum, (), ("copied",)), "float64"),
    replace(_described("sets nothing", Factory(SetsNothing), "float64"), changes=False),
)
#: What a backend should be.
VIRTUES = Backend("virtues", "1", (HONEST, *PARDONED))
#: The honest one comes last, after all that the others have done to the process.
BACKEND = Backend("adapters", "1", (*(_described(name, factory, "float64") for name, factory in VICES.items()), HONEST))


@dataclass(frozen=True)
class Unguarded:
    """Makes functions that get the very arrays of the caller, and return their very own."""

    function: Callable[..., object]

    def __call__(self, *, dtype, device):
        return self.function


def _clip(grad, clip_value):
    return np.clip(grad, -clip_value, clip_value)


def _in_place(grad, clip_value):
    return np.clip(grad, -clip_value, clip_value, out=grad)


def _same_where_nothing_is_clipped(grad, clip_value):
    return grad if np.all(np.abs(grad) <= clip_value) else _clip(grad, clip_value)


_RESULTS: dict[tuple[int, ...], np.ndarray] = {}


def _into_one_array(grad, clip_value):
    return np.clip(grad, -clip_value, clip_value, out=_RESULTS.setdefault(grad.shape, np.empty(grad.shape)))


def _to_one(grad, clip_value):
    return np.clip(grad, -1.0, 1.0)


def _of_single(grad, clip_value):
    return _clip(np.float32(grad).astype(np.float64), clip_value)


def _in_memory_order(grad, clip_value):
    return _clip(grad.ravel(order="K").reshape(grad.shape), clip_value)


def _constant(steps, init_value):
    steps[...] = init_value
    return steps.copy()


FUNCTIONS = Backend(
    "functions",
    "1",
    tuple(
        Implementation(formula, function.__name__, Unguarded(function), ("float64",))
        for formula, function in (
            ("clip_by_value", _in_place),
            ("clip_by_value", _same_where_nothing_is_clipped),
            ("clip_by_value", _into_one_array),
            ("clip_by_value", _to_one),
            ("clip_by_value", _of_single),
            ("clip_by_value", _in_memory_order),
            ("clip_by_value", _clip),
            ("schedule_constant", _constant),
        )
    ),
)
