"""Dropout by a given mask."""

import numpy as np
import pytest

from oracle.dropout.masks import dropout_inverted, dropout_keep_proportion
from oracle.errors import DomainError
from oracle.exact import exact

X, MASK = np.array([3.0, -0.5, 7.0]), np.array([1.0, 0.0, 1.0])


def test_kept_units_stay_and_the_others_vanish():
    assert exact(dropout_keep_proportion, X, MASK, keep=0.75).tolist() == [3.0, 0.0, 7.0]


def test_the_inverted_form_divides_by_the_proportion_kept():
    assert exact(dropout_inverted, X, MASK, keep=0.75).tolist() == [4.0, 0.0, 7.0 / 0.75]


def test_where_everything_is_kept_nothing_changes():
    for formula in (dropout_keep_proportion, dropout_inverted):
        assert exact(formula, X, np.ones(3), keep=1.0).tolist() == X.tolist()


def test_where_nothing_is_kept_nothing_is_left():
    assert exact(dropout_keep_proportion, X, np.zeros(3), keep=0.0).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("formula", "keep"), [(dropout_inverted, 0.0), (dropout_inverted, 1.5), (dropout_keep_proportion, -0.5)]
)
def test_proportions_outside_the_domain_are_refused(formula, keep):
    with pytest.raises(DomainError, match=f"keep={keep}"):
        formula(X, MASK, keep=keep)
