"""Claims about what happens to an optimizer between updates: saving, loading, copying, another group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from properties.cases import Event, Training
from properties.claims import Bench, claim
from properties.differential import optimizer_follows_the_formula
from properties.optimizers.common import planted
from properties.optimizers.elementwise import OPTIMIZERS
from properties.strategies.inputs import trained
from properties.strategies.trainings import Plan
from properties.subject import Floats, Group

__all__ = [
    "copying_changes_nothing",
    "gradients_are_kept",
    "late_group_starts_anew",
    "resuming_changes_nothing",
]

_SOURCE = "the rules depend on parameters, gradients, hyperparameters and state alone"
_PLAN = Plan(3, ((3,), (2,)), tensors=(2, 3), groups=(2, 2), steps=(3, 4), narrow_steps=(2, 3))


#: Options that a training program may change; betas are constants to those who keep their powers.
_OPTIONS = ("learning_rate", "schedule_multiplier", "eps", "weight_decay", "l2_penalty", "momentum", "dampening")


def _before_each_step(event: Event) -> Callable[[Training], Training]:
    """Let something happen before each step, and halve all options of all groups before the first."""

    def interrupted(training: Training) -> Training:
        halved = {
            number: {name: value / 2 for name, value in group.hyperparameters.items() if name in _OPTIONS}
            for number, group in enumerate(training.groups)
        }
        first, *rest = (replace(step, event=event) for step in training.steps)
        return replace(training, steps=(replace(first, changes=halved), *rest))

    return interrupted


def _require_same_bits(bench: Bench, training: Training, what: str) -> None:
    """Compare a training with the same one without interruptions: the same operations on the same numbers."""
    uninterrupted = replace(training, steps=tuple(replace(step, event=None) for step in training.steps))
    shown, expected = bench.train(training), bench.train(uninterrupted)
    for number, (params, others) in enumerate(zip(shown.params, expected.params, strict=True), 1):
        for tensor, (param, other) in enumerate(zip(params, others, strict=True)):
            bench.require(
                param.tobytes() == other.tobytes(),
                f"{what}, tensor {tensor} is {_differing(param, other)} after step {number}",
                quantity="param",
            )


def _differing(shown: Floats, expected: Floats) -> str:
    """Name the first element that differs; none if the arrays are equal."""
    places = np.flatnonzero(shown.reshape(-1) != expected.reshape(-1))
    if not places.size:
        return "the same"
    index = int(places[0])
    return f"{shown.flat[index]!r} instead of {expected.flat[index]!r} at index {index}"


@claim(
    "resuming_changes_nothing",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"(\theta_t, s_t) \text{ saved and loaded into a new optimizer} \implies \theta_{t+1}, \theta_{t+2}, "
    r"\dots \text{ as without}",
    source=_SOURCE,
    inputs=trained(_PLAN, _before_each_step("resumed")),
    catches=(
        "adam_moments_lost_on_load",
        "momentum_heavy_ball_buffer_lost_on_load",
        "adam_step_lost_on_load",
        "adam_step_counted_on_load",
        "adamw_changed_options_lost_on_load",
        "adamw_epsilon_lost_on_load",
        "adamw_second_group_lost_on_load",
        "adamw_moments_saved_in_single",
        "adamw_groups_loaded_backwards",
        "adam_saved_in_bfloat16",
        "lion_average_lost_on_load",
        *planted(OPTIMIZERS, "starts_over_on_load"),
    ),
    needs=("resumed",),
)
def resuming_changes_nothing(bench: Bench, *, training: Training) -> None:
    """A training that is saved and loaded before every step goes on bit for bit as without."""
    _require_same_bits(bench, training, "saved and loaded before every step")


@claim(
    "copying_changes_nothing",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"\text{a deep copy goes on as the original would, whatever that does meanwhile}",
    source=_SOURCE,
    inputs=trained(_PLAN, _before_each_step("copied")),
    catches=("adam_moments_shared_by_copy", *planted(OPTIMIZERS, "parameters_shared_by_copy")),
    needs=("copied",),
)
def copying_changes_nothing(bench: Bench, *, training: Training) -> None:
    """A deep copy of the optimizer and its parameters goes on bit for bit as the original would."""
    _require_same_bits(bench, training, "deep copied before every step")


def _with_late_group(training: Training) -> Training:
    """Add the last group before the last but one step, its tensors being the last ones."""
    when = max(1, len(training.steps) - 2)
    count = len(training.params)
    late = len(training.groups[-1].tensors)
    early = Group(tuple(range(count - late)), training.groups[0].hyperparameters)
    last = Group(tuple(range(count - late, count)), training.groups[-1].hyperparameters)
    steps = list(training.steps)
    for number, step in enumerate(steps[:when]):
        changes = {group: values for group, values in step.changes.items() if group == 0}
        steps[number] = replace(step, grads=(*step.grads[: count - late], *[None] * late), changes=changes)
    steps[when] = replace(steps[when], event="add_group")
    return Training(training.params, (early, last), tuple(steps))


@claim(
    "late_group_starts_anew",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"\theta^{(2)} \text{ added before step } k \implies \theta^{(2)}_t = \theta_{t-k+1}, \quad "
    r"\theta^{(1)}_t \text{ as without}",
    source=_SOURCE,
    inputs=trained(_PLAN, _with_late_group),
    catches=(
        "adam_late_group_counted",
        "gd_late_group_ignored",
        "adamw_late_group_like_first",
        "momentum_heavy_ball_forgets_for_late_group",
    ),
    needs=("add_group",),
)
def late_group_starts_anew(bench: Bench, *, training: Training) -> None:
    """A group that is added later starts at its own first step, and leaves the others as they are."""
    optimizer_follows_the_formula.check(bench, training=training)


@claim(
    "gradients_are_kept",
    kind="invariant",
    formulas=OPTIMIZERS,
    statement=r"g_t \text{ is the same before and after the update}",
    source="gradients belong to the caller, who may accumulate, log or clip them",
    inputs=trained(_PLAN),
    catches=(
        "adam_l2_penalty_added_in_place",
        "sgd_l2_penalty_added_in_place",
        "momentum_heavy_ball_buffer_is_gradient",
        *planted(OPTIMIZERS, "gradients_cleared"),
    ),
    needs=("grads",),
)
def gradients_are_kept(bench: Bench, *, training: Training) -> None:
    """An update leaves the gradients as the caller gave them."""
    shown = bench.train(training)
    for number, (step, grads) in enumerate(zip(training.steps, shown.grads, strict=True), 1):
        for tensor, (given, left) in enumerate(zip(step.grads, grads, strict=True)):
            if given is not None:
                bench.require(
                    left is not None and bool(np.array_equal(left, given)),
                    f"step {number} changed the gradient of tensor {tensor}",
                    quantity="grad",
                )
