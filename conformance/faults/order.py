"""Faults that only an order of events shows: each goes wrong where one event follows another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from conformance.faults.adagrad import ADAGRAD
from conformance.faults.adam import ADAM
from conformance.faults.decay import ADAMW
from conformance.faults.descent import GD, HEAVY_BALL
from conformance.faults.lion import LION
from conformance.faults.programs import Bookkeeping, Fault, Program
from properties.subject import Floats, Group

__all__ = ["FAULTS"]


class Loaded(Bookkeeping):
    """Knows whether it was loaded since its last update."""

    loaded: bool = False

    def restore(self, saved: Bookkeeping) -> None:
        """Take over everything, and remember that."""
        super().restore(saved)
        self.loaded = True


class ResetByOptionsAfterLoad(Loaded):
    """Options that are set after loading make the memories anew."""

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Forget, if the memories were loaded."""
        super().set_hyperparameters(group, values)
        if self.loaded:
            self.memories = [{} for _ in self.values]


class CountsRestartWithGroupAfterLoad(Loaded):
    """A group that is added after loading starts all counters anew."""

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Add it, and count from 0."""
        super().add_group(params, group)
        if self.loaded:
            self.steps = [0 for _ in self.values]


class MissingCountsAfterLoad(Loaded):
    """A missing gradient counts as an update right after loading."""

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Count those that have begun and have no gradient."""
        if self.loaded:
            self.steps = [step + (grad is None and step > 0) for step, grad in zip(self.steps, grads, strict=True)]
        self.loaded = False
        super().step(grads)


class LateOptionsOfConstruction(Bookkeeping):
    """A group that was added later is saved with the options that it was added with."""

    def restore(self, saved: Bookkeeping) -> None:
        """Take over the options of the first group alone."""
        own = self.options[1:]
        super().restore(saved)
        self.options[1:] = own


class LateOptionsConstant(Bookkeeping):
    """The options of a group that is added later are read when it is added."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.late: set[int] = set()

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Remember that it came late."""
        super().add_group(params, group)
        self.late.add(len(self.options) - 1)

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Ignore what is set for it."""
        if group not in self.late:
            super().set_hyperparameters(group, values)


class SignsLost(Bookkeeping):
    """Whether a group climbs is not saved."""

    def restore(self, saved: Bookkeeping) -> None:
        """Let all groups descend."""
        super().restore(saved)
        self.signs = [1 for _ in self.signs]


class LateGroupsDescend(Bookkeeping):
    """A group that is added later never climbs."""

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Ignore which way it is to go."""
        super().add_group(params, group)
        self.signs[-1] = 1


class LateGroupReplaced(Bookkeeping):
    """A pickle drops the groups that were added later."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.first = len(self.members)

    def pickled(self) -> Bookkeeping:
        """Keep the parameters of the others, and update them no more."""
        stepper = super().pickled()
        stepper.members[self.first :] = [() for _ in self.members[self.first :]]
        return stepper


class ZeroSkippedByCopy(Bookkeeping):
    """A copy takes a gradient of zeros for a missing one."""

    skips: bool = False

    def copied(self) -> Bookkeeping:
        """Let the copy look for zeros."""
        stepper = super().copied()
        assert isinstance(stepper, ZeroSkippedByCopy)
        stepper.skips = True
        return stepper

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Leave out what is all zeros."""
        super().step([grad if grad is None or not self.skips or np.any(grad) else None for grad in grads])


class SavedByPosition(Bookkeeping):
    """Memories are saved in the order of the groups, and loaded in the order of the parameters."""

    def restore(self, saved: Bookkeeping) -> None:
        """Give the memories that come first to the parameters that come first, where they fit."""
        super().restore(saved)
        order = [tensor for tensors in self.members for tensor in tensors]
        shapes = [value.shape for value in self.values]
        self.memories = [
            saved.memories[found if shapes[found] == shape else tensor]
            for tensor, (found, shape) in enumerate(zip(order, shapes, strict=True))
        ]
        self.steps = [saved.steps[found] for found in order]


class OneCountSaved(Bookkeeping):
    """One counter is saved for all parameters."""

    def restore(self, saved: Bookkeeping) -> None:
        """Take over the largest for all."""
        super().restore(saved)
        self.steps = [max(saved.steps) for _ in self.steps]


class CopyOfLoadedShares(Loaded):
    """A copy of what was loaded shares its memories."""

    def copied(self) -> Bookkeeping:
        """Copy the rest."""
        stepper = super().copied()
        if self.loaded:
            stepper.memories = self.memories
        return stepper


class SecondLoadForgets(Loaded):
    """What was loaded before is not saved again."""

    def restore(self, saved: Bookkeeping) -> None:
        """Take over memories if they were not loaded."""
        super().restore(saved)
        if isinstance(saved, Loaded) and saved.loaded:
            self.memories = [{} for _ in self.values]


FAULTS = (
    Fault(
        "adam_reset_by_options_after_load",
        "adam",
        "Setting an option of what was loaded makes the averages anew.",
        Program(ADAM, ResetByOptionsAfterLoad),
    ),
    Fault(
        "adam_counts_restart_with_group_after_load",
        "adam",
        "A group that is added to what was loaded starts the step counters of all anew.",
        Program(ADAM, CountsRestartWithGroupAfterLoad),
    ),
    Fault(
        "adam_missing_counts_after_load",
        "adam",
        "A missing gradient advances the step counter in the first update after loading.",
        Program(ADAM, MissingCountsAfterLoad),
    ),
    Fault(
        "adamw_late_options_of_construction",
        "adamw",
        "After loading, other groups than the first have the options that they were added with.",
        Program(ADAMW, LateOptionsOfConstruction),
    ),
    Fault(
        "gd_late_options_constant",
        "gd",
        "The options of a group that is added later are read when it is added, and never again.",
        Program(GD, LateOptionsConstant),
    ),
    Fault("adam_maximize_lost_on_load", "adam", "What climbed descends once it is loaded.", Program(ADAM, SignsLost)),
    Fault(
        "lion_late_group_descends",
        "lion",
        "A group that is added later descends even if it is to climb.",
        Program(LION, LateGroupsDescend),
    ),
    Fault(
        "momentum_heavy_ball_pickle_drops_late_group",
        "momentum_heavy_ball",
        "A pickle holds the groups of the start, and none that was added.",
        Program(HEAVY_BALL, LateGroupReplaced),
    ),
    Fault(
        "momentum_heavy_ball_zero_skipped_by_copy",
        "momentum_heavy_ball",
        "A copy takes a gradient of zeros for a missing one: velocities do not coast.",
        Program(HEAVY_BALL, ZeroSkippedByCopy),
    ),
    Fault(
        "adam_state_saved_by_position",
        "adam",
        "Averages and counters are saved in the order of the groups, and loaded in that of the parameters.",
        Program(ADAM, SavedByPosition),
    ),
    Fault(
        "adam_one_count_saved",
        "adam",
        "After loading, all parameters share the largest of the step counters.",
        Program(ADAM, OneCountSaved),
    ),
    Fault(
        "adam_copy_of_loaded_shares",
        "adam",
        "A deep copy of what was loaded goes on with the averages of the original.",
        Program(ADAM, CopyOfLoadedShares),
    ),
    Fault(
        "adagrad_second_load_forgets",
        "adagrad",
        "Sums that were loaded are not saved again.",
        Program(ADAGRAD, SecondLoadForgets),
    ),
)
