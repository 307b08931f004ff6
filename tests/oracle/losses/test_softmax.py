"""Probabilities of classes from their scores."""

import numpy as np
import pytest
import sympy
import torch

from oracle.activations.sigmoid import sigmoid
from oracle.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Precision
from oracle.arithmetic.symbols import symbol_array
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.losses.softmax import softmax

STRICT = Precision(FLOAT64, FLOAT64, FLOAT64)
SCORES = np.array([[0.5, -1.0, 2.0, 0.25], [100.0, 0.0, -1.0, 99.5]])


def test_logarithms_of_small_integers_are_shared_as_worked_by_hand():
    shares = exact(softmax, np.log(np.array([1.0, 2.0, 5.0])))

    assert (np.abs(shares - np.array([0.125, 0.25, 0.625])) <= 2.0**-52).all()


def test_one_class_is_certain_and_equal_classes_are_equally_probable():
    assert exact(softmax, np.array([-7.0])).tolist() == [1.0]
    assert exact(softmax, np.full(4, 1e4)).tolist() == [0.25] * 4


def test_of_two_classes_the_second_has_the_logistic_function_of_the_difference():
    for score in (-40.0, -0.5, 3.0, 800.0):
        assert exact(softmax, np.array([0.0, score]))[1] == exact(sigmoid, score)


def test_quotients_of_probabilities_are_exponentials_of_differences():
    s = symbol_array("a b c", real=True)
    p = softmax.body(s).elements

    assert sympy.simplify(p[0] / p[1] - sympy.exp(s.elements[0] - s.elements[1])) == 0


def test_the_shifted_evaluation_keeps_what_the_unshifted_one_loses():
    scores = np.array([1e4, 1e4, -1e4])
    with np.errstate(all="ignore"):
        unshifted = softmax.programs["unshifted"](scores)

    assert softmax(scores).tolist() == exact(softmax, scores).tolist() == [0.5, 0.5, 0.0]
    assert np.isnan(unshifted[:2]).all()


def test_torch_agrees_within_the_bound():
    enclosure = bound(softmax, SCORES, precision=STRICT)

    assert (enclosure.ratio(torch.softmax(torch.tensor(SCORES), dim=-1).numpy()) <= 1).all()


@pytest.mark.parametrize("form", [FLOAT64, FLOAT32, FLOAT16], ids=lambda form: form.name)
def test_the_bound_is_finite_for_large_scores(form):
    scores = np.array([[1e4, 1e4, -1e4], [1e4, -1e4, 0.0]])
    enclosure = bound(softmax, scores, precision=Precision(form, form, FLOAT64))

    assert (enclosure.error <= 32 * form.unit).all()


def test_a_score_that_is_not_finite_is_refused():
    with pytest.raises(DomainError, match="scores must be finite"):
        exact(softmax, np.array([0.0, -np.inf]))
