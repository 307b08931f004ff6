"""Adam, its cheaper order, and Adam with a penalty."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.formula import initial_state
from oracle.optimizers.adam import AdamState, adam, adam_eps_hat, adam_l2
from oracle.trajectory import trajectory
from tests.helpers.foreign import assert_within, torch_path

DEFAULTS = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
GRADS = [np.array([1.0, -2.0]), np.array([0.5, 0.25]), np.array([-3.0, 0.0]), np.array([0.1, 7.0])]


def path_of(formula, grads, start=0.0, **hyperparameters):
    return exact(trajectory(formula), np.array(start), grads, hyperparameters=hyperparameters)


def test_adam_moves_as_worked_by_hand():
    hyperparameters = {"learning_rate": 1.0, "beta1": 0.5, "beta2": 0.75, "eps": 0.5}
    path, state = path_of(adam, [np.array(2.0), np.array(-1.0)], **hyperparameters)

    assert state.exp_avg == 0.0  # 0.5 * 1 - 0.5 * 1
    assert state.exp_avg_sq == 1.0  # 0.75 * 1 + 0.25 * 1
    assert [float(param) for param in path] == [-0.8, -0.8]  # 2 / (2 + 0.5), then an average of 0
    assert state.step == 2


def symbols(names):
    return [symbol_array(name, positive=True) for name in names.split()]


@pytest.mark.parametrize("step", [1, 2, 3])
def test_the_cheaper_order_is_adam_with_a_larger_epsilon(step):
    param, average, square, grad, rate, eps, beta1, root = symbols("theta m v g eta epsilon beta_1 s")
    beta2 = SymbolArray((1 - root.elements.item() ** 2) ** sympy.Rational(1, step))  # so that s^2 = 1 - beta2^t
    state = AdamState(step - 1, average, square)
    shared = {"learning_rate": rate, "beta1": beta1, "beta2": beta2}
    cheaper, _ = adam_eps_hat.body(param, grad, state, eps=eps * root, **shared)
    printed, after = adam.body(param, grad, state, eps=eps, **shared)
    gathered = SymbolArray(sympy.sqrt(after.exp_avg_sq.elements.item()))
    folded = param - rate * root / (1 - beta1**step) * after.exp_avg / (gathered + eps * root)

    assert sympy.simplify((printed - folded).elements.item()) == 0
    assert sympy.simplify((cheaper - folded).elements.item()) == 0


def test_both_moments_are_the_unrolled_rational_sums():
    grads = [0.1, -2.0, 0.7, 3.0, 0.0, 1.5]
    _, state = path_of(adam, [np.array(grad) for grad in grads], **DEFAULTS)

    def unrolled(beta, values):
        return float(sum((1 - F(beta)) * F(beta) ** (6 - i) * value for i, value in enumerate(values, start=1)))

    assert state.exp_avg == unrolled(0.9, [F(grad) for grad in grads])
    assert state.exp_avg_sq == unrolled(0.999, [F(grad) ** 2 for grad in grads])


@pytest.mark.parametrize("grad", [0.3, -2.0, 1e-8])
def test_a_constant_gradient_gives_equal_steps(grad):
    path, _ = path_of(adam, [np.array(grad)] * 7, start=1.0, **DEFAULTS)
    step = F(0.1) * F(grad) / (abs(F(grad)) + F(1e-8))

    assert [float(param) for param in path] == [float(1 - count * step) for count in range(1, 8)]


@pytest.mark.parametrize("formula", [adam, adam_eps_hat])
def test_without_memory_and_epsilon_only_the_sign_is_left(formula):
    grads = [np.array([2.0, -1e-300]), np.array([-0.5, 0.0])]
    path, _ = exact(
        trajectory(formula),
        np.zeros(2),
        grads,
        hyperparameters={"learning_rate": 0.25, "beta1": 0.0, "beta2": 0.0, "eps": 0.0},
    )

    assert np.array(path).tolist() == [[-0.25, 0.25], [0.0, 0.25]]


@pytest.mark.parametrize("formula", [adam, adam_eps_hat, adam_l2])
def test_nothing_moves_where_all_gradients_were_zero_even_without_epsilon(formula):
    arguments = {**dict.fromkeys(formula.hyperparameters, 0.0), "learning_rate": 0.5, "beta1": 0.9, "beta2": 0.99}
    param, _ = formula(np.ones(2), np.zeros(2), initial_state(AdamState, np.zeros(2)), **arguments)
    balls, _ = path_of(formula, [np.array(0.0)] * 2, start=1.0, **arguments)

    assert param.tolist() == [1.0, 1.0]
    assert [float(value) for value in balls] == [1.0, 1.0]


@pytest.mark.parametrize("formula", [adam, adam_eps_hat])
def test_nothing_moves_at_beta1_of_one(formula):
    path, state = path_of(formula, [np.array(2.0)] * 2, start=3.0, **{**DEFAULTS, "beta1": 1.0})

    assert [float(param) for param in path] == [3.0, 3.0]
    assert state.exp_avg == 0.0


def test_at_beta2_of_one_epsilon_alone_divides():
    path, _ = path_of(adam, [np.array(2.0)], learning_rate=1.0, beta1=0.5, beta2=1.0, eps=4.0)
    folded, _ = path_of(adam_eps_hat, [np.array(2.0)], learning_rate=1.0, beta1=0.5, beta2=1.0, eps=4.0)

    assert float(path[0]) == -0.5
    assert float(folded[0]) == 0.0


def test_an_average_over_nothing_is_a_pole():
    with pytest.raises(DomainError, match="has no finite value: a division by zero"):
        path_of(adam, [np.array(2.0)], learning_rate=1.0, beta1=0.5, beta2=1.0, eps=0.0)


def test_the_first_step_of_the_cheaper_order_is_worked_by_hand():
    path, _ = path_of(adam_eps_hat, [np.array(2.0)], learning_rate=1.0, beta1=0.5, beta2=0.75, eps=1.0)

    assert float(path[0]) == -0.5  # sqrt(0.25) * 2 / (1 + 1)


def test_a_constant_gradient_gives_the_cheaper_order_its_closed_form():
    # 1 - beta2 = 1/4 at the first step, so that every root is rational.
    path, _ = path_of(adam_eps_hat, [np.array(0.3)], start=1.0, **{**DEFAULTS, "beta2": 0.75, "eps": 0.1})
    step = F(0.1) * F(0.3) / (F(0.3) + 2 * F(0.1))

    assert float(path[0]) == float(1 - step)


def test_adam_l2_moves_as_worked_by_hand():
    path, state = path_of(
        adam_l2, [np.array(1.0)], start=4.0, learning_rate=1.0, beta1=0.5, beta2=0.5, eps=1.0, l2_penalty=0.5
    )

    assert state.exp_avg == 1.5  # half of 1 + 0.5 * 4
    assert float(path[0]) == 3.25  # 4 - 3 / (3 + 1)


def test_adam_l2_without_penalty_is_adam():
    plain, _ = path_of(adam, GRADS, start=[1.0, -2.0], **DEFAULTS)
    penalised, _ = path_of(adam_l2, GRADS, start=[1.0, -2.0], **DEFAULTS, l2_penalty=0.0)

    assert np.array(plain).tolist() == np.array(penalised).tolist()


def test_adam_l2_is_adam_fed_with_the_penalised_gradient():
    path, state = path_of(adam_l2, GRADS[:1], start=[1.0, -2.0], **DEFAULTS, l2_penalty=0.5)
    fed, fed_state = path_of(adam, [np.array([1.5, -3.0])], start=[1.0, -2.0], **DEFAULTS)

    assert np.array(path).tolist() == np.array(fed).tolist()
    assert state.exp_avg_sq.tolist() == fed_state.exp_avg_sq.tolist()


@pytest.mark.parametrize(("formula", "penalty"), [(adam, {}), (adam_l2, {"l2_penalty": 0.3})])
def test_the_path_agrees_with_torch_within_forty_roundings_a_step(formula, penalty):
    # 1 - beta2**t is torch's float64 as well; its cancellation costs 10 bits of v_hat, half of them in the root,
    # and v itself was gathered with the same weight 1 - beta2, which is exact to 53 bits of a number near 0.001.
    path, _ = path_of(formula, GRADS, start=[1.0, -2.0], **DEFAULTS, **penalty)
    options = {"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": penalty.get("l2_penalty", 0.0)}

    assert_within(torch_path(torch.optim.Adam, np.array([1.0, -2.0]), GRADS, **options), path, roundings=40)


def test_the_cheaper_order_is_torch_with_the_first_steps_epsilon_enlarged():
    path, _ = path_of(adam_eps_hat, GRADS[:1], start=[1.0, -2.0], **{**DEFAULTS, "beta2": 0.75, "eps": 0.5})
    options = {"lr": 0.1, "betas": (0.9, 0.75), "eps": 1.0}

    assert_within(torch_path(torch.optim.Adam, np.array([1.0, -2.0]), GRADS[:1], **options), path, roundings=8)


@pytest.mark.parametrize("formula", [adam, adam_eps_hat, adam_l2])
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("learning_rate", -1.0, "learning_rate must be in [0, inf), got learning_rate=-1.0"),
        ("beta1", -0.1, "beta1 must be in [0, 1], got beta1=-0.1"),
        ("beta1", 1.1, "beta1 must be in [0, 1], got beta1=1.1"),
        ("beta2", -0.1, "beta2 must be in [0, 1], got beta2=-0.1"),
        ("beta2", 1.1, "beta2 must be in [0, 1], got beta2=1.1"),
        ("eps", -1e-8, "eps must be in [0, inf), got eps=-1e-08"),
    ],
)
def test_arguments_outside_the_domain_are_refused(formula, name, value, message):
    arguments = {**dict.fromkeys(formula.hyperparameters, 0.5), name: value}
    with pytest.raises(DomainError) as refusal:
        formula(np.ones(1), np.ones(1), initial_state(AdamState, np.zeros(1)), **arguments)

    assert str(refusal.value) == message


def test_a_negative_penalty_is_refused():
    with pytest.raises(DomainError) as refusal:
        adam_l2(np.ones(1), np.ones(1), initial_state(AdamState, np.zeros(1)), **DEFAULTS, l2_penalty=-0.1)

    assert str(refusal.value) == "l2_penalty must be in [0, inf), got l2_penalty=-0.1"
