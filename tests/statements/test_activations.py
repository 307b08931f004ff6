"""What the documents state about ReLU, GELU, SiLU and the logistic function: slopes, extrema and golden values."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction as F

import numpy as np
import sympy
from flint import arb

from oracle.activations.bernoulli import gelu_bernoulli, gelu_bernoulli_moments
from oracle.activations.gelu import gelu, gelu_sigmoid, gelu_tanh
from oracle.activations.relu import relu
from oracle.activations.sigmoid import sigmoid
from oracle.activations.silu import silu
from oracle.arithmetic.balls import BallArray
from oracle.arithmetic.curves import normal_cdf
from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision
from oracle.arithmetic.symbols import SymbolArray
from oracle.bound import bound
from oracle.exact import exact
from tests.helpers.algebra import vanishes
from tests.helpers.statements import statement
from tests.helpers.suprema import at_most, between, changes_sign

X = sympy.Symbol("x", real=True)
POSITIVE = sympy.Symbol("p", positive=True)
DENSITY = sympy.exp(-(X**2) / 2) / sympy.sqrt(2 * sympy.pi)
CUMULATIVE = (1 + sympy.erf(X / sympy.sqrt(2))) / 2
LOGISTIC = 1 / (1 + sympy.exp(-X))
GRID = [F(place, 4) for place in range(-8, 9)]


def on_paper(formula, x=X):
    """The expression that a formula's body makes of a symbol."""
    result = formula.body(SymbolArray(x)) if hasattr(formula, "body") else formula(SymbolArray(x))
    return result.elements.item().rewrite(sympy.erf)


def in_balls(formula):
    """A formula's body as a function of one ball."""
    return lambda x: formula.body(BallArray(x)).elements.item()


def ball_of(expression):
    """An expression in x as a function of one ball."""
    names = {"erf": arb.erf, "erfc": arb.erfc, "exp": arb.exp, "tanh": arb.tanh, "sqrt": lambda n: arb(n).sqrt()}
    return sympy.lambdify(X, expression, modules=[names, {"pi": arb.pi()}])


def rationals(formula, numbers):
    """Results of a formula's body on rational numbers."""
    return [F(int(value.p), int(value.q)) for value in formula.body(SymbolArray(np.array(numbers))).elements.flat]


def agrees(value, digits):
    """Whether a float64 is what a decimal of so many digits rounds."""
    kept = len(digits.lstrip("-0.").replace(".", ""))
    return F(f"{value:.{kept}g}") == F(digits)


def same(left, right):
    return vanishes(SymbolArray(left - right))


def slope_of_gelu(x):
    density = (-x * x / 2).exp() / (2 * arb.pi()).sqrt()
    return in_balls(normal_cdf_record)(x) + x * density


class normal_cdf_record:
    """The cumulative distribution, as a formula has its body."""

    body = staticmethod(normal_cdf)


class printed_density:
    """GELU read with the density for the cumulative distribution."""

    @staticmethod
    def body(x):
        return SymbolArray.wrap(np.asarray((X * DENSITY).subs(X, x.elements.item()), dtype=object))


def slope_of_silu(x):
    s = in_balls(sigmoid)(x)
    return s * (1 + x * (1 - s))


# -- ReLU and the logistic function ----------------------------------------------------------------------------------


@statement(
    "relu.C1",
    "relu.P2",
    false={
        "a slope of a hundredth": {"left": sympy.Rational(1, 100)},
        "the same slope": {"right": 0},
        "smooth": {"f": silu},
    },
)
def test_the_rectifier_has_two_slopes_at_zero_and_none_below(f=relu, left=0, right=1):
    slopes = [sympy.limit(on_paper(f, sign * POSITIVE) / (sign * POSITIVE), POSITIVE, 0) for sign in (-1, 1)]

    assert slopes == [left, right]
    assert slopes[0] != slopes[1]
    assert sympy.diff(on_paper(f, -POSITIVE), POSITIVE) == 0


@statement(
    "relu.P1",
    false={
        "leaky": {"f": lambda x: max(x, x / 4)},
        "capped": {"f": lambda x: min(max(x, 0), 1)},
        "modulus": {"f": abs},
    },
)
def test_the_rectifier_is_a_projection_that_keeps_proportions_and_never_bends_down(f=None):
    body = f or (lambda x: rationals(relu, [sympy.Rational(x.numerator, x.denominator)])[0])
    values = {x: body(x) for x in GRID}

    for x in GRID:
        assert body(3 * x) == 3 * values[x]
        assert body(values[x]) == values[x]
        assert values[x] - body(-x) == x
        for y in GRID:
            assert abs(values[x] - values[y]) <= abs(x - y)
            assert x > y or values[x] <= values[y]
            assert body((x + 3 * y) / 4) <= (values[x] + 3 * values[y]) / 4


@statement(
    "sigmoid.P1",
    false={"the slope without the factor": {"slope": lambda s: s}, "a third": {"steepest": sympy.Rational(1, 3)}},
)
def test_the_logistic_function_solves_its_own_equation(slope=lambda s: s * (1 - s), steepest=sympy.Rational(1, 4)):
    value = on_paper(sigmoid)
    s = sympy.Symbol("s", positive=True)

    assert same(on_paper(sigmoid, -X), 1 - value)
    assert value.subs(X, 0) == sympy.Rational(1, 2)
    assert same(sympy.diff(value, X), slope(value))
    assert sympy.diff(value, X).is_positive
    assert [sympy.limit(value, X, end) for end in (-sympy.oo, sympy.oo)] == [0, 1]
    # s (1 - s) = 1/4 - (s - 1/2)^2 is largest at s = 1/2, that is at x = 0.
    assert sympy.expand(slope(s) - steepest + (s - sympy.Rational(1, 2)) ** 2) == 0


@statement(
    "sigmoid.P2",
    false={
        "without the half": {"half": 1},
        "softplus of x": {"sign": 1},
        "the odds turned round": {"odds": lambda q: (1 - q) / q},
    },
)
def test_the_logistic_function_is_a_tangent_and_inverts_the_odds(half=2, sign=-1, odds=lambda q: q / (1 - q)):
    value = on_paper(sigmoid)
    q = sympy.Symbol("q", positive=True)

    assert same(value.rewrite(sympy.exp), ((1 + sympy.tanh(X / half)) / 2).rewrite(sympy.exp))
    assert same(sympy.exp(sympy.log(value)), sympy.exp(-sympy.log(1 + sympy.exp(sign * X))))
    assert sympy.simplify(value.subs(X, sympy.log(odds(q))) - q) == 0


@statement("sigmoid.P3", false={"nothing overflows": {"x": -709.5}, "below the range": {"x": -746.0}})
def test_the_printed_exponential_overflows_where_the_result_is_a_number(x=-710.0):
    with np.errstate(over="ignore"):
        naive = 1 / (1 + np.exp(np.float64(-x)))
    power = np.exp(-abs(np.float64(x)))
    enclosure = bound(sigmoid, np.array([x]), precision=Precision(FLOAT64, FLOAT64, FLOAT64))

    assert naive == 0.0
    assert exact(sigmoid, np.array([x]))[0] > 0.0
    assert (enclosure.ratio(np.array([power / (1 + power)])) <= 1).all()


# -- GELU ------------------------------------------------------------------------------------------------------------


@statement(
    "gelu.P1", false={"without the root of 2": {"scale": 1}, "without the half": {"half": 1}, "SiLU": {"f": silu}}
)
def test_gelu_is_half_of_one_and_the_error_function(f=gelu, scale=sympy.sqrt(2), half=2):
    assert same(on_paper(f), X / half * (1 + sympy.erf(X / scale)))


@statement("gelu.C1", "D066", false={"ReLU": {"f": relu}, "no curvature": {"curvature": 0}})
def test_gelu_has_all_derivatives_at_zero(f=gelu, curvature=2 / sympy.sqrt(2 * sympy.pi)):
    sides = [on_paper(f, sign * POSITIVE) for sign in (1, -1)]
    for order in range(5):
        right, left = (sympy.limit(sympy.diff(side, POSITIVE, order), POSITIVE, 0) for side in sides)
        assert right == (-1) ** order * left
        assert order != 2 or sympy.simplify(right - curvature) == 0
    # What follows are polynomials times the density, as its own derivatives are.
    curved = sympy.simplify(sympy.diff(on_paper(f), X, 2) / DENSITY)
    assert curved.is_polynomial(X)


@statement("gelu.P2", false={"ReLU at 0": {"at_zero": 0}, "the logistic function": {"f": sigmoid}})
def test_gelu_and_its_reflection_differ_by_the_number(f=gelu, at_zero=sympy.Rational(1, 2)):
    assert same(on_paper(f) - on_paper(f, -X), X)
    assert on_paper(f).subs(X, 0) == 0
    assert sympy.diff(on_paper(f), X).subs(X, 0) == at_zero


@statement(
    "gelu.P3",
    false={
        "a root of 3": {"inflection": sympy.sqrt(3)},
        "another end": {"steepest": "1.128904145186"},
        "SiLU": {"f": silu},
    },
)
def test_the_slope_of_gelu_and_where_it_is_extreme(
    f=gelu, inflection=sympy.sqrt(2), steepest="1.128904145185", lowest="-0.128904145185"
):
    slope = sympy.diff(on_paper(f), X)
    bend = sympy.diff(slope, X)

    assert same(slope, CUMULATIVE + X * DENSITY)
    assert same(bend, DENSITY * (inflection**2 - X**2))
    assert same(slope + slope.subs(X, -X), sympy.Integer(1))
    # The slope falls from 0, rises between the inflections and falls to 1: its extrema are at the inflections.
    assert [sympy.limit(slope, X, end) for end in (-sympy.oo, sympy.oo)] == [0, 1]
    assert agrees(sympy.N(slope.subs(X, inflection), 20), steepest)
    assert agrees(sympy.N(slope.subs(X, -inflection), 20), lowest)


@statement(
    "gelu.C2",
    "gelu.P4",
    false={
        "another place": {"place": "-0.751791524693565"},
        "another depth": {"depth": "-0.169971207479905"},
        "ReLU": {"f": relu},
    },
)
def test_gelu_falls_to_its_one_lowest_point_and_rises_from_there(
    f=gelu, place="-0.751791524693564", depth="-0.169971207479904"
):
    # By the bend, the slope is negative until -sqrt(2), rises from there to sqrt(2), and stays above 1 after it.
    assert changes_sign(slope_of_gelu, place)
    lowest = in_balls(f)(between(float(place) - 1e-15, float(place) + 1e-15))
    assert abs(float(lowest) - float(depth)) <= 1e-15
    assert agrees(float(in_balls(f)(arb(place))), depth)
    assert float(in_balls(f)(arb(-3))) > float(depth) < float(in_balls(f)(arb(0)))


@statement("gelu.P5", false={"SiLU": {"f": silu}, "too small": {"depth": "0.1699712074"}})
def test_gelu_lies_below_the_rectifier_by_the_tail_of_the_distribution(f=gelu, depth="0.169971207479904"):
    gap = POSITIVE * (1 - sympy.erf(POSITIVE / sympy.sqrt(2))) / 2

    assert same(POSITIVE - on_paper(f, POSITIVE), gap)
    assert same(0 - on_paper(f, -POSITIVE), gap)
    # The gap at -x is GELU's own depth: largest at the lowest point; below -8 GELU falls from 0 to its value there.
    assert at_most(lambda x: -in_balls(f)(x), lambda x: -slope_of_gelu(x), -8.0, 0.0, depth + "4")
    assert not at_most(lambda x: -in_balls(f)(x), lambda x: -slope_of_gelu(x), -8.0, 0.0, "0.1699712074799")
    assert agrees(-float(in_balls(f)(arb("-0.751791524693564457"))), depth)
    assert sympy.limit(gap, POSITIVE, sympy.oo) == 0


GELU_VALUES = {1: "0.841344746068543", -1: "-0.158655253931457", 2: "1.95449973610364", 3: "2.99595030590511"}
SILU_VALUES = {1: "0.731058578630005", -1: "-0.268941421369995", 2: "1.76159415595576"}


@statement("gelu.P6", false={"tanh": {"f": gelu_tanh}, "one digit": {"values": {1: "0.841344746068542"}}})
def test_golden_values_of_gelu(f=gelu, values=GELU_VALUES):
    assert all(agrees(float(exact(f, float(x))), digits) for x, digits in values.items())


@statement("D065", false={"the cumulative distribution": {"density": CUMULATIVE}})
def test_the_density_gives_another_number_than_gelu_at_one(density=DENSITY):
    read = float(sympy.N((X * density).subs(X, 1), 20))

    assert agrees(float(exact(gelu, 1.0)), "0.841344746068543")
    assert agrees(read, "0.241970724519143")


def gap_between(f, g):
    """Distance of two functions that are both x away from their reflections: even, so that x >= 0 is enough."""
    expression = on_paper(f) - on_paper(g)
    return ball_of(expression), ball_of(sympy.diff(expression, X))


@statement(
    "gelu.P7",
    false={
        "smaller for the tangent": {"tangent": "0.0004732"},
        "smaller for the logistic function": {"logistic": "0.020334"},
        "without the cube": {"cubic": gelu_sigmoid},
    },
)
def test_the_approximations_of_gelu_are_near(cubic=gelu_tanh, tangent="0.0004733", logistic="0.020335"):
    for f, level in ((cubic, tangent), (gelu_sigmoid, logistic)):
        gap, slope = gap_between(f, gelu)
        assert at_most(gap, slope, 0.0, 12.0, level)
        assert at_most(lambda x, gap=gap: -gap(x), lambda x, slope=slope: -slope(x), 0.0, 12.0, level)
    # Beyond 12 both gates are within exp(-1.59 x) of 1, and x exp(-1.59 x) falls.
    assert 12 * math.exp(-1.59 * 12) < 1e-6
    # And near the stated places they are that far off.
    assert abs(float(gap_between(cubic, gelu)[0](arb("2.699")))) > 0.000473
    assert abs(float(gap_between(gelu_sigmoid, gelu)[0](arb("2.27")))) > 0.02033


@statement("gelu.P8", false={"the complement": {"naive": False}, "near 0": {"places": (-1.0, -2.0)}})
def test_one_and_the_error_function_cancel_far_below_zero(naive=True, places=(-5.75, -8.5)):
    for x, kind, form in zip(places, (np.float32, np.float64), (FLOAT32, FLOAT64), strict=True):
        root = kind(kind(x) / kind(math.sqrt(2)))
        cancelling = kind(kind(x) / kind(2) * (kind(1) + kind(math.erf(root))))
        shown = float(cancelling if naive else kind(kind(x) / kind(2) * kind(math.erfc(-root))))
        value = float(exact(gelu, x))
        assert abs(shown - value) >= abs(value) / 2
        assert abs(float(kind(kind(x) / kind(2) * kind(math.erfc(-root)))) / value - 1) <= 80 * x**2 * form.unit


# -- The random mask of GELU -----------------------------------------------------------------------------------------


@statement(
    "gelu_bernoulli",
    "gelu_bernoulli.P1",
    "gelu_bernoulli.C1",
    false={"the expectation of ReLU": {"deterministic": relu}, "a variance without the square": {"power": 1}},
)
def test_the_expectation_of_the_mask_is_gelu(deterministic=gelu, power=2):
    mean, variance = (moment.elements.item().rewrite(sympy.erf) for moment in gelu_bernoulli_moments(SymbolArray(X)))

    assert same(mean, on_paper(deterministic))
    assert same(variance, X**power * CUMULATIVE * CUMULATIVE.subs(X, -X))
    # One draw multiplies by 0 or 1, as ReLU does by the sign alone and dropout by chance alone.
    draws = np.array([-3.0, 0.5, 3.0])
    assert [set((gelu_bernoulli(x, draws) / x).tolist()) for x in (1.0, -1.0)] == [{0.0, 1.0}] * 2


@statement(
    "gelu_bernoulli.P2", false={"the masked number": {"of": gelu_bernoulli}, "kept below": {"of": lambda x, d: x < d}}
)
def test_the_mask_rises_with_the_number_and_the_masked_number_does_not(of=None):
    numbers = np.array([float(x) for x in GRID])
    mask = of or (lambda x, draw: gelu_bernoulli(x, draw) != 0)
    for draw in (-1.0, -0.25, 0.125, 1.5):
        shown = np.asarray(mask(numbers[numbers != 0], np.full(numbers.size - 1, draw)), dtype=float)
        assert (np.diff(shown) >= 0).all()
    # The masked number falls from 0 where it is first kept, if that is below 0.
    assert gelu_bernoulli(np.array([-1.5, -0.5]), np.array([-1.0, -1.0])).tolist() == [0.0, -0.5]


@statement(
    "gelu_bernoulli.P3", false={"the other way": {"ends": (1, 0)}, "always half": {"ends": (sympy.Rational(1, 2),) * 2}}
)
def test_far_out_the_mask_is_certain(ends=(0, 1)):
    kept = normal_cdf(SymbolArray(X)).elements.item()

    assert (sympy.limit(kept, X, -sympy.oo), sympy.limit(kept, X, sympy.oo)) == ends


# -- SiLU ------------------------------------------------------------------------------------------------------------


@statement("silu.P1", false={"ReLU at 0": {"at_zero": 0}, "the logistic function": {"f": sigmoid}})
def test_silu_and_its_reflection_differ_by_the_number(f=silu, at_zero=sympy.Rational(1, 2)):
    slope = sympy.diff(on_paper(f), X)

    assert same(on_paper(f) - on_paper(f, -X), X)
    assert slope.subs(X, 0) == at_zero
    assert same(slope + slope.subs(X, -X), sympy.Integer(1))


@statement("silu.C1", "silu.P2", false={"GELU": {"f": gelu}, "a plain product": {"slope": lambda s: s * (1 - s)}})
def test_the_slope_of_silu(f=silu, slope=lambda s: s * (1 + X * (1 - s))):
    printed = slope(LOGISTIC)

    assert same(sympy.diff(on_paper(f), X), printed)
    # Continuous everywhere, for no denominator vanishes; and of both signs, so that SiLU is not monotone.
    assert (1 + sympy.exp(-X)).is_positive
    assert printed.subs(X, -2).evalf() < 0 < printed.subs(X, 0)


@statement(
    "silu.P3",
    false={
        "one digit of the place": {"place": "-1.27846454276108"},
        "one digit of W": {"w": "0.278464542761075"},
        "GELU": {"f": gelu},
    },
)
def test_the_lowest_point_of_silu(f=silu, place="-1.27846454276107", w="0.278464542761074"):
    lambert = sympy.LambertW(sympy.exp(-1))
    # The slope is s / (1 + e^x) times (1 + e^x + x), whose second factor rises: it vanishes at one point alone.
    factor = 1 + sympy.exp(X) + X
    at = -(1 + lambert)

    assert same(sympy.diff(on_paper(silu), X), LOGISTIC / (1 + sympy.exp(X)) * factor)
    assert sympy.diff(factor, X).is_positive
    # W e^W = 1/e: e^-(1 + W) = W.
    assert sympy.N(factor.subs(X, at), 60, chop=True) == 0
    assert agrees(sympy.N(at, 20), place)
    assert agrees(sympy.N(lambert, 20), w)
    assert abs(sympy.N(on_paper(f).subs(X, at) - (at + 1), 30)) < sympy.Rational(1, 10**28)


@statement(
    "silu.P4",
    false={
        "another end": {"steepest": "1.09983932012888"},
        "another place": {"place": "2.39935728053"},
        "GELU": {"f": gelu},
    },
)
def test_the_extreme_slopes_of_silu(f=silu, place="2.39935728052", steepest="1.09983932012887"):
    bend = sympy.diff(on_paper(f), X, 2)
    # The bend is s (1 - s) (2 - x tanh(x / 2)), and x tanh(x / 2) rises for x > 0: one sign change on each side.
    factor = 2 - X * sympy.tanh(X / 2)

    assert same(bend, (LOGISTIC * (1 - LOGISTIC) * factor.rewrite(sympy.exp)))
    assert changes_sign(ball_of(factor), place)
    assert agrees(sympy.N(sympy.diff(on_paper(f), X).subs(X, sympy.Rational(place)), 20), steepest)
    assert agrees(sympy.N(1 - sympy.diff(on_paper(f), X).subs(X, -sympy.Rational(place)), 20), steepest)
    assert agrees(sympy.N(sympy.diff(on_paper(f), X).subs(X, -sympy.Rational(place)), 20), "-0.0998393201288669")


@statement("silu.P5", false={"GELU": {"f": gelu}, "too small": {"depth": "0.2784645427"}, "twice as fast": {"rate": 2}})
def test_silu_lies_below_the_rectifier(f=silu, depth="0.27846454276108", rate=1):
    gap = POSITIVE / (1 + sympy.exp(rate * POSITIVE))

    assert same(POSITIVE - on_paper(f, POSITIVE), gap)
    assert same(0 - on_paper(f, -POSITIVE), gap)
    assert gap.is_positive
    assert at_most(lambda x: -in_balls(f)(x), lambda x: -slope_of_silu(x), -60.0, 0.0, depth)
    assert sympy.limit(gap, POSITIVE, sympy.oo) == 0


@statement(
    "silu.P6",
    false={
        "too small": {"most": "0.19300198"},
        "another place": {"place": "1.96546896410"},
        "the wrong sign": {"sign": -1},
    },
)
def test_gelu_and_silu_differ_by_at_most_a_fifth(most="0.193001987980010", place="1.96546896409", sign=1):
    gap = sign * (on_paper(gelu) - on_paper(silu))
    balls, slopes = ball_of(gap), ball_of(sympy.diff(gap, X))

    assert same(gap, gap.subs(X, -X))
    # The densities' ratio falls for x > 0, so that the distributions' difference rises, then falls to 0: it is positive.
    ratio = sympy.log(DENSITY) - sympy.log(LOGISTIC * (1 - LOGISTIC))
    assert same(sympy.diff(ratio, X).rewrite(sympy.exp), (sympy.tanh(X / 2) - X).rewrite(sympy.exp))
    assert gap.subs(X, 1).evalf() > 0
    assert at_most(balls, slopes, 0.0, 50.0, most + "5")
    assert changes_sign(slopes, place)
    assert agrees(float(balls(arb(place))), most.rstrip("0"))


@statement("silu.C2", "silu.P7", false={"ReLU": {"f": relu}, "two points": {"count": 2}})
def test_the_slope_of_silu_vanishes_at_one_point_and_that_of_relu_on_half_the_line(f=silu, count=1):
    slope = sympy.diff(on_paper(f), X)
    halves = [F(place, 2) for place in range(-40, 41)]
    signs = [sympy.sign(slope.subs(X, sympy.Rational(x.numerator, x.denominator)).evalf(30)) for x in halves]

    assert sum(a != b for a, b in itertools.pairwise(signs)) == count
    assert 0 not in signs
    # A dead unit of ReLU learns nothing from any of these numbers; at 0 the slope is a half.
    assert all(sympy.diff(on_paper(relu, -POSITIVE), POSITIVE) == 0 for _ in halves)
    assert slope.subs(X, 0) == sympy.Rational(1, 2)


@statement("silu.P8", false={"squared": {"power": 2}, "too small": {"error": "0.27"}})
def test_a_steeper_silu_tends_to_the_rectifier(power=1, error="0.2785"):
    c = sympy.Symbol("c", positive=True)
    steep = on_paper(silu, c * POSITIVE) / c

    # The distance at x and c is the one at c x and 1, over c: so is the largest.
    distance = POSITIVE - on_paper(silu, POSITIVE)
    assert same(POSITIVE - steep, distance.subs(POSITIVE, c * POSITIVE) / c**power)
    assert same(0 - on_paper(silu, -c * POSITIVE) / c, distance.subs(POSITIVE, c * POSITIVE) / c**power)
    assert at_most(lambda x: -in_balls(silu)(x), lambda x: -slope_of_silu(x), -60.0, 0.0, error)


@statement("silu.P9", false={"GELU": {"f": gelu}, "one digit": {"values": {2: "1.76159415595577"}}})
def test_golden_values_of_silu(f=silu, values=SILU_VALUES):
    assert all(agrees(float(exact(f, float(x))), digits) for x, digits in values.items())
