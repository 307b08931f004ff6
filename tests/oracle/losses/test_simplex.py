"""Where probabilities lie."""

from fractions import Fraction as F

import pytest

from oracle.losses.simplex import in_simplex


@pytest.mark.parametrize(
    ("p", "inside"),
    [
        ([F(1, 2), F(1, 2), F(0)], True),
        ([F(1)], True),
        ([F(1, 2), F(1, 3), F(1, 7)], False),
        ([F(3, 2), F(-1, 2)], False),
        ([], False),
    ],
)
def test_shares_that_are_not_negative_add_up_to_one(p, inside):
    assert in_simplex(p) is inside
