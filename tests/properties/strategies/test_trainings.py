"""Trainings and calls keep what their plans promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import FORMULAS, get
from oracle.formula import Formula
from properties.cases import Call, Training
from properties.claims import Space
from properties.drawing import draw_cases
from properties.strategies.calls import calls
from properties.strategies.clippings import CLIPPINGS
from properties.strategies.hyperparameters import adjusted, common_values, decay_factor, scheduled
from properties.strategies.trainings import PLANS, trainings
from properties.subject import Floats

OPTIMIZERS = [formula for formula in FORMULAS if formula.kind == "optimizer"]
CLIPS = [get(id) for id in ("clip_by_value", "clip_by_norm", "clip_by_norm_torch")]

every_dtype = pytest.mark.parametrize("dtype", FORMATS)
every_kind = pytest.mark.parametrize("kind", PLANS)


def _trainings(formula: Formula, dtype: str, kind: str, count: int = 4) -> list[Training]:
    return draw_cases(trainings(Space(formula, dtype, "quick"), kind), count, 11)


def _arrays(training: Training) -> Iterator[Floats]:
    yield from training.params
    for step in training.steps:
        yield from (grad for grad in step.grads if grad is not None)


@every_dtype
@every_kind
def test_numbers_are_finite_and_exact_in_the_dtype(dtype: str, kind: str) -> None:
    for training in _trainings(get("adamw"), dtype, kind):
        for array in _arrays(training):
            assert np.all(np.isfinite(array))
            assert np.array_equal(FORMATS[dtype].round(array), array)


@every_dtype
@pytest.mark.parametrize("formula", OPTIMIZERS, ids=lambda formula: formula.id)
def test_hyperparameters_are_those_of_the_formula_inside_its_draw_domain(formula: Formula, dtype: str) -> None:
    for kind in PLANS:
        for training in _trainings(formula, dtype, kind, 2):
            for row in training.hyperparameters():
                for values in row:
                    assert set(values) == set(formula.hyperparameters)
                    assert all(value in formula.draw[name] for name, value in values.items())


@every_kind
def test_every_tensor_belongs_to_one_group_and_gets_gradients_of_its_shape(kind: str) -> None:
    for training in _trainings(get("adam"), "float32", kind):
        owned = sorted(tensor for group in training.groups for tensor in group.tensors)

        assert owned == list(range(len(training.params)))
        for step in training.steps:
            shapes = [param.shape for param in training.params]
            assert all(grad is None or grad.shape == shape for grad, shape in zip(step.grads, shapes, strict=True))


def test_the_wide_kind_varies_number_shape_and_layout_of_tensors(draws: Callable[[int, int], int]) -> None:
    params = [
        param for training in _trainings(get("gd"), "float32", "wide", draws(60, 600)) for param in training.params
    ]

    assert {param.size for param in params} >= {0, 1, 3, 7, 33}
    assert any(not param.flags.c_contiguous for param in params)
    assert any(param.ndim == 0 for param in params)


def test_two_groups_differ_and_gradients_go_missing() -> None:
    drawn = _trainings(get("adam"), "float64", "groups", 20)

    assert all(len(training.groups) == 2 for training in drawn)
    assert any(training.groups[0].hyperparameters != training.groups[1].hyperparameters for training in drawn)
    assert any(grad is None for training in drawn for step in training.steps for grad in step.grads)


def test_one_training_holds_every_shape_in_more_than_two_groups() -> None:
    (training,) = _trainings(get("gd"), "float64", "every", 1)
    shapes = [param.shape for param in training.params]

    assert {len(shape) for shape in shapes} == {0, 1, 2, 3, 4, 5}
    assert {param.size for param in training.params} >= {0, 1, 4, 8, 16, 64}
    assert len(shapes) > 16
    assert len(training.groups) == 5
    assert any(shapes[0] == shapes[tensor] for tensor in training.groups[1].tensors)


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("adamw", "eps"),
        ("adamw", "weight_decay"),
        ("momentum_ema", "momentum"),
        ("momentum_heavy_ball", "momentum"),
        ("momentum_torch_dampening", "momentum"),
        ("momentum_torch_dampening", "dampening"),
        ("momentum_nesterov", "momentum"),
        ("adam_l2", "l2_penalty"),
    ],
)
def test_what_is_adjusted_changes_between_steps(formula: str, name: str) -> None:
    drawn = _trainings(get(formula), "float64", "adjusted", 8)

    assert any(name in change for training in drawn for step in training.steps for change in step.changes.values())


def test_betas_are_never_adjusted() -> None:
    assert {"beta1", "beta2"}.isdisjoint(adjusted(get("adamw")))


def test_a_whole_zero_gradient_follows_another() -> None:
    for training in _trainings(get("adam"), "float64", "zeros", 20):
        assert any(not np.any(grad) for step in training.steps[1:] for grad in step.grads)


def test_far_parameters_are_much_larger_than_their_steps() -> None:
    for training in _trainings(get("adam"), "float64", "far", 8):
        assert all(np.max(np.abs(param)) >= 50 for param in training.params)


def test_zeros_of_both_signs_and_whole_zero_gradients_occur() -> None:
    grads = [
        grad
        for training in _trainings(get("adam"), "float64", "zeros", 20)
        for step in training.steps
        for grad in step.grads
        if grad is not None
    ]
    zeros = np.concatenate([grad[grad == 0] for grad in grads])

    assert np.any(np.signbit(zeros))
    assert not np.all(np.signbit(zeros))
    assert any(grad.size and not np.any(grad) for grad in grads)


@pytest.mark.parametrize("name", ["learning_rate", "schedule_multiplier"])
def test_scheduled_hyperparameters_change_between_steps(name: str) -> None:
    changes = [
        change
        for training in _trainings(get("adamw_paper_scaling"), "float64", "plain", 20)
        for step in training.steps
        for change in step.changes.values()
    ]

    assert any(name in change for change in changes)


@pytest.mark.parametrize(("kind", "size", "steps"), [("bulk", 4097, 3), ("long", 3, 120)])
def test_large_and_long_trainings_are_as_large_and_long_as_said(kind: str, size: int, steps: int) -> None:
    drawn = _trainings(get("adamw"), "float64", kind, 8)

    assert max(training.params[0].size for training in drawn) == size
    assert max(len(training.steps) for training in drawn) == steps


@every_dtype
def test_steered_decay_takes_off_a_visible_part_of_the_parameters(dtype: str) -> None:
    formula = get("adamw")
    for training in _trainings(formula, dtype, "plain", 20):
        for group in training.groups:
            part = decay_factor(formula, group.hyperparameters) * group.hyperparameters["weight_decay"]
            assert 0.09 < part < 1


def test_a_hyperparameter_that_nobody_knows_is_named_in_the_error() -> None:
    adam = get("adam")
    unknown = Formula(
        "unknown",
        "optimizer",
        lambda param, grad, state, *, temperature: (param, state),
        ("nowhere",),
        {},
        {},
        (),
        adam.state_type,
    )

    with pytest.raises(LookupError, match="no values to draw for the hyperparameter temperature of unknown"):
        _trainings(unknown, "float64", "plain", 1)


def test_customary_values_cover_every_hyperparameter() -> None:
    for formula in OPTIMIZERS:
        assert set(common_values(formula, "float64")) == set(formula.hyperparameters)
        assert scheduled(formula)[-1] == "learning_rate"


def _calls(formula: Formula, dtype: str, kind: str, count: int = 12) -> list[Call]:
    return draw_cases(calls(Space(formula, dtype, "quick"), kind), count, 11)


@every_dtype
@pytest.mark.parametrize("kind", CLIPPINGS)
@pytest.mark.parametrize("formula", CLIPS, ids=lambda formula: formula.id)
def test_calls_have_exact_numbers_and_thresholds_in_the_draw_domain(formula: Formula, kind: str, dtype: str) -> None:
    for call in _calls(formula, dtype, kind):
        (grad,) = call.arrays
        (name,) = formula.hyperparameters

        assert np.array_equal(FORMATS[dtype].round(grad), grad)
        assert call.hyperparameters[name] in formula.draw[name]


def test_some_thresholds_equal_the_norm_exactly() -> None:
    drawn = _calls(get("clip_by_norm"), "float32", "exact", 30)
    quotients = {float(np.sqrt(np.sum(call.arrays[0] ** 2))) / call.hyperparameters["max_norm"] for call in drawn}

    assert quotients == {0.5, 1.0, 2.0}


@pytest.mark.parametrize(("kind", "clipped"), [("just_inside", False), ("just_outside", True)])
def test_some_norms_miss_the_threshold_by_a_hair(kind: str, clipped: bool) -> None:
    for call in _calls(get("clip_by_norm"), "float64", kind):
        quotient = float(np.sqrt(np.sum(call.arrays[0] ** 2))) / call.hyperparameters["max_norm"]
        assert 0 < abs(quotient - 1) < 1e-7
        assert (quotient > 1) is clipped


def test_some_norms_are_so_small_that_the_added_millionth_shows() -> None:
    norms = [float(np.linalg.norm(call.arrays[0])) for call in _calls(get("clip_by_norm_torch"), "float32", "tiny")]

    assert min(norms) < 3e-5


@pytest.mark.parametrize(("formula", "decay"), [("adamw", "weight_decay"), ("sgd_l2", "l2_penalty")])
def test_where_options_are_adjusted_decay_ends_in_the_last_step(formula: str, decay: str) -> None:
    for training in _trainings(get(formula), "float64", "adjusted", 8):
        *_, last = training.hyperparameters()

        assert all(group.hyperparameters[decay] > 0 for group in training.groups)
        assert any(values[decay] == 0 for values in last)
