"""Losses of two classes."""

import numpy as np
import pytest
import torch

from oracle.arithmetic.curves import sigmoid
from oracle.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Precision
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.losses.binary import bce_with_logits, loss_bce

STRICT = Precision(FLOAT64, FLOAT64, FLOAT64)
P, Z, Y = np.array([0.9, 0.2, 0.5]), np.array([2.0, -1.0, 0.25]), np.array([1.0, 0.0, 0.25])


def test_probabilities_of_one_half_and_scores_of_zero_cost_the_logarithm_of_two():
    for formula, middle in ((loss_bce, 0.5), (bce_with_logits, 0.0)):
        assert float(exact(formula, np.full(3, middle), Y)) == np.log(2.0)


def test_the_certain_classes_cost_their_logarithms_as_worked_by_hand():
    expected = -(np.log(0.75) + np.log(0.75)) / 2

    assert abs(float(exact(loss_bce, np.array([0.75, 0.25]), np.array([1.0, 0.0]))) - expected) <= 2.0**-53


def test_a_score_costs_what_its_probability_costs():
    through = exact(lambda z, y: loss_bce.body(sigmoid(z), y), Z, Y)

    assert float(through) == float(exact(bce_with_logits, Z, Y))


@pytest.mark.parametrize(
    ("score", "target", "cost"), [(1e4, 0.0, 1e4), (-1e4, 1.0, 1e4), (1e4, 1.0, 0.0), (-1e308, 1.0, 1e308)]
)
def test_large_scores_cost_themselves_or_nothing(score, target, cost):
    assert float(exact(bce_with_logits, np.array([score]), np.array([target]))) == cost
    assert float(bce_with_logits(np.array([score]), np.array([target]))) == cost


def test_a_small_cost_keeps_its_digits():
    assert float(exact(bce_with_logits, np.array([40.0]), np.array([1.0]))) == np.exp(-40.0) * (1 - np.exp(-40.0) / 2)


def test_torch_agrees_within_the_bound():
    functional, y = torch.nn.functional, torch.tensor(Y)
    ours = [bound(loss_bce, P, Y, precision=STRICT), bound(bce_with_logits, Z, Y, precision=STRICT)]
    theirs = [
        functional.binary_cross_entropy(torch.tensor(P), y),
        functional.binary_cross_entropy_with_logits(torch.tensor(Z), y),
    ]

    assert all(enclosure.ratio(value.numpy()) <= 1 for enclosure, value in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("form", [FLOAT64, FLOAT32, FLOAT16], ids=lambda form: form.name)
def test_the_bound_is_finite_for_large_scores(form):
    score, target = np.array([1e4, -1e4]), np.array([0.0, 1.0])
    error = bound(bce_with_logits, score, target, precision=Precision(form, form, FLOAT64)).error

    assert error <= 64 * form.unit * 1e4


@pytest.mark.parametrize("probability", [0.0, 1.0, 1.5, -0.25])
def test_a_probability_without_a_logarithm_is_refused(probability):
    with pytest.raises(DomainError, match="has no finite value"):
        exact(loss_bce, np.array([probability]), np.array([0.5]))
