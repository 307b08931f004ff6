"""Enclosures and walks: what they accept, what they refuse, and what they know after a look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

from oracle.arithmetic import namespace
from oracle.arithmetic.balls import BallArray, balls, working_precision
from oracle.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, FORMATS, Precision, precision_models
from oracle.arithmetic.primitives import decayed, moving_average, stored
from oracle.bound import Enclosure, Walk, bound
from oracle.catalogue import FORMULAS, get
from oracle.errors import DomainError
from oracle.formula import Formula, formula, initial_state

SINGLE = Precision(FLOAT32, FLOAT32, FLOAT64)
MASTER = Precision(BFLOAT16, FLOAT32, FLOAT64)

OPTIMIZERS = [rule.id for rule in FORMULAS if rule.kind == "optimizer"]
HYPERPARAMETERS = {
    "learning_rate": 0.1,
    "momentum": 0.9,
    "alpha": 0.9,
    "dampening": 0.3,
    "beta1": 0.9,
    "beta2": 0.99,
    "eps": 1e-3,
    "l2_penalty": 0.3,
    "weight_decay": 0.3,
    "schedule_multiplier": 0.7,
}

Draws = Callable[[int, int], int]


def hyperparameters(rule: Formula) -> dict[str, float]:
    return {name: HYPERPARAMETERS[name] for name in rule.hyperparameters}


def around(value: float, error: float, *alternatives: Enclosure) -> Enclosure:
    return Enclosure(np.asarray([value]), np.asarray([error]), alternatives)


# Enclosures.


def test_a_ratio_is_the_distance_in_units_of_the_error() -> None:
    ratios = [around(1.0, 0.5).ratio(np.asarray([x]))[0] for x in (1.0, 1.25, 0.0)]

    assert ratios[0] == 0
    assert 0.4999 < ratios[1] <= 0.5
    assert 1.9999 < ratios[2] <= 2


def test_what_lies_on_the_end_of_an_enclosure_is_inside() -> None:
    assert around(1.0, 0.1).ratio(np.asarray([1.1]))[0] <= 1


def test_only_the_value_itself_fits_an_exact_enclosure() -> None:
    exact = Enclosure(np.zeros(3), np.zeros(3))

    assert exact.ratio(np.asarray([0.0, -0.0, 5e-324])).tolist() == [0, 0, np.inf]


def test_what_is_not_finite_fits_no_bound() -> None:
    bounded, free = around(1.0, 0.5), around(np.nan, np.inf)

    for wild in (np.nan, np.inf, -np.inf):
        assert bounded.ratio(np.asarray([wild])) == np.inf
        assert free.ratio(np.asarray([wild])) == 0


@pytest.mark.parametrize("carried", [np.array, balls])
def test_nothing_fits_a_bound_around_what_is_no_number(carried: Any) -> None:
    enclosure = Enclosure(carried([np.nan, np.inf, np.nan]), np.array([0.5, 0.5, np.inf]))

    assert enclosure.ratio(np.ones(3)).tolist() == [np.inf, np.inf, 0.0]


def test_a_ratio_takes_the_branch_that_is_nearest() -> None:
    closed, open_branch = around(5.0, -1.0), around(3.0, 0.5)

    assert around(1.0, 0.5, closed, open_branch).ratio(np.asarray([3.25]))[0] <= 0.5
    assert around(1.0, 0.5, closed).ratio(np.asarray([5.0]))[0] > 7


def test_one_branch_without_a_bound_is_no_bound() -> None:
    assert not around(1.0, 0.5, around(3.0, np.inf)).bounded


def test_an_interval_is_rounded_outward() -> None:
    low, high = Enclosure(balls(np.asarray([[0.1]])), np.asarray([[0.2]])).interval(0)

    assert low <= -0.1 < 0.3 < high
    assert high - low < 0.4 + 1e-15


def test_an_interval_holds_all_open_branches() -> None:
    assert around(1.0, 0.5, around(9.0, -1.0), around(3.0, 0.5)).interval(0) == (0.5, 3.5)


def test_an_interval_without_a_bound_is_everything() -> None:
    assert around(np.nan, np.inf).interval(0) == (-np.inf, np.inf)


def test_exact_values_differ_however_large_the_errors_are() -> None:
    assert around(1.0, 0.25).differs(around(1.0 + 2.0**-52, 0.25)).all()
    assert not around(1.0, 0.25).differs(around(1.0, 0.0)).any()


def test_separation_counts_the_errors_of_both() -> None:
    assert 1.9999 < around(1.0, 0.25).separation(around(2.0, 0.25))[0] <= 2
    assert around(1.0, 0.0).separation(around(2.0, 0.0)) == np.inf
    assert around(1.0, 0.0).separation(around(1.0, 0.0)) == 0
    assert around(1.0, np.inf).separation(around(2.0, 0.0)) == 0


def test_separation_is_that_of_the_nearest_branches() -> None:
    assert around(1.0, 0.25, around(3.0, 0.25)).separation(around(4.0, 0.25, around(0.0, -1.0)))[0] <= 2


def test_a_ball_closer_than_float64_can_tell_is_still_told_apart() -> None:
    with working_precision(128):
        third = Enclosure(balls(np.asarray([1.0])) / balls(np.asarray([3.0])), np.asarray([1e-20]))

    assert third.ratio(np.asarray([1 / 3]))[0] > 1
    assert third.midpoint[0] == 1 / 3


# Walks.


def program(rule: Formula, param: Any, grads: Any, dtype: type = np.float32) -> Any:
    """Run the printed formula in a numpy dtype, with Python's floats as scalars."""
    start = param.astype(dtype)
    state = initial_state(rule.state_type, np.zeros_like(start))
    for grad in grads:
        start, state = rule.body(start, grad.astype(dtype), state, **hyperparameters(rule))
        start = start.astype(dtype)  # a root of scalars makes numpy widen what it meets
        yield start.astype(np.float64), {name: x.astype(float) for name, x in _arrays(state).items()}


def _arrays(state: Any) -> dict[str, Any]:
    return {name: x for name, x in state._asdict().items() if name != "step"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_printed_formula_stays_within_its_bound(name: str, dtype: str, draws: Draws) -> None:
    rule, form, rng = get(name), FORMATS[dtype], np.random.default_rng(len(name))
    # A penalty that passes through the root is chaotic where the penalised gradient changes its sign, and corrections
    # that are written back lead out of the range.
    steps = {"adam_l2": 60, "adam_bourmaud_literal_k1": 12}.get(name) or draws(60, 600)
    param, grads = (form.round(rng.normal(size=size)) for size in (30, (steps, 30)))
    walk, worst = Walk(rule, param, precision=precision_models(dtype)[0]), 0.0
    for grad, (shown, state) in zip(grads, program(rule, param, grads, np.dtype(dtype).type), strict=True):
        expected, expected_state = walk.step(grad, hyperparameters(rule))
        assert expected.bounded.all()
        worst = max(worst, np.max(expected.ratio(shown)))
        assert expected_state.keys() == state.keys()
        for field, values in state.items():
            worst = max(worst, np.max(expected_state[field].ratio(values)))

    assert worst <= 1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_single_step_uses_a_twentieth_of_its_bound(name: str) -> None:
    rule, rng, worst = get(name), np.random.default_rng(1), 0.0
    param, grad = (FLOAT32.round(rng.normal(size=300)) for _ in range(2))
    ((shown, _),) = program(rule, param, [grad])
    expected, _ = bound(rule, param, grad, precision=SINGLE, **hyperparameters(rule))
    worst = np.max(expected.ratio(shown))

    assert 0.05 <= worst <= 1


@pytest.mark.parametrize(
    ("name", "value"), [("clip_by_norm", 1.0), ("clip_by_norm_torch", 1.0), ("clip_by_value", 0.7)]
)
def test_a_printed_function_stays_within_its_bound(name: str, value: float, draws: Draws) -> None:
    rule, rng, worst = get(name), np.random.default_rng(2), 0.0
    for _ in range(draws(50, 500)):
        grad = FLOAT32.round(rng.normal(size=4))
        expected = bound(rule, grad, precision=SINGLE, **{rule.hyperparameters[0]: value})
        shown = rule.body(grad.astype(np.float32), **{rule.hyperparameters[0]: value})
        worst = max(worst, np.max(expected.ratio(shown.astype(np.float64))))

    assert 0.05 <= worst <= 1


def test_a_walk_of_a_float64_subject_carries_balls() -> None:
    walk = Walk(get("adam"), np.ones(2), precision=Precision(FLOAT64, FLOAT64, FLOAT64))
    expected, _ = walk.step(np.ones(2), hyperparameters(get("adam")))

    assert isinstance(expected.value, BallArray)
    assert np.all(expected.error < 2.0**-46)


def test_hyperparameters_may_change_between_steps() -> None:
    walk = Walk(get("gd"), np.ones(1), precision=SINGLE)
    values = [walk.step(np.ones(1), {"learning_rate": rate})[0].midpoint[0] for rate in (0.5, 0.0, 0.25)]

    assert values == [0.5, 0.5, 0.25]


def test_a_walk_checks_the_domain() -> None:
    with pytest.raises(DomainError, match=r"learning_rate must be in \[0, inf\), got learning_rate=-1.0"):
        Walk(get("gd"), np.ones(1), precision=SINGLE).step(np.ones(1), {"learning_rate": -1.0})


def test_a_zero_gradient_without_state_leaves_the_parameter_exactly() -> None:
    for precision in precision_models("bfloat16"):
        walk = Walk(get("adam"), np.asarray([0.75]), precision=precision)
        expected, _ = walk.step(np.zeros(1), hyperparameters(get("adam")))

        assert expected.error == 0
        assert expected.midpoint == 0.75


def test_an_epsilon_of_zero_beside_a_zero_gradient_has_no_bound_and_says_why() -> None:
    values = {**hyperparameters(get("adam")), "eps": 0.0}
    expected, _ = Walk(get("adam"), np.ones(2), precision=SINGLE).step(np.asarray([0.0, 1.0]), values)

    assert expected.bounded.tolist() == [False, True]
    assert expected.midpoint[0] == 1
    assert expected.reasons == ("1 elements may leave the range, or divide by zero",)


def test_arrays_keep_their_shape() -> None:
    for shape in ((), (0,), (2, 3)):
        expected, state = bound(
            get("adam"), np.zeros(shape), np.ones(shape), precision=SINGLE, **hyperparameters(get("adam"))
        )

        assert expected.midpoint.shape == expected.error.shape == shape
        assert state["exp_avg"].error.shape == shape


def test_a_bound_may_start_from_a_state() -> None:
    rule = get("momentum_heavy_ball")
    state = rule.state_type(np.asarray([2.0]))
    expected, after = bound(
        rule, np.ones(1), np.ones(1), precision=SINGLE, state=state, learning_rate=0.5, momentum=0.5
    )

    assert after["momentum_buffer"].midpoint == 2
    assert expected.midpoint == 0


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_looser_precision_contains_a_stricter_one(name: str, dtype: str) -> None:
    rule, rng = get(name), np.random.default_rng(3)
    models = precision_models(dtype)
    strictest = replace(models[0], flush_to_zero=False)
    param = FORMATS[dtype].round(rng.normal(size=20))
    walks = [Walk(rule, param, precision=precision) for precision in (strictest, *models)]
    for _ in range(4):
        grad = FORMATS[dtype].round(rng.normal(size=20))
        errors = [walk.step(grad, hyperparameters(rule))[0].error for walk in walks]
        for stricter, looser in pairwise(errors):
            assert np.all(stricter <= looser * (1 + 1e-9))


# Looking at what is shown.


def test_master_weights_do_not_leave_a_bound_that_follows_what_is_shown() -> None:
    rule, rng = get("gd"), np.random.default_rng(4)
    param = BFLOAT16.round(rng.normal(size=60))
    grads = BFLOAT16.round(rng.normal(size=(40, 60)) / 64)
    walk, naive, worst, worst_naive = Walk(rule, param, precision=MASTER), param, 0.0, 0.0
    for grad, (kept, _) in zip(grads, program(rule, param, grads), strict=True):
        shown = BFLOAT16.round(kept)
        worst = max(worst, np.max(walk.step(grad, hyperparameters(rule))[0].ratio(shown)))
        walk.resynchronise(shown)
        restarted, _ = bound(rule, naive, grad, precision=MASTER, **hyperparameters(rule))
        worst_naive = max(worst_naive, np.max(restarted.ratio(shown)))
        naive = shown

    assert worst <= 1 < worst_naive


def test_looking_narrows_the_bound() -> None:
    rule, rng = get("adam"), np.random.default_rng(5)
    param = BFLOAT16.round(rng.normal(size=20))
    blind, following = (Walk(rule, param, precision=MASTER) for _ in range(2))
    for _ in range(10):
        grad = BFLOAT16.round(rng.normal(size=20))
        wide, narrow = (walk.step(grad, hyperparameters(rule))[0] for walk in (blind, following))
        following.resynchronise(BFLOAT16.round(narrow.midpoint))

    assert np.median(narrow.error / wide.error) < 0.2


def test_looking_at_state_narrows_the_bound_of_the_parameter() -> None:
    rule, errors = get("momentum_heavy_ball"), []
    values, grad = {"learning_rate": 0.5, "momentum": 0.875}, np.asarray([0.75])
    for look in (False, True):
        walk = Walk(rule, np.zeros(1), precision=Precision(BFLOAT16, BFLOAT16, FLOAT64))
        for _ in range(20):
            param, state = walk.step(grad, values)
            shown = {name: BFLOAT16.round(x.midpoint) for name, x in state.items()}
            walk.resynchronise(BFLOAT16.round(param.midpoint), shown if look else {})
        errors.append(param.error[0])

    assert errors[1] < 0.8 * errors[0]


def test_what_contradicts_the_prediction_replaces_it() -> None:
    walk = Walk(get("gd"), np.ones(1), precision=SINGLE)
    walk.step(np.ones(1), {"learning_rate": 0.5})
    walk.resynchronise(np.asarray([7.0]))
    expected, _ = walk.step(np.zeros(1), {"learning_rate": 0.5})

    assert expected.midpoint == 7
    assert 7 * 2.0**-24 < expected.error < 8 * 2.0**-24


def test_a_lost_bound_is_found_again_by_looking() -> None:
    walk = Walk(get("adam"), np.ones(1), precision=SINGLE)
    assert not walk.step(np.zeros(1), {**hyperparameters(get("adam")), "eps": 0.0})[0].bounded
    walk.resynchronise(np.asarray([1.0]))

    assert walk.step(np.zeros(1), hyperparameters(get("adam")))[0].error <= 2.0**-23


def test_what_is_not_finite_teaches_nothing() -> None:
    walk = Walk(get("gd"), np.ones(2), precision=SINGLE)
    walk.step(np.ones(2), {"learning_rate": 0.5})
    walk.resynchronise(np.asarray([np.nan, 0.5]))

    assert walk.step(np.zeros(2), {"learning_rate": 0.5})[0].bounded.tolist() == [False, True]


def test_a_better_hidden_copy_is_judged_by_what_is_read_out() -> None:
    rule, param, grad = get("gd"), np.ones(1), np.asarray([0.0078125])
    hidden = Precision(FLOAT32, FLOAT32, FLOAT64, readout=BFLOAT16)
    expected, _ = bound(rule, param, grad, precision=hidden, learning_rate=0.1)
    kept = np.float32(1) - np.float32(0.1) * np.float32(0.0078125)

    assert expected.ratio(BFLOAT16.round(np.asarray([float(kept)])))[0] <= 1
    assert bound(rule, param, grad, precision=SINGLE, learning_rate=0.1)[0].ratio(np.ones(1))[0] > 1


# Discontinuities.


class LionState(NamedTuple):
    exp_avg: Any


class GreatestState(NamedTuple):
    step: int
    greatest: Any


def _lion(param: Any, grad: Any, state: Any, *, learning_rate: Any, beta: Any) -> Any:
    update = namespace(grad).sign(beta * state.exp_avg + (1 - beta) * grad)
    return decayed(param, learning_rate, 0.5) - learning_rate * update, LionState(
        moving_average(beta, state.exp_avg, grad)
    )


def _greatest(param: Any, grad: Any, state: Any, *, learning_rate: Any) -> Any:
    xp = namespace(grad)
    greatest = stored(xp.maximum(state.greatest, grad**2))
    return param - learning_rate * grad / (xp.sqrt(greatest) + 1), GreatestState(state.step + 1, greatest)


def rule_of(body: Any, state_type: Any) -> Formula:
    return formula("rule", source=(), domain={}, neighbours=(), state_type=state_type)(body)


LION = rule_of(_lion, LionState)
CANCELLING = {"learning_rate": 0.25, "beta": 0.3}


def cancelled(walk: Walk) -> Enclosure:
    """Take two steps of which the second has a sign argument of about zero in its first element."""
    walk.step(np.asarray([1.0, 1.0]), CANCELLING)
    average = 0.7
    opposite = FLOAT32.round(np.asarray([-0.3 * average / 0.7]))[0]
    return walk.step(np.asarray([opposite, 1.0]), CANCELLING)[0]


def test_an_undecided_sign_accepts_all_three_branches_and_nothing_between() -> None:
    expected = cancelled(Walk(LION, np.asarray([1.0, 1.0]), precision=SINGLE))
    before = (1 - 0.125) - 0.25
    taken = [0.875 * before - 0.25 * sign for sign in (-1, 0, 1)]

    assert expected.reasons == ("sign undecided",)
    assert all(expected.ratio(FLOAT32.round(np.asarray([x, taken[2]])))[0] <= 1 for x in taken)
    assert expected.ratio(np.asarray([(taken[0] + taken[1]) / 2, taken[2]]))[0] > 1
    assert expected.ratio(np.asarray([taken[0], taken[0]]))[1] > 1


def test_without_a_look_a_walk_goes_on_from_the_hull_of_all_branches() -> None:
    walk = Walk(LION, np.asarray([1.0, 1.0]), precision=SINGLE)
    cancelled(walk)
    expected, _ = walk.step(np.asarray([1.0, 1.0]), CANCELLING)

    assert 0.2 < expected.error[0] < 0.3  # the learning rate, decayed
    assert expected.error[1] < 1e-6


def test_a_look_tells_which_branch_was_taken() -> None:
    walk = Walk(LION, np.asarray([1.0, 1.0]), precision=SINGLE)
    expected = cancelled(walk)
    walk.resynchronise(FLOAT32.round(expected.midpoint))
    expected, _ = walk.step(np.asarray([1.0, 1.0]), CANCELLING)

    assert np.all(expected.error < 1e-6)


def test_an_exactly_zero_gradient_has_the_sign_zero() -> None:
    expected, _ = bound(LION, np.ones(1), np.zeros(1), precision=SINGLE, **CANCELLING)

    assert expected.alternatives == ()
    assert expected.ratio(np.asarray([0.875 - 0.25]))[0] > 1e3


def test_a_maximum_remembers_the_larger_square_with_its_error() -> None:
    walk = Walk(rule_of(_greatest, GreatestState), np.zeros(1), precision=SINGLE)
    errors = [
        walk.step(np.asarray([grad]), {"learning_rate": 1.0})[1]["greatest"].error[0] for grad in (4.0, 1.0, 1e-3)
    ]

    assert all(16 * FLOAT32.unit <= error < 16.001 * FLOAT32.unit for error in errors)


def test_float16_admits_gradual_underflow_only() -> None:
    assert not Precision(FLOAT16, FLOAT16, FLOAT64).flush_to_zero
    assert Precision(BFLOAT16, BFLOAT16, FLOAT64).flush_to_zero
