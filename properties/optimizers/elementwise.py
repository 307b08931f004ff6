"""Claims about every optimizer here: each element is updated by itself, from its own gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from oracle.arithmetic.balls import balls
from oracle.bound import Enclosure
from properties.cases import Step, Training
from properties.claims import Bench, claim
from properties.margins import slack, total
from properties.optimizers.common import (
    compare_positions,
    compare_runs,
    mapped,
    planted,
    with_zero_gradients,
    without_decay,
)
from properties.strategies.inputs import trained
from properties.strategies.trainings import Plan
from properties.subject import Floats, Group

__all__ = [
    "OPTIMIZERS",
    "copies_move_alike",
    "missing_gradient_is_no_step",
    "permutation",
    "sign_symmetry",
    "splitting_a_group",
    "splitting_a_tensor",
    "zero_gradient_rests",
]

OPTIMIZERS = (
    "gd",
    "momentum_ema",
    "momentum_heavy_ball",
    "momentum_torch_dampening",
    "momentum_nesterov",
    "sgd_l2",
    "weight_decay_unscaled",
    "adam",
    "adam_eps_hat",
    "adam_l2",
    "adamw",
    "adamw_paper_scaling",
    "adagrad",
    "adagrad_eps_inside",
    "rmsprop",
    "rmsprop_eps_inside",
    "adam_bourmaud_literal_k1",
    "lion",
    "lion_literal_ct",
)
_SOURCE = "lopesquintas2024updates: every rule is written coordinate by coordinate"
_ROWS = ((7,), (2,), (3,), (33,), (3, 11))
_PLAN = Plan(4, _ROWS, steps=(1, 5), narrow_steps=(1, 3))


@claim(
    "zero_gradient_rests",
    kind="invariant",
    formulas=OPTIMIZERS,
    statement=r"g_1 = \dots = g_T = 0, \ \lambda = 0 \implies \theta_T = \theta_0",
    source=_SOURCE,
    inputs=trained(replace(_PLAN, zeros=True), lambda training: without_decay(with_zero_gradients(training))),
    catches=(
        "adam_zero_over_zero",
        "gd_signed",
        "sign_of_zero_is_one",
        "adagrad_eps_missing",
        "rmsprop_eps_missing",
        "lion_sign_of_zero_is_one",
        *planted(OPTIMIZERS, "zero_counts_as_one"),
    ),
    varies=("weight_decay", "l2_penalty"),
)
def zero_gradient_rests(bench: Bench, *, training: Training) -> None:
    """Without gradients and decay nothing moves, not even in the last digit."""
    positions = [[balls(param) for param in training.params] for _ in training.steps]
    compare_positions(bench, training, positions, "a parameter without gradient and decay moved")


@claim(
    "sign_symmetry",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"\theta_T(-\theta_0, -g) = -\theta_T(\theta_0, g)",
    source=_SOURCE,
    inputs=trained(_PLAN),
    catches=(
        "gradient_clipped_from_below",
        "update_rounded_down",
        "sgd_l2_penalty_multiplies_gradient",
        "adagrad_signed_squares",
        "adam_second_moment_of_positive_gradients",
        "lion_negative_rests",
        *planted(OPTIMIZERS, "rounds_down"),
    ),
)
def sign_symmetry(bench: Bench, *, training: Training) -> None:
    """Parameters and gradients of the other sign lead to the mirrored place."""
    mirrored = mapped(training, param=np.negative, grad=np.negative)
    compare_runs(
        bench,
        training,
        mirrored,
        lambda params: [-param for param in params],
        "the mirrored training did not end in the mirrored place",
    )


def _reversed(array: Floats) -> Floats:
    return array.reshape(-1)[::-1].reshape(array.shape)


@claim(
    "permutation",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"\theta_T(P \theta_0, P g) = P \theta_T(\theta_0, g)",
    source=_SOURCE,
    inputs=trained(_PLAN),
    catches=(
        "adam_moments_shared_in_row",
        "gd_gradient_leaks_between_tensors",
        "gd_vector_blocks_untouched",
        "adagrad_sum_of_first_element",
        "momentum_ema_gradient_of_first_element",
        *planted(OPTIMIZERS, "last_of_odd_forgotten"),
    ),
)
def permutation(bench: Bench, *, training: Training) -> None:
    """Elements may be stored in any order: each is updated as in any other place."""
    backwards = mapped(training, param=_reversed, grad=_reversed)
    compare_runs(
        bench,
        training,
        backwards,
        lambda params: [_reversed(param) for param in params],
        "an element was updated differently in another place",
    )


def _split(array: Floats) -> tuple[Floats, Floats]:
    flat = array.reshape(-1)
    return flat[: flat.size // 2], flat[flat.size // 2 :]


def _halved(training: Training, groups: tuple[tuple[int, ...], ...]) -> Training:
    """Make two tensors of a training's only one, in one group or in two of equal hyperparameters."""
    (param,), (group,) = training.params, training.groups
    steps = []
    for step in training.steps:
        (grad,) = step.grads
        change = step.changes.get(0)
        changes = {} if change is None else dict.fromkeys(range(len(groups)), change)
        steps.append(Step((None, None) if grad is None else _split(grad), changes))
    return Training(_split(param), tuple(Group(tensors, group.hyperparameters) for tensors in groups), tuple(steps))


def _compare_halves(bench: Bench, training: Training, groups: tuple[tuple[int, ...], ...], note: str) -> None:
    shape = training.params[0].shape

    def joined(params: Sequence[Floats]) -> Sequence[Floats]:
        return [np.concatenate(params).reshape(shape)]

    compare_runs(bench, training, _halved(training, groups), joined, note)


@claim(
    "splitting_a_tensor",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"\theta_T(\theta_0^{(1)}, \theta_0^{(2)}) = \theta_T(\theta_0^{(1)} \oplus \theta_0^{(2)})",
    source=_SOURCE,
    inputs=trained(_PLAN),
    catches=(
        "adam_second_moment_averaged_over_tensor",
        "adam_moments_shared_in_row",
        "gd_gradient_averaged",
        "adam_step_shared_by_group",
        "momentum_heavy_ball_shared_buffer",
        "gd_first_tensor_only",
        "gd_gradient_leaks_between_tensors",
        "adagrad_sum_shared_by_tensor",
        "lion_normalised",
        *planted(OPTIMIZERS, "second_tensor_stays"),
    ),
)
def splitting_a_tensor(bench: Bench, *, training: Training) -> None:
    """A tensor cut in two is updated like the whole."""
    _compare_halves(bench, training, ((0, 1),), "a tensor cut in two was updated differently from the whole")


@claim(
    "splitting_a_group",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"\theta_T(\{\theta^{(1)}\}, \{\theta^{(2)}\}) = \theta_T(\{\theta^{(1)}, \theta^{(2)}\})",
    source=_SOURCE,
    inputs=trained(_PLAN),
    catches=(
        "adam_second_moment_averaged_over_tensor",
        "adam_moments_shared_in_row",
        "gd_gradient_averaged",
        "momentum_heavy_ball_shared_buffer",
        "adamw_first_group_only",
        "gd_gradient_leaks_between_tensors",
        "adagrad_sum_shared_by_tensor",
        "lion_normalised",
        *planted(OPTIMIZERS, "second_tensor_stays"),
    ),
)
def splitting_a_group(bench: Bench, *, training: Training) -> None:
    """Two groups with equal hyperparameters are updated like one."""
    _compare_halves(bench, training, ((0,), (1,)), "two groups with equal hyperparameters were updated differently")


@claim(
    "missing_gradient_is_no_step",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"g_s = \varnothing \implies \theta_t \text{ and its count of steps stay as they are}",
    source="the rules count the updates that a parameter has received",
    inputs=trained(Plan(4, tensors=(2, 2), steps=(2, 4), narrow_steps=(2, 3), still=True)),
    catches=(
        "adam_step_shared_by_group",
        "adam_step_counted_per_optimizer",
        "missing_gradient_is_zero",
        "adamw_missing_gradient_decays",
        "momentum_heavy_ball_shared_buffer",
        "gd_gradient_leaks_between_tensors",
        *planted(OPTIMIZERS, "missing_is_one"),
    ),
    needs=("missing_gradients",),
)
def missing_gradient_is_no_step(bench: Bench, *, training: Training) -> None:
    """A parameter whose gradient is missing once goes on afterwards as if that step had not been."""
    first, *rest = training.steps
    gap = replace(training, steps=(Step((None, first.grads[1])), *rest))
    alone = Training(
        training.params[:1],
        (replace(training.groups[0], tensors=(0,)),),
        tuple(Step(step.grads[:1]) for step in rest),
    )
    shown, expected = bench.train(gap), bench.train(alone)
    for number, bounds in enumerate(bench.enclosures(alone)):
        error = slack(bounds[0][0])
        bench.compare(
            shown.params[number + 1][0],
            Enclosure(value=balls(expected.params[number][0]), error=total(error, error)),
            quantity="param",
            step=number + 2,
            tensor=0,
            note="a step without its gradient changed how the parameter went on",
        )


#: Of each of 8 elements: as many as the 65536 that kernels take at a time, and a few more.
_COPIES = (8192, 8193)
#: Tensors of one group, and groups of one tensor each: more than kernels take the addresses of at a time.
_TENSORS, _GROUPS = 200, 50


@claim(
    "copies_move_alike",
    kind="metamorphic",
    formulas=OPTIMIZERS,
    statement=r"\theta_T(\theta_0 \otimes 1_n, g \otimes 1_n) = \theta_T(\theta_0, g) \otimes 1_n",
    source=_SOURCE,
    inputs=trained(Plan(1, ((8,),), steps=(2, 3), narrow_steps=(2, 2), still=True)),
    catches=(
        *planted(("gd", "adam"), "beyond_65536_untouched"),
        *planted(("gd", "adam"), "last_of_whole_blocks_forgotten"),
        *planted(("gd", "adam"), "beyond_128_tensors_untouched"),
        *planted(("gd", "adam"), "beyond_32_groups_untouched"),
    ),
)
def copies_move_alike(bench: Bench, *, training: Training) -> None:
    """However many copies of an element, of a tensor and of a group there are, each moves as the one does."""
    (group,), count = training.groups, _TENSORS + _GROUPS
    long = [mapped(training, param=_times(copies), grad=_times(copies)) for copies in _COPIES]
    groups = (
        replace(group, tensors=tuple(range(_TENSORS))),
        *(replace(group, tensors=(tensor,)) for tensor in range(_TENSORS, count)),
    )
    steps = tuple(replace(step, grads=count * step.grads) for step in training.steps)
    many = Training(count * training.params, groups, steps)
    alone, *others = (bench.train(each).params for each in (training, *long, many))
    for number, bounds in enumerate(bench.enclosures(training)):
        error = slack(bounds[0][0])
        expected = Enclosure(value=balls(alone[number][0]), error=total(error, error))
        for params in others:
            copies = np.stack(params[number]).reshape(-1, error.size)
            for extreme in (copies.min(axis=0), copies.max(axis=0)):
                note = f"one of {len(copies)} copies moved otherwise than it does alone"
                bench.compare(extreme, expected, quantity="param", step=number + 1, tensor=0, note=note)


def _times(copies: int) -> Callable[[Floats], Floats]:
    return lambda array: np.tile(array, copies)
