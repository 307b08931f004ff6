"""Faults of what happens to an optimizer between updates: saved, loaded, copied, given another group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from conformance.faults.adam import ADAM
from conformance.faults.decay import ADAMW
from conformance.faults.descent import GD, HEAVY_BALL
from conformance.faults.programs import Array, Bookkeeping, Fault, Memory, Options, Program, Rule
from properties.subject import Floats, Group

__all__ = ["FAULTS"]


class MemoriesLost(Bookkeeping):
    """Averages and buffers are not saved."""

    def restore(self, saved: Bookkeeping) -> None:
        """Take over counters and options alone."""
        self.steps, self.options = saved.steps, saved.options


class StepsLost(Bookkeeping):
    """Counters are not saved."""

    def restore(self, saved: Bookkeeping) -> None:
        """Take over memories and options alone."""
        self.memories, self.options = saved.memories, saved.options


class OptionsLost(Bookkeeping):
    """Hyperparameters that were changed are not saved."""

    def restore(self, saved: Bookkeeping) -> None:
        """Take over memories and counters alone."""
        self.memories, self.steps = saved.memories, saved.steps


class EpsilonLost(Bookkeeping):
    """The epsilon of the constructor outlasts the saved one."""

    def restore(self, saved: Bookkeeping) -> None:
        """Keep the own epsilon of every group."""
        own = [options.eps for options in self.options]
        super().restore(saved)
        for options, eps in zip(self.options, own, strict=True):
            options.eps = eps


class SecondGroupLost(Bookkeeping):
    """Only the options of the first group are saved."""

    def restore(self, saved: Bookkeeping) -> None:
        """Keep the own options of the other groups."""
        others = self.options[1:]
        super().restore(saved)
        self.options[1:] = others


class SavedInSingle(Bookkeeping):
    """Memories are saved in float32."""

    def restore(self, saved: Bookkeeping) -> None:
        """Round what is taken over."""
        super().restore(saved)
        for memory in self.memories:
            for name, entry in memory.items():
                memory[name] = np.asarray(entry, dtype=np.float32).astype(self.arithmetic.type)


class CountedOnLoad(Bookkeeping):
    """Loading counts as an update."""

    def restore(self, saved: Bookkeeping) -> None:
        """Advance every counter that has begun."""
        super().restore(saved)
        self.steps = [step + (step > 0) for step in self.steps]


class GroupsLoadedBackwards(Bookkeeping):
    """The options of groups are loaded in the other order."""

    def restore(self, saved: Bookkeeping) -> None:
        """Take over the last group's options for the first."""
        super().restore(saved)
        self.options = self.options[::-1]


class MemoriesSharedByCopy(Bookkeeping):
    """A copy shares the memories of the original."""

    def copied(self) -> Bookkeeping:
        """Copy the parameters alone."""
        stepper = super().copied()
        stepper.memories = self.memories
        return stepper


class SavingForgets(Bookkeeping):
    """Memories are handed over to what is saved."""

    def saved(self) -> Bookkeeping:
        """Save, and begin anew."""
        saved = super().saved()
        self.memories = [{} for _ in self.values]
        return saved


class SavingSteps(Bookkeeping):
    """Saving takes one more update with the last gradients, as who looks for a better place to save does."""

    def saved(self) -> Bookkeeping:
        """Update, then save."""
        if len(self.given) == len(self.values):
            self.step([None if grad is None else np.array(grad, dtype=np.float64) for grad in self.given])
        return super().saved()


class OwnMemoriesKept(Bookkeeping):
    """An optimizer that is in use keeps its memories when it is loaded."""

    def rewound(self, saved: Bookkeeping) -> None:
        """Take over the rest."""
        own = self.memories
        super().rewound(saved)
        self.memories = own


class OwnCountsKept(Bookkeeping):
    """An optimizer that is in use goes on counting when it is loaded."""

    def rewound(self, saved: Bookkeeping) -> None:
        """Take over the rest."""
        own = self.steps
        super().rewound(saved)
        self.steps = own


class LateGroupCounted(Bookkeeping):
    """A group that is added later goes on from the count of the first."""

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Start with the first tensor's count."""
        super().add_group(params, group)
        self.steps[-len(params) :] = [self.steps[0]] * len(params)


class LateGroupIgnored(Bookkeeping):
    """A group that is added later is never updated."""

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Forget the group's tensors."""
        super().add_group(params, group)
        self.members[-1] = ()


class LateGroupLikeFirst(Bookkeeping):
    """A group that is added later gets the options of the first."""

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Ignore the hyperparameters that are given."""
        super().add_group(params, replace(group, hyperparameters=self.groups[0].hyperparameters))


class AllMemoriesAnew(Bookkeeping):
    """Adding a group makes the memories of all anew."""

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Forget what was remembered."""
        super().add_group(params, group)
        self.memories = [{} for _ in self.values]


class TurnedInPlace(Bookkeeping):
    """Gradients of a group that climbs are turned where the caller keeps them."""

    def update(self, group: int, tensor: int, grad: Array) -> None:
        """Turn what was given, too."""
        if self.signs[group] == -1:
            self.given[tensor] = grad
        super().update(group, tensor, grad)


class MovedAway(Bookkeeping):
    """An update leaves the parameters on another device."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Update, then say that they are elsewhere: there is only the CPU."""
        super().step(grads)
        self.device = "meta"


def _penalty_in_place(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    g += h.l2_penalty * theta
    return ADAM(theta, g, memory, h, t)


def _buffer_is_gradient(theta: Array, g: Array, memory: Memory, h: Options, t: int) -> Array:
    g += h.momentum * memory.get("momentum_buffer", np.zeros_like(g))
    memory["momentum_buffer"] = g
    moved: Array = theta - h.learning_rate * g
    return moved


#: With a state of one kind and of another.
_REMEMBERING: Mapping[str, Rule] = {"momentum_heavy_ball": HEAVY_BALL, "adam": ADAM}

FAULTS = (
    Fault(
        "adam_moments_lost_on_load",
        "adam",
        "A state dict holds the counters and no averages.",
        Program(ADAM, MemoriesLost),
    ),
    Fault(
        "momentum_heavy_ball_buffer_lost_on_load",
        "momentum_heavy_ball",
        "The velocity is not saved.",
        Program(HEAVY_BALL, MemoriesLost),
    ),
    Fault("adam_step_lost_on_load", "adam", "The step counter starts anew after loading.", Program(ADAM, StepsLost)),
    Fault(
        "adam_step_counted_on_load",
        "adam",
        "Loading a state dict advances the step counter.",
        Program(ADAM, CountedOnLoad),
    ),
    Fault(
        "adamw_changed_options_lost_on_load",
        "adamw",
        "A learning rate that a schedule has set is not saved.",
        Program(ADAMW, OptionsLost),
    ),
    Fault(
        "adamw_epsilon_lost_on_load",
        "adamw",
        "An epsilon that was changed is not saved.",
        Program(ADAMW, EpsilonLost),
    ),
    Fault(
        "adamw_second_group_lost_on_load",
        "adamw",
        "The options of the first group alone are saved.",
        Program(ADAMW, SecondGroupLost),
    ),
    Fault(
        "adamw_moments_saved_in_single",
        "adamw",
        "Averages are saved in float32 whatever the dtype.",
        Program(ADAMW, SavedInSingle),
    ),
    Fault(
        "adamw_groups_loaded_backwards",
        "adamw",
        "The options of two groups change places when loaded.",
        Program(ADAMW, GroupsLoadedBackwards),
    ),
    Fault(
        "adam_moments_shared_by_copy",
        "adam",
        "A deep copy goes on with the averages of the original.",
        Program(ADAM, MemoriesSharedByCopy),
    ),
    *(
        Fault(f"{formula}_saving_forgets", formula, "Saving hands the memories over.", Program(rule, SavingForgets))
        for formula, rule in _REMEMBERING.items()
    ),
    *(
        Fault(f"{formula}_saving_steps", formula, "Saving takes an update.", Program(rule, SavingSteps))
        for formula, rule in {"gd": GD, **_REMEMBERING}.items()
    ),
    *(
        Fault(
            f"{formula}_own_memories_kept",
            formula,
            "What is loaded into an optimizer in use does not replace its memories.",
            Program(rule, OwnMemoriesKept),
        )
        for formula, rule in _REMEMBERING.items()
    ),
    Fault(
        "adam_own_counts_kept",
        "adam",
        "What is loaded into an optimizer in use does not turn back its step counters.",
        Program(ADAM, OwnCountsKept),
    ),
    Fault(
        "adam_late_group_counted",
        "adam",
        "A group that is added later takes over the step count of the first.",
        Program(ADAM, LateGroupCounted),
    ),
    Fault("gd_late_group_ignored", "gd", "A group that is added later is not updated.", Program(GD, LateGroupIgnored)),
    Fault(
        "adamw_late_group_like_first",
        "adamw",
        "A group that is added later gets the hyperparameters of the first.",
        Program(ADAMW, LateGroupLikeFirst),
    ),
    Fault(
        "momentum_heavy_ball_forgets_for_late_group",
        "momentum_heavy_ball",
        "Adding a group clears the velocities of all.",
        Program(HEAVY_BALL, AllMemoriesAnew),
    ),
    Fault(
        "adam_l2_penalty_added_in_place",
        "adam_l2",
        "The penalty is added to the gradient where the caller keeps it.",
        Program(_penalty_in_place),
    ),
    Fault(
        "adam_turned_in_place",
        "adam",
        "A group that climbs turns its gradients where the caller keeps them.",
        Program(ADAM, TurnedInPlace),
    ),
    Fault("gd_parameters_moved_away", "gd", "An update leaves parameters on another device.", Program(GD, MovedAway)),
    Fault(
        "momentum_heavy_ball_buffer_is_gradient",
        "momentum_heavy_ball",
        "The velocity is accumulated in the memory of the gradient.",
        Program(_buffer_is_gradient),
    ),
)
