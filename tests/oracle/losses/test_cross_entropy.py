"""The negative log-likelihood of a class among several."""

import numpy as np
import pytest
import torch

from oracle.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Precision
from oracle.arithmetic.primitives import namespace
from oracle.bound import bound
from oracle.differentiation.losses import loss_cross_entropy_gradient
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.losses.binary import bce_with_logits
from oracle.losses.cross_entropy import loss_cross_entropy, soft_cross_entropies

STRICT = Precision(FLOAT64, FLOAT64, FLOAT64)


def cost(scores, label):
    scores = np.array(scores)
    return float(exact(loss_cross_entropy, scores, np.array(label)))


@pytest.mark.parametrize(("classes", "golden"), [(4, "1.386294361"), (10, "2.302585093")])
def test_equal_scores_cost_the_logarithm_of_the_number_of_classes(classes, golden):
    assert cost([7.0] * classes, 1) == np.log(float(classes))
    assert f"{cost([-1e4] * classes, 0):.9f}" == golden


def test_the_printed_example_of_four_classes_is_near_its_printed_cost():
    p = 0.071
    scores = np.log([p, (1 - p) / 3, (1 - p) / 3, (1 - p) / 3])

    assert abs(cost(scores, 0) + np.log(p)) <= 4 * 2.0**-52
    assert abs(cost(scores, 0) - 2.647) <= 8e-3


def test_of_two_classes_it_is_the_cost_of_the_difference_of_the_scores():
    for first, second in ((0.5, 2.0), (-30.0, 30.0), (1e4, 0.0)):
        for label in (0, 1):
            binary = exact(bce_with_logits, np.array([second - first]), np.array([float(label)]))

            assert cost([first, second], label) == float(binary)


def test_a_wrong_choice_costs_its_distance_and_at_most_the_logarithm_of_the_classes_more():
    assert 9.0 <= cost([10.0, 1.0, 0.5], 1) <= 9.0 + np.log(3.0)


@pytest.mark.parametrize(
    ("scores", "label", "expected"), [([1e4, 0.0], 1, 1e4), ([1e4, 0.0], 0, 0.0), ([800.0, 0.0], 1, 800.0)]
)
def test_large_scores_cost_their_distance_or_nothing(scores, label, expected):
    assert cost(scores, label) == expected
    assert float(loss_cross_entropy(np.array(scores), np.array(label))) == expected


def test_a_small_cost_keeps_its_digits():
    assert cost([0.0, -50.0], 0) == float(np.exp(-50.0))


def test_torch_agrees_within_the_bound():
    scores, labels = np.array([[0.5, -1.0, 2.0], [100.0, 0.0, 99.5]]), np.array([1, 2])
    enclosure = bound(loss_cross_entropy, scores, labels, precision=STRICT)
    theirs = torch.nn.functional.cross_entropy(torch.tensor(scores), torch.tensor(labels))

    assert enclosure.ratio(theirs.numpy()) <= 1


@pytest.mark.parametrize("form", [FLOAT64, FLOAT32, FLOAT16], ids=lambda form: form.name)
def test_the_bound_is_finite_for_large_scores(form):
    scores = np.array([[1e4, 1e4, -1e4], [1e4, -1e4, 0.0]])
    enclosure = bound(loss_cross_entropy, scores, np.array([0, 1]), precision=Precision(form, form, FLOAT64))

    assert enclosure.error <= 32 * form.unit * 2e4


def test_samples_cost_the_mean_of_what_each_costs():
    scores = np.array([[0.0, np.log(3.0)], [0.0, 0.0], [1e4, 0.0]])

    assert float(exact(loss_cross_entropy, scores, np.array([0, 1, 1]))) == float(
        exact(lambda a, b, c: (a + b + c) / 3, cost(scores[0], 0), np.log(2.0), 1e4)
    )


def test_probabilities_of_the_classes_cost_what_each_class_costs_by_its_share():
    scores, shares = np.array([0.5, 2.0, -1.0]), np.array([0.5, 0.25, 0.25])
    expected = exact(
        lambda costs, y: namespace(costs).sum(costs * y), np.array([cost(scores, c) for c in range(3)]), shares
    )

    assert abs(float(exact(soft_cross_entropies, scores, shares)) - float(expected)) <= 4 * 2.0**-53
    assert float(exact(soft_cross_entropies, scores, np.eye(3)[2])) == cost(scores, 2)


@pytest.mark.parametrize(
    ("label", "said"), [(2, r"\[0, 2\), got 2"), (-1, r"got -1"), (0.5, "whole numbers, got .*0.5")]
)
def test_a_label_that_is_no_class_is_refused(label, said):
    with pytest.raises(DomainError, match=said):
        exact(loss_cross_entropy, np.array([0.0, 1.0]), np.array(label))


def test_a_score_that_is_not_finite_is_refused():
    with pytest.raises(DomainError, match="scores must be finite"):
        exact(loss_cross_entropy, np.array([0.0, -np.inf]), np.array(0))


@pytest.mark.parametrize("formula", [loss_cross_entropy, loss_cross_entropy_gradient], ids=lambda formula: formula.id)
@pytest.mark.parametrize("shape", [(2, 3, 4), ()])
def test_scores_that_are_not_those_of_samples_are_refused(formula, shape):
    with pytest.raises(DomainError, match=r"shape \(N, C\), or \(C,\) for one sample, got \("):
        formula(np.zeros(shape), np.zeros(shape[:-1], dtype=int))
