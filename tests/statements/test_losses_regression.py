"""Losses of residuals: what the documents state of squares and moduli."""

import itertools
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.losses.regression import loss_l1, loss_mse, loss_squared_error
from tests.helpers.algebra import exactly, expression, expressions, vanishes
from tests.helpers.statements import statement

S, Y = symbol_array("s0 s1 s2", real=True), symbol_array("y0 y1 y2", real=True)
POINTS = tuple(itertools.product((-2, 0, 1), repeat=2))
SAMPLES = tuple(itertools.product((-3, 0, 1, 2), repeat=3))


def numbers(*values):
    return np.array([F(value) for value in values], dtype=object)


def derivatives(value, array):
    return SymbolArray([sympy.diff(expression(value), symbol) for symbol in expressions(array)])


def summed(terms):
    return sum(expressions(terms))


def without_minus(prediction, target):
    return loss_squared_error.body(prediction, -target)


@statement("loss_squared_error", false={"the mean": {"loss": loss_mse}, "the moduli": {"loss": loss_l1}})
def test_the_squared_error_adds_up_the_squares_of_the_residuals(loss=loss_squared_error):
    assert vanishes(loss.body(S, Y) - summed((Y - S) ** 2))
    assert loss(numbers(0, 0), numbers(3, 4)) == 25


@statement(
    "loss_squared_error.P1",
    false={"half the gradient": {"slope": 1}, "half the curvature": {"curvature": 1}, "signed": {"loss": loss_mse}},
)
def test_the_squared_error_has_twice_the_residual_as_gradient_and_constant_curvature(
    slope=2, curvature=2, loss=loss_squared_error
):
    value = loss.body(S, Y)

    assert vanishes(derivatives(value, S) - slope * (S - Y))
    assert sympy.hessian(expression(value), expressions(S)) == curvature * sympy.eye(3)
    assert vanishes(value - loss.body(Y, S))
    for prediction, target in itertools.product(POINTS, repeat=2):
        cost = loss(numbers(*prediction), numbers(*target))
        assert cost >= 0
        assert (cost == 0) == (prediction == target)


@statement(
    "loss_squared_error.P2",
    false={"moduli, which turning changes": {"loss": loss_l1}, "degree 1": {"degree": 1}, "degree 3": {"degree": 3}},
)
def test_the_squared_error_is_the_same_moved_and_turned(loss=loss_squared_error, degree=2):
    shift, scale, t = symbol_array("a", real=True), symbol_array("c", positive=True), sympy.Symbol("t", real=True)
    cosine, sine = (1 - t**2) / (1 + t**2), 2 * t / (1 + t**2)
    turn = np.array([[cosine, -sine], [sine, cosine]], dtype=object)

    def turned(array):
        return SymbolArray.wrap(turn @ array.elements)

    s, y = S[:2], Y[:2]

    assert vanishes(loss.body(scale * s, scale * y) - scale**degree * loss.body(s, y))
    assert vanishes(loss.body(s + shift, y + shift) - loss.body(s, y))
    assert vanishes(loss.body(turned(s), turned(y)) - loss.body(s, y))


@statement(
    "loss_squared_error.P3", false={"a third of the sum less 1": {"offset": F(1)}, "the median": {"mean": False}}
)
def test_the_mean_is_the_constant_with_the_least_squared_error(offset=F(0), mean=True):
    for samples in SAMPLES:
        best = (F(sum(samples)) / 3 if mean else F(sorted(samples)[1])) + offset

        def cost(constant, samples=samples):
            return loss_squared_error(numbers(*[constant] * 3), numbers(*samples))

        assert all(cost(best) < cost(best + step) for step in (F(1, 7), F(-1, 7), F(2), F(-3)))
    constant = symbol_array("c", real=True)
    slope = sympy.diff(expression(loss_squared_error.body(constant + 0 * Y, Y)), expression(constant))
    assert sympy.solve(slope, expression(constant)) == [sympy.expand(summed(Y) / 3 + sympy.Rational(offset))]


@statement(
    "loss_squared_error.P4",
    false={"without the number of elements": {"count": 1}, "of one fewer": {"count": 2}},
)
def test_the_squared_error_lies_between_the_square_of_the_moduli_and_its_share(count=3):
    squares, moduli = loss_squared_error.body(S, Y), loss_l1.body(S, Y)
    sizes = [sympy.Abs(residual) for residual in expressions(Y - S)]
    pairs = list(itertools.combinations(sizes, 2))

    # Both differences are sums of terms that are not negative.
    assert vanishes(count * squares - moduli**2 - sum((a - b) ** 2 for a, b in pairs))
    assert vanishes(moduli**2 - squares - 2 * sum(a * b for a, b in pairs))


@statement("loss_mse", "loss_mse.P1", false={"one less": {"count": 2}, "the sum": {"count": 1}})
def test_the_mean_squared_error_has_two_residuals_over_the_count_as_gradient(count=3):
    value = loss_mse.body(S, Y)

    assert vanishes(count * value - summed((Y - S) ** 2))
    assert vanishes(count * derivatives(value, S) - 2 * (S - Y))
    assert all(
        loss_mse(numbers(*prediction), numbers(*target)) >= 0
        for prediction, target in itertools.product(POINTS, POINTS)
    )


@statement("loss_mse.P2", false={"half of it": {"factor": F(1, 2)}, "the sum": {"factor": F(3)}})
def test_it_is_the_mean_of_squared_errors_of_one_output_each(factor=F(1)):
    each = [loss_squared_error.body(S[k : k + 1], Y[k : k + 1]) for k in range(3)]

    assert vanishes(sympy.Rational(factor) * sum(each[1:], each[0]) / 3 - loss_mse.body(S, Y))


@statement("loss_mse.P3", false={"variance over n - 1": {"less": 1}, "without the bias": {"weight": 0}})
def test_a_constant_costs_the_variance_and_the_square_of_its_distance_from_the_mean(less=0, weight=1):
    constant = symbol_array("c", real=True)
    mean = sympy.Rational(1, 3) * summed(Y)
    variance = sum((y - mean) ** 2 for y in expressions(Y)) / (3 - less)

    assert vanishes(loss_mse.body(constant + 0 * Y, Y) - variance - weight * (constant - mean) ** 2)


@statement("loss_l1", false={"squares": {"loss": loss_squared_error}})
def test_the_moduli_of_the_residuals_are_added_up(loss=loss_l1):
    assert vanishes(loss.body(S, Y) - sum(sympy.Abs(residual) for residual in expressions(Y - S)))
    assert loss(numbers(1, 2), numbers(3, -5)) == 9


@statement(
    "loss_l1.P1",
    false={"squares": {"loss": loss_squared_error}, "degree 2": {"degree": 2}},
)
def test_the_moduli_are_a_norm_of_the_residuals(loss=loss_l1, degree=1):
    zero = numbers(0, 0)
    for a, b in itertools.product(POINTS, repeat=2):
        first, second = numbers(*a), numbers(*b)
        assert (loss(first, zero) == 0) == (a == (0, 0))
        assert loss(first, zero) >= 0
        assert loss(first, -second) <= loss(first, zero) + loss(second, zero)
        assert loss(-3 * first, -3 * second) == 3**degree * loss(first, second)


@statement(
    "loss_l1.P2",
    false={"a larger slope at 0": {"slopes": (F(-1), F(3, 2))}, "twice the sign": {"factor": 2}},
)
def test_signs_are_subgradients_and_anything_between_is_one_at_zero(slopes=(F(-1), F(0), F(1, 2), F(1)), factor=1):
    grid = [F(k, 2) for k in range(-6, 7)]
    for s, y in itertools.product(grid, repeat=2):
        offered = slopes if s == y else [F(factor * int(np.sign(s - y)))]
        for slope, other in itertools.product(offered, grid):
            gain = loss_l1(numbers(other), numbers(y)) - loss_l1(numbers(s), numbers(y))
            assert gain >= slope * (other - s)
    assert vanishes(derivatives(loss_l1.body(S, Y), S) - SymbolArray([sympy.sign(e) for e in expressions(S - Y)]))


@statement("loss_l1.P3", false={"the mean": {"mean": True}, "the smallest": {"place": 0}})
def test_a_median_is_a_constant_with_the_least_sum_of_moduli(mean=False, place=1):
    for samples in SAMPLES:
        best = F(sum(samples), 3) if mean else F(sorted(samples)[place])

        def cost(constant, samples=samples):
            return loss_l1(numbers(*[constant] * 3), numbers(*samples))

        assert all(cost(best) <= cost(F(k, 6)) for k in range(-24, 25))


@statement("loss_l1.P4", false={"without the root": {"power": 2}, "of one fewer": {"count": 2}})
def test_the_moduli_lie_between_the_root_of_the_squares_and_its_multiple(count=3, power=1):
    for residuals in SAMPLES:
        moduli, squares = (loss(numbers(*residuals), numbers(0, 0, 0)) for loss in (loss_l1, loss_squared_error))

        assert squares <= moduli**2 <= count**power * squares
        if len(set(map(abs, residuals))) == 1:  # equal moduli attain it
            assert moduli**2 == count**power * squares


@statement(
    "D074",
    false={"a sum": {"loss": without_minus}},
)
def test_without_its_minus_the_squared_error_would_not_vanish_at_the_target(loss=loss_squared_error.body):
    assert expression(loss(exactly(1, 2), exactly(1, 2))) == 0
    assert expression(without_minus(exactly(1, 2), exactly(1, 2))) == 20
