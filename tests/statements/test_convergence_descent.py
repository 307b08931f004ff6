"""What a step does to a smooth loss: the descent lemma, in expectation, and equations (1) and (2)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from hypothesis import example
from hypothesis import strategies as st

from oracle.theory.descent import (
    descent_inequality,
    expected_descent_eq1,
    expected_descent_eq2,
    noise_floor,
    proposition_minibatch_variance,
    sgd_expected_inequality,
)
from oracle.theory.finite_sum import FiniteSum, Vector
from oracle.theory.problems import bowls, tilted
from oracle.training.sampling import expectation, with_replacement
from tests.helpers.finite_sums import ROTATIONS, Q, drawn, fractions, parts, points, problems, quadratic, vector, wave
from tests.helpers.statements import statement

BOWL = bowls(points(0), curvature=Q(3))
NOISY_BOWLS = bowls(points(-1, 1), curvature=Q(3))
HILL = tilted(**wave(Q(3)), slopes=points(0))

Bound = Callable[..., Any]


def symbols(name: str) -> Vector:
    return np.array(sympy.symbols(f"{name}1 {name}2", real=True), dtype=object)


def after(problem: FiniteSum, param: Vector, rate: Fraction) -> Fraction:
    """The expected loss after one stochastic step."""
    return expectation(problem.loss(end) for _, end in problem.runs(param, [rate]))


@statement(
    "smooth_loss_assumptions",
    false={
        "half the constant": {"constant": lambda beta: beta / 2},
        "its square": {"constant": lambda beta: beta**2},
        "a loss without its minimum": {"above": Q(1)},
    },
)
def test_drawn_problems_fulfil_what_is_assumed_of_the_loss(constant=lambda beta: beta, above=Q(0)):
    @drawn(found=problems(), step=fractions(-3, 3))
    @example(found=(BOWL, vector(0)), step=Q(1))
    @example(found=(bowls(points(0), curvature=Q(1, 2)), vector(0)), step=Q(1))
    @example(found=(HILL, vector(1)), step=Q(2))
    def check(found: tuple[FiniteSum, Vector], step: Fraction) -> None:
        problem, x = found
        change = problem.gradient(x + step) - problem.gradient(x)
        assert change @ change <= constant(problem.smoothness) ** 2 * len(x) * step**2
        assert problem.gap(x) >= above

    check()


@statement(
    "smooth_loss_assumptions.P1",
    false={
        "a third of the constant": {"width": lambda beta, square: beta * square / 3},
        "without the constant": {"width": lambda beta, square: square / 2},
    },
)
def test_a_smooth_loss_lies_between_two_parabolas(width=lambda beta, square: beta * square / 2):
    @drawn(found=problems(), step=fractions(-3, 3))
    @example(found=(BOWL, vector(1)), step=Q(1))
    @example(found=(HILL, vector(2)), step=Q(1))
    def check(found: tuple[FiniteSum, Vector], step: Fraction) -> None:
        problem, x = found
        y = x + step * vector(*[1, -2][: len(x)])
        linear = problem.loss(x) + problem.gradient(x) @ (y - x)
        assert abs(problem.loss(y) - linear) <= width(problem.smoothness, (y - x) @ (y - x))

    check()


@statement(
    "smooth_loss_assumptions.P2",
    false={
        "without the factor 2": {"bound": lambda beta, gap: beta * gap},
        "without the constant": {"bound": lambda beta, gap: 2 * gap},
    },
)
def test_small_losses_have_small_gradients(bound=lambda beta, gap: 2 * beta * gap):
    @drawn(found=problems())
    @example(found=(BOWL, vector(1)))
    def check(found: tuple[FiniteSum, Vector]) -> None:
        problem, x = found
        assert problem.squared_gradient(x) <= bound(problem.smoothness, problem.gap(x))

    check()


@statement(
    "smooth_loss_assumptions.P3",
    false={
        "the coefficient of the square": {"scale": Q(1, 2)},
        "twice the curvature": {"scale": Q(2)},
    },
)
def test_the_smoothness_of_a_quadratic_is_its_largest_curvature(scale=Q(1)):
    x, y = sympy.symbols("x y", real=True)
    for polynomial, stated in [(x**2, 2), (x**2 + 3 * y**2, 6), ((x - 1) ** 2, 2)]:
        hessian = sympy.hessian(polynomial, sorted(polynomial.free_symbols, key=str))
        assert scale * max(hessian.eigenvals()) == stated

    @drawn(largest=parts(3), turn=fractions(-3, 3))
    def check(largest: Fraction, turn: Fraction) -> None:
        curvatures = [largest, largest / 3]
        for cos, sin in ROTATIONS:
            gradient = quadratic(curvatures, (cos, sin))["gradient"]
            smoothness = scale * largest
            direction, steepest = vector(1, turn), vector(cos, sin)
            assert gradient(direction) @ gradient(direction) <= smoothness**2 * (direction @ direction)
            assert gradient(steepest) @ gradient(steepest) == smoothness**2  # no smaller number serves

    check()


@statement(
    "descent_inequality",
    "descent_inequality.P1",
    false={
        "without the half": {"bound": lambda *args, smoothness: descent_inequality(*args, smoothness=2 * smoothness)},
        "a third for the half": {
            "bound": lambda *args, smoothness: descent_inequality(*args, smoothness=2 * smoothness / 3)
        },
        "without the constant": {"bound": lambda *args, smoothness: descent_inequality(*args, smoothness=1)},
        "the other sign of the inner product": {
            "bound": lambda loss, gradient, step, *, smoothness: descent_inequality(
                loss, gradient, -step, smoothness=smoothness
            )
        },
    },
)
def test_the_descent_inequality_holds_between_any_points(bound: Bound = descent_inequality):
    @drawn(found=problems(), step=fractions(-3, 3), excess=fractions(0, 2))
    @example(found=(BOWL, vector(1)), step=Q(2), excess=Q(0))
    @example(found=(HILL, vector(1)), step=Q(-2), excess=Q(0))
    def check(found: tuple[FiniteSum, Vector], step: Fraction, excess: Fraction) -> None:
        problem, x = found
        y = x + step * vector(*[1, -2][: len(x)])
        loss, gradient = problem.loss(x), problem.gradient(x)
        assert problem.loss(y) <= bound(loss, gradient, y - x, smoothness=problem.smoothness + excess)

    @drawn(centre=fractions(-3, 3), curvature=parts(3), x=fractions(-3, 3), y=fractions(-3, 3))
    def attained(centre: Fraction, curvature: Fraction, x: Fraction, y: Fraction) -> None:
        bowl = bowls([vector(centre, 0)], curvature=curvature)
        start, end = vector(x, 1), vector(y, -1)
        right = bound(bowl.loss(start), bowl.gradient(start), end - start, smoothness=curvature)
        assert bowl.loss(end) == right

    check()
    attained()


@statement(
    "descent_inequality.P2",
    false={
        "half the step": {"reach": Q(1, 2)},
        "twice the step": {"reach": Q(2)},
        "twice the gain": {"gain": Q(1)},
    },
)
def test_the_right_side_is_least_one_over_beta_down_the_gradient(reach=Q(1), gain=Q(1, 2)):
    loss, beta = sympy.symbols("L beta", positive=True)
    gradient, step = symbols("g"), symbols("d")
    reach, gain = map(sympy.Rational, (reach, gain))

    right = descent_inequality(loss, gradient, step, smoothness=beta)

    beyond = step + reach * gradient / beta  # the distance to the best step, whose square is all that is lost
    assert sympy.expand(right - (loss - gain * (gradient @ gradient) / beta) - beta * (beyond @ beyond) / 2) == 0


@statement(
    "D088",
    false={
        "the corrected sign": {"sign": -1},
        "a batch of all samples": {"losses": 1},
    },
)
def test_the_printed_step_against_the_gradient_breaks_the_descent_inequality(sign=1, losses=2):
    """The under-arrow puts in plus the rate times a sample's gradient where the step is minus that."""
    problem, start = bowls(points(-3, 1)[:losses], curvature=Q(1)), vector(0)
    loss, gradient = problem.loss(start), problem.gradient(start)

    broken = [
        index
        for index, sample in enumerate(problem.gradients(start))
        if problem.loss(start - sample) > descent_inequality(loss, gradient, sign * sample, smoothness=Q(1))
    ]

    assert broken == [1]  # where the sample's gradient points away from the mean one: 4 against 2


@statement(
    "sgd_expected_inequality",
    "sgd_expected_inequality.P1",
    false={
        "a third for the half": {
            "bound": lambda *args, smoothness, **rest: sgd_expected_inequality(
                *args, smoothness=2 * smoothness / 3, **rest
            )
        },
        "without the half": {
            "bound": lambda *args, smoothness, **rest: sgd_expected_inequality(*args, smoothness=2 * smoothness, **rest)
        },
        "without the constant": {
            "bound": lambda *args, smoothness, **rest: sgd_expected_inequality(*args, smoothness=1, **rest)
        },
        "the square of the mean": {
            "bound": lambda loss, gradient, estimate, second, **rest: sgd_expected_inequality(
                loss, gradient, estimate, estimate @ estimate, **rest
            )
        },
        "the printed plus": {
            "bound": lambda loss, gradient, estimate, second, **rest: sgd_expected_inequality(
                loss, gradient, -estimate, second, **rest
            )
        },
    },
)
def test_averaging_over_the_index_bounds_the_expected_loss(bound: Bound = sgd_expected_inequality):
    @drawn(found=problems(), part=parts(3))
    @example(found=(NOISY_BOWLS, vector(0)), part=Q(1))
    def check(found: tuple[FiniteSum, Vector], part: Fraction) -> None:
        problem, x = found
        rate, gradient = part / problem.smoothness, problem.gradient(x)
        moments = expectation(problem.gradients(x)), problem.second_moment(x)
        right = bound(problem.loss(x), gradient, *moments, learning_rate=rate, smoothness=problem.smoothness)
        assert after(problem, x, rate) <= right

    @drawn(first=fractions(-3, 3), second=fractions(-3, 3), curvature=parts(3), part=parts(3))
    def attained(first: Fraction, second: Fraction, curvature: Fraction, part: Fraction) -> None:
        problem, x = bowls([vector(first, 1), vector(second, 0)], curvature=curvature), vector(0, 0)
        rate, gradient = part / curvature, problem.gradient(x)
        right = bound(
            problem.loss(x), gradient, gradient, problem.second_moment(x), learning_rate=rate, smoothness=curvature
        )
        assert after(problem, x, rate) == right

    check()
    attained()


@statement(
    "sgd_expected_inequality.C1",
    false={
        "one sample": {"centres": points(0)},
        "far from the minimum": {"start": vector(4)},
    },
)
def test_the_expected_inequality_does_not_promise_descent(centres=points(-1, 1), start=vector(0)):
    problem = bowls(centres, curvature=Q(2))

    @drawn(part=parts(1))
    def check(part: Fraction) -> None:
        assert after(problem, start, part / 2) > problem.loss(start)

    check()


@statement(
    "D088",
    "sgd_expected_inequality.P2",
    false={
        "once the product": {"excess": 1},
        "a smaller right side": {"excess": -2},
    },
)
def test_the_printed_plus_is_true_but_promises_nothing(excess=2):
    @drawn(found=problems(), part=parts(3))
    @example(found=(BOWL, vector(1)), part=Q(1))
    def check(found: tuple[FiniteSum, Vector], part: Fraction) -> None:
        problem, x = found
        rate, gradient = part / problem.smoothness, problem.gradient(x)
        constants = {"learning_rate": rate, "smoothness": problem.smoothness}
        arguments = problem.loss(x), gradient, gradient, problem.second_moment(x)
        corrected = sgd_expected_inequality(*arguments, **constants)
        printed = sgd_expected_inequality(arguments[0], -gradient, *arguments[2:], **constants)
        assert printed - corrected == excess * rate * problem.squared_gradient(x)
        assert after(problem, x, rate) <= corrected <= printed
        assert printed >= problem.loss(x)  # so that equation (1), which promises descent, cannot follow

    check()


def with_variance(change: Callable[[Any], Any]) -> Bound:
    return lambda *args, variance, **rest: expected_descent_eq1(*args, variance=change(variance), **rest)


@statement(
    "expected_descent_eq1",
    "expected_descent_eq1.P1",
    "D091",
    false={
        "half the noise": {"bound": with_variance(lambda variance: variance / 2)},
        "sigma for its square": {"bound": with_variance(lambda variance: variance ** Q(1, 2))},
        "the rate for its square": {
            "bound": lambda loss, square, *, learning_rate, smoothness, variance: (
                loss
                - (learning_rate - smoothness * learning_rate**2 / 2) * square
                + smoothness * learning_rate * variance / 2
            )
        },
        "without the constant": {
            "bound": lambda *args, smoothness, **rest: expected_descent_eq1(*args, smoothness=1, **rest)
        },
        "the whole rate before the gradient": {
            "bound": lambda loss, square, **rest: expected_descent_eq1(
                loss - rest["smoothness"] * rest["learning_rate"] ** 2 * square / 2, square, **rest
            )
        },
    },
)
def test_equation_1_holds_for_every_rate(bound: Bound = expected_descent_eq1):
    @drawn(found=problems(), part=parts(4))
    @example(found=(NOISY_BOWLS, vector(2)), part=Q(1, 2))
    @example(found=(NOISY_BOWLS, vector(2)), part=Q(3))
    def check(found: tuple[FiniteSum, Vector], part: Fraction) -> None:
        problem, x = found
        rate = part / problem.smoothness
        constants = {"learning_rate": rate, "smoothness": problem.smoothness, "variance": problem.variance(x)}
        assert after(problem, x, rate) <= bound(problem.loss(x), problem.squared_gradient(x), **constants)

    @drawn(centre=fractions(-3, 3), start=fractions(-3, 3), part=parts(4))
    @example(centre=Q(5), start=Q(0), part=Q(1, 2))
    def attained(centre: Fraction, start: Fraction, part: Fraction) -> None:
        problem, x = bowls(points(centre, 1), curvature=Q(2)), vector(start)
        constants = {"learning_rate": part / 2, "smoothness": Q(2), "variance": (centre - 1) ** 2}
        assert after(problem, x, part / 2) == bound(problem.loss(x), problem.squared_gradient(x), **constants)

    check()
    attained()


@statement(
    "expected_descent_eq1.P2",
    "D091",
    false={
        "half the rate below": {"threshold": lambda eta, beta, noise: eta * beta * noise / (2 - eta * beta / 2)},
        "no rate below": {"threshold": lambda eta, beta, noise: eta * beta * noise / 2},
        "the floor of the theorem": {"threshold": lambda eta, beta, noise: eta * beta * noise},
        "always": {"threshold": lambda eta, beta, noise: -1},
    },
)
def test_equation_1_promises_descent_above_a_threshold_only(
    threshold=lambda eta, beta, noise: noise_floor(learning_rate=eta, smoothness=beta, variance=noise),
):
    loss, square, noise = sympy.symbols("L g2 s2", nonnegative=True)
    beta, slack = sympy.symbols("beta slack", positive=True)
    eta = 2 / (beta * (1 + slack))  # every rate whose product with the smoothness lies between 0 and 2
    right = expected_descent_eq1(loss, square, learning_rate=eta, smoothness=beta, variance=noise)

    weight = eta * slack / (1 + slack)  # the whole change is this times the distance from the threshold
    assert weight.is_positive
    assert sympy.simplify(right - loss + weight * (square - threshold(eta, beta, noise))) == 0

    start = vector(0)  # where the gradient is zero the noise alone is left, and the increase is what the bound allows
    rise = after(NOISY_BOWLS, start, Q(1, 4)) - NOISY_BOWLS.loss(start)
    assert rise == NOISY_BOWLS.smoothness * Q(1, 4) ** 2 * NOISY_BOWLS.variance(start) / 2 > 0


@statement(
    "expected_descent_eq1.P3",
    false={
        "three quarters of the rate": {"kept": Q(3, 4)},
        "a third of the rate": {"kept": Q(1, 3)},
    },
)
def test_half_of_the_rate_is_left_up_to_one_over_beta(kept=Q(1, 2)):
    beta = sympy.Symbol("beta", positive=True)
    slack = sympy.Symbol("slack", nonnegative=True)
    eta = 1 / (beta * (1 + slack))  # every rate up to 1 / beta, that one without slack
    coefficient = -expected_descent_eq1(0, 1, learning_rate=eta, smoothness=beta, variance=0)

    more = sympy.factor(coefficient - sympy.Rational(kept) * eta)
    assert more.is_nonnegative
    assert more.subs(slack, 0) == 0


@statement(
    "expected_descent_eq1.P4",
    false={
        "twice the step": {"stretch": 2},
        "some noise": {"variance": 1},
    },
)
def test_without_noise_equation_1_is_the_descent_inequality(stretch=1, variance=0):
    loss, eta, beta = sympy.symbols("L eta beta", positive=True)
    gradient = symbols("g")

    noiseless = expected_descent_eq1(loss, gradient @ gradient, learning_rate=eta, smoothness=beta, variance=variance)

    lemma = descent_inequality(loss, gradient, -stretch * eta * gradient, smoothness=beta)
    assert sympy.expand(noiseless - lemma) == 0


@statement(
    "expected_descent_eq2",
    "expected_descent_eq2.P1",
    false={
        "the square of the batch size": {
            "bound": lambda *args, batch_size, **rest: expected_descent_eq2(*args, batch_size=batch_size**2, **rest)
        },
        "without the batch size": {
            "bound": lambda *args, batch_size, **rest: expected_descent_eq2(*args, batch_size=1, **rest)
        },
        "without the half": {
            "bound": lambda *args, variance, **rest: expected_descent_eq2(*args, variance=2 * variance, **rest)
        },
    },
)
def test_equation_2_follows_in_three_steps(bound: Bound = expected_descent_eq2):
    @drawn(found=problems(), part=parts(3), size=st.sampled_from([1, 2]))
    def check(found: tuple[FiniteSum, Vector], part: Fraction, size: int) -> None:
        problem, x = found
        beta, rate = problem.smoothness, part / problem.smoothness
        batches = list(with_replacement(len(problem.losses), size))
        loss, gradient, square = problem.loss(x), problem.gradient(x), problem.squared_gradient(x)
        steps = [-rate * problem.estimate(x, batch) for batch in batches]
        pathwise = [descent_inequality(loss, gradient, step, smoothness=beta) for step in steps]
        assert all(problem.loss(x + step) <= right for step, right in zip(steps, pathwise, strict=True))

        second = expectation(step @ step for step in steps) / rate**2
        averaged = loss - rate * square + beta * rate**2 * second / 2
        assert expectation(pathwise) == averaged  # the mean of the estimate is the gradient

        constants = {"learning_rate": rate, "smoothness": beta, "variance": problem.variance(x), "batch_size": size}
        moment = proposition_minibatch_variance(square, variance=problem.variance(x), batch_size=size)
        final = bound(loss, square, **constants)
        assert averaged == loss - rate * square + beta * rate**2 * moment / 2 == final

    @drawn(centre=fractions(1, 3), part=parts(3))
    def attained(centre: Fraction, part: Fraction) -> None:
        problem, x = bowls(points(centre, 0), curvature=Q(2)), vector(1)
        ends = [problem.updated(x, batch, part / 2) for batch in with_replacement(2, 2)]
        constants = {"learning_rate": part / 2, "smoothness": Q(2), "variance": centre**2, "batch_size": 2}
        assert expectation(map(problem.loss, ends)) == bound(problem.loss(x), problem.squared_gradient(x), **constants)

    check()
    attained()


@statement("expected_descent_eq2.P2", false={"batches of two": {"size": 2}})
def test_batches_of_one_give_equation_1(size=1):
    loss, square, eta, beta, noise = sympy.symbols("L g2 eta beta s2", positive=True)
    constants = {"learning_rate": eta, "smoothness": beta, "variance": noise}

    batched = expected_descent_eq2(loss, square, **constants, batch_size=size)

    printed = loss - (eta - beta * eta**2 / 2) * square + beta * eta**2 / 2 * noise
    assert sympy.expand(batched - printed) == 0
    assert sympy.expand(expected_descent_eq1(loss, square, **constants) - printed) == 0
