"""What the documents state about AdaGrad, proved on the catalogue's own bodies."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.exact import exact
from oracle.formula import initial_state
from tests.helpers.algebra import exactly, expression, series, state_with, symbols, vanishes, walk
from tests.helpers.statements import statement

ADAGRAD, GD = get("adagrad"), get("gd")
#: The sum forgets, is a step late, is divided by the number of steps, has a floor for epsilon, stands without its root.
FORGETTING, LAGGED, MEAN, FLOORED, ROOTLESS = (
    neighbour(ADAGRAD, f"adagrad_{name}") for name in ("forgetting", "lagged", "mean", "eps_maximum", "without_root")
)
ROTATION = sympy.Matrix([["4/5", "3/5", 0], ["-3/5", "4/5", 0], [0, 0, 1]])
#: Any number of steps, the one at hand included.
T = sympy.Symbol("t", positive=True, integer=True)


def of_state(formula, gathered, steps=T - 1):
    """Return a state with a sum of squares after some steps; neighbours keep it beside what they make of it."""
    return state_with(formula, 0 * gathered, sum=gathered, square_avg=gathered, step=steps)


def one_step(formula, grad, gathered, rate, eps, steps=T - 1):
    """Return the movement of one step, and the sum after it."""
    after, state = formula.body(0 * grad, grad, of_state(formula, gathered, steps), learning_rate=rate, eps=eps)
    return after, state.sum


@statement(
    "adagrad.C1",
    "D018",
    false={
        "strictly": {"holds": lambda growth: growth.is_positive},
        "forgetting": {"formula": FORGETTING},
        "gradients of one sign": {"sign": "positive", "holds": lambda growth: growth.is_zero},
    },
)
def test_the_sum_never_falls_and_stays_where_the_gradient_is_zero(
    formula=ADAGRAD, holds=lambda growth: growth.is_nonnegative, sign="real"
):
    (gathered,) = symbols("G", nonnegative=True)
    (grad,) = symbols("g", **{sign: True})
    _, after = one_step(formula, grad, gathered, exactly(1), exactly(1))
    _, still = one_step(formula, exactly(0), gathered, exactly(1), exactly(1))

    assert holds(sympy.expand(expression(after - gathered)))
    assert vanishes(still - gathered)


@statement(
    "D017", false={"one for each slide": {"formula": get("adam"), "named": ("eps", "eps")}, "none": {"formula": GD}}
)
def test_both_glyphs_are_one_epsilon(formula=ADAGRAD, named=("eps",)):
    assert tuple(name for name in formula.hyperparameters if name.startswith("eps")) == named


@statement(
    "adagrad.P2",
    false={
        "the earlier sum alone": {"formula": LAGGED},
        "a mean": {"formula": MEAN},
        "an average": {"part": lambda gathered, grad: gathered / (gathered + 2 * grad**2)},
        "as much as the gradient's own share": {"part": lambda gathered, grad: grad**2 / (gathered + grad**2)},
    },
)
def test_a_step_is_the_learning_rate_at_most(
    formula=ADAGRAD, part=lambda gathered, grad: gathered / (gathered + grad**2)
):
    """What a squared step lacks of the squared rate is zero only where all gradients before were."""
    (gathered,) = symbols("G", nonnegative=True)
    grad, rate, eps = symbols("g eta eps", positive=True)
    longest, after = one_step(formula, grad, gathered, rate, exactly(0))
    damped, _ = one_step(formula, grad, gathered, rate, eps)
    first, _ = one_step(formula, grad, exactly(0), rate, eps, steps=0)
    root = SymbolArray(sympy.sqrt(expression(after)))

    assert vanishes(rate**2 - longest**2 - rate**2 * part(gathered, grad))
    assert vanishes(damped * (root + eps) - longest * root)  # so that any epsilon makes it strictly shorter
    assert vanishes(first + rate * grad / (grad + eps))


@statement(
    "adagrad.P3",
    "adagrad.C2",
    false={
        "epsilon unscaled": {"unit": lambda d: 1},
        "epsilon squared": {"unit": lambda d: d**2},
        "epsilon inside": {"formula": get("adagrad_eps_inside")},
        "no root": {"formula": ROOTLESS},
        "descent": {"formula": GD},
    },
)
def test_gradients_in_other_units_lead_to_the_same_place(formula=ADAGRAD, unit=lambda d: d):
    """With a unit for each coordinate if there is no epsilon, and with epsilon in the unit if there is one."""
    start, scale = symbol_array("x y", real=True), symbol_array("c d", positive=True)
    grads = [symbol_array(f"g{t} h{t}", positive=True) for t in (1, 2)]
    rate, eps, whole = symbols("eta eps a", positive=True)

    def path(factor, floor):
        options = {"learning_rate": rate, "eps": floor}
        taken = {name: options[name] for name in formula.hyperparameters}
        return walk(formula, start, [factor * grad for grad in grads], **taken)[0]

    for factor, floors in ((scale, (exactly(0), exactly(0))), (whole, (eps, unit(whole) * eps))):
        plain, scaled = path(exactly(1), floors[0]), path(factor, floors[1])
        assert all(vanishes(mine - theirs) for mine, theirs in zip(plain, scaled, strict=True))


@statement("adagrad.P4", false={"forgetting": {"formula": FORGETTING}, "cubes": {"turn": lambda g: 2 * g}})
def test_the_sum_knows_no_order_and_no_signs(formula=ADAGRAD, turn=lambda g: -g):
    """All six orders and eight choices of signs of three gradients."""
    (start, rate, eps), grads = symbols("theta eta eps"), series("g", 3)

    def gathered(sequence):
        return walk(formula, start, sequence, learning_rate=rate, eps=eps)[1].sum

    expected = gathered(grads)
    for order in itertools.permutations(grads):
        for turned in itertools.product((False, True), repeat=3):
            sequence = [turn(grad) if other else grad for grad, other in zip(order, turned, strict=True)]
            assert vanishes(gathered(sequence) - expected)


@statement(
    "adagrad.P5",
    false={
        "no root": {"formula": ROOTLESS},
        "a mean": {"formula": MEAN},
        "a step behind": {"squares": lambda t: t - 1},
        "the root of the rate": {"low": lambda t: 3 * (sympy.sqrt(t + 1) - 1)},
        "half the height": {"high": lambda t: sympy.sqrt(t) - 1},
    },
)
def test_a_constant_gradient_gives_steps_that_fall_like_one_over_the_root(
    formula=ADAGRAD,
    squares=lambda t: t,
    low=lambda t: 2 * sympy.sqrt(t + 1) - 2,
    high=lambda t: 2 * sympy.sqrt(t) - 1,
):
    """By induction for every t; both bounds of the summed steps differ from them by squares."""
    grad, rate, eps = symbols("c eta eps", positive=True)
    step, after = one_step(formula, grad, squares(T - 1) * grad**2, rate, eps)

    assert vanishes(after - squares(T) * grad**2)
    assert vanishes(squares(0) * grad)
    assert vanishes(step + rate * grad / (grad * sympy.sqrt(squares(T)) + eps))
    term, up, down = 1 / sympy.sqrt(T), sympy.sqrt(T + 1) - sympy.sqrt(T), sympy.sqrt(T) - sympy.sqrt(T - 1)
    assert sympy.simplify(term - (low(T) - low(T - 1)) - up**2 / sympy.sqrt(T)) == 0
    assert sympy.simplify((high(T) - high(T - 1)) - term - down**2 / sympy.sqrt(T)) == 0
    assert low(sympy.Integer(0)) == 0
    assert high(sympy.Integer(1)) == 1


@statement(
    "adagrad.P6",
    false={
        "once the root above": {"above": 1},
        "twice the root below": {"below": 2},
        "a step late": {"formula": LAGGED},
        "a mean": {"formula": MEAN},
    },
)
def test_weighted_squares_add_up_to_one_or_two_roots_of_the_sum(formula=ADAGRAD, below=1, above=2):
    """Each term lies between the growth of the root, and twice that, by what cannot be negative."""
    before, rate = symbols("R eta", positive=True)
    (growth,) = symbols("w", positive=True)
    after = before + growth  # the root of the sum after the step, and below it the gradient that leads there
    grad = SymbolArray(sympy.sqrt(expression(after**2 - before**2)))
    step, gathered = one_step(formula, grad, before**2, rate, exactly(0))
    term = -grad * step / rate  # g^2 / sqrt(G)

    assert vanishes(gathered - after**2)
    assert vanishes(term - below * growth - growth * before / after)
    assert vanishes(above * growth - term - growth**2 / after)


@statement(
    "adagrad.P7",
    false={
        "without the first": {"first": 0},
        "half the logarithm": {"logarithm": lambda x: sympy.log(x) / 2},
        "a step late": {"formula": LAGGED},
        "a mean": {"formula": MEAN},
    },
)
def test_relative_squares_add_up_to_a_logarithm(formula=ADAGRAD, first=1, logarithm=sympy.log):
    """So the path is as long as the root of T times that, at most, by the inequality of Cauchy and Schwarz."""
    before, grad, rate = symbols("G g eta", positive=True)
    step, gathered = one_step(formula, grad, before, rate, exactly(0))
    begin, start = one_step(formula, grad, exactly(0), rate, exactly(0), steps=0)
    growth = sympy.Symbol("x", positive=True)  # of the sum, in one step

    assert vanishes((step / rate) ** 2 - (1 - before / gathered))  # g^2 / G
    assert vanishes((begin / rate) ** 2 - first)
    assert vanishes(start - grad**2)
    slack = logarithm(1 + growth) - (1 - 1 / (1 + growth))
    assert sympy.limit(slack, growth, 0) == 0
    assert sympy.factor(sympy.diff(slack, growth)).is_positive
    for grads in ([1, 2, -3, 1], [3, "1/10", "1/7"], [1, 1, 1, 1, 1]):
        path, state = walk(formula, exactly(0), [exactly(g) for g in grads], learning_rate=exactly(1), eps=exactly(0))
        bound = len(grads) * (first + logarithm(expression(state.sum) / sympy.Rational(grads[0]) ** 2))
        assert bool(expression(path[-1]) ** 2 <= bound)


def regret(diameter, rate):
    return diameter**2 / (2 * rate) + rate


@statement(
    "adagrad.P8",
    false={
        "a quarter": {"constant": lambda diameter, rate: diameter**2 / (4 * rate) + rate},
        "half the rate": {"constant": lambda diameter, rate: diameter**2 / (2 * rate) + rate / 2},
        "a step late": {"formula": LAGGED},
        "a mean": {"formula": MEAN},
    },
)
def test_regret_is_bounded_by_the_roots_of_the_sums(formula=ADAGRAD, constant=regret):
    """A convex loss falls short of the optimum by less than gradient times distance, which is a difference of squares."""
    place, best = symbols("x u", real=True)
    grad, before, rate = symbols("g G eta", positive=True)
    step, gathered = one_step(formula, grad, before, rate, exactly(0))
    root, after = SymbolArray(sympy.sqrt(expression(before + grad**2))), place + step
    squares = (place - best) ** 2 - (after - best) ** 2

    assert vanishes(gathered - before - grad**2)
    assert vanishes(grad * (place - best) - root * squares / (2 * rate) - rate * grad**2 / (2 * root))
    # The first terms telescope, with roots that only grow, against squares of at most D^2; the second are P6.
    diameter, scale, total = sympy.symbols("D eta S", positive=True)
    telescoped, weighted = diameter**2 * total / (2 * scale), scale / 2 * 2 * total
    assert sympy.simplify(telescoped + weighted - constant(diameter, scale) * total) == 0
    growths, gaps = sympy.symbols("r1:5", nonnegative=True), sympy.symbols("a1:6", nonnegative=True)
    roots = list(itertools.accumulate(growths))
    terms = sum(r * (a - b) for r, a, b in zip(roots, gaps, gaps[1:], strict=False))
    by_parts = sum(growth * gap for growth, gap in zip(growths, gaps, strict=False)) - roots[-1] * gaps[-1]
    assert sympy.expand(terms - by_parts) == 0
    assert sympy.expand(sum(growths) - roots[-1]) == 0


@statement(
    "adagrad.P9",
    "adagrad.C2",
    "adagrad_figure.P1",
    "D019",
    false={
        "descent": {"formula": GD},
        "a step late": {"formula": LAGGED},
        "a mean": {"formula": MEAN},
        "no root": {"formula": ROOTLESS},
        "the root left out": {"factor": lambda squares: 1 - 1 / squares},
    },
)
def test_on_a_quadratic_no_coordinate_knows_its_curvature(
    formula=ADAGRAD, factor=lambda squares: 1 - 1 / SymbolArray(sympy.sqrt(expression(squares)))
):
    """By induction for every t: in units of the rate the path is the same for every curvature."""
    place, squares, rate, curvature = symbols("r S eta h", positive=True)
    unit = (rate * curvature) ** 2
    options = {"learning_rate": rate, "eps": exactly(0)}
    taken = {name: options[name] for name in formula.hyperparameters}
    grad = curvature * rate * place
    after, state = formula.body(rate * place, grad, of_state(formula, unit * squares), **taken)

    assert vanishes(after / rate - place * factor(squares + place**2))
    assert vanishes(state.sum - unit * (squares + place**2))


@statement(
    "adagrad.P10",
    false={"the smallest gradient": {"grad": 5e-324}, "a rest from elsewhere": {"expected": 0.0}},
)
def test_a_coordinate_without_gradients_rests_with_and_without_epsilon(grad=0.0, expected=1.0):
    for eps in (0.0, 5e-324, 1.0):
        state = initial_state(ADAGRAD.state_type, np.zeros(1))
        after, _ = exact(ADAGRAD, np.ones(1), np.array([grad]), state, learning_rate=0.5, eps=eps)
        direct, _ = ADAGRAD(np.ones(1), np.array([grad]), state, learning_rate=0.5, eps=eps)

        assert after.tolist() == direct.tolist() == [expected]


@statement(
    "adagrad.P11",
    false={
        "coupled coordinates": {"gradient": lambda g: g * g[::-1]},
        "descent": {"formula": GD},
        "a turn by nothing": {"turn": sympy.eye(3)},
    },
)
def test_coordinates_may_be_reordered_and_mirrored_but_not_rotated(
    formula=ADAGRAD,
    gradient=lambda g: g,
    turn=ROTATION,
):
    start = symbol_array("x y z", real=True)
    grads = [symbol_array(f"a{t} b{t} c{t}", real=True) for t in (1, 2)]
    options = {"learning_rate": exactly("1/3"), "eps": exactly("1/7")}
    taken = {name: options[name] for name in formula.hyperparameters}

    def end(change):
        return walk(formula, change(start), [gradient(change(grad)) for grad in grads], **taken)[0][-1]

    plain = end(lambda vector: vector)
    mirror = SymbolArray([1, -1, -1])
    for order in itertools.permutations(range(3)):

        def moved(vector, order=order):
            return mirror * SymbolArray(vector.elements[list(order)])

        assert vanishes(end(moved) - moved(plain))

    def turned(vector):
        return SymbolArray(list(turn * sympy.Matrix(vector.elements)))

    assert not vanishes(end(turned) - turned(plain))


@statement(
    "adagrad.P12",
    false={
        "a floor": {"formula": FLOORED},
        "inside": {"formula": get("adagrad_eps_inside")},
        "rate": {"rate": "0.2"},
        "forgetting": {"formula": FORGETTING},
    },
)
def test_the_worked_numbers_are_met(formula=ADAGRAD, rate="0.1"):
    grads = [exactly(grad) for grad in (1, 2, -3, 0)]
    options = {"learning_rate": exactly(rate), "eps": exactly("0.01")}
    path, _ = walk(formula, exactly(0), grads, **options)
    sums = [walk(formula, exactly(0), grads[:count], **options)[1].sum for count in range(1, 5)]
    printed = ("-0.099009900990099", "-0.18805440098009", "-0.10808974294452", "-0.10808974294452")

    assert [expression(gathered) for gathered in sums] == [1, 5, 14, 14]
    for place, text in zip(path, printed, strict=True):
        assert abs(expression(place) - sympy.Rational(text)) <= half_a_digit(text)


def half_a_digit(text):
    """Half of the last digit's unit."""
    return F(1, 2 * 10 ** len(text.partition(".")[2]))
