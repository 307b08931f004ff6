"""RMSProp, with epsilon outside the root and inside."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.symbols import symbol_array
from oracle.dialects import neighbour
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.formula import initial_state
from oracle.optimizers.adagrad import adagrad
from oracle.optimizers.adam import adam
from oracle.optimizers.rmsprop import RMSpropState, rmsprop, rmsprop_eps_inside
from oracle.trajectory import trajectory
from tests.helpers.foreign import assert_within, torch_path

GRADS = [np.array([1.0, -2.0]), np.array([0.5, 0.25]), np.array([-3.0, 0.0]), np.array([0.1, 7.0])]
GOLDEN_GRADS = [np.array(grad) for grad in (1.0, 2.0, -3.0, 0.0)]
DEFAULTS = {"learning_rate": 0.1, "alpha": 0.9, "eps": 0.01}

both = pytest.mark.parametrize("formula", [rmsprop, rmsprop_eps_inside], ids=lambda record: record.id)


def path_of(formula, grads, start=0.0, **hyperparameters):
    return exact(trajectory(formula), np.array(start), grads, hyperparameters=hyperparameters)


def scalars(*values):
    return [np.array(value) for value in values]


@pytest.mark.parametrize(
    ("formula", "golden"),
    [
        (rmsprop, [-0.306534300317155, -0.588224441162226, -0.331378544241398, -0.331378544241398]),
        (rmsprop_eps_inside, [-0.301511344577764, -0.584354057052383, -0.326250743429076, -0.326250743429076]),
    ],
)
def test_rmsprop_gives_the_golden_values(formula, golden):
    path, state = path_of(formula, GOLDEN_GRADS, **DEFAULTS)

    assert np.abs(np.array(path) - golden).max() <= 1e-15  # printed to 15 digits
    assert abs(state.square_avg - 1.2069) <= 2.0**-52


@pytest.mark.parametrize(("formula", "end"), [(rmsprop, -1.0), (rmsprop_eps_inside, -2 / 1.25)])
def test_the_first_step_is_worked_by_hand(formula, end):
    eps = {rmsprop: 1.0, rmsprop_eps_inside: 0.5625}[formula]
    path, state = path_of(formula, scalars(2.0), learning_rate=1.0, alpha=0.75, eps=eps)

    assert state.square_avg == 1.0
    assert path[0] == end


def test_the_average_is_the_unrolled_rational_sum():
    grads = [0.1, -2.0, 0.7, 3.0, 0.0, 1.5]
    _, state = path_of(rmsprop, scalars(*grads), **DEFAULTS)
    alpha = F(0.9)

    unrolled = sum((1 - alpha) * alpha ** (6 - i) * F(grad) ** 2 for i, grad in enumerate(grads, start=1))
    assert state.square_avg == float(unrolled) <= float((1 - alpha**6) * 9)


@both
def test_a_constant_gradient_gives_steps_that_fall_to_the_learning_rate(formula):
    path, _ = path_of(formula, scalars(*[-0.5] * 3), learning_rate=1.0, alpha=0.75, eps=0.0)
    steps = np.diff([0.0, *map(float, path)])

    assert np.abs(steps - [(1 - 0.75**t) ** -0.5 for t in (1, 2, 3)]).max() <= 2.0**-50
    assert (np.diff(steps) < 0).all()
    assert steps[0] == 2.0  # one over the root of 1 - alpha


@pytest.mark.parametrize("grad", [0.5, 2.0, 0.0])
def test_the_average_falls_exactly_where_the_square_is_smaller(grad):
    _, before = path_of(rmsprop, scalars(1.5), **{**DEFAULTS, "alpha": 0.5})
    _, after = path_of(rmsprop, scalars(1.5, grad), **{**DEFAULTS, "alpha": 0.5})

    assert (after.square_avg <= before.square_avg) == (grad**2 <= before.square_avg)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.75])
def test_the_average_stays_below_adagrads_sum(alpha):
    # rmsprop_vs_adagrad_norm: on the same gradients, with equality at the first; frozen against forgotten.
    for count in range(1, 5):
        grads = [F(grad) for grad in (3.0, -0.5, 2.0, 0.0)[:count]]
        _, mine = path_of(rmsprop, scalars(*map(float, grads)), learning_rate=0.1, alpha=alpha, eps=0.01)
        _, sums = path_of(adagrad, scalars(*map(float, grads)), learning_rate=0.1, eps=0.01)

        bound = (1 - F(alpha)) * F(float(sums.sum))
        assert F(float(mine.square_avg)) <= bound
        assert count > 1 or F(float(mine.square_avg)) == bound


@both
def test_without_memory_and_epsilon_only_the_sign_is_left(formula):
    path, _ = path_of(
        formula, [np.array([3.0, -1e-200, 0.0])], start=np.zeros(3), learning_rate=0.25, alpha=0.0, eps=0.0
    )

    assert path[0].tolist() == [-0.25, 0.25, 0.0]


def test_at_alpha_of_one_it_is_descent_at_the_rate_over_epsilon():
    path, _ = path_of(rmsprop, scalars(2.0, -6.0), learning_rate=0.5, alpha=1.0, eps=4.0)

    assert [float(value) for value in path] == [-0.25, 0.5]


def test_a_gradient_over_nothing_is_a_pole():
    with pytest.raises(DomainError, match="has no finite value: a division by zero"):
        path_of(rmsprop, scalars(2.0), learning_rate=1.0, alpha=1.0, eps=0.0)


@pytest.mark.parametrize("id", ["rmsprop", "rmsprop_corrected"])
def test_symbols_prove_the_relation_to_adam(id):
    """Adam without a first moment is RMSProp with its average corrected; uncorrected it is RMSProp itself."""
    param, grad, before, rate, alpha, eps = (
        symbol_array(name, positive=True) for name in ["t", "g", "v", "r", "a", "e"]
    )
    record = rmsprop if id == "rmsprop" else neighbour(rmsprop, id)
    other = neighbour(adam, "adam_without_correction") if id == "rmsprop" else adam
    state = initial_state(record.state_type, 0 * param)._replace(square_avg=before)
    adams = initial_state(other.state_type, 0 * param)._replace(exp_avg_sq=before)
    mine, _ = record(param, grad, state, learning_rate=rate, alpha=alpha, eps=eps)
    theirs, _ = other(param, grad, adams, learning_rate=rate, beta1=0, beta2=alpha, eps=eps)

    assert sympy.simplify((mine - theirs).elements.item()) == 0


def test_adam_tends_to_adagrad_as_its_second_memory_becomes_endless():
    grads = [np.array(grad) for grad in (1.0, 2.0, -3.0, 0.5)]
    expected, _ = path_of(adagrad, grads, learning_rate=0.5, eps=0.0)
    steps = [
        {"learning_rate": 0.5 / t**0.5, "beta1": 0.0, "beta2": 1 - 2.0**-40, "eps": 0.0}
        for t in range(1, len(grads) + 1)
    ]
    path, _ = exact(trajectory(adam), np.array(0.0), grads, hyperparameters=steps)

    assert np.abs(np.array(path) - np.array(expected)).max() <= 2.0**-38  # of the order of 1 - beta2


def test_epsilon_inside_steps_further_than_its_root_outside_by_at_most_the_root_of_two():
    for grad in (1e-3, 0.3, 1.0, 50.0):
        outside, _ = path_of(rmsprop, scalars(grad), learning_rate=1.0, alpha=0.75, eps=0.25)
        within, _ = path_of(rmsprop_eps_inside, scalars(grad), learning_rate=1.0, alpha=0.75, eps=0.0625)

        assert 1 < within[0] / outside[0] <= 2**0.5 * (1 + 2.0**-52)


def test_which_form_steps_further_depends_on_the_gradients_scale():
    # sqrt(v + e) = sqrt(v) + e exactly at v = ((1 - e) / 2)^2; with e = 1/2, v = 1/16 and so |g| = 1/2 at alpha = 3/4.
    ends = [
        [
            float(path_of(record, scalars(grad), learning_rate=1.0, alpha=0.75, eps=0.5)[0][0])
            for grad in (0.25, 0.5, 1.0)
        ]
        for record in (rmsprop, rmsprop_eps_inside)
    ]

    assert ends[0][0] < ends[1][0]
    assert ends[0][1] == ends[1][1]
    assert ends[0][2] > ends[1][2]


@pytest.mark.parametrize(("formula", "unit"), [(rmsprop, 3), (rmsprop_eps_inside, 9)])
def test_symbols_prove_the_invariance_under_scaling(formula, unit):
    param, grad, before, rate, alpha, eps = (
        symbol_array(name, positive=True) for name in ["t", "g", "v", "r", "a", "e"]
    )
    plain, _ = formula(param, grad, RMSpropState(before), learning_rate=rate, alpha=alpha, eps=eps)
    scaled, _ = formula(param, 3 * grad, RMSpropState(9 * before), learning_rate=rate, alpha=alpha, eps=unit * eps)

    assert sympy.simplify((plain - scaled).elements.item()) == 0


@both
def test_nothing_moves_where_all_gradients_were_zero_even_without_epsilon(formula):
    param, _ = formula(np.ones(2), np.zeros(2), RMSpropState(np.zeros(2)), learning_rate=0.5, alpha=0.9, eps=0.0)

    assert param.tolist() == [1.0, 1.0]


def test_the_path_agrees_with_torch_within_twenty_roundings_a_step():
    path, _ = path_of(rmsprop, GRADS, start=[1.0, -2.0], learning_rate=0.1, alpha=0.99, eps=1e-8)
    options = {"lr": 0.1, "alpha": 0.99, "eps": 1e-8}

    assert_within(torch_path(torch.optim.RMSprop, np.array([1.0, -2.0]), GRADS, **options), path, roundings=20)


@both
@pytest.mark.parametrize(
    ("name", "value", "interval"),
    [
        ("learning_rate", -1.0, "[0, inf)"),
        ("eps", -1.0, "[0, inf)"),
        ("alpha", -0.1, "[0, 1]"),
        ("alpha", 1.1, "[0, 1]"),
    ],
)
def test_arguments_outside_the_domain_are_refused(formula, name, value, interval):
    with pytest.raises(DomainError) as refusal:
        formula(np.ones(1), np.ones(1), RMSpropState(np.zeros(1)), **{**DEFAULTS, name: value})

    assert str(refusal.value) == f"{name} must be in {interval}, got {name}={value!r}"
