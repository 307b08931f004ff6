"""Stochastic descent with a fixed rate: the first theorem, its proof, what attains it, and what it does not promise."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy
from hypothesis import example
from hypothesis import strategies as st

from oracle.theory.convergence import theorem_decreasing_lr, theorem_fixed_lr, theorem_fixed_lr_sharp
from oracle.theory.descent import expected_descent_eq1, noise_floor
from oracle.theory.finite_sum import FiniteSum, Vector
from oracle.theory.problems import bowls, tilted
from oracle.training.sampling import expectation
from tests.helpers.finite_sums import (
    Q,
    drawn,
    few,
    fractions,
    noise,
    parts,
    points,
    problems,
    squared_gradients,
    vector,
    wave,
)
from tests.helpers.statements import statement

BOWL = bowls(points(0), curvature=Q(3))
NOISY_BOWLS = bowls(points(-1, 1), curvature=Q(3))
HILLS = tilted(**wave(Q(3)), slopes=points(-2, 2))

Bound = Callable[..., Any]
Found = tuple[FiniteSum, Vector]

T, ETA, BETA, SIGMA2, GAP = sympy.symbols("T eta beta sigma2 Delta", positive=True)
CONSTANTS = {"learning_rate": ETA, "smoothness": BETA, "variance": SIGMA2, "gap": GAP}


def changed(bound: Bound, **changes: Callable[[Any], Any]) -> Bound:
    """The bound with some of its constants changed."""
    return lambda steps, **constants: bound(
        steps, **{name: changes.get(name, lambda same: same)(value) for name, value in constants.items()}
    )


def enumerated(problem: FiniteSum, start: Vector, rate: Fraction, steps: int) -> tuple[Fraction, dict[str, Fraction]]:
    """The expected mean of the squared gradients at the first points of all runs, and the constants of the theorem."""
    runs = problem.runs(start, [rate] * (steps - 1))
    constants = {"smoothness": problem.smoothness, "variance": noise(problem, runs), "gap": problem.gap(start)}
    return expectation(map(expectation, squared_gradients(problem, runs))), {"learning_rate": rate, **constants}


@statement(
    "theorem_fixed_lr",
    "theorem_fixed_lr.C1",
    "theorem_fixed_lr.P5",
    "D092",
    false={
        "half the noise": {"bound": changed(theorem_fixed_lr, variance=lambda variance: variance / 2)},
        "sigma for its square": {"bound": changed(theorem_fixed_lr, variance=lambda variance: variance ** Q(1, 2))},
        "noise without the smoothness": {"bound": changed(theorem_fixed_lr, smoothness=lambda beta: 1)},
        "noise with the square of the rate": {
            "bound": lambda steps, *, learning_rate, smoothness, variance, gap: (
                learning_rate**2 * smoothness * variance + 2 * gap / (learning_rate * steps)
            )
        },
        "the gap without the 2": {"bound": changed(theorem_fixed_lr, gap=lambda gap: gap / 2)},
        "one step more in the divisor": {"bound": lambda steps, **rest: theorem_fixed_lr(steps + 1, **rest)},
        "rates up to twice as large": {"largest": 2},
    },
)
def test_the_mean_squared_gradient_stays_below_the_first_theorem(bound: Bound = theorem_fixed_lr, largest=1):
    @drawn(found=problems(), part=parts(), steps=few)
    @example(found=(NOISY_BOWLS, vector(0)), part=Q(1), steps=4)
    @example(found=(BOWL, vector(1)), part=Q(1), steps=1)
    @example(found=(HILLS, vector(2)), part=Q(1), steps=4)
    def check(found: Found, part: Fraction, steps: int) -> None:
        reached, constants = enumerated(*found, largest * part / found[0].smoothness, steps)
        assert reached <= bound(steps, **constants)

    check()


@statement(
    "theorem_fixed_lr.C2",
    false={
        "no noise": {"centres": points(0, 0)},
        "a start in a valley": {"top": vector(0)},
        "a start on the slope": {"top": vector(1)},
    },
)
def test_noise_keeps_the_gradient_up_and_nothing_leads_to_the_global_minimum(centres=points(-1, 1), top=vector(2)):
    noisy = bowls(centres, curvature=Q(3))
    for steps in (2, 3, 4):
        run_ends = [run[-1] for run in noisy.runs(vector(0), [Q(1, 3)] * (steps - 1))]
        assert expectation(map(noisy.squared_gradient, run_ends)) == noisy.smoothness**2  # for ever: the floor

    quiet = tilted(**wave(Q(3)), slopes=points(0))  # a single sample, that is descent without any noise
    (stuck,) = quiet.runs(top, [Q(1, 3)] * 4)
    assert all(quiet.squared_gradient(param) == 0 for param in stuck)
    assert quiet.gap(stuck[-1]) > 0  # on top of a hill


@statement(
    "theorem_fixed_lr.P1",
    false={
        "half the noise": {"bound": changed(theorem_fixed_lr_sharp, variance=lambda variance: variance / 2)},
        "half the gap": {"bound": changed(theorem_fixed_lr_sharp, gap=lambda gap: gap / 2)},
        "without the denominator": {
            "bound": lambda steps, *, learning_rate, smoothness, variance, gap: (
                gap / (learning_rate * steps) + learning_rate * smoothness * variance / 2
            )
        },
        "the printed bound": {"bound": theorem_fixed_lr},
    },
)
def test_the_sharper_bound_holds_for_rates_up_to_two_over_beta(bound: Bound = theorem_fixed_lr_sharp):
    @drawn(found=problems(), quarters=st.integers(1, 7), steps=few)
    @example(found=(NOISY_BOWLS, vector(0)), quarters=4, steps=4)
    @example(found=(BOWL, vector(1)), quarters=4, steps=1)
    @example(found=(BOWL, vector(1)), quarters=7, steps=1)
    def check(found: Found, quarters: int, steps: int) -> None:
        reached, constants = enumerated(*found, Q(quarters, 4) / found[0].smoothness, steps)
        assert reached <= bound(steps, **constants)
        if quarters <= 4:
            assert bound(steps, **constants) <= theorem_fixed_lr(steps, **constants)

    check()
    attained, constants = enumerated(BOWL, vector(1), Q(1, 3), 1)
    assert attained == bound(1, **constants)


@statement(
    "theorem_fixed_lr.P2", false={"the gap without the 2": {"factor": 1}, "one step more in the divisor": {"more": 1}}
)
def test_without_noise_the_bound_holds_on_the_path_itself(factor=2, more=0):
    @drawn(found=problems(largest=1), part=parts(), steps=st.integers(1, 5))
    @example(found=(BOWL, vector(1)), part=Q(1), steps=1)
    @example(found=(BOWL, vector(1)), part=Q(1, 4), steps=1)
    def check(found: Found, part: Fraction, steps: int) -> None:
        problem, start = found
        rate = part / problem.smoothness
        (run,) = problem.runs(start, [rate] * (steps - 1))
        assert expectation(map(problem.squared_gradient, run)) <= factor * problem.gap(start) / (rate * (steps + more))

    check()


@statement(
    "theorem_fixed_lr.P3",
    false={
        "without the 2 under the root": {"best": sympy.sqrt(GAP / (BETA * SIGMA2 * T))},
        "without the number of steps": {"best": sympy.sqrt(2 * GAP / (BETA * SIGMA2))},
        "half the value": {"value": sympy.sqrt(2 * BETA * SIGMA2 * GAP / T)},
    },
)
def test_the_best_fixed_rate_balances_noise_and_gap(
    best=sympy.sqrt(2 * GAP / (BETA * SIGMA2 * T)), value=2 * sympy.sqrt(2 * BETA * SIGMA2 * GAP / T)
):
    bound = theorem_fixed_lr(T, **CONSTANTS)

    lost = BETA * SIGMA2 * (ETA - best) ** 2 / ETA  # 0 at the best rate alone, and the larger the further away
    assert sympy.simplify(bound - value - lost) == 0
    assert sympy.simplify(sympy.diff(lost, ETA) - BETA * SIGMA2 * (ETA - best) * (ETA + best) / ETA**2) == 0


@statement(
    "theorem_fixed_lr.P4",
    false={
        "the contraction without its square": {"contraction": lambda part: abs(1 - part)},
        "twice the rate in the contraction": {"contraction": lambda part: 1 - 2 * part},
        "the rate for its square": {"power": 1},
    },
)
def test_on_bowls_the_distance_obeys_a_recursion(contraction=lambda part: (1 - part) ** 2, power=2):
    @drawn(first=fractions(-3, 3), start=fractions(-3, 3), curvature=parts(3), part=parts(2))
    def check(first: Fraction, start: Fraction, curvature: Fraction, part: Fraction) -> None:
        problem, rate = bowls([vector(first, 1), vector(0, 0), vector(1, 2)], curvature=curvature), part / curvature
        centre, runs = vector(first + 1, 3) / 3, problem.runs(vector(start, start), [rate] * 3)
        offsets = [[param - centre for param in run] for run in runs]
        squares = [expectation(offset @ offset for offset in level) for level in zip(*offsets, strict=True)]
        variance = problem.variance(centre)
        for before, after in itertools.pairwise(squares):
            assert after == contraction(part) * before + rate**power * variance

    check()


@statement(
    "theorem_fixed_lr.P4",
    false={
        "the floor of the theorem": {"floor": lambda eta, beta, variance: eta * beta * variance},
        "half of it": {"floor": lambda eta, beta, variance: eta * beta * variance / 2},
        "one for two": {"floor": lambda eta, beta, variance: eta * beta * variance / (1 + eta * beta)},
    },
)
def test_the_noise_floor_is_attained(
    floor=lambda eta, beta, variance: noise_floor(learning_rate=eta, smoothness=beta, variance=variance),
):
    stationary = floor(ETA, BETA, SIGMA2)
    squared = stationary / BETA**2  # the squared distance at which it is
    assert sympy.simplify((1 - ETA * BETA) ** 2 * squared + ETA**2 * SIGMA2 - squared) == 0
    theorem = sympy.limit(theorem_fixed_lr(T, **CONSTANTS), T, sympy.oo)
    assert stationary.subs(ETA, 1 / BETA) == theorem.subs(ETA, 1 / BETA) == SIGMA2

    @drawn(part=parts(), curvature=parts(3), centre=fractions(1, 3))
    def check(part: Fraction, curvature: Fraction, centre: Fraction) -> None:
        rate, variance = part / curvature, (curvature * centre) ** 2
        assert part * variance / 2 < floor(rate, curvature, variance) <= part * variance
        problem = bowls(points(-centre, centre), curvature=curvature)
        runs = problem.runs(vector(0), [1 / curvature] * 3)
        reached = [expectation(map(problem.squared_gradient, level)) for level in zip(*runs, strict=True)]
        assert reached == [0, *[floor(1 / curvature, curvature, variance)] * 3]  # at once, at the largest rate

    check()


@statement(
    "theorem_fixed_lr.P6",
    false={
        "the gap without the number of steps": {"bound": lambda steps, **rest: theorem_fixed_lr(1, **rest)},
        "sigma for its square": {"bound": changed(theorem_fixed_lr, variance=sympy.sqrt)},
    },
)
def test_the_bound_falls_with_the_steps_and_rises_straight_with_the_variance(bound: Bound = theorem_fixed_lr):
    right = bound(T, **CONSTANTS)

    assert sympy.diff(right, T).is_negative
    assert sympy.diff(right, SIGMA2).is_positive
    assert sympy.diff(right, SIGMA2, 2) == 0


@statement(
    "theorem_fixed_lr.P7",
    false={
        "the largest admitted rate": {"part": Q(1)},
        "half of it": {"part": Q(1, 2)},
    },
)
def test_too_large_a_rate_diverges(part=Q(9, 4)):
    (run,) = BOWL.runs(vector(1), [part / BOWL.smoothness] * 5)
    squares = [BOWL.squared_gradient(param) for param in run]

    assert all(after >= (part - 1) ** 2 * before > before for before, after in itertools.pairwise(squares))
    constants = {"smoothness": BOWL.smoothness, "variance": Q(0), "gap": BOWL.gap(vector(1))}
    for steps in range(1, 7):
        right = theorem_fixed_lr(steps, learning_rate=part / BOWL.smoothness, **constants)
        assert expectation(squares[:steps]) > right


@statement("theorem_fixed_lr.P7", false={"the largest admitted rate": {"beyond": Q(0)}})
def test_the_printed_bound_fails_as_soon_as_the_rate_exceeds_one_over_beta(beyond=Q(1, 100)):
    rate = (1 + beyond) / BOWL.smoothness
    reached, constants = enumerated(BOWL, vector(1), rate, 1)

    assert reached > theorem_fixed_lr(1, **constants)
    assert reached <= theorem_fixed_lr_sharp(1, **constants)


@statement(
    "theorem_fixed_lr.P8",
    false={
        "one centre less in the divisor": {"variance": Q(28, 3)},
        "without the square of the constant": {"variance": Q(28, 9)},
    },
)
def test_the_worked_example_has_its_numbers(variance=Q(56, 9)):
    assert bowls(points(0, 1, 3), curvature=Q(2)).variance(vector(7)) == variance
    constants = {"smoothness": Q(2), "variance": variance}
    rates = [Q(1, 10), Q(3, 10), Q(1, 2)]

    floors = [float(noise_floor(learning_rate=rate, **constants)) for rate in rates]
    theorem = [float(theorem_fixed_lr(1, learning_rate=rate, gap=Q(0), **constants)) for rate in rates]

    assert [f"{value:.12g}" for value in floors] == ["0.691358024691", "2.66666666667", "6.22222222222"]
    assert [f"{value:.12g}" for value in theorem] == ["1.24444444444", "3.73333333333", "6.22222222222"]


@statement(
    "proof_theorem_fixed_lr",
    "proof_theorem_fixed_lr.P1",
    false={
        "three quarters for the half": {"kept": Q(3, 4)},
        "the sum over one step more": {"last": 1},
        "divided by the rate": {"divisor": lambda rate, steps: rate * steps},
    },
)
def test_each_step_of_the_proof_holds(kept=Q(1, 2), last=0, divisor=lambda rate, steps: rate * steps / 2):
    @drawn(found=problems(), part=parts(), steps=few)
    @example(found=(NOISY_BOWLS, vector(2)), part=Q(1), steps=3)
    @example(found=(BOWL, vector(2)), part=Q(1, 2), steps=1)
    def check(found: Found, part: Fraction, steps: int) -> None:
        problem, start = found
        beta, rate = problem.smoothness, part / problem.smoothness
        runs = problem.runs(start, [rate] * (steps + last))
        variance = noise(problem, runs)
        levels = [expectation(map(problem.loss, level)) for level in zip(*runs, strict=True)]
        squares = [expectation(level) for level in zip(*squared_gradients(problem, runs), strict=True)]
        allowed = rate**2 * beta / 2 * variance
        for param in {tuple(run[0]): run[0] for run in runs}.values():  # (a) at each point, on average over the index
            rise = expectation(
                problem.loss(problem.updated(param, (index,), rate)) for index in range(len(problem.losses))
            )
            constants = {"learning_rate": rate, "smoothness": beta, "variance": variance}
            right = expected_descent_eq1(problem.loss(param), problem.squared_gradient(param), **constants)
            assert rise <= right
        for square in squares:  # (b)
            assert -(rate - rate**2 * beta / 2) * square <= -kept * rate * square
        rises = [after - before for before, after in itertools.pairwise(levels)]
        assert sum(rises) == levels[steps] - levels[0]  # (c)
        assert problem.minimum - levels[0] <= levels[steps] - levels[0]
        assert levels[steps] - levels[0] <= -rate / 2 * sum(squares[:steps]) + steps * allowed
        total = (levels[0] - problem.minimum + steps * allowed) / divisor(rate, steps)  # (d)
        assert total == theorem_fixed_lr(
            steps, learning_rate=rate, smoothness=beta, variance=variance, gap=problem.gap(start)
        )

    check()


@statement(
    "proof_theorem_fixed_lr.P2",
    "D093",
    false={
        "steps up to the last point": {"last": 1},
        "a lower bound above the minimum": {"above": Q(1)},
    },
)
def test_the_losses_telescope_along_every_path(last=0, above=Q(0)):
    """Summed over all t below T; over t up to T, as printed, the sum ends one loss later."""

    @drawn(found=problems(), part=parts(), steps=few)
    @example(found=(BOWL, vector(1)), part=Q(1, 2), steps=1)
    @example(found=(BOWL, vector(1)), part=Q(1), steps=1)
    def check(found: Found, part: Fraction, steps: int) -> None:
        problem, start = found
        for run in problem.runs(start, [part / problem.smoothness] * (steps + 1)):
            losses = [problem.loss(param) for param in run]
            total = sum(losses[t + 1] - losses[t] for t in range(steps + last))
            assert total == losses[steps] - losses[0]
            assert problem.minimum + above - losses[0] <= total

    check()


@statement("D092", false={"one step": {"steps": 1}})
def test_the_theorem_says_nothing_of_no_steps(steps=0):
    """T is printed as at most 1 in the proof: for no steps at all there is nothing to average."""
    try:
        theorem_fixed_lr(steps, learning_rate=Q(1), smoothness=Q(1), variance=Q(1), gap=Q(1))
    except ZeroDivisionError:
        return
    raise AssertionError("there is a bound")


@statement("D094", false={"the expectation on both sides": {"total": True}})
def test_the_first_line_of_the_proof_is_conditional(total=False):
    """The total expectation on the left, one realised gradient on the right: -1/16 is not at most -1/4."""
    problem, rate, start = bowls(points(-1, 1), curvature=Q(1)), Q(1, 2), vector(1)
    runs = problem.runs(start, [rate] * 2)
    rise = expectation(problem.loss(run[2]) - problem.loss(run[1]) for run in runs)
    squares = [problem.squared_gradient(run[1]) for run in runs]
    if total:
        squares = [expectation(squares)]

    constants = {"learning_rate": rate, "smoothness": Q(1), "variance": Q(1)}
    rights = [expected_descent_eq1(Q(0), square, **constants) for square in squares]

    assert rise > min(rights)
    assert (rise, min(rights)) == (Q(-1, 16), Q(-1, 4))


@statement(
    "limit_min_gradient",
    "limit_min_gradient.P1",
    "limit_min_gradient.P2",
    false={
        "the largest for the smallest": {"least": max},
        "the last for the smallest": {"least": lambda squares: squares[-1]},
    },
)
def test_the_expected_smallest_gradient_falls_below_the_bound(least=min):
    @drawn(found=problems(), part=parts())
    @example(found=(NOISY_BOWLS, vector(0)), part=Q(1))
    @example(found=(BOWL, vector(1)), part=Q(1))
    def check(found: Found, part: Fraction) -> None:
        problem, start = found
        rate = part / problem.smoothness
        runs = problem.runs(start, [rate] * 3)
        squares, variance = squared_gradients(problem, runs), noise(problem, runs)
        expected = [expectation(level) for level in zip(*squares, strict=True)]
        smallest = [expectation(least(run[:steps]) for run in squares) for steps in range(1, 5)]
        assert smallest == sorted(smallest, reverse=True)
        assert smallest[-1] >= 0
        for steps, reached in enumerate(smallest, start=1):
            constants = {"smoothness": problem.smoothness, "variance": variance, "gap": problem.gap(start)}
            right = theorem_fixed_lr(steps, learning_rate=rate, **constants)
            assert reached <= min(expected[:steps]) <= expectation(expected[:steps]) <= right

    check()


@statement(
    "limit_min_gradient.P3",
    false={
        "the limit of the theorem": {"bound": theorem_fixed_lr},
        "half the noise": {"bound": changed(theorem_fixed_lr_sharp, variance=lambda variance: variance / 2)},
    },
)
def test_the_sharper_bound_tends_to_the_noise_floor(bound: Bound = theorem_fixed_lr_sharp):
    limit = sympy.limit(bound(T, **CONSTANTS), T, sympy.oo)

    floor = noise_floor(learning_rate=ETA, smoothness=BETA, variance=SIGMA2)
    assert sympy.simplify(limit - floor) == 0
    assert sympy.simplify(ETA * BETA * SIGMA2 / floor - 2 + ETA * BETA) == 0  # at most the theorem's up to 1 / beta


@statement(
    "limit_min_gradient.P4",
    false={
        "no centre in the middle": {"centres": points(-1, 1)},
        "a start in the middle": {"start": vector(0)},
    },
)
def test_the_smallest_gradient_may_tend_to_zero_in_spite_of_the_noise(centres=points(-1, 0, 1), start=vector(1)):
    """At the rate 1 / beta every step lands on a centre, one of which is the minimum."""
    problem = bowls(centres, curvature=Q(1))
    squares = squared_gradients(problem, problem.runs(start, [Q(1)] * 4))

    assert [expectation(min(run[:steps]) for run in squares) for steps in range(1, 6)] == [
        Q(2, 3) ** t for t in range(5)
    ]
    assert problem.variance(start) == Q(2, 3)


@statement(
    "theorem_decreasing_lr.P1",
    false={"the harmonic rates": {"rates": lambda rate, steps: [rate / (t + 1) for t in range(steps)]}},
)
def test_a_constant_schedule_gives_the_first_theorem(rates=lambda rate, steps: [rate] * steps):
    constants = {"smoothness": BETA, "variance": SIGMA2, "gap": GAP}
    for steps in range(1, 5):
        scheduled = theorem_decreasing_lr(rates(ETA, steps), **constants)
        assert sympy.simplify(scheduled - theorem_fixed_lr(steps, learning_rate=ETA, **constants)) == 0
