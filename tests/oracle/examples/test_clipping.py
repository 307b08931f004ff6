"""The points of the figures on clipping."""

from fractions import Fraction as F

import mpmath
import numpy as np

from oracle.examples.clipping import clip_geometry_points, quadratic_descent, two_cycle


def test_the_three_vectors_of_the_figure_are_rounded_correctly():
    points = clip_geometry_points(np.array([1.0, 2.0]), 1.5)

    assert points.initial.tolist() == [1.0, 2.0]
    assert points.by_value.tolist() == [1.0, 1.5]
    with mpmath.workprec(200):
        assert points.by_norm.tolist() == [
            float(mpmath.sqrt(mpmath.mpf(9) / 20)),
            float(mpmath.sqrt(mpmath.mpf(9) / 5)),
        ]


def test_descent_on_fractions_stays_exact_and_on_floats_stays_floats():
    points = quadratic_descent(F(0), 3, learning_rate=F(21, 20))

    assert points == [0, F(21, 10), F(-21, 100), F(2331, 1000)]
    assert all(isinstance(point, float) for point in quadratic_descent(0.0, 3, learning_rate=1.05, threshold=1.0)[1:])


def test_a_clipped_step_has_one_length():
    assert quadratic_descent(F(9), 2, learning_rate=F(1, 2), threshold=F(1)) == [9, F(17, 2), 8]


def test_a_two_cycle_is_found_where_it_begins():
    assert two_cycle([3, 1, 2, 1, 2]) == 1
    assert two_cycle([1, 1, 1, 1]) is None
    assert two_cycle([1]) is None
