from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from oracle.catalogue import FORMULAS, get
from oracle.errors import DomainError, ShapeError
from oracle.exact import exact
from oracle.optimizers.adam import AdamState
from oracle.trajectory import trajectory
from tests.helpers.mp import mp_exact

OPTIMIZERS = tuple(formula for formula in FORMULAS if formula.kind == "optimizer")
ORDINARY = {
    "learning_rate": 1e-3,
    "momentum": 0.9,
    "alpha": 0.99,
    "dampening": 0.1,
    "beta1": 0.9,
    "beta2": 0.999,
    "eps": 1e-8,
    "l2_penalty": 0.01,
    "weight_decay": 0.01,
    "schedule_multiplier": 0.5,
}


def test_a_thousand_steps_equal_an_evaluation_with_more_bits_rounded_once(draws):
    rng = np.random.default_rng(5)
    for formula in draws((get("adamw"),), OPTIMIZERS):
        values = {name: ORDINARY[name] for name in formula.hyperparameters}
        size = draws(1, 3)
        param, grads = rng.normal(size=size), list(rng.normal(size=(1000, size)))

        result, decisions = exact(trajectory(formula), param, grads, hyperparameters=values, info=True)
        expected = mp_exact(trajectory(formula), param, grads, hyperparameters=values)

        assert decisions.undecided_count == 0
        assert np.array(result[0]).tobytes() == np.array(expected[0]).tobytes(), formula.id
        for name, ours, theirs in zip(result[1]._fields, result[1], expected[1], strict=True):
            assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes(), f"{formula.id} {name}"


def test_rounding_after_every_step_is_told_from_folding_without():
    grads = [np.array([0.1])] * 100
    gd = get("gd")

    params, state = exact(trajectory(gd), np.array([1.0]), grads, hyperparameters={"learning_rate": 0.1})
    stepwise = np.array([1.0])
    for grad in grads:
        stepwise, state = exact(gd, stepwise, grad, state, learning_rate=0.1)

    assert params[-1] == float(1 - 100 * Fraction(0.1) ** 2)
    assert stepwise != params[-1]


def test_the_parameters_after_each_step_and_the_last_state_come_back():
    params, state = exact(
        trajectory(get("momentum_heavy_ball")),
        1.0,
        [1.0, 1.0, 0.0],
        hyperparameters={"learning_rate": 0.5, "momentum": 0.5},
    )

    assert [float(param) for param in params] == [0.5, -0.25, -0.625]
    assert state.momentum_buffer == 0.75


def test_hyperparameters_may_change_with_every_step():
    params, _ = exact(
        trajectory(get("gd")), 1.0, [1.0, 1.0], hyperparameters=[{"learning_rate": 0.5}, {"learning_rate": 0.25}]
    )

    assert [float(param) for param in params] == [0.5, 0.25]


def test_a_trajectory_continues_from_a_state():
    values = {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.5, "eps": 0.5}
    grads = list(np.random.default_rng(0).normal(size=(4, 2)))
    adam = trajectory(get("adam"))

    whole, _ = adam(np.zeros(2), grads, hyperparameters=values)
    first, state = adam(np.zeros(2), grads[:2], hyperparameters=values)
    rest, state = adam(first[-1], grads[2:], state, hyperparameters=values)

    assert np.array_equal(whole, first + rest)
    assert isinstance(state, AdamState)
    assert state.step == 4


def test_no_gradients_give_no_parameters_and_the_first_state():
    params, state = exact(trajectory(get("adam")), np.ones(2), [], hyperparameters={})

    assert params == []
    assert state.step == 0
    assert state.exp_avg.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "hyperparameters", [{"learning_rate": -1.0}, [{"learning_rate": 0.5}, {"learning_rate": -1.0}]]
)
def test_the_domain_is_checked_for_every_step(hyperparameters):
    with pytest.raises(DomainError, match=r"learning_rate must be in \[0, inf\), got learning_rate=-1\.0"):
        exact(trajectory(get("gd")), 1.0, [1.0, 1.0], hyperparameters=hyperparameters)


def test_there_must_be_one_mapping_for_each_gradient():
    with pytest.raises(ShapeError, match="grads and hyperparameters must have equal length, got 2 and 1"):
        trajectory(get("gd"))(1.0, [1.0, 1.0], hyperparameters=[{"learning_rate": 0.5}])


def test_only_optimizers_have_trajectories():
    with pytest.raises(TypeError, match="formula must be an optimizer's, got <formula clip_by_norm>"):
        trajectory(get("clip_by_norm"))
