"""How long a step of Adam is: the heuristic of the documents, Jensen's inequality behind it, and what is sharp."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import pytest
import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.errors import DomainError
from oracle.examples.step_bound import step_bound_points
from oracle.formula import initial_state
from oracle.optimizers.step_bound import (
    longest_step_gradients,
    paper_step_bound,
    squared_step_bound,
    squared_step_bound_limit,
)
from tests.helpers.algebra import exactly, expression, series, symbols, vanishes, walk
from tests.helpers.averages import corrected_averages
from tests.helpers.statements import statement

ADAM = get("adam")
THETA, RATE, EPS, BETA1, BETA2 = symbols("theta eta epsilon beta_1 beta_2", positive=True)
T = sympy.Symbol("t", integer=True, positive=True)
CUSTOMARY = (F(9, 10), F(999, 1000))


def near(name):
    """Return Adam with one change."""
    return neighbour(ADAM, f"adam_{name}")


def averages(formula, grads, beta1, beta2):
    """Return the corrected averages after some gradients, of which the last step is made."""
    options = {"learning_rate": RATE, "eps": EPS, "beta1": beta1, "beta2": beta2}
    _, before = walk(formula, 0 * THETA, grads[:-1], **options)
    first, second, _ = corrected_averages(formula, grads[-1], before, **options)
    return first, second


def weights(beta, steps):
    """Return the weights of a corrected average."""
    return [(1 - beta) * beta ** (steps - i) / (1 - beta**steps) for i in range(1, steps + 1)]


def cancels(difference):
    """Whether a rational expression is zero."""
    return sympy.cancel(expression(difference)) == 0


def is_root(square, printed):
    """Whether a printed decimal is the root of a rational number, correctly rounded."""
    half = F(1, 2 * 10 ** len(printed.partition(".")[2]))
    return (F(printed) - half) ** 2 <= square <= (F(printed) + half) ** 2


def one_less(beta1, beta2, step):
    return squared_step_bound(beta1, beta2, max(step - 1, 1))


def unnormalised(beta1, beta2, step):
    return squared_step_bound(beta1, beta2, step) * (1 - beta2) / (1 - beta2**step)


@statement(
    "adam.P4",
    "adam_lr_interpretation.P1",
    "D031",
    false={
        "of the step before": {"bound": one_less},
        "without a factor": {"bound": unnormalised},
        "modulus averaged": {"formula": near("second_of_modulus")},
    },
)
def test_what_the_ratio_lacks_of_its_bound_is_a_sum_of_squares(formula=ADAM, bound=squared_step_bound):
    """Lagrange's identity: the squares vanish together for proportional gradients alone, and they do for those."""
    for steps in (2, 3):
        grads = series("g", steps, real=True)
        first, second = averages(formula, grads, BETA1, BETA2)
        a, b = weights(BETA1, steps), weights(BETA2, steps)
        lack = sum(
            b[i] * b[j] * (a[i] / b[i] * grads[j] - a[j] / b[j] * grads[i]) ** 2
            for i, j in itertools.combinations(range(steps), 2)
        )
        assert cancels(bound(BETA1, BETA2, steps) * second - first**2 - lack)

    for beta1, beta2 in ((F(1, 2), F(3, 4)), (F(3, 4), F(1, 2)), (F(1, 3), F(1, 9))):
        for steps in range(1, 7):
            grads = [exactly(grad) for grad in longest_step_gradients(beta1, beta2, steps)]
            first, second = averages(formula, grads, exactly(beta1), exactly(beta2))
            assert first.elements.item() ** 2 == bound(beta1, beta2, steps) * second.elements.item()


def closed_form(beta1, beta2, step):
    ratio = beta1**2 / beta2
    outer = (1 - beta1) ** 2 / ((1 - beta2) * (1 - ratio))
    return outer * (1 - beta2**step) * (1 - ratio**step) / (1 - beta1**step) ** 2


def in_exponentials(expr):
    """A simpler form of an expression with hyperbolic functions."""
    return sympy.simplify(expr.rewrite(sympy.exp))


@statement(
    "adam.P5",
    false={
        "without a factor": {"bound": unnormalised},
        "of the step before": {"bound": one_less},
        "another closed form": {"form": lambda p, q, t: closed_form(p, q, t) * (1 - p**t)},
        "nothing but its last factor": {"form": lambda p, q, t: closed_form(p, q, t) * (1 - p**t) ** 2},
    },
)
def test_the_bound_is_one_at_the_first_step_or_for_equal_betas_and_grows_otherwise(
    bound=squared_step_bound, form=closed_form
):
    """For every t, by the closed form; the convex u coth u has its mean value of two arguments above that of the mean."""
    p, q = (expression(beta) for beta in (BETA1, BETA2))
    for steps in range(1, 6):
        a, b = weights(p, steps), weights(q, steps)
        # Both add up to 1, so that the square less 1 is the sum of (a - b)^2 / b: zero if and only if all weights agree.
        assert sympy.cancel(sum(a)) == sympy.cancel(sum(b)) == 1
        assert sympy.cancel(bound(p, q, steps) - sum(sympy.cancel(x**2 / y) for x, y in zip(a, b, strict=True))) == 0
        assert sympy.cancel(bound(p, q, steps) - form(p, q, steps)) == 0
    assert bound(F(2, 3), F(2, 3), 5) == bound(F(2, 3), F(1, 3), 1) == 1

    # By induction for every t, with the sum of powers of the ratio that the bound has.
    def powers(steps):
        return form(p, q, steps) * (1 - p**steps) ** 2 * (1 - q) / ((1 - p) ** 2 * (1 - q**steps))

    assert sympy.cancel(powers(1) - 1) == 0
    assert sympy.simplify(powers(T + 1) - powers(T) - (p**2 / q) ** T) == 0

    # With x and y for -ln(beta2) and -ln(beta1^2 / beta2), -ln(beta1) is their mean, and equal to either for equal betas.
    x, y, t, u = sympy.symbols("x y t u", positive=True)

    def curve(argument):
        return argument * sympy.coth(argument)

    logarithm = sympy.log(form(sympy.exp(-(x + y) / 2), sympy.exp(-x), t))
    growth = curve(x * t / 2) + curve(y * t / 2) - 2 * curve((x + y) * t / 4)
    assert in_exponentials(t * sympy.diff(logarithm, t) - growth) == 0
    above = u * sympy.cosh(u) - sympy.sinh(u)  # from 0 on it grows
    assert in_exponentials(sympy.diff(curve(u), u, 2) - 2 * above / sympy.sinh(u) ** 3) == 0
    assert above.subs(u, 0) == 0
    assert sympy.diff(above, u).is_positive
    # It is even, and beyond zero it grows: so it is convex across zero too, where it is 1, and y may have any sign.
    assert sympy.simplify(curve(-u) - curve(u)) == 0
    assert sympy.limit(curve(u), u, 0) == 1
    rise = sympy.sinh(u) * sympy.cosh(u) - u
    assert in_exponentials(sympy.diff(curve(u), u) - rise / sympy.sinh(u) ** 2) == 0
    assert rise.subs(u, 0) == 0
    assert in_exponentials(sympy.diff(rise, u) - 2 * sympy.sinh(u) ** 2) == 0

    printed = {2: "1.00135791609", 10: "1.04310771743", 100: "2.24336408633", 1000: "5.78116020035"}
    assert all(is_root(bound(*CUSTOMARY, steps), root) for steps, root in printed.items())


@statement(
    "adam.P6",
    false={
        "a root missing": {"limit": lambda p, q: squared_step_bound_limit(p, q) ** 2},
        "the ratio of the betas": {"limit": lambda p, q: (1 - p) ** 2 / ((1 - q) * (1 - p / q))},
        "the paper's": {"limit": lambda p, q: (1 - p) ** 2 / (1 - q)},
    },
)
def test_the_bound_has_a_limit_if_the_square_of_beta1_is_below_beta2(limit=squared_step_bound_limit):
    """In the closed form, which adam.P5 proves for every t, all powers but those of a ratio above 1 fade."""
    p, q = (expression(beta) for beta in (BETA1, BETA2))
    faded = sympy.symbols("P Q R")  # powers of beta1, of beta2 and of their ratio, or of its inverse
    of_p, of_q, of_ratio = faded
    none = dict.fromkeys(faded, 0)
    form = (1 - of_q) * (1 - of_ratio) / (1 - of_p) ** 2
    for steps in range(1, 5):
        values = {of_p: p**steps, of_q: q**steps, of_ratio: (p**2 / q) ** steps}
        assert sympy.cancel(squared_step_bound(p, q, steps) - limit(p, q) * form.subs(values)) == 0
    assert form.subs(none) == 1

    golden = {
        CUSTOMARY: "7.27029180000",
        (F(9, 10), F(99, 100)): "2.34520787991",
        (F(9, 10), F(19, 20)): "1.16496474502",
    }
    assert all(is_root(limit(*betas), root) for betas, root in golden.items())

    # Above 1 the bound over the ratio's power tends to what the same expression has there, which is positive;
    # at 1 the sum of powers is t, so that the bound over t tends to a positive number as well.
    beyond = -limit(p, q) * (1 - of_q) * (1 - of_ratio) / (1 - of_p) ** 2
    excess, x = sympy.symbols("y x", positive=True)
    of_x = 1 / (1 + x)  # beta1
    larger = beyond.subs(none).subs(q, p**2 / (1 + excess)).subs(p, of_x)
    assert sympy.factor(larger).is_positive
    even = (1 - p) ** 2 / (1 - q) * (1 - of_q) / (1 - of_p) ** 2
    assert sympy.factor(even.subs(none).subs(q, p**2).subs(p, of_x)).is_positive
    for steps in range(1, 5):
        values = {of_p: p**steps, of_q: q**steps, of_ratio: (q / p**2) ** steps}
        power = (p**2 / q) ** steps
        assert sympy.cancel(squared_step_bound(p, q, steps) - power * beyond.subs(values)) == 0
        values[of_q] = p ** (2 * steps)
        assert sympy.cancel(squared_step_bound(p, p**2, steps) - steps * even.subs(values).subs(q, p**2)) == 0
    for beta2 in (F(1, 4), F(1, 8)):
        with pytest.raises(DomainError, match="must be below beta2 for the bound to have a limit"):
            squared_step_bound_limit(F(1, 2), beta2)


@statement(
    "adam.P7",
    "D029",
    false={
        "no epsilon": {"formula": near("without_eps")},
        "epsilon inside": {"formula": near("eps_inside")},
        "epsilon as a floor": {"formula": near("eps_maximum")},
    },
)
def test_epsilon_shortens_every_step(formula=ADAM):
    average = symbol_array("m", real=True, nonzero=True)
    square, grad = symbols("v g", positive=True)
    zeros = initial_state(formula.state_type, 0 * average)
    values = {"learning_rate": RATE, "beta1": exactly("9/10"), "beta2": exactly("999/1000")}
    state = zeros._replace(step=6, exp_avg=average, exp_avg_sq=square)
    moved, after = formula.body(THETA, grad, state, eps=EPS, **values)
    root = SymbolArray(sympy.sqrt(expression(after.exp_avg_sq / (1 - values["beta2"] ** 7))))
    ratio = after.exp_avg / (1 - values["beta1"] ** 7) / root
    shortened = (THETA - moved) / (RATE * ratio)

    assert vanishes(shortened - root / (root + EPS))
    assert expression(EPS / (root + EPS)).is_positive  # what it lacks of 1


@statement(
    "adam.P8",
    "jensen_second_moment",
    "jensen_second_moment.P1",
    "jensen_second_moment.P2",
    "adam_lr_interpretation.P2",
    false={
        "other weights": {"beta2": BETA2},
        "squares added up": {"formula": near("second_unnormalised")},
        "the square of the average": {"formula": near("second_of_average")},
        "squares uncorrected": {"formula": near("second_uncorrected")},
        "no root": {"formula": near("without_root")},
        "looking ahead": {"formula": near("nesterov")},
    },
)
def test_with_equal_weights_the_second_moment_exceeds_the_squared_mean_by_the_variance(formula=ADAM, beta2=BETA1):
    """By induction for every t, and so no root of the second is below the first, whose ratio the step is at most.

    A new value with the weight w leaves of the variance 1 - w and adds w (1 - w) times a square: nothing if and only if
    it is what all others were.
    """
    mean, square = symbols("m v", positive=True)
    grad = symbol_array("g", real=True)
    zeros = initial_state(formula.state_type, 0 * mean)
    averaged = {"exp_avg": (1 - BETA1 ** (T - 1)) * mean, "exp_avg_sq": (1 - beta2 ** (T - 1)) * square}
    options = {"learning_rate": RATE, "eps": EPS, "beta1": BETA1, "beta2": beta2}
    first, second, _ = corrected_averages(formula, grad, zeros._replace(step=T - 1, **averaged), **options)
    share = (1 - BETA1) / (1 - BETA1**T)
    left = (1 - share) * (square - mean**2)

    assert vanishes(second - first**2 - left - share * (1 - share) * (grad - mean) ** 2)
    assert vanishes(expression(averaged["exp_avg"]).subs(T, 1))  # the first value has the weight 1

    # The same of any weights: about another point the variance grows by the squared distance.
    variance, weight = symbols("V w", positive=True)
    moved, gathered = (1 - weight) * mean + weight * grad, (1 - weight) * (variance + mean**2) + weight * grad**2
    about = (1 - weight) * (variance + (mean - moved) ** 2) + weight * (grad - moved) ** 2
    assert vanishes(gathered - moved**2 - about)
    assert vanishes(about - (1 - weight) * variance - weight * (1 - weight) * (grad - mean) ** 2)


def moments(values, shares, powers=(1, 2)):
    """Return the first two moments of a weighted sample."""
    return tuple(sum(share * value**power for value, share in zip(values, shares, strict=True)) for power in powers)


@statement(
    "jensen_second_moment.P1",
    "jensen_second_moment.P4",
    "D030",
    false={
        "third powers": {"powers": (1, 3)},
        "shares of more than one": {"whole": 3},
        "the printed denominator": {"squared": True},
    },
)
def test_of_every_small_sample_the_ratio_is_at_most_one_and_one_for_constants_alone(
    powers=(1, 2), whole=4, squared=False
):
    ratios = {}
    for counts in itertools.product(range(5), repeat=3):
        if sum(counts) != 4:
            continue
        for values in itertools.product((-2, -1, 0, 1, 3), repeat=3):
            mean, second = moments(values, [F(count, whole) for count in counts], powers)
            second = mean**2 if squared else second
            if second == 0:
                continue
            constant = len({value for value, count in zip(values, counts, strict=True) if count}) == 1
            assert mean**2 <= second
            assert (mean**2 == second) == constant
            ratios[counts, values] = mean**2 / second
    for (counts, values), ratio in ratios.items():
        flipped = tuple(F(-7, 2) * value for value in values)
        mean, second = moments(flipped, [F(count, whole) for count in counts], powers)
        assert mean**2 / second == ratio


@statement(
    "jensen_second_moment.P3",
    "adam_lr_interpretation.P3",
    "adam_lr_interpretation.C1",
    "adam.C3",
    "D031",
    false={
        "equal betas": {"beta2": F(9, 10)},
        "one gradient": {"length": 1},
        "no bias correction": {"formula": near("first_uncorrected")},
    },
)
def test_two_gradients_make_a_step_longer_than_the_learning_rate(formula=ADAM, beta2=F(999, 1000), length=2):
    grads = [exactly(F(9, 10) / beta2), exactly(1)][-length:]
    path, _ = walk(
        formula,
        exactly(0),
        grads,
        learning_rate=exactly(1),
        eps=exactly(0),
        beta1=exactly("9/10"),
        beta2=exactly(beta2),
    )
    moved = sympy.N(expression(([exactly(0), *path])[-2] - path[-1]), 30)

    assert abs(moved - sympy.Rational("1.00135791609")) <= sympy.Rational(1, 2 * 10**11)
    assert moved > 1


@statement(
    "adam.P9",
    false={
        "uncorrected": {"formula": near("second_uncorrected")},
        "the average as it was": {"formula": near("first_lagged")},
        "counted from two": {"formula": near("step_from_two")},
    },
)
def test_a_single_late_gradient_gives_the_ratio_that_the_paper_takes_for_the_largest(formula=ADAM):
    (grad,) = symbols("g", positive=True)
    state = initial_state(formula.state_type, 0 * grad)._replace(step=T - 1)
    moved, _ = formula.body(THETA, grad, state, learning_rate=RATE, beta1=BETA1, beta2=BETA2, eps=exactly(0))
    squared = ((1 - BETA1) / (1 - BETA1**T)) ** 2 * (1 - BETA2**T) / (1 - BETA2)

    assert vanishes((THETA - moved) ** 2 - RATE**2 * squared)

    faded = expression(squared).subs({expression(BETA1) ** T: 0, expression(BETA2) ** T: 0})
    values = {expression(BETA1): sympy.Rational(9, 10), expression(BETA2): sympy.Rational(999, 1000)}
    assert faded.subs(values) == 10
    assert abs(F(paper_step_bound(0.9, 0.999)) ** 2 - 10) < F(1, 10**12)


@statement(
    "adam_lr_interpretation.P4",
    "D031",
    false={
        "too few steps": {"steps": 20},
        "the sharp bound": {"bound": lambda beta1, beta2: float(squared_step_bound_limit(beta1, beta2)) ** 0.5},
    },
)
def test_geometric_gradients_exceed_both_halves_of_the_paper_s_bound(steps=600, bound=paper_step_bound):
    for beta2, largest in ((0.999, "3.1623"), (0.99, "1.0000")):
        points = step_bound_points(0.9, beta2, steps)
        assert f"{bound(0.9, beta2):.4f}" == largest
        assert points.reached[-1] > bound(0.9, beta2)
        assert (points.reached == points.bound).all()  # both correctly rounded


@statement(
    "adam_lr_interpretation.P2",
    false={
        "a gradient that changes": {"last": 3},
        "the gradient's sum": {"formula": near("first_unnormalised")},
        "uncorrected": {"formula": near("without_correction")},
    },
)
def test_under_a_constant_gradient_steps_without_epsilon_are_the_learning_rate(formula=ADAM, last=2):
    betas = {"beta1": exactly("9/10"), "beta2": exactly("999/1000")}
    grads = [exactly(-2)] * 4 + [exactly(-last)]
    path, _ = walk(formula, THETA, grads, learning_rate=RATE, eps=exactly(0), **betas)

    assert all(vanishes(now - before - RATE) for before, now in itertools.pairwise([THETA, *path]))


@statement(
    "adam_lr_interpretation",
    "D028",
    false={"as printed": {"sign": 1}, "an ascent": {"formula": near("ascent")}},
)
def test_the_step_is_minus_the_learning_rate_times_the_ratio(formula=ADAM, sign=-1):
    grads = [exactly(1), exactly(2)]
    betas = {"beta1": exactly("1/2"), "beta2": exactly("3/4")}
    path, _ = walk(formula, THETA, grads, learning_rate=RATE, eps=exactly(0), **betas)
    first, second = averages(ADAM, grads, *betas.values())

    assert vanishes(path[1] - path[0] - sign * RATE * first / SymbolArray(sympy.sqrt(expression(second))))
