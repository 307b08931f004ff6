"""Exact binomial tails."""

import itertools
from fractions import Fraction

import pytest

from oracle.arithmetic.balls import abs_lower, abs_upper, balls, working_precision
from oracle.dropout.binomial import binomial_tails
from oracle.dropout.inference import masks, probability


@pytest.mark.parametrize("chance", [Fraction(1, 2), Fraction(3, 4), Fraction(1, 10), Fraction(0)])
def test_the_tails_are_those_of_the_enumerated_masks(chance):
    for trials, successes in itertools.product(range(6), range(6)):
        if successes <= trials:
            low, high = binomial_tails(successes, trials, chance)

            assert low == sum(probability(mask, chance) for mask in masks(trials) if sum(mask) <= successes)
            assert high == sum(probability(mask, chance) for mask in masks(trials) if sum(mask) >= successes)


def test_balls_enclose_the_tails_of_many_trials():
    low, high = binomial_tails(400, 640, Fraction(3, 4))
    with working_precision(256):
        enclosed = binomial_tails(400, 640, balls(0.75))

        for tail, ball in zip((low, high), enclosed, strict=True):
            assert Fraction(float(abs_lower(ball))) <= tail <= Fraction(float(abs_upper(ball)))
    assert low + high > 1
