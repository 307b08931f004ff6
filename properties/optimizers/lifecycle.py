"""Claims about what happens to an optimizer between updates, and how gradients come to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from properties.cases import Event, Observation, Training
from properties.claims import Bench, Space, Unrepeated, claim
from properties.differential import require_formula
from properties.observing import first_difference
from properties.optimizers.common import planted
from properties.optimizers.elementwise import OPTIMIZERS
from properties.strategies.inputs import Inputs, keyword, trained
from properties.strategies.programs import DESIGNS, programs
from properties.strategies.trainings import Plan
from properties.subject import Group, Place

__all__ = [
    "any_order",
    "copying_changes_nothing",
    "gradients_are_kept",
    "late_group_starts_anew",
    "parameters_keep_their_place",
    "resuming_changes_nothing",
    "rewinding_changes_nothing",
    "saving_changes_nothing",
]

_SOURCE = "the rules depend on parameters, gradients, hyperparameters and state alone"
_PLAN = Plan(2, ((3,), (2,)), tensors=(2, 3), groups=(2, 2), steps=(3, 4), narrow_steps=(2, 3))


#: Options that a training program may change; betas are constants to those who keep their powers.
_OPTIONS = ("learning_rate", "schedule_multiplier", "eps", "weight_decay", "l2_penalty", "momentum", "dampening")


def _before_each_step(event: Event) -> Callable[[Training], Training]:
    """Let something happen before each step, and halve all options of all groups before the first."""

    def interrupted(training: Training) -> Training:
        halved = {
            number: {name: value / 2 for name, value in group.hyperparameters.items() if name in _OPTIONS}
            for number, group in enumerate(training.groups)
        }
        first, *rest = (replace(step, events=(event,)) for step in training.steps)
        return replace(training, steps=(replace(first, changes=halved), *rest))

    return interrupted


def _require_same_bits(bench: Bench, training: Training, shown: Observation, what: str) -> None:
    """Compare a training with the same one without interruptions: the same operations on the same numbers."""
    place = _difference(shown, bench.train(training.uninterrupted()))
    if place and _difference(shown, bench.train(training)):
        raise Unrepeated(f"the same training ended otherwise when it was repeated: {place}", quantity="param")
    bench.require(not place, f"{what}, {place}", quantity="param")


def _difference(shown: Observation, expected: Observation) -> str:
    """Name the first parameter that differs in a bit; none if all are equal."""
    for number, (params, others) in enumerate(zip(shown.params, expected.params, strict=True), 1):
        for tensor, (param, other) in enumerate(zip(params, others, strict=True)):
            if param.tobytes() != other.tobytes():
                return f"tensor {tensor} is {first_difference(param, other)} after step {number}"
    return ""


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
    _require_same_bits(bench, training, bench.train(training), "saved and loaded before every step")


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
    _require_same_bits(bench, training, bench.train(training), "deep copied before every step")


@claim(
    "saving_changes_nothing",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"(\theta_t, s_t) \text{ saved} \implies \theta_{t+1}, \theta_{t+2}, \dots \text{ as without}",
    source=_SOURCE,
    inputs=trained(_PLAN, _before_each_step("saved")),
    catches=(
        *planted(("momentum_heavy_ball", "adam"), "saving_forgets"),
        *planted(("gd", "momentum_heavy_ball", "adam"), "saving_steps"),
    ),
    needs=("saved",),
)
def saving_changes_nothing(bench: Bench, *, training: Training) -> None:
    """An optimizer that is saved before every step goes on bit for bit as one that is not."""
    _require_same_bits(bench, training, bench.train(training), "saved before every step")


@claim(
    "rewinding_changes_nothing",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"(\theta_t, s_t) \text{ saved, and loaded back after an update} \implies \theta_{t+1}, \theta_{t+2}, "
    r"\dots \text{ as without}",
    source=_SOURCE,
    inputs=trained(_PLAN, _before_each_step("rewound")),
    catches=(*planted(("momentum_heavy_ball", "adam"), "own_memories_kept"), "adam_own_counts_kept"),
    needs=("saved", "rewound"),
)
def rewinding_changes_nothing(bench: Bench, *, training: Training) -> None:
    """An optimizer into which its own past is loaded after a detour goes on bit for bit as without it."""
    _require_same_bits(bench, training, bench.train(training), "rewound before every step")


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
    steps[when] = replace(steps[when], events=("add_group",))
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
    require_formula(bench, training, bench.train(training))


def _with_climbing_group(training: Training) -> Training:
    """Let the last group climb."""
    *groups, last = training.groups
    return replace(training, groups=(*groups, replace(last, maximize=True)))


@claim(
    "gradients_are_kept",
    kind="invariant",
    formulas=OPTIMIZERS,
    statement=r"g_t \text{ is the same before and after the update}",
    source="gradients belong to the caller, who may accumulate, log or clip them",
    inputs=trained(_PLAN, _with_climbing_group),
    catches=(
        "adam_l2_penalty_added_in_place",
        "sgd_l2_penalty_added_in_place",
        "momentum_heavy_ball_buffer_is_gradient",
        "adam_turned_in_place",
        *planted(OPTIMIZERS, "gradients_cleared"),
    ),
    needs=("grads",),
    uses=("maximize",),
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


@claim(
    "parameters_keep_their_place",
    kind="invariant",
    formulas=OPTIMIZERS,
    statement=r"\theta_t \text{ has the dtype, the device and the shape of } \theta_0",
    source="other parts of the program hold the parameters, and count on what they are",
    inputs=trained(_PLAN),
    catches=("gd_parameters_moved_away", *planted(OPTIMIZERS, "parameters_converted")),
    needs=("places",),
)
def parameters_keep_their_place(bench: Bench, *, training: Training) -> None:
    """An update leaves each parameter in its dtype, on its device and in its shape."""
    for number, places in enumerate(bench.train(training).places, 1):
        for tensor, (place, param) in enumerate(zip(places, training.params, strict=True)):
            expected = Place(bench.dtype, bench.device, param.shape)
            bench.require(
                place == expected,
                f"step {number} left tensor {tensor} as {place} instead of {expected}",
                quantity="param",
            )


#: Formulas that faults of closures are seeded in.
_CLOSING = ("gd", "adam", "lion")


def _programs(space: Space) -> Inputs:
    return {f"design {number}": (1, keyword("training", programs(space, number))) for number in range(DESIGNS)}


@claim(
    "any_order",
    kind="differential",
    formulas=OPTIMIZERS,
    statement=r"\lvert \hat\theta_t - \theta_t \rvert \le E_t \text{ whatever happens between updates, in any order; "
    r"saving, copying and pickling change no bit}",
    source=_SOURCE,
    inputs=_programs,
    catches=(
        "adam_reset_by_options_after_load",
        "adam_counts_restart_with_group_after_load",
        "adam_missing_counts_after_load",
        "adamw_late_options_of_construction",
        "gd_late_options_constant",
        "adam_maximize_lost_on_load",
        "lion_late_group_descends",
        "momentum_heavy_ball_pickle_drops_late_group",
        "adam_accumulation_overwrites",
        "adagrad_every_pass_is_remembered",
        "adam_closure_evaluated_afterwards",
        "gd_closure_evaluated_twice",
        "rmsprop_closure_ignored",
        *planted(_CLOSING, "second_evaluation_taken"),
        *planted(_CLOSING, "first_closure_kept"),
        *planted(_CLOSING, "closure_of_the_step_before"),
        *planted(_CLOSING, "closure_gradients_ignored"),
        *planted(_CLOSING, "first_loss_returned"),
        "adamw_loss_not_returned",
        "adamw_frozen_parameter_decays",
        "adam_frozen_state_moves",
        "momentum_heavy_ball_frozen_forgets",
        "rmsprop_frozen_not_saved",
        "momentum_heavy_ball_zero_skipped_by_copy",
        "adam_state_saved_by_position",
        "adam_one_count_saved",
        "adam_copy_of_loaded_shares",
        "adagrad_second_load_forgets",
        "gd_clipped_for_good",
        "rmsprop_sparse_rests",
    ),
    uses=(
        *("resumed", "copied", "pickled", "add_group", "freeze", "maximize"),
        *("step_accumulated", "step_closure", "step_clipped", "step_sparse"),
    ),
)
def any_order(bench: Bench, *, training: Training) -> None:
    """Whatever a training program does with an optimizer, in any order, each update is the formula's."""
    shown = bench.train(training)
    for number, evaluation in enumerate(shown.evaluations, 1):
        if evaluation:
            bench.require(
                evaluation.calls == 1,
                f"step {number} called its closure {evaluation.calls} times instead of once",
                quantity="closure",
            )
            bench.require(
                evaluation.returned == evaluation.loss,
                f"step {number} returned {evaluation.returned!r} instead of {evaluation.loss!r}, the loss of its closure",
                quantity="closure",
            )
    require_formula(bench, training, shown)
    _require_same_bits(bench, training, shown, "saved, copied or pickled on the way")
