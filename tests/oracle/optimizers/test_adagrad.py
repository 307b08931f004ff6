"""AdaGrad, with epsilon outside the root and inside."""

import math
from fractions import Fraction as F

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.symbols import symbol_array
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.optimizers.adagrad import AdagradState, adagrad, adagrad_eps_inside
from oracle.trajectory import trajectory
from tests.helpers.foreign import assert_within, torch_path

GRADS = [np.array([1.0, -2.0]), np.array([0.5, 0.25]), np.array([-3.0, 0.0]), np.array([0.1, 7.0])]
FORMULAS = [adagrad, adagrad_eps_inside]

both = pytest.mark.parametrize("formula", FORMULAS, ids=lambda record: record.id)


def path_of(formula, grads, start=0.0, **hyperparameters):
    return exact(trajectory(formula), np.array(start), grads, hyperparameters=hyperparameters)


def scalars(*values):
    return [np.array(value) for value in values]


def test_adagrad_gives_the_golden_values():
    path, state = path_of(adagrad, scalars(1.0, 2.0, -3.0, 0.0), learning_rate=0.1, eps=0.01)

    golden = [-0.099009900990099, -0.18805440098009, -0.10808974294452, -0.10808974294452]
    assert np.abs(np.array(path) - golden).max() <= 1e-14  # printed to 14 digits
    assert state.sum == 14.0


@pytest.mark.parametrize(("formula", "end"), [(adagrad, -0.5), (adagrad_eps_inside, -0.6)])
def test_a_step_is_worked_by_hand(formula, end):
    path, state = path_of(formula, scalars(4.0, 3.0), learning_rate=1.0, eps={adagrad: 1.0}.get(formula, 0.0))

    assert state.sum == 25.0
    assert path[1] == float(path[0] + F(end))  # 3 / (5 + 1), 3 / 5


def test_epsilon_inside_the_root_is_worked_by_hand():
    path, _ = path_of(adagrad_eps_inside, scalars(-4.0), learning_rate=1.0, eps=9.0)

    assert path[0] == 0.8


@both
def test_a_constant_gradient_gives_steps_that_fall_like_one_over_the_root(formula):
    path, _ = path_of(formula, scalars(*[0.75] * 9), learning_rate=1.0, eps=0.0)
    squares = [path[0], path[3] - path[2], path[8] - path[7]]  # t = 1, 4, 9

    assert np.abs(np.array(squares) - [-1.0, -1 / 2, -1 / 3]).max() <= 2.0**-51  # positions near 3 are rounded
    assert 2 * math.sqrt(10) - 2 < -path[8] <= 2 * math.sqrt(9) - 1


def test_the_sum_of_weighted_squares_lies_between_one_and_two_roots():
    grads = [0.3, -2.0, 1e-3, 0.0, 5.0, 5.0, -1.0]
    path, state = path_of(adagrad, scalars(*grads), learning_rate=1.0, eps=0.0)
    steps = np.diff([0.0, *map(float, path)])
    gathered = -float(np.dot(grads, steps))

    assert math.sqrt(state.sum) < gathered < 2 * math.sqrt(state.sum)


def test_the_distance_travelled_is_bounded_by_the_logarithm_of_the_sum():
    grads = [0.3, 2.0, 1.0, 5.0, 5.0, 1.0]
    path, state = path_of(adagrad, scalars(*grads), learning_rate=0.5, eps=0.0)

    assert abs(path[-1]) <= 0.5 * math.sqrt(len(grads) * (1 + math.log(state.sum / 0.3**2)))


def test_the_path_on_a_quadratic_knows_no_curvature():
    # r' = r (1 - 1 / sqrt(sum of r^2)): from r = 2, for any curvature h and rate, with x = rate * r.
    golden = [1.0, 0.5527864045, 0.312797472048, 0.17823341582, 0.101782608479, 0.0581658863948]
    for curvature, rate in [(2.0, 1.0), (6.0, 1.0), (1e-3, 0.25)]:
        param, state = np.array(2.0 * rate), AdagradState(np.array(0.0))
        path = []
        for _ in golden:
            param, state = exact(adagrad, param, curvature * param, state, learning_rate=rate, eps=0.0)
            path.append(float(param) / rate)
        assert np.abs(np.array(path) - golden).max() <= 1e-11


@both
def test_a_permutation_and_signs_leave_the_sum_as_it_is(formula):
    _, one = path_of(formula, scalars(1.0, -2.0, 0.5), learning_rate=0.1, eps=0.01)
    _, other = path_of(formula, scalars(-0.5, 1.0, 2.0), learning_rate=0.1, eps=0.01)

    assert one.sum == other.sum == 5.25


@pytest.mark.parametrize(("formula", "unit"), [(adagrad, 3), (adagrad_eps_inside, 9)])
def test_symbols_prove_the_invariance_under_scaling(formula, unit):
    param, grad, gathered, rate, eps = (symbol_array(name, positive=True) for name in ["t", "g", "G", "r", "e"])
    plain, _ = formula(param, grad, AdagradState(gathered), learning_rate=rate, eps=eps)
    scaled, state = formula(param, 3 * grad, AdagradState(9 * gathered), learning_rate=rate, eps=unit * eps)

    assert sympy.simplify((plain - scaled).elements.item()) == 0
    assert sympy.expand(state.sum.elements.item() - 9 * (gathered + grad**2).elements.item()) == 0


@both
def test_nothing_moves_where_all_gradients_were_zero_even_without_epsilon(formula):
    param, _ = formula(np.ones(2), np.zeros(2), AdagradState(np.zeros(2)), learning_rate=0.5, eps=0.0)
    path, _ = path_of(formula, scalars(0.0, 0.0), start=1.0, learning_rate=0.5, eps=0.0)

    assert param.tolist() == [1.0, 1.0]
    assert [float(value) for value in path] == [1.0, 1.0]


def test_the_path_agrees_with_torch_within_eight_roundings_a_step():
    path, _ = path_of(adagrad, GRADS, start=[1.0, -2.0], learning_rate=0.1, eps=1e-10)

    assert_within(torch_path(torch.optim.Adagrad, np.array([1.0, -2.0]), GRADS, lr=0.1, eps=1e-10), path, roundings=8)


def test_epsilon_inside_agrees_with_torch_whose_sum_starts_at_epsilon():
    path, _ = path_of(adagrad_eps_inside, GRADS, start=[1.0, -2.0], learning_rate=0.1, eps=0.5)
    options = {"lr": 0.1, "eps": 0.0, "initial_accumulator_value": 0.5}

    assert_within(torch_path(torch.optim.Adagrad, np.array([1.0, -2.0]), GRADS, **options), path, roundings=8)


@both
@pytest.mark.parametrize("name", ["learning_rate", "eps"])
def test_arguments_outside_the_domain_are_refused(formula, name):
    arguments = {"learning_rate": 0.5, "eps": 0.5, name: -1.0}
    with pytest.raises(DomainError) as refusal:
        formula(np.ones(1), np.ones(1), AdagradState(np.zeros(1)), **arguments)

    assert str(refusal.value) == f"{name} must be in [0, inf), got {name}=-1.0"
