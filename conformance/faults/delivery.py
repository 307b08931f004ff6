"""Faults of how gradients come: added up, out of a closure, clipped, sparse, or for a while not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from conformance.faults.adagrad import ADAGRAD
from conformance.faults.adam import ADAM
from conformance.faults.decay import ADAMW
from conformance.faults.descent import GD, HEAVY_BALL
from conformance.faults.lion import LION
from conformance.faults.programs import Array, Bookkeeping, Fault, Program, Rule
from conformance.faults.rmsprop import RMSPROP
from properties.subject import Closure, Floats

__all__ = ["FAULTS"]


class AccumulationOverwrites(Bookkeeping):
    """Of several backward passes the last one counts."""

    def step_accumulated(self, passes: Sequence[Sequence[Floats | None]]) -> None:
        """Update with the gradients of the last pass."""
        self.step(passes[-1])


class EveryPassIsRemembered(Bookkeeping):
    """Every backward pass enters the memories, and one of them the parameters."""

    def step_accumulated(self, passes: Sequence[Sequence[Floats | None]]) -> None:
        """Update with each, and take the moves of the first back."""
        before = list(self.values)
        self.step(passes[0])
        self.values = before
        super().step_accumulated(passes)


class ClosureIgnored(Bookkeeping):
    """The closure is not looked at."""

    def step_closure(self, closure: Closure) -> float | None:
        """Update with the gradients that are there."""
        left = (self.given[tensor] if tensor < len(self.given) else None for tensor in range(len(self.values)))
        self.step([None if grad is None else np.array(grad, dtype=np.float64) for grad in left])
        return None


class ClosureAfterwards(ClosureIgnored):
    """The closure is evaluated after the update."""

    def step_closure(self, closure: Closure) -> float | None:
        """Update, then evaluate."""
        super().step_closure(closure)
        loss, _ = closure()
        return loss


class ClosureTwice(Bookkeeping):
    """The closure is evaluated once for the loss and once for the gradients."""

    def step_closure(self, closure: Closure) -> float | None:
        """Take the loss of the first evaluation, and the gradients of the second."""
        loss, _ = closure()
        super().step_closure(closure)
        return loss


class ClosureTwiceSecondTaken(Bookkeeping):
    """The closure is evaluated before the loss is wanted, and once more: all is taken of the second evaluation."""

    def step_closure(self, closure: Closure) -> float | None:
        """Evaluate, and forget it."""
        closure()
        return super().step_closure(closure)


class ClosureKept(Bookkeeping):
    """The first closure is kept, and evaluated in place of all later ones."""

    kept: Closure | None = None

    def step_closure(self, closure: Closure) -> float | None:
        """Evaluate the first, which knows nothing of parameters that came later."""
        self.kept = self.kept or closure
        loss, grads = self.kept()
        self.step([*grads, *[None] * (len(self.values) - len(grads))])
        return loss


class ClosureOfTheStepBefore(ClosureKept):
    """The closure of the step before is evaluated, from the second on."""

    def step_closure(self, closure: Closure) -> float | None:
        """Evaluate the one before, and keep this one."""
        loss = super().step_closure(closure)
        self.kept = closure
        return loss


class ClosureGradientsIgnored(ClosureIgnored):
    """The closure is evaluated for its loss alone."""

    def step_closure(self, closure: Closure) -> float | None:
        """Evaluate, then update with the gradients that were there before."""
        loss, _ = closure()
        super().step_closure(closure)
        return loss


class FirstLossReturned(Bookkeeping):
    """The loss of the first closure is returned for all later ones."""

    loss: float | None = None

    def step_closure(self, closure: Closure) -> float | None:
        """Update, and return what is kept."""
        loss = super().step_closure(closure)
        self.loss = loss if self.loss is None else self.loss
        return self.loss


class LossForgotten(Bookkeeping):
    """The loss of the closure is not returned."""

    def step_closure(self, closure: Closure) -> float | None:
        """Return nothing."""
        super().step_closure(closure)
        return None


class FrozenMove(Bookkeeping):
    """A frozen parameter that has been updated before is updated with a gradient of zeros."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Fill the gaps of the frozen."""
        super().step(
            [
                np.zeros(value.shape) if tensor in self.frozen and self.steps[tensor] else grad
                for tensor, (value, grad) in enumerate(zip(self.values, grads, strict=True))
            ]
        )


class FrozenRemember(FrozenMove):
    """A frozen parameter stays, and its memories and its counter go on."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Update, and put the frozen back."""
        before = list(self.values)
        super().step(grads)
        for tensor in self.frozen:
            self.values[tensor] = before[tensor]


class FrozenForget(Bookkeeping):
    """A parameter that is frozen loses its memories."""

    def freeze(self, tensors: Sequence[int]) -> None:
        """Forget them."""
        super().freeze(tensors)
        for tensor in tensors:
            self.memories[tensor] = {}


class FrozenNotSaved(Bookkeeping):
    """The memories of parameters that are frozen are not saved."""

    def restore(self, saved: Bookkeeping) -> None:
        """Take over what belongs to the others."""
        super().restore(saved)
        for tensor in saved.frozen:
            self.memories[tensor] = {}


class ClippedForGood(Bookkeeping):
    """A clip stays for all later updates."""

    limit: float = np.inf

    def step_clipped(self, grads: Sequence[Floats | None], limit: float) -> None:
        """Keep the smallest limit."""
        self.limit = min(self.limit, limit)
        self.step(grads)

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Clip, then update."""
        super().step([None if grad is None else np.clip(grad, -self.limit, self.limit) for grad in grads])


class SparseRest(Bookkeeping):
    """Numbers that a sparse gradient leaves out keep their memories and their parameters."""

    def step_sparse(self, grads: Sequence[Floats | None]) -> None:
        """Update, and put back what was left out."""
        values, memories = list(self.values), [dict(memory) for memory in self.memories]
        super().step_sparse(grads)
        for tensor, grad in enumerate(grads):
            if grad is not None:
                self.values[tensor] = np.where(grad == 0, values[tensor], self.values[tensor])
                for name, entry in self.memories[tensor].items():
                    before: Array = memories[tensor].get(name, np.zeros_like(entry))
                    self.memories[tensor][name] = np.where(grad == 0, before, entry)


#: Without a state, with one, and with one that hears no lengths.
_CLOSING: Mapping[str, Rule] = {"gd": GD, "adam": ADAM, "lion": LION}

FAULTS = (
    Fault(
        "adam_accumulation_overwrites",
        "adam",
        "The gradient of the second backward pass replaces that of the first.",
        Program(ADAM, AccumulationOverwrites),
    ),
    Fault(
        "adagrad_every_pass_is_remembered",
        "adagrad",
        "The sum of squares grows with every backward pass.",
        Program(ADAGRAD, EveryPassIsRemembered),
    ),
    Fault(
        "adam_closure_evaluated_afterwards",
        "adam",
        "The closure is evaluated after the update, which takes the gradients of the step before.",
        Program(ADAM, ClosureAfterwards),
    ),
    Fault(
        "gd_closure_evaluated_twice",
        "gd",
        "The closure is evaluated once for its loss and once for its gradients.",
        Program(GD, ClosureTwice),
    ),
    *(
        Fault(f"{formula}_{what}", formula, story, Program(rule, bookkeeping))
        for formula, rule in _CLOSING.items()
        for what, story, bookkeeping in (
            (
                "second_evaluation_taken",
                "The closure is evaluated twice, and loss and gradients are those of the second time.",
                ClosureTwiceSecondTaken,
            ),
            ("first_closure_kept", "The first closure is evaluated in place of all later ones.", ClosureKept),
            (
                "closure_of_the_step_before",
                "From the second closure on, the one before is evaluated.",
                ClosureOfTheStepBefore,
            ),
            (
                "closure_gradients_ignored",
                "The closure is evaluated for its loss, and the update takes the gradients of the step before.",
                ClosureGradientsIgnored,
            ),
            ("first_loss_returned", "The loss of the first closure is returned for all.", FirstLossReturned),
        )
    ),
    Fault("rmsprop_closure_ignored", "rmsprop", "The closure is never evaluated.", Program(RMSPROP, ClosureIgnored)),
    Fault(
        "adamw_loss_not_returned", "adamw", "The loss of the closure is not returned.", Program(ADAMW, LossForgotten)
    ),
    Fault(
        "adamw_frozen_parameter_decays",
        "adamw",
        "A parameter that is frozen after an update decays and coasts.",
        Program(ADAMW, FrozenMove),
    ),
    Fault(
        "adam_frozen_state_moves",
        "adam",
        "The averages of a frozen parameter go on, and bite when it thaws.",
        Program(ADAM, FrozenRemember),
    ),
    Fault(
        "momentum_heavy_ball_frozen_forgets",
        "momentum_heavy_ball",
        "A parameter that thaws has lost its velocity.",
        Program(HEAVY_BALL, FrozenForget),
    ),
    Fault(
        "rmsprop_frozen_not_saved",
        "rmsprop",
        "The averages of parameters that are frozen are not saved.",
        Program(RMSPROP, FrozenNotSaved),
    ),
    Fault(
        "gd_clipped_for_good",
        "gd",
        "The limit that gradients were clipped to once holds for all later ones.",
        Program(GD, ClippedForGood),
    ),
    Fault(
        "rmsprop_sparse_rests",
        "rmsprop",
        "Averages do not decay where a sparse gradient leaves a number out.",
        Program(RMSPROP, SparseRest),
    ),
)
