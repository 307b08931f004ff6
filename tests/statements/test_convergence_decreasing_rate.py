"""Stochastic descent with rates that change: the second theorem in its form for finitely many steps, and its limit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy
from hypothesis import example
from hypothesis import strategies as st

from oracle.theory.convergence import theorem_decreasing_lr
from oracle.theory.descent import noise_floor
from oracle.theory.finite_sum import FiniteSum, Loss, Vector
from oracle.theory.problems import bowls
from oracle.training.sampling import expectation
from tests.helpers.finite_sums import Q, drawn, fractions, noise, parts, points, problems, squared_gradients, vector
from tests.helpers.statements import statement

BOWL = bowls(points(0), curvature=Q(3))
NOISY_BOWLS = bowls(points(-1, 1), curvature=Q(3))

Bound = Callable[..., Any]
Found = tuple[FiniteSum, Vector]


def harmonic(count: int, curvature: Fraction = Q(1)) -> list[Fraction]:
    return [1 / (curvature * (t + 1)) for t in range(count)]


def constant(count: int) -> list[Fraction]:
    return [Q(1)] * count


def halving(count: int) -> list[Fraction]:
    return [Q(1, 2**t) for t in range(count)]


def root_like(count: int) -> list[Fraction]:
    """One over the square root of the step, rounded: 1, then 1/2 three times, then 1/3 five times."""
    return [Q(1, math.isqrt(t) + 1) for t in range(count)]


def weighted(squares: Sequence[Fraction], rates: Sequence[Fraction]) -> Fraction:
    return sum(rate * square for rate, square in zip(rates, squares, strict=True)) / sum(rates)


def changed(**changes: Callable[[Any], Any]) -> Bound:
    """The finite bound with some of its constants changed."""
    return lambda rates, **constants: theorem_decreasing_lr(
        rates, **{name: changes.get(name, lambda same: same)(value) for name, value in constants.items()}
    )


@statement(
    "theorem_decreasing_lr",
    "theorem_decreasing_lr.P1",
    "D095",
    false={
        "half the noise": {"bound": changed(variance=lambda variance: variance / 2)},
        "sigma for its square": {"bound": changed(variance=lambda variance: variance ** Q(1, 2))},
        "the gap without the 2": {"bound": changed(gap=lambda gap: gap / 2)},
        "noise without the smoothness": {"bound": changed(smoothness=lambda beta: 1)},
        "the square of the sum": {
            "bound": lambda rates, *, smoothness, variance, gap: (
                (2 * gap + smoothness * variance * sum(rates) ** 2 / len(rates) ** 2) / sum(rates)
            )
        },
        "the limit for every number of steps": {"bound": lambda rates, **constants: 0},
    },
)
def test_the_weighted_squared_gradient_stays_below_the_finite_form(bound: Bound = theorem_decreasing_lr):
    @drawn(found=problems(), quarters=st.lists(parts(), min_size=1, max_size=3))
    @example(found=(NOISY_BOWLS, vector(0)), quarters=[Q(1)] * 4)
    @example(found=(NOISY_BOWLS, vector(0)), quarters=[Q(1, 4), Q(1), Q(1)])
    @example(found=(BOWL, vector(1)), quarters=[Q(1)])
    def check(found: Found, quarters: list[Fraction]) -> None:
        problem, start = found
        rates = [quarter / problem.smoothness for quarter in quarters]  # in any order: no step needs them to fall
        runs = problem.runs(start, rates[:-1])
        reached = expectation(weighted(squares, rates) for squares in squared_gradients(problem, runs))
        constants = {"smoothness": problem.smoothness, "variance": noise(problem, runs), "gap": problem.gap(start)}
        assert reached <= bound(rates, **constants)

    check()


@statement(
    "theorem_decreasing_lr.C1",
    false={
        "a fixed rate": {"rates": constant},
        "rates whose sum is finite": {"rates": halving},
        "the square of the sum": {
            "bound": lambda rates, *, smoothness, variance, gap: (
                (2 * gap + smoothness * variance * sum(rates) ** 2) / sum(rates)
            )
        },
    },
)
def test_the_finite_form_tends_to_zero(rates=harmonic, bound: Bound = theorem_decreasing_lr):
    """The squares sum to less than 2 and the rates of each doubling to at least 1/2: nothing stops the bound's fall."""
    doublings = [rates(2**k) for k in range(9)]
    gap, beta, noise_bound, squares = sympy.symbols("Delta beta sigma2 Q", positive=True)
    total, *steps = sympy.symbols("S eta1:7", positive=True)
    for count in range(1, len(steps) + 1):
        kept = steps[:count]
        finite = bound(kept, smoothness=beta, variance=noise_bound, gap=gap)
        gathered = (2 * gap + beta * noise_bound * sum(rate**2 for rate in kept)) / sum(kept)
        assert sympy.simplify(finite - gathered) == 0
    # The sum of squares stays below a number: the smallest such number is Q.
    assert sympy.limit((2 * gap + beta * noise_bound * squares) / total, total, sympy.oo) == 0

    @drawn(gap_drawn=fractions(0, 3), variance=fractions(0, 3))
    @example(gap_drawn=Q(3), variance=Q(3))
    def check(gap_drawn: Fraction, variance: Fraction) -> None:
        constants = {"smoothness": Q(1), "variance": variance, "gap": gap_drawn}
        for k, prefix in enumerate(doublings):
            assert bound(prefix, **constants) <= (2 * gap_drawn + 2 * variance) / (1 + Q(k, 2))

    check()
    assert all(sum(rate**2 for rate in prefix) < 2 for prefix in doublings)
    assert all(sum(after) - sum(before) >= Q(1, 2) for before, after in itertools.pairwise(doublings))


@statement(
    "theorem_decreasing_lr.C2",
    false={
        "no noise": {"centres": points(0, 0)},
        "the harmonic rates for the fixed one": {"fixed": harmonic},
    },
)
def test_only_a_falling_rate_gets_below_the_noise(centres=points(-1, 1), fixed=constant):
    problem, start = bowls(centres, curvature=Q(1)), vector(0)

    def reached(rates: list[Fraction]) -> list[Fraction]:
        return [
            expectation(map(problem.squared_gradient, level)) for level in zip(*problem.runs(start, rates), strict=True)
        ]

    floor = noise_floor(learning_rate=Q(1), smoothness=Q(1), variance=problem.variance(start))
    assert reached(fixed(5))[1:] == [floor] * 5
    assert reached(harmonic(5))[1:] == [floor / t for t in range(1, 6)]
    assert floor > 0


@statement(
    "theorem_decreasing_lr.P2",
    false={
        "the largest for the smallest": {"least": max},
        "the first for the smallest": {"least": lambda squares: squares[0]},
    },
)
def test_the_smallest_expected_gradient_falls_below_the_same_bound(least=min):
    """So that its limit inferior is 0 wherever the bound tends to 0."""

    @drawn(found=problems(), quarters=st.lists(parts(), min_size=3, max_size=3))
    @example(found=(BOWL, vector(1)), quarters=[Q(1), Q(1, 2), Q(1, 3)])
    def check(found: Found, quarters: list[Fraction]) -> None:
        problem, start = found
        rates = [quarter / problem.smoothness for quarter in quarters]
        runs = problem.runs(start, rates[:-1])
        squares = squared_gradients(problem, runs)
        expected = [expectation(level) for level in zip(*squares, strict=True)]
        constants = {"smoothness": problem.smoothness, "variance": noise(problem, runs), "gap": problem.gap(start)}
        right = theorem_decreasing_lr(rates, **constants)
        assert expectation(map(least, squares)) <= least(expected) <= weighted(expected, rates) <= right

    check()


@statement(
    "theorem_decreasing_lr.P3",
    false={
        "the contraction without its square": {"contraction": lambda part: abs(1 - part)},
        "the rate for its square": {"power": 1},
    },
)
def test_on_bowls_the_distance_obeys_the_recursion_at_every_rate(contraction=lambda part: (1 - part) ** 2, power=2):
    @drawn(first=fractions(-3, 3), start=fractions(-3, 3), quarters=st.lists(parts(2), min_size=3, max_size=3))
    @example(first=Q(2), start=Q(3), quarters=[Q(1, 2), Q(1, 4), Q(1)])
    def check(first: Fraction, start: Fraction, quarters: list[Fraction]) -> None:
        problem, middle = bowls(points(first, 0), curvature=Q(2)), first / 2
        runs = problem.runs(vector(start), [quarter / 2 for quarter in quarters])
        squares = [expectation((param[0] - middle) ** 2 for param in level) for level in zip(*runs, strict=True)]
        variance = problem.variance(vector(0))
        for quarter, (before, after) in zip(quarters, itertools.pairwise(squares), strict=True):
            assert after == contraction(quarter) * before + (quarter / 2) ** power * variance

    check()


@statement(
    "theorem_decreasing_lr.P3",
    false={
        "a rate behind": {"late": 1},
        "the smoothness for its square": {"power": 1},
    },
)
def test_harmonic_rates_on_bowls_average_the_drawn_centres(late=0, power=2):
    @drawn(first=fractions(-3, 3), second=fractions(-3, 3), start=fractions(-3, 3), curvature=parts(3))
    @example(first=Q(1), second=Q(2), start=Q(5), curvature=Q(2))
    def check(first: Fraction, second: Fraction, start: Fraction, curvature: Fraction) -> None:
        centres = [first, second, Q(0)]
        problem = bowls(points(*centres), curvature=curvature)
        rates = harmonic(3 + late, curvature)[late:]
        runs = problem.runs(vector(start), rates)
        sequences = itertools.product(centres, repeat=3)
        for run, chosen in zip(runs, sequences, strict=True):
            assert [param[0] for param in run[1:]] == [expectation(chosen[:t]) for t in (1, 2, 3)]
        for t in (1, 2, 3):
            distance = expectation((run[t][0] - expectation(centres)) ** 2 for run in runs)
            assert distance == problem.variance(vector(0)) / (curvature**power * t)

    check()


@statement(
    "theorem_decreasing_lr.P4",
    false={
        "a fixed rate": {"rates": constant},
        "rates whose squares have a finite sum": {"rates": harmonic},
    },
)
def test_the_squares_of_the_rates_need_not_be_summable(rates=root_like):
    r"""Rates like :math:`1 / \sqrt t`: their squares gather as much in every quadrupling, and the bound falls all the same."""
    counts = [4**k for k in range(1, 5)]
    squares = [sum(rate**2 for rate in rates(count)) for count in counts]
    bounds = [theorem_decreasing_lr(rates(count), smoothness=Q(1), variance=Q(1), gap=Q(1)) for count in counts]

    assert all(after - before >= Q(9, 10) for before, after in itertools.pairwise(squares))
    assert all(after <= Q(3, 4) * before for before, after in itertools.pairwise(bounds))


def runaway() -> FiniteSum:
    """A loss with a minimum and a tail: a valley, a hill, and beyond it a slope that falls for ever, by 1 / (1 + x)."""

    def value(param: Vector) -> Fraction:
        (x,) = param
        if x >= 0:
            return 1 / (1 + x)
        return 1 - x - x**2 if x >= -2 else (x + 5) ** 2 / 2 - Q(11, 2)

    def gradient(param: Vector) -> Vector:
        (x,) = param
        if x >= 0:
            return vector(-1 / (1 + x) ** 2)
        return vector(-1 - 2 * x if x >= -2 else x + 5)

    return FiniteSum((Loss(value, gradient),), smoothness=Q(2), minimum=Q(-11, 2))


@statement(
    "D096",
    false={
        "a start in the valley": {"start": vector(-4)},
        "another loss": {"problem": BOWL},
    },
)
def test_the_theorem_does_not_lead_to_a_point_of_zero_gradient(start=vector(1), problem=runaway()):
    """The cube of 1 + x gains three times each rate, whose sum is infinite: the run leaves every bounded set."""
    u, rate = sympy.symbols("u eta", positive=True)
    assert sympy.expand((u + rate / u**2) ** 3 - u**3 - 3 * rate).is_positive

    rates = harmonic(5, curvature=Q(2))
    (run,) = problem.runs(start, rates)
    cubes = [(1 + param[0]) ** 3 for param in run]
    assert all(
        after > before + 3 * rate for rate, (before, after) in zip(rates, itertools.pairwise(cubes), strict=True)
    )
    assert all(problem.squared_gradient(param) > 0 for param in run)
    constants = {"smoothness": Q(2), "variance": Q(0), "gap": problem.gap(start)}
    assert weighted([problem.squared_gradient(param) for param in run[:-1]], rates) <= theorem_decreasing_lr(
        rates, **constants
    )


def test_the_runaway_loss_has_the_constants_that_it_states():
    problem = runaway()

    @drawn(x=fractions(-8, 4), step=fractions(-3, 3))
    @example(x=Q(0), step=Q(1))
    @example(x=Q(-2), step=Q(-3))
    @example(x=Q(-5), step=Q(1))
    def check(x: Fraction, step: Fraction) -> None:
        here, there = vector(x), vector(x + step)
        linear = problem.loss(here) + problem.gradient(here) @ (there - here)
        assert abs(problem.loss(there) - linear) <= step**2
        assert problem.gap(here) >= 0

    check()
    assert problem.gap(vector(-5)) == 0
