"""Batches: the second moment of their mean gradient, with and without replacement, and the third theorem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import sympy
from hypothesis import example
from hypothesis import strategies as st

from oracle.theory.convergence import theorem_fixed_lr, theorem_fixed_lr_sharp, theorem_minibatch_fixed_lr
from oracle.theory.descent import noise_floor, proposition_minibatch_variance
from oracle.theory.finite_sum import Batch, FiniteSum, Vector
from oracle.theory.problems import bowls
from oracle.training.sampling import (
    expectation,
    minibatch_variance_with_replacement,
    minibatch_variance_without_replacement,
    with_replacement,
    without_replacement,
)
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
)
from tests.helpers.statements import statement

BOWL = bowls(points(0), curvature=Q(3))
NOISY_BOWLS = bowls(points(-1, 1), curvature=Q(3))
THREE_BOWLS = bowls(points(0, 1, 3), curvature=Q(2))

Bound = Callable[..., Any]
Found = tuple[FiniteSum, Vector]

T, N_B, BUDGET, ETA, BETA, SIGMA2, GAP = sympy.symbols("T n_B B eta beta sigma2 Delta", positive=True)
CONSTANTS = {"learning_rate": ETA, "smoothness": BETA, "variance": SIGMA2, "gap": GAP}


def batch_moment(problem: FiniteSum, param: Vector, batches: Iterable[Batch]) -> Fraction:
    """The second moment of the mean gradient of a batch."""
    estimates = [problem.estimate(param, batch) for batch in batches]
    return expectation(estimate @ estimate for estimate in estimates)


def changed(bound: Bound, **changes: Callable[[Any], Any]) -> Bound:
    """A right-hand side with some of its constants changed."""
    return lambda first, **constants: bound(
        first, **{name: changes.get(name, lambda same: same)(value) for name, value in constants.items()}
    )


@statement(
    "proposition_minibatch_variance.P1",
    "proposition_minibatch_variance.P4",
    "proof_proposition_minibatch_variance.P1",
    false={
        "without the batch size": {"share": lambda variance, size: variance},
        "the square of the batch size": {"share": lambda variance, size: variance / size**2},
        "one sample less": {"share": lambda variance, size: variance / max(size - 1, 1)},
        "without the mean": {"weight": 0},
        "draws without replacement": {"batches": without_replacement},
    },
)
def test_a_batch_with_replacement_divides_the_variance_by_its_size(
    share=minibatch_variance_with_replacement, weight=1, batches=with_replacement
):
    @drawn(found=problems(smallest=3), size=few)
    @example(found=(THREE_BOWLS, vector(1)), size=2)
    @example(found=(THREE_BOWLS, vector(1)), size=3)
    def check(found: Found, size: int) -> None:
        problem, x = found
        stated = weight * problem.squared_gradient(x) + share(problem.variance(x), size)
        assert batch_moment(problem, x, batches(3, size)) == stated

    check()


@statement(
    "proposition_minibatch_variance",
    "proposition_minibatch_variance.P1",
    "D089",
    "D100",
    false={
        "the square of the batch size": {
            "bound": changed(proposition_minibatch_variance, batch_size=lambda size: size**2)
        },
        "sigma for its square": {
            "bound": changed(proposition_minibatch_variance, variance=lambda variance: variance ** Q(1, 2))
        },
        "a bound of the variance": {"bound": lambda square, **rest: proposition_minibatch_variance(0, **rest)},
        "the square of the loss": {"square": lambda problem, x: problem.loss(x) ** 2},
    },
)
def test_the_proposition_bounds_the_second_moment_of_a_batch(
    bound: Bound = proposition_minibatch_variance, square=FiniteSum.squared_gradient
):
    """Its name says variance, which is smaller by the squared mean."""

    @drawn(found=problems(smallest=2), size=few, slack=fractions(0, 2))
    @example(found=(NOISY_BOWLS, vector(1)), size=2, slack=Q(0))
    @example(found=(bowls(points(0, 0), curvature=Q(1)), vector(1)), size=1, slack=Q(0))
    def check(found: Found, size: int, slack: Fraction) -> None:
        problem, x = found
        variance = problem.variance(x) + slack
        reached = batch_moment(problem, x, with_replacement(len(problem.losses), size))
        right = bound(square(problem, x), variance=variance, batch_size=size)
        assert reached <= right
        assert (reached == right) == (slack == 0)  # attained where the third hypothesis is

    check()


@statement(
    "proposition_minibatch_variance.P2",
    false={
        "all samples below": {"share": lambda variance, size, count: variance * Q(count - size, size * count)},
        "one sample more above": {
            "share": lambda variance, size, count: variance * Q(count - size + 1, size * (count - 1))
        },
        "as with replacement": {"share": lambda variance, size, count: variance / size},
    },
)
def test_a_batch_of_different_samples_has_less_variance(share=minibatch_variance_without_replacement):
    @drawn(found=problems(smallest=2), size=few)
    @example(found=(THREE_BOWLS, vector(1)), size=1)
    @example(found=(THREE_BOWLS, vector(1)), size=2)
    @example(found=(THREE_BOWLS, vector(1)), size=3)
    def check(found: Found, size: int) -> None:
        problem, x = found
        count = len(problem.losses)
        size = min(size, count)
        square, variance = problem.squared_gradient(x), problem.variance(x)
        reached = batch_moment(problem, x, without_replacement(count, size))
        assert reached == square + share(variance, size, count)
        right = proposition_minibatch_variance(square, variance=variance, batch_size=size)
        assert reached < right if size > 1 and variance > 0 else reached == right

    check()


@statement(
    "proposition_minibatch_variance.P3",
    false={
        "the square of the batch size": {"power": 2},
        "its root": {"power": Q(1, 2)},
        "draws without replacement": {"batches": without_replacement},
    },
)
def test_the_excess_is_inverse_to_the_batch_size(power=1, batches=with_replacement):
    @drawn(found=problems(smallest=3), size=few)
    @example(found=(THREE_BOWLS, vector(1)), size=2)
    @example(found=(THREE_BOWLS, vector(1)), size=3)
    def check(found: Found, size: int) -> None:
        problem, x = found
        excess = batch_moment(problem, x, batches(3, size)) - problem.squared_gradient(x)
        assert excess * size**power == problem.variance(x)

    check()
    for param in points(-2, 0, 5):  # one sample: the third hypothesis, as an equality
        single = proposition_minibatch_variance(THREE_BOWLS.squared_gradient(param), variance=Q(56, 9), batch_size=1)
        assert THREE_BOWLS.second_moment(param) == single


@statement(
    "proof_proposition_minibatch_variance",
    "proof_proposition_minibatch_variance.P1",
    "D089",
    false={
        "as printed": {"square": lambda problem, x: problem.loss(x) ** 2},
        "dependent samples": {"batches": [(0, 0), (1, 1), (2, 2)]},
        "different samples": {"batches": tuple(without_replacement(3, 2))},
    },
)
def test_the_variance_of_independent_samples_adds_up(
    square=FiniteSum.squared_gradient, batches: Sequence[Batch] = tuple(with_replacement(3, 2))
):
    """The first line of the proof prints the squared loss for the squared gradient."""

    @drawn(found=problems(smallest=3))
    @example(found=(THREE_BOWLS, vector(1)))
    def check(found: Found) -> None:
        problem, x = found
        estimates = [problem.estimate(x, batch) for batch in batches]
        deviations = [estimate - expectation(estimates) for estimate in estimates]
        trace = expectation(deviation @ deviation for deviation in deviations)
        assert trace == batch_moment(problem, x, batches) - expectation(estimates) @ expectation(estimates)
        assert trace == (problem.second_moment(x) - square(problem, x)) / 2

    check()


@statement(
    "proof_proposition_minibatch_variance.P2",
    false={
        "batches that hold the first sample": {"schemes": [[(0, 0), (0, 1), (0, 2)]]},
        "one batch": {"schemes": [[(0, 1)]]},
    },
)
def test_the_mean_of_a_batch_is_unbiased_without_independence(
    schemes: Sequence[Sequence[Batch]] = (
        tuple(with_replacement(3, 2)),
        tuple(without_replacement(3, 2)),
        [(0, 0), (1, 1), (2, 2)],
        [(0, 1), (1, 2), (2, 0)],
    ),
):
    @drawn(found=problems(smallest=3))
    @example(found=(THREE_BOWLS, vector(1)))
    def check(found: Found) -> None:
        problem, x = found
        for batches in schemes:
            assert (expectation(problem.estimate(x, batch) for batch in batches) == problem.gradient(x)).all()

    check()


@statement(
    "theorem_minibatch_fixed_lr",
    "theorem_minibatch_fixed_lr.C1",
    false={
        "half the noise": {"bound": changed(theorem_minibatch_fixed_lr, variance=lambda variance: variance / 2)},
        "the square of the batch size": {"bound": changed(theorem_minibatch_fixed_lr, batch_size=lambda size: size**2)},
        "sigma for its square": {
            "bound": changed(theorem_minibatch_fixed_lr, variance=lambda variance: variance ** Q(1, 2))
        },
        "the gap without the 2": {"bound": changed(theorem_minibatch_fixed_lr, gap=lambda gap: gap / 2)},
        "without the batch size": {"bound": changed(theorem_minibatch_fixed_lr, batch_size=lambda size: 1)},
    },
)
def test_the_mean_squared_gradient_stays_below_the_third_theorem(bound: Bound = theorem_minibatch_fixed_lr):
    @drawn(found=problems(largest=2), part=parts(), steps=few)
    @example(found=(NOISY_BOWLS, vector(0)), part=Q(1), steps=4)
    @example(found=(BOWL, vector(1)), part=Q(1), steps=1)
    def check(found: Found, part: Fraction, steps: int) -> None:
        problem, start = found
        rate = part / problem.smoothness
        runs = problem.runs(start, [rate] * (steps - 1), with_replacement(len(problem.losses), 2))
        constants = {"smoothness": problem.smoothness, "variance": noise(problem, runs), "gap": problem.gap(start)}
        right = bound(steps, learning_rate=rate, batch_size=2, **constants)
        assert expectation(map(expectation, squared_gradients(problem, runs))) <= right

    check()
    assert sympy.diff(bound(T, **CONSTANTS, batch_size=N_B), N_B).is_negative  # larger batches come closer


@statement(
    "theorem_minibatch_fixed_lr.P1",
    "theorem_fixed_lr",
    false={
        "batches of two": {"size": 2},
        "a gap that shrinks with the batch": {
            "bound": lambda steps, *, gap, batch_size, **rest: theorem_minibatch_fixed_lr(
                steps, gap=gap / batch_size, batch_size=batch_size, **rest
            )
        },
    },
)
def test_one_sample_gives_the_first_theorem_and_many_the_deterministic_one(
    size=1, bound: Bound = theorem_minibatch_fixed_lr
):
    printed = ETA * BETA * SIGMA2 + 2 * GAP / (ETA * T)
    assert sympy.expand(bound(T, **CONSTANTS, batch_size=size) - printed) == 0
    assert sympy.expand(theorem_fixed_lr(T, **CONSTANTS) - printed) == 0

    limit = sympy.limit(bound(T, **CONSTANTS, batch_size=N_B), N_B, sympy.oo)
    assert sympy.expand(limit - theorem_fixed_lr(T, **{**CONSTANTS, "variance": 0})) == 0


@statement(
    "theorem_minibatch_fixed_lr.P2",
    false={
        "the square of the batch size": {"power": 2},
        "draws without replacement": {"batches": without_replacement},
        "half the largest rate": {"part": Q(1, 2)},
    },
)
def test_the_noise_term_is_attained_on_bowls(power=1, batches=with_replacement, part=Q(1)):
    problem, rate = THREE_BOWLS, part / THREE_BOWLS.smoothness
    middle = vector(Q(4, 3))
    for size in (1, 2, 3):
        runs = problem.runs(middle, [rate] * 2, batches(3, size))
        floor = problem.variance(middle) / size**power
        levels = [expectation(map(problem.squared_gradient, level)) for level in zip(*runs, strict=True)]
        assert levels == [0, floor, floor]
        noise_term = theorem_minibatch_fixed_lr(
            1, learning_rate=rate, smoothness=Q(2), variance=Q(56, 9), gap=Q(0), batch_size=size
        )
        assert noise_term == floor


@statement(
    "theorem_minibatch_fixed_lr.P3",
    false={
        "without the denominator": {
            "bound": lambda steps, *, learning_rate, smoothness, variance, gap: (
                gap / (learning_rate * steps) + learning_rate * smoothness * variance / 2
            )
        },
        "the square of the batch size": {"power": 2},
        "the printed bound": {"bound": theorem_fixed_lr},
    },
)
def test_the_sharper_bound_holds_for_batches(bound: Bound = theorem_fixed_lr_sharp, power=1):
    @drawn(found=problems(largest=2), quarters=st.integers(1, 7), steps=few)
    @example(found=(NOISY_BOWLS, vector(0)), quarters=4, steps=4)
    @example(found=(BOWL, vector(1)), quarters=7, steps=1)
    def check(found: Found, quarters: int, steps: int) -> None:
        problem, start = found
        rate = Q(quarters, 4) / problem.smoothness
        runs = problem.runs(start, [rate] * (steps - 1), with_replacement(len(problem.losses), 2))
        constants = {"smoothness": problem.smoothness, "gap": problem.gap(start), "learning_rate": rate}
        variance = noise(problem, runs) / 2**power
        assert expectation(map(expectation, squared_gradients(problem, runs))) <= bound(
            steps, variance=variance, **constants
        )

    check()
    limit = sympy.limit(bound(T, **{**CONSTANTS, "variance": SIGMA2 / N_B}), T, sympy.oo)
    floor = noise_floor(learning_rate=ETA, smoothness=BETA, variance=SIGMA2)
    assert sympy.simplify(limit - floor / N_B) == 0


@statement(
    "theorem_minibatch_fixed_lr.P4",
    false={
        "all samples below": {"share": lambda variance, size, count: variance * Q(count - size, size * count)},
        "one sample less above": {"share": lambda variance, size, count: variance * Q(count - size - 1, size)},
        "the square of the batch size": {
            "share": lambda variance, size, count: variance * Q(count - size, size**2 * (count - 1))
        },
    },
)
def test_fresh_batches_of_different_samples_shrink_the_noise(share=minibatch_variance_without_replacement):
    @drawn(found=problems(smallest=3), part=parts(), steps=few)
    def check(found: Found, part: Fraction, steps: int) -> None:
        problem, start = found
        rate = part / problem.smoothness
        runs = problem.runs(start, [rate] * (steps - 1), without_replacement(3, 2))
        variance = share(noise(problem, runs), 2, 3)
        constants = {"smoothness": problem.smoothness, "gap": problem.gap(start), "learning_rate": rate}
        assert expectation(map(expectation, squared_gradients(problem, runs))) <= theorem_fixed_lr(
            steps, variance=variance, **constants
        )

    check()
    middle, rate = vector(Q(4, 3)), 1 / THREE_BOWLS.smoothness  # attained, as with replacement
    ends = [run[-1] for run in THREE_BOWLS.runs(middle, [rate] * 2, without_replacement(3, 2))]
    assert expectation(map(THREE_BOWLS.squared_gradient, ends)) == share(THREE_BOWLS.variance(middle), 2, 3)


@statement(
    "theorem_minibatch_fixed_lr.P5",
    false={
        "without the 2 under the root": {"best": ETA * sympy.sqrt(SIGMA2 * BETA * BUDGET / GAP)},
        "the rate without its place": {"best": sympy.sqrt(SIGMA2 * BETA * BUDGET / (2 * GAP))},
    },
)
def test_a_budget_of_gradients_has_a_best_batch_size(
    best=ETA * sympy.sqrt(SIGMA2 * BETA * BUDGET / (2 * GAP)),
):
    right = theorem_minibatch_fixed_lr(BUDGET / N_B, **CONSTANTS, batch_size=N_B)

    assert sympy.expand(right - ETA * BETA * SIGMA2 / N_B - 2 * N_B * GAP / (ETA * BUDGET)) == 0
    assert sympy.simplify(sympy.diff(right, N_B).subs(N_B, best)) == 0
    assert sympy.diff(right, N_B, 2).is_positive
