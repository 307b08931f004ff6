"""Finite sums: their moments, every run on them, and problems with the constants that they state."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from oracle.catalogue import get
from oracle.errors import DomainError
from oracle.formula import NoState
from oracle.theory.finite_sum import FiniteSum, Loss
from oracle.theory.problems import bowls, shifted, tilted
from oracle.training.sampling import expectation, with_replacement, without_replacement
from tests.helpers.finite_sums import Q, drawn, fractions, parts, points, problems, vector, wave

THREE = bowls(points(0, 1, 3), curvature=Q(2))


def test_the_mean_loss_and_its_gradient_are_means():
    x = vector(2)

    assert THREE.loss(x) == Q(4 + 1 + 1, 3)
    assert [gradient.tolist() for gradient in THREE.gradients(x)] == [[4], [2], [-2]]
    assert THREE.gradient(x).tolist() == [Q(4, 3)]
    assert THREE.second_moment(x) == Q(16 + 4 + 4, 3)
    assert THREE.variance(x) == THREE.second_moment(x) - THREE.squared_gradient(x) == Q(56, 9)
    assert THREE.gap(x) == THREE.loss(x) - Q(14, 9)


def test_an_index_that_a_batch_has_twice_counts_twice():
    assert THREE.estimate(vector(0), (1, 1, 2)).tolist() == [Q(-2 - 2 - 6, 3)]


def test_a_sample_that_is_not_there_is_refused():
    with pytest.raises(DomainError):
        THREE.estimate(vector(0), (3,))


def test_there_is_a_run_for_every_sequence_of_batches():
    rates = [Q(1, 2), Q(1, 4)]

    assert len(THREE.runs(vector(5), rates)) == 3**2
    assert len(THREE.runs(vector(5), rates, with_replacement(3, 2))) == 9**2
    assert len(THREE.runs(vector(5), rates, without_replacement(3, 2))) == 3**2
    assert [run[0].tolist() for run in THREE.runs(vector(5), [])] == [[5]]


def test_each_step_of_a_run_is_gradient_descent_on_its_batch():
    (run,) = THREE.runs(vector(5), [Q(1, 2), Q(1, 4)], [(0, 2)])

    first, _ = get("gd")(vector(5), THREE.estimate(vector(5), (0, 2)), NoState(), learning_rate=Q(1, 2))
    second, _ = get("gd")(first, THREE.estimate(first, (0, 2)), NoState(), learning_rate=Q(1, 4))
    assert [param.tolist() for param in run] == [[5], first.tolist(), second.tolist()]


def test_floats_give_what_fractions_give():
    """The numbers are dyadic and few, so that float64 holds all of them."""
    exact = bowls(points(-1, Q(3, 2)), curvature=Q(2))
    floats = bowls([np.array([-1.0]), np.array([1.5])], curvature=2.0)

    ends = [run[-1].tolist() for run in floats.runs(np.array([4.0]), [0.25, 0.125])]

    assert ends == [run[-1].tolist() for run in exact.runs(vector(4), [Q(1, 4), Q(1, 8)])]
    assert floats.variance(np.array([4.0])) == exact.variance(vector(4))
    assert floats.minimum == exact.minimum


def test_all_numbers_stay_fractions():
    @drawn(found=problems())
    def check(found: tuple[FiniteSum, np.ndarray]) -> None:
        problem, x = found
        assert all(type(value) is Fraction for value in problem.gradient(x))
        assert {type(problem.loss(x)), type(problem.variance(x)), type(problem.gap(x))} == {Fraction}

    check()


def test_bowls_are_least_at_the_mean_of_the_centres():
    problem = bowls([vector(1, 2), vector(3, -2)], curvature=Q(3))

    assert problem.gap(vector(2, 0)) == 0
    assert problem.squared_gradient(vector(2, 0)) == 0


def test_tilting_changes_the_samples_and_not_their_mean():
    @drawn(x=fractions(-8, 8), curvature=parts(3))
    def check(x: Fraction, curvature: Fraction) -> None:
        plain = tilted(**wave(curvature), slopes=points(0))
        problem = tilted(**wave(curvature), slopes=points(5, 7, 12))
        assert problem.loss(vector(x)) == plain.loss(vector(x))
        assert (problem.gradient(vector(x)) == plain.gradient(vector(x))).all()
        assert problem.variance(vector(x)) == Q(26, 3)

    check()


def test_a_shift_raises_the_losses_and_leaves_the_runs():
    raised = shifted(THREE, Q(5))

    assert raised.loss(vector(2)) == THREE.loss(vector(2)) + 5
    assert raised.gap(vector(2)) == THREE.gap(vector(2))
    ends = [run[-1].tolist() for run in raised.runs(vector(2), [Q(1, 3)])]
    assert ends == [run[-1].tolist() for run in THREE.runs(vector(2), [Q(1, 3)])]


def test_an_unbiased_estimate_of_any_size_has_the_gradient_as_its_mean():
    single = FiniteSum((Loss(lambda x: x @ x, lambda x: 2 * x),), smoothness=Q(2), minimum=Q(0))

    for problem in (single, THREE):
        batches = with_replacement(len(problem.losses), 2)
        estimates = [problem.estimate(vector(7), batch) for batch in batches]
        assert (expectation(estimates) == problem.gradient(vector(7))).all()
