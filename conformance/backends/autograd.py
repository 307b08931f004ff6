"""Autograd: its optimizers, and gradients of functions of its numpy, in float64 alone.

The optimizers are loops that begin from nothing: an update is shown by running all updates so far, and hyperparameters
are the same from the beginning to the end. Not judged are ``rmsprop``, whose average begins with ones, which is no
formula of the catalogue, and ``sgd`` with a mass: as long as no learning rate changes, nobody can tell whether it is
inside the velocity or outside, as in ``momentum_ema``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.records import FOLLOWS
from properties.cases import Call
from properties.subject import Floats, Function, Group, Rejected, Stepper

__all__ = ["LoopFactory", "backend"]


@dataclass(eq=False)
class LoopStepper:
    """A loop of updates, run anew for each update; one for each group."""

    factory: LoopFactory
    groups: tuple[Group, ...]
    start: list[Floats]
    shown: list[Floats]
    given: list[Sequence[Floats | None]] = field(default_factory=list)

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Run all updates so far."""
        self.given.append([None if grad is None else np.array(grad) for grad in grads])
        shown = dict(enumerate(self.start))
        for group in self.groups:
            spelled = self.factory.spellings
            keywords = {spelled[name]: value for name, value in group.hyperparameters.items() if name in spelled}
            last = self.factory.loop(
                lambda _, number, tensors=group.tensors: [self.given[number][tensor] for tensor in tensors],
                [self.start[tensor] for tensor in group.tensors],
                num_iters=len(self.given),
                **keywords,
                **self.factory.constants,
            )
            shown |= zip(group.tensors, last, strict=True)
        self.shown = [shown[tensor] for tensor in range(len(self.start))]

    def params(self) -> list[Floats]:
        """Copies of the parameters."""
        return [np.array(param) for param in self.shown]

    def state(self) -> list[Mapping[str, Floats]]:
        """Nothing: what a loop remembers ends with it."""
        return [{} for _ in self.start]

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Refuse others than those that the loop was given.

        Raises
        ------
        Rejected
            If there are any.
        """
        before = self.groups[group].hyperparameters
        for name, value in values.items():
            if name in self.factory.spellings and value != before[name]:
                raise Rejected(
                    f"a loop has one {name} from its beginning to its end, {before[name]!r} and not {value!r}"
                )


@dataclass(frozen=True, eq=False)
class LoopFactory:
    """Makes subjects of one function that runs a loop of updates.

    Parameters
    ----------
    loop : callable
        Called with a function that finds gradients, the parameters, the number of updates and keyword arguments.
    spellings : mapping of str to str
        The keyword by the oracle's name.
    constants : mapping of str to float
        Other keyword arguments, the same for every subject.
    """

    loop: Callable[..., Any]
    spellings: Mapping[str, str]
    constants: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str) -> Stepper:
        """Keep what the loop begins with."""
        del dtype, device  # autograd's loops make float64 of everything
        own = tuple(Group(group.tensors, dict(group.hyperparameters)) for group in groups)
        start = [np.array(param) for param in params]
        return LoopStepper(self, own, start, start)


@dataclass(frozen=True, eq=False)
class PulledBack:
    """What ``autograd.make_vjp`` makes of a cotangent of a function's result."""

    call: Callable[[Any], Any]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function."""
        del dtype, device

        def function(*arrays: Floats, **_: float) -> Floats:
            from autograd import make_vjp

            x, upstream = arrays
            pull, _ = make_vjp(self.call)(x)
            return np.array(pull(upstream), dtype=np.float64)

        return function


@dataclass(frozen=True, eq=False)
class Gradient:
    """What ``autograd.grad`` finds for a loss."""

    loss: Callable[[Any, Any], Any]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function."""
        del dtype, device

        def function(*arrays: Floats, **_: float) -> Floats:
            from autograd import grad

            prediction, target = arrays
            return np.array(grad(self.loss)(prediction, target), dtype=np.float64)

        return function


# -- What users write with autograd's numpy: functions of a module each, so that an implementation can be pickled -----


def relu(x: Any) -> Any:
    """Take the larger of a number and zero."""
    from autograd import numpy as xp

    return xp.maximum(x, 0.0)


def sigmoid(x: Any) -> Any:
    """Take the logistic function by the hyperbolic tangent, as autograd's examples do."""
    from autograd import numpy as xp

    return 0.5 * (xp.tanh(x / 2.0) + 1.0)


def softmax(scores: Any) -> Any:
    """Divide exponentials by their sum, shifted so that the largest is one."""
    from autograd import numpy as xp

    exponentials = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    return exponentials / xp.sum(exponentials, axis=-1, keepdims=True)


def squared_error(prediction: Any, target: Any) -> Any:
    """Add up squares."""
    from autograd import numpy as xp

    return xp.sum((prediction - target) ** 2)


def logistic_loss(score: Any, target: Any) -> Any:
    """Average the negative log-likelihoods of two classes."""
    from autograd import numpy as xp

    return xp.mean(xp.logaddexp(0.0, score) - target * score)


def cross_entropy(scores: Any, target: Any) -> Any:
    """Average the negative log-likelihoods of classes, which are chosen by ones and zeros."""
    from autograd import numpy as xp
    from autograd.scipy.special import logsumexp

    chosen = np.eye(scores.shape[-1])[target.astype(np.int64)]
    return xp.mean(logsumexp(scores, axis=-1) - xp.sum(chosen * scores, axis=-1))


def _ties(call: Call) -> bool:
    x, upstream = call.arrays
    return bool(np.any((x == 0) & (upstream != 0)))


_TIE = Expectation(
    property=FOLLOWS,
    dtypes=("float64",),
    reason="Autograd shares the slope of maximum out equally where both arguments are equal: that of max(x, 0) at 0 is 1/2.",
    evidence="By hand: reports/findings/autograd_maximum_at_a_tie.py.",
    versions="1.9.1",
    where=_ties,
    inputs={"call": Call((np.array([0.0]), np.array([1.0])), {})},
)


def _implementations() -> Iterator[Implementation]:
    from autograd.misc import optimizers

    rate = {"learning_rate": "step_size"}
    for formula, loop, spellings, constants in (
        ("gd", optimizers.sgd, rate, {"mass": 0.0}),
        ("adam", optimizers.adam, {**rate, "beta1": "b1", "beta2": "b2", "eps": "eps"}, {}),
    ):
        yield Implementation(
            formula,
            f"autograd.misc.optimizers.{loop.__name__}",
            LoopFactory(loop, spellings, constants),
            ("float64",),
            missing_gradients=False,  # a tree of parameters has a tree of gradients
            changes=False,
        )
    for formula, label, call, expected in (
        ("relu_vjp", "maximum", relu, (_TIE,)),
        ("sigmoid_vjp", "tanh", sigmoid, ()),
        ("softmax_vjp", "exp", softmax, ()),
    ):
        yield Implementation(formula, f"autograd.make_vjp:{label}", PulledBack(call), ("float64",), expected=expected)
    for formula, label, loss in (
        ("loss_squared_error_gradient", "power", squared_error),
        ("bce_with_logits_gradient", "logaddexp", logistic_loss),
        ("loss_cross_entropy_gradient", "logsumexp", cross_entropy),
    ):
        yield Implementation(formula, f"autograd.grad:{label}", Gradient(loss), ("float64",))


def backend() -> Backend:
    """Describe the installed autograd.

    Returns
    -------
    Backend
        Optimizers and gradients, in float64.
    """
    return Backend("autograd", version("autograd"), tuple(_implementations()))
