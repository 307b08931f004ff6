"""Adam with its corrections written back: adam_bourmaud_literal_k1."""

from fractions import Fraction as F

import numpy as np
import pytest

from oracle.catalogue import get
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.optimizers.adam import AdamState, adam
from oracle.optimizers.adam_bourmaud import adam_bourmaud_literal_k1
from oracle.trajectory import trajectory

DEFAULTS = {"learning_rate": 1.0, "beta1": 0.9, "beta2": 0.999, "eps": 0.0}


def path_of(formula, grads, start=0.0, **hyperparameters):
    return exact(trajectory(formula), np.array(start), grads, hyperparameters=hyperparameters)


def test_two_steps_are_worked_by_hand():
    options = {"learning_rate": 1.0, "beta1": 0.5, "beta2": 0.0, "eps": 1.0}
    path, state = path_of(adam_bourmaud_literal_k1, [np.array(2.0), np.array(4.0)], **options)

    assert state.exp_avg == 4.0  # (2 / 2 + 4 / 2) / (3 / 4)
    assert [float(value) for value in path] == [float(F(-2, 3)), float(F(-2, 3) - F(4, 5))]


def test_the_moments_are_the_unrolled_rational_sums():
    grads = [0.25, -2.0, 0.75, 3.0]
    _, state = path_of(adam_bourmaud_literal_k1, [np.array(grad) for grad in grads], **{**DEFAULTS, "eps": 1.0})

    def unrolled(beta, values):
        total = F(0)
        for i, value in enumerate(values, start=1):
            weight = (1 - beta) * beta ** (len(values) - i)
            for j in range(i, len(values) + 1):
                weight /= 1 - beta**j
            total += weight * value
        return float(total)

    assert state.exp_avg == unrolled(F(0.9), [F(grad) for grad in grads])
    assert state.exp_avg_sq == unrolled(F(0.999), [F(grad) ** 2 for grad in grads])


@pytest.mark.parametrize("id", ["adam_bourmaud", "adam_bourmaud_index_only"])
def test_kept_apart_from_the_averages_the_corrections_are_adams(id):
    assert get(id) is adam


def test_nothing_moves_under_zero_gradients_even_without_epsilon():
    zeros = np.zeros(2)
    param, _ = adam_bourmaud_literal_k1(np.ones(2), zeros, AdamState(0, zeros, zeros), **DEFAULTS)

    assert param.tolist() == [1.0, 1.0]


def test_a_beta_above_one_is_refused():
    state = AdamState(0, np.zeros(1), np.zeros(1))
    with pytest.raises(DomainError) as refusal:
        adam_bourmaud_literal_k1(np.ones(1), np.ones(1), state, **{**DEFAULTS, "beta2": 1.5})

    assert str(refusal.value) == "beta2 must be in [0, 1], got beta2=1.5"
