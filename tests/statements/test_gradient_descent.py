"""Gradient descent: its guarantees on smooth losses, its symmetries, and the worked example of a parabola."""

import itertools
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.formula import NoState
from oracle.optimizers.descent import gd, sgd_l2
from oracle.training.guarantees import descent_bound, gd_contraction, gd_convex_bound, gd_optimal_rate
from oracle.training.loop import trained
from oracle.trajectory import trajectory
from tests.helpers.statements import statement

RATES = [F(k, 30) for k in range(1, 41)]


def vector(*numbers):
    return np.array([F(number) for number in numbers], dtype=object)


def stepped(theta, grad, rate):
    """One step of the formula's own body."""
    return gd.body(theta, grad, NoState(), learning_rate=rate)[0]


def descended(gradient, start, rate, steps):
    """Parameters before the first step and after each."""
    return [start, *trained(gd, start, [gradient] * steps, hyperparameters={"learning_rate": rate})[0]]


def expanded(value):
    return sympy.expand(value.elements.item())


def with_share(share):
    """A bound that counts another part of the smoothness."""

    def bound(loss, square, *, learning_rate, smoothness):
        return loss - learning_rate * (1 - share * smoothness * learning_rate) * square

    return bound


@statement(
    "gd.P1",
    false={
        "without the smoothness": {"bound": with_share(0)},
        "without the half": {"bound": with_share(1)},
        "a third": {"bound": with_share(sympy.Rational(1, 3))},
    },
)
def test_a_smooth_loss_falls_by_the_descent_bound_which_a_parabola_attains(bound=descent_bound):
    theta, grad, loss, rate, beta, centre = (symbol_array(name) for name in ("theta", "g", "l", "eta", "beta", "c"))
    moved = stepped(theta, grad, rate) - theta
    # A smooth loss lies below this parabola. Coordinates add up, so that one stands for all.
    above = loss + grad * moved + beta / 2 * moved**2
    assert expanded(above - bound(loss, grad**2, learning_rate=rate, smoothness=beta)) == 0

    slope = beta * (theta - centre)
    after = beta / 2 * (stepped(theta, slope, rate) - centre) ** 2
    before = beta / 2 * (theta - centre) ** 2
    assert expanded(after - bound(before, slope**2, learning_rate=rate, smoothness=beta)) == 0


@statement("gd.P1", false={"half of the range": {"limit": 1}, "twice the range": {"limit": 4}})
def test_the_descent_bound_falls_for_steps_below_two_over_the_smoothness_and_no_others(limit=2):
    for smoothness in (F(1, 3), F(1), F(7)):
        for rate in (k * F(1, 8) / smoothness for k in range(33)):
            falls = descent_bound(F(5), F(2), learning_rate=rate, smoothness=smoothness) < 5

            assert falls == (0 < rate < limit / smoothness)


CURVATURES = np.array([[F(2), F(1)], [F(1), F(2)]], dtype=object)  # 1 along (1, -1), 3 along (1, 1)


@statement(
    "gd.P2",
    false={"one power more": {"more": 1}, "one power less": {"more": -1}, "half the gradient": {"slope": F(1, 2)}},
)
def test_on_a_quadratic_the_error_is_multiplied_by_a_matrix(more=0, slope=1):
    """One step from any error, for any rate, is the induction: descent keeps no state."""
    for size in (1, 2, 3):
        rate, start = sympy.Symbol("eta"), sympy.Matrix(sympy.symbols(f"e1:{size + 1}"))
        curvatures = sympy.Matrix(size, size, lambda i, j: sympy.Symbol(f"h{min(i, j)}{max(i, j)}"))
        factor = sympy.eye(size) - rate * curvatures

        def gradient(error, curvatures=curvatures):
            return SymbolArray(list(sympy.Rational(slope) * curvatures * sympy.Matrix(error.elements)))

        for step, error in enumerate(descended(gradient, SymbolArray(list(start)), SymbolArray(rate), 2)):
            told = factor ** max(step + more, 0) * start
            assert (sympy.Matrix(error.elements) - told).expand() == sympy.zeros(size, 1)


@statement(
    "gd.P2",
    false={
        "one over the largest curvature": {"limit": F(1, 3)},
        "two over the smallest": {"limit": F(2)},
        "rates below 0": {"least": F(-1)},
        "a rate of 0": {"least": F(-1, 1000)},
    },
)
def test_descent_on_a_quadratic_converges_below_two_over_the_largest_curvature_only(limit=F(2, 3), least=F(0)):
    for rate in (*RATES, F(0), *(-rate for rate in RATES)):
        factors = []
        for direction in (vector(1, -1), vector(1, 1)):
            _, once, twice = descended(lambda error: CURVATURES @ error, direction, rate, 2)
            factor = once[0] / direction[0]
            assert (once == factor * direction).all()
            assert (twice == factor**2 * direction).all()
            factors.append(factor)

        assert (max(map(abs, factors)) < 1) == (least < rate < limit)


@statement(
    "gd.P2",
    false={
        "one over the largest curvature": {"optimal": lambda *, convexity, smoothness: 1 / smoothness},
        "one over the mean curvature less an eighth": {
            "optimal": lambda *, convexity, smoothness: F(7, 4) / (convexity + smoothness)
        },
    },
)
def test_the_best_fixed_step_contracts_by_the_condition_number(optimal=gd_optimal_rate):
    rate, low, high = symbol_array("eta"), symbol_array("mu"), symbol_array("beta")
    slow, fast = stepped(1, low, rate), stepped(1, high, rate)  # factors of the errors along both directions
    # A weighted mean of the moduli of both factors, weights high and low, is at least (high - low) / (high + low).
    assert expanded(high * slow - low * fast - (high - low)) == 0

    for convexity, smoothness in ((F(1), F(3)), (F(1, 2), F(5)), (F(2), F(2))):
        kappa = smoothness / convexity
        best = optimal(convexity=convexity, smoothness=smoothness)
        assert gd_contraction(best, convexity=convexity, smoothness=smoothness) == (kappa - 1) / (kappa + 1)


@statement(
    "gd.P3",
    false={
        "the other factor near 0": {"factors": lambda eta, mu, beta: (1 - eta * beta, eta * beta - 1)},
        "the other factor far from 0": {"factors": lambda eta, mu, beta: (1 - eta * mu, 1 - eta * mu)},
        "the root of the factor": {"factors": lambda eta, mu, beta: (1 - eta * mu / 2, eta * beta - 1)},
    },
)
def test_strong_convexity_and_smoothness_contract_the_distance(
    factors=lambda eta, mu, beta: (1 - eta * mu, eta * beta - 1),
):
    x, grad, rate, mu, beta = (symbol_array(name) for name in ("x", "g", "eta", "mu", "beta"))
    near, far = factors(rate, mu, beta)  # for steps up to 2 / (mu + beta), and from there on
    after = stepped(x, grad, rate) ** 2  # x is the distance from the minimiser, where the gradient is 0
    coercive = (grad - mu * x) * (beta * x - grad)  # summed over coordinates never negative
    gap = 2 - rate * (mu + beta)

    # Up to eta = 2 / (mu + beta) the gap and 1 - eta mu are not negative, and with them the first difference;
    # from there on the gap is not positive, eta beta - 1 not negative, and nor is the second.
    first = 2 * rate * (1 - rate * mu) * coercive + rate * gap * (grad - mu * x) ** 2
    second = 2 * rate * (rate * beta - 1) * coercive - rate * gap * (beta * x - grad) ** 2
    assert expanded((beta - mu) * (near**2 * x**2 - after) - first) == 0
    assert expanded((beta - mu) * (far**2 * x**2 - after) - second) == 0


@statement(
    "gd.P3",
    false={
        "the smaller factor": {"contraction": lambda rate: min(abs(1 - rate), abs(1 - 3 * rate))},
        "the least curvature alone": {"contraction": lambda rate: abs(1 - rate)},
    },
)
def test_a_quadratic_attains_the_contraction(contraction=lambda rate: gd_contraction(rate, convexity=1, smoothness=3)):
    for rate in RATES:
        ratios = set()
        for start in (vector(1, -1), vector(1, 1), vector(5, 2)):
            _, after = descended(lambda error: CURVATURES @ error, start, rate, 1)
            ratios.add((after @ after) / (start @ start))

        assert max(ratios) == contraction(rate) ** 2


def certificate(steps, length, bound):
    """Return the quadratic form whose positivity proves a bound on a convex loss of smoothness 1.

    In terms of the distance of the start and of all gradients, it is the bound less the weighted sum of inequalities
    that such losses satisfy between consecutive iterates, and between each iterate and the minimiser.
    """
    basis = np.array([[F(i == j) for j in range(steps + 2)] for i in range(steps + 2)], dtype=object)
    start, grads = basis[0], list(basis[1:])
    moved, _ = trajectory(gd)(start, grads[:-1], hyperparameters={"learning_rate": length})
    points = [start, *moved]

    def product(left, right):
        return (np.outer(left, right) + np.outer(right, left)) / 2

    between = [F(0), *(F(i, 2 * steps + 1 - i) for i in range(1, steps + 1)), F(1)]
    form = bound(F(1), step_length=length, smoothness=F(1), steps=steps) * product(start, start)
    falls = np.array([F(0)] * (steps + 1), dtype=object)  # how often each value of the loss is counted
    for i, grad in enumerate(grads):
        weight = between[i + 1] - between[i]
        form = form + weight * (product(grad, grad) / 2 - product(grad, points[i]))
        falls[i] += weight
        if i:
            change = grads[i - 1] - grad
            form = form + between[i] * (product(grad, points[i - 1] - points[i]) + product(change, change) / 2)
            falls[i] += between[i]
            falls[i - 1] -= between[i]
    assert falls.tolist() == [0] * steps + [1]  # the last value less the minimum is left
    return form


def is_positive_semidefinite(matrix):
    """Eliminate exactly: pivots must not be negative, and the row of a zero pivot must be zero."""
    rest = matrix.copy()
    while len(rest):
        pivot, row = rest[0, 0], rest[0, 1:]
        if pivot < 0 or (pivot == 0 and row.any()):
            return False
        rest = rest[1:, 1:] - (np.outer(row, row) / pivot if pivot else 0)
    return True


def without_start(form):
    """Schur complement: what is left of the form once the start is eliminated."""
    return form[1:, 1:] - np.outer(form[0, 1:], form[0, 1:]) / form[0, 0]


def with_offset(offset):
    return lambda square, *, step_length, smoothness, steps: smoothness * square / (4 * steps * step_length + offset)


@statement(
    "gd.P4",
    false={
        "three in place of two": {"bound": with_offset(3)},
        "a step that counts more": {
            "bound": lambda square, *, step_length, smoothness, steps: (
                smoothness * square / (4 * steps * step_length * F(101, 100) + 2)
            )
        },
    },
)
def test_convex_smooth_losses_keep_the_bound_for_every_step_length_up_to_one(bound=gd_convex_bound):
    for steps in range(1, 8):
        ends = [without_start(certificate(steps, F(h), bound)) for h in (0, 1)]
        middle = without_start(certificate(steps, F(1, 3), bound))

        # Affine in the step length, hence positive between two lengths at which it is.
        assert (middle == F(2, 3) * ends[0] + F(1, 3) * ends[1]).all()
        assert all(map(is_positive_semidefinite, ends))


@statement("gd.P4", false={"one in place of two": {"bound": with_offset(1)}, "three": {"bound": with_offset(3)}})
def test_a_parabola_continued_by_its_tangents_attains_the_bound_for_convex_losses(bound=gd_convex_bound):
    for steps in (1, 2, 5):
        for length, smoothness, distance in ((F(1), F(1), F(1)), (F(1, 3), F(2), F(5)), (F(1, 7), F(9), F(1, 2))):
            end = distance / (2 * steps * length + 1)  # of the parabola

            def gradient(x, smoothness=smoothness, end=end):
                return smoothness * max(min(x, end), -end)

            def loss(x, smoothness=smoothness, end=end):
                inner = max(min(x, end), -end)
                return smoothness * (inner**2 / 2 + end * (abs(x) - abs(inner)))

            last = descended(gradient, distance, length / smoothness, steps)[-1]

            attained = bound(distance**2, step_length=length, smoothness=smoothness, steps=steps)
            assert loss(last) == attained
            assert attained <= distance**2 / (2 * (length / smoothness) * steps)  # the usual, weaker form


TURN = np.array([[F(3, 5), F(4, 5)], [F(-4, 5), F(3, 5)]], dtype=object)
BACK = TURN.T
SHEAR, SHEAR_BACK = (np.array([[F(1), F(by)], [F(0), F(1)]], dtype=object) for by in (1, -1))


def slope_of_no_quadratic(x):
    """Gradient of (x1^4 + x2^4) / 4 + x1 x2 - x2, whose minimum has no name."""
    return vector(x[0] ** 3 + x[1], x[1] ** 3 + x[0] - 1)


@statement(
    "gd.P5",
    false={
        "a shear": {"basis": SHEAR, "back": SHEAR_BACK},
        "a stretch": {"basis": 2 * TURN, "back": BACK / 2},
        "a rate not divided": {"power": 0},
    },
)
def test_descent_moves_with_its_coordinates(basis=TURN, back=BACK, power=1):
    rate, start, shift, scale = F(1, 4), vector(2, -1), vector(5, F(1, 3)), F(7)
    path = descended(slope_of_no_quadratic, start, rate, 3)
    turned = descended(lambda x: basis.T @ slope_of_no_quadratic(basis @ x), back @ start, rate, 3)
    shifted = descended(lambda x: slope_of_no_quadratic(x + shift), start - shift, rate, 3)
    scaled = descended(lambda x: scale * slope_of_no_quadratic(x), start, rate / scale**power, 3)

    for place, param in enumerate(path):
        assert (shifted[place] == param - shift).all()
        assert (scaled[place] == param).all()
        assert (turned[place] == back @ param).all()


@statement("gd.P6", false={"the last step left out": {"counted": 2}, "rates in another order": {"order": (1, 0, 2)}})
def test_under_given_gradients_the_movement_is_a_sum_in_any_order(counted=3, order=(0, 1, 2)):
    start = symbol_array("theta")
    grads, rates = symbol_array("g1:4"), symbol_array("eta1:4")

    def end(places, rate_places):
        steps = [{"learning_rate": rates[place]} for place in rate_places]
        return trajectory(gd)(start, [grads[place] for place in places], hyperparameters=steps)[0][-1]

    total = sum((rates[place] * grads[place] for place in range(1, counted)), rates[0] * grads[0])
    assert expanded(end((0, 1, 2), (0, 1, 2)) - start + total) == 0
    assert expanded(end((2, 0, 1), (2, 0, 1)) - end((0, 1, 2), order)) == 0


@statement("gd.P7", false={"with a penalty": {"formula": sgd_l2, "others": {"l2_penalty": sympy.Rational(1, 2)}}})
def test_descent_rests_where_the_gradient_is_zero_and_nowhere_else(formula=gd, others=None):
    theta, rate = sympy.symbols("theta eta", positive=True)
    grad = sympy.Symbol("g", real=True)
    moved, _ = formula.body(theta, grad, NoState(), learning_rate=rate, **(others or {}))

    assert sympy.solve(moved - theta, grad) == [0]


def parabola(x):
    return 2 * x


@statement(
    "gd_example_x_squared",
    "gd_example_x_squared.P1",
    false={"one step more": {"more": 1}, "the slope halved": {"slope": lambda x: x}},
)
def test_on_x_squared_the_iterates_are_a_geometric_sequence(more=0, slope=parabola):
    x, rate = symbol_array("x"), symbol_array("eta")
    path = descended(slope, x, rate, 5)

    # The first step, from any point, is the induction: descent keeps no state.
    for step, point in enumerate(path):
        power = (1 - 2 * rate) ** (step + more)
        assert expanded(point - power * x) == 0
        assert expanded(point**2 - power**2 * x**2) == 0


@statement(
    "gd_example_x_squared.P2",
    false={
        "twice the range": {"limit": F(2)},
        "half of the range": {"limit": F(1, 2)},
        "no change of sign before the limit": {"turn": F(1)},
    },
)
def test_on_x_squared_the_step_decides_between_rest_turning_and_flight(limit=F(1), turn=F(1, 2)):
    start = F(3)
    for rate in (F(k, 20) for k in range(1, 50)):
        path = descended(parabola, start, rate, 4)
        ratios = {after / before for before, after in itertools.pairwise(path) if before}

        assert len(ratios) == 1  # geometric: the first two points tell everything
        assert (abs(path[1]) < abs(start)) == (rate < limit)
        assert (path[1] >= 0) == (rate <= turn)
    assert descended(parabola, start, turn, 1)[1] == 0
    assert descended(parabola, start, limit, 4) == [start, -start, start, -start, start]


@statement(
    "gd_example_x_squared.P3",
    false={"smoothness 1": {"smoothness": F(1)}, "smoothness 3": {"smoothness": F(3)}},
)
def test_x_squared_attains_the_bounds_with_both_constants_two(smoothness=F(2)):
    start = F(3)
    for rate in RATES:
        path = descended(parabola, start, rate, 3)
        for before, after in itertools.pairwise(path):
            square = parabola(before) ** 2
            assert after**2 == descent_bound(before**2, square, learning_rate=rate, smoothness=smoothness)
            assert abs(after) == abs(before) * gd_contraction(rate, convexity=smoothness, smoothness=smoothness)
        if rate * smoothness <= 1:
            for steps, point in enumerate(path):
                length = rate * smoothness
                assert point**2 <= gd_convex_bound(start**2, step_length=length, smoothness=smoothness, steps=steps)
    assert descended(parabola, start, gd_optimal_rate(convexity=smoothness, smoothness=smoothness), 1)[1] == 0


@statement(
    "D004",
    false={
        "at the first parameters always": {"at": lambda path: path[0]},
        "one step late": {"at": lambda path: path[-2:][0]},
    },
)
def test_a_derivative_is_taken_at_the_parameters_that_it_moves(at=lambda path: path[-1]):
    start, rate = F(1), F(1, 4)
    path = [start]
    for _ in range(3):
        path.append(stepped(path[-1], parabola(at(path)), rate))

    assert path == descended(parabola, start, rate, 3)
