"""AdamW, and the scaling that its paper prints."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from oracle.errors import DomainError
from oracle.exact import exact
from oracle.formula import initial_state
from oracle.optimizers.adam import AdamState, adam, adam_l2
from oracle.optimizers.adamw import adamw, adamw_paper_scaling
from oracle.trajectory import trajectory
from tests.helpers.foreign import assert_within, torch_path

DEFAULTS = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
GRADS = [np.array([1.0, -2.0]), np.array([0.5, 0.25]), np.array([-3.0, 0.0]), np.array([0.1, 7.0])]


def path_of(formula, grads, start=0.0, **hyperparameters):
    return exact(trajectory(formula), np.array(start), grads, hyperparameters=hyperparameters)


def test_adamw_moves_as_worked_by_hand():
    path, _ = path_of(
        adamw, [np.array(3.0)], start=4.0, learning_rate=1.0, beta1=0.5, beta2=0.5, eps=1.0, weight_decay=0.25
    )

    assert float(path[0]) == 2.25  # 4 - 0.25 * 4 - 3 / (3 + 1)


def test_without_decay_adamw_is_adam_and_adam_l2():
    plain, _ = path_of(adam, GRADS, start=[1.0, -2.0], **DEFAULTS)
    decoupled, _ = path_of(adamw, GRADS, start=[1.0, -2.0], **DEFAULTS, weight_decay=0.0)
    coupled, _ = path_of(adam_l2, GRADS, start=[1.0, -2.0], **DEFAULTS, l2_penalty=0.0)

    assert np.array(decoupled).tolist() == np.array(plain).tolist() == np.array(coupled).tolist()


def test_without_gradient_adamw_shrinks_by_the_product_of_its_factors():
    rates = [0.1, 0.7, 1.3]
    steps = [{**DEFAULTS, "learning_rate": rate, "weight_decay": 0.3} for rate in rates]
    path, _ = exact(trajectory(adamw), np.array(5.0), [np.array(0.0)] * 3, hyperparameters=steps)
    factors = [1 - F(rate) * F(0.3) for rate in rates]

    assert float(path[-1]) == float(5 * factors[0] * factors[1] * factors[2])


def test_a_constant_gradient_gives_adamw_a_geometric_closed_form():
    path, _ = path_of(adamw, [np.array(0.7)] * 5, start=2.0, **DEFAULTS, weight_decay=0.3)
    kept = 1 - F(0.1) * F(0.3)
    step = F(0.1) * F(0.7) / (F(0.7) + F(1e-8))

    assert float(path[-1]) == float(kept**5 * 2 - step * (1 - kept**5) / (1 - kept))


def test_decay_leaves_the_moments_alone():
    _, weak = path_of(adamw, GRADS, start=[1.0, -2.0], **DEFAULTS, weight_decay=0.0)
    _, strong = path_of(adamw, GRADS, start=[5.0, 3.0], **DEFAULTS, weight_decay=2.0)

    assert weak.exp_avg.tolist() == strong.exp_avg.tolist()
    assert weak.exp_avg_sq.tolist() == strong.exp_avg_sq.tolist()


def test_decoupled_decay_and_a_penalty_differ():
    decoupled, _ = path_of(adamw, GRADS[:1], start=[1.0, -2.0], **DEFAULTS, weight_decay=0.5)
    coupled, _ = path_of(adam_l2, GRADS[:1], start=[1.0, -2.0], **DEFAULTS, l2_penalty=0.5)

    assert (decoupled[0] != coupled[0]).all()


def test_the_paper_s_scaling_moves_as_worked_by_hand():
    path, _ = path_of(
        adamw_paper_scaling,
        [np.array(3.0)],
        start=4.0,
        learning_rate=2.0,
        schedule_multiplier=0.5,
        beta1=0.5,
        beta2=0.5,
        eps=1.0,
        weight_decay=0.25,
    )

    assert float(path[0]) == 2.75  # 4 - 0.5 * (2 * 3 / (3 + 1) + 0.25 * 4)


def test_the_paper_s_scaling_is_adamw_with_another_decay():
    shared = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    # Powers of two, so that the bridging products and quotients are exact.
    paper, _ = path_of(
        adamw_paper_scaling,
        GRADS,
        start=[1.0, -2.0],
        learning_rate=0.25,
        schedule_multiplier=0.5,
        weight_decay=0.3,
        **shared,
    )
    libraries, _ = path_of(adamw, GRADS, start=[1.0, -2.0], learning_rate=0.125, weight_decay=0.3 / 0.25, **shared)

    assert np.array(paper).tolist() == np.array(libraries).tolist()


def test_without_gradient_the_paper_s_decay_ignores_the_learning_rate():
    def last(learning_rate):
        path, _ = path_of(
            adamw_paper_scaling,
            [np.array(0.0)] * 3,
            start=5.0,
            schedule_multiplier=0.5,
            weight_decay=0.3,
            **{**DEFAULTS, "learning_rate": learning_rate},
        )
        return float(path[-1])

    assert last(0.1) == last(0.0) == float(5 * (1 - F(0.5) * F(0.3)) ** 3)


@pytest.mark.parametrize(
    ("formula", "multiplier", "rate", "decay"),
    [(adamw, {}, 0.1, 0.3), (adamw_paper_scaling, {"schedule_multiplier": 0.5}, 0.05, 3.0)],
)
def test_the_path_agrees_with_torch_within_forty_roundings_a_step(formula, multiplier, rate, decay):
    # As for adam: the weights 1 - beta2 and 1 - beta2**t are differences that lose up to 10 bits.
    path, _ = path_of(formula, GRADS, start=[1.0, -2.0], **DEFAULTS, weight_decay=0.3, **multiplier)
    options = {"lr": rate, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": decay}

    assert_within(torch_path(torch.optim.AdamW, np.array([1.0, -2.0]), GRADS, **options), path, roundings=40)


@pytest.mark.parametrize("formula", [adamw, adamw_paper_scaling])
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("learning_rate", -1.0, "learning_rate must be in [0, inf), got learning_rate=-1.0"),
        ("beta1", 1.1, "beta1 must be in [0, 1], got beta1=1.1"),
        ("beta1", -0.1, "beta1 must be in [0, 1], got beta1=-0.1"),
        ("beta2", 1.1, "beta2 must be in [0, 1], got beta2=1.1"),
        ("beta2", -0.1, "beta2 must be in [0, 1], got beta2=-0.1"),
        ("eps", -1e-8, "eps must be in [0, inf), got eps=-1e-08"),
        ("weight_decay", -0.1, "weight_decay must be in [0, inf), got weight_decay=-0.1"),
    ],
)
def test_arguments_outside_the_domain_are_refused(formula, name, value, message):
    arguments = {**dict.fromkeys(formula.hyperparameters, 0.5), name: value}
    with pytest.raises(DomainError) as refusal:
        formula(np.ones(1), np.ones(1), initial_state(AdamState, np.zeros(1)), **arguments)

    assert str(refusal.value) == message


def test_a_negative_multiplier_is_refused():
    arguments = {**dict.fromkeys(adamw_paper_scaling.hyperparameters, 0.5), "schedule_multiplier": -1.0}
    with pytest.raises(DomainError) as refusal:
        adamw_paper_scaling(np.ones(1), np.ones(1), initial_state(AdamState, np.zeros(1)), **arguments)

    assert str(refusal.value) == "schedule_multiplier must be in [0, inf), got schedule_multiplier=-1.0"


@pytest.mark.parametrize("formula", [adamw, adamw_paper_scaling])
def test_without_gradients_and_epsilon_only_the_decay_moves(formula):
    arguments = {**dict.fromkeys(formula.hyperparameters, 0.5), "eps": 0.0}
    param, _ = formula(np.ones(1), np.zeros(1), initial_state(AdamState, np.zeros(1)), **arguments)

    assert param.tolist() == [0.75]
