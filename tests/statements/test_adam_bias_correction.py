"""What Adam's averages expect: by induction over any number of steps, and over every path of small distributions."""

from __future__ import annotations

import itertools

import sympy

from oracle.arithmetic.primitives import bias_correction
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.formula import initial_state
from oracle.optimizers.descent import gd
from tests.helpers.algebra import exactly, expression, expressions, series, symbols, vanishes, walk
from tests.helpers.averages import corrected_averages
from tests.helpers.statements import statement

ADAM = get("adam")
THETA, RATE, EPS, BETA1, BETA2 = symbols("theta eta epsilon beta_1 beta_2", positive=True)
T = sympy.Symbol("t", integer=True, positive=True)
RATES = {"learning_rate": exactly(1), "eps": exactly(1)}
BETAS = {"beta1": exactly("1/2"), "beta2": exactly("3/4")}
#: A skew distribution: values and their probabilities.
SKEW = {-1: "1/2", 0: "1/3", 3: "1/6"}


def near(name):
    """Return Adam with one change."""
    return neighbour(ADAM, f"adam_{name}")


def after(steps, formula, average, square):
    """Return the state after a number of steps, which may be a symbol."""
    return initial_state(formula.state_type, 0 * average)._replace(step=steps, exp_avg=average, exp_avg_sq=square)


def independent(distribution, steps):
    """Return every path of independent draws with its probability."""
    return {
        path: sympy.prod(sympy.Rational(distribution[value]) for value in path)
        for path in itertools.product(distribution, repeat=steps)
    }


def expected(array, paths):
    """Return the mean over all paths."""
    return sum(value * share for value, share in zip(expressions(array), paths.values(), strict=True))


def corrected(formula, paths, start="0"):
    """Run all paths at once, one element for each: return the corrected averages that the last step is made of."""
    grads = [SymbolArray([sympy.Integer(value) for value in column]) for column in zip(*paths, strict=True)]
    options = {**RATES, "eps": EPS, **BETAS}
    state = after(0, formula, 0 * grads[0], 0 * grads[0] + exactly(start))
    _, before = walk(formula, 0 * grads[0], grads[:-1], state, **options)
    first, second, _ = corrected_averages(formula, grads[-1], before, **options)
    return first, second


def between(expr, beta):
    """Write an expression in a beta and its power t with what is positive for every beta below 1 and every t."""
    excess, far = sympy.symbols("x y", positive=True)
    return expr.subs(beta**T, 1 / (1 + far)).subs(beta, 1 / (1 + excess))


@statement(
    "adam_bias_correction.C1",
    "adam_bias_correction.P1",
    "D025",
    false={
        "weights shifted by one": {"shift": 1},
        "the start forgotten": {"kept": 0},
        "the square of the step before": {"formula": near("second_of_average")},
    },
)
def test_the_second_average_is_an_unrolled_sum_from_any_start(formula=ADAM, shift=0, kept=1):
    """By induction: of the sum at t - 1 the recurrence makes the sum at t; the empty sum is the start."""
    start, average = symbols("v_0 m", positive=True)
    i = sympy.Symbol("i", integer=True, positive=True)
    grad = sympy.Function("g", real=True)
    beta = expression(BETA2)

    def unrolled(steps):
        gathered = sympy.Sum(beta ** (steps - i + shift) * grad(i) ** 2, (i, 1, steps))
        return kept * beta**steps * expression(start) + (1 - beta) * gathered

    before = after(T - 1, formula, average, SymbolArray(unrolled(T - 1)))
    _, state = formula.body(THETA, SymbolArray(grad(T)), before, learning_rate=RATE, eps=EPS, beta1=BETA1, beta2=BETA2)
    # The sum to t is its last term and beta times the sum to t - 1.
    stated = (1 - beta) * beta**shift * grad(T) ** 2 + beta * unrolled(T - 1)

    assert unrolled(0).doit() == expression(start)
    assert sympy.expand(expression(state.exp_avg_sq) - stated) == 0

    for steps in (1, 2, 4):
        grads = series("g", steps, real=True)
        _, state = walk(
            formula,
            THETA,
            grads,
            after(0, formula, 0 * start, start),
            learning_rate=RATE,
            eps=EPS,
            beta1=BETA1,
            beta2=BETA2,
        )
        terms = {grad(number): expression(value) for number, value in enumerate(grads, 1)}
        assert sympy.expand(expression(state.exp_avg_sq) - unrolled(steps).doit().subs(terms)) == 0


@statement(
    "adam_bias_correction.P2",
    false={
        "one power more": {"power": lambda t: t + 1},
        "one power less": {"power": lambda t: t - 1},
        "without its factor": {"factor": lambda _: 1},
    },
)
def test_the_weights_of_an_average_add_up_to_the_correction(power=lambda t: t, factor=lambda beta: 1 - beta):
    beta = symbol_array("beta")

    def total(steps):
        return factor(beta) * sum(beta ** (steps - i) for i in range(1, steps + 1))

    gathered = 1 - beta ** power(T - 1)  # by induction: weights fade by beta, and the new one enters

    assert vanishes(beta * gathered + factor(beta) - bias_correction(beta, power(T)))
    for steps in range(1, 6):
        assert vanishes(total(steps) - (1 - beta ** power(steps)))
        assert vanishes(total(steps) - bias_correction(beta, steps))
        for end in (0, 1):  # 0^0 being 1
            assert expression(total(steps)).subs(expression(beta), end) == 1 - end**steps


@statement(
    "adam_bias_correction",
    "adam_bias_correction.C2",
    "D024",
    "D027",
    false={
        "uncorrected": {"formula": near("without_correction")},
        "counted from two": {"formula": near("step_from_two")},
        "counted one late from the second step on": {"formula": near("step_lagging")},
        "of the averages' squares": {"formula": near("second_of_average")},
        "swapped": {"order": (1, 0)},
    },
)
def test_of_draws_alike_the_corrected_averages_expect_the_moments(formula=ADAM, order=(0, 1)):
    """Over every path of up to four draws."""
    moments = [sum(value**power * sympy.Rational(p) for value, p in SKEW.items()) for power in (1, 2)]
    for steps in range(1, 5):
        paths = independent(SKEW, steps)
        found = [expected(average, paths) for average in corrected(formula, paths)]

        assert [found[place] for place in order] == moments


DEPENDENT = {
    "one draw for ever": {(1, 1, 1): "1/2", (-1, -1, -1): "1/4", (0, 0, 0): "1/4"},
    "the opposite next": {(1, -1, 1): "3/8", (-1, 1, -1): "3/8", (0, 0, 0): "1/4"},
    "other distributions": {(1, 2, -1): "1/8", (1, 0, 0): "3/8", (0, 0, 1): "3/8", (0, 0, 0): "1/8"},
}


UNLIKE = {(1, 1): "1/2", (-1, 0): "1/2"}


@statement(
    "adam_bias_correction.P3",
    "D026",
    false={
        "another second moment at last": {"worlds": {"unlike": UNLIKE}},
        "a sum": {"formula": near("second_unnormalised")},
        "uncorrected": {"formula": near("without_correction")},
        "the second uncorrected": {"formula": near("second_uncorrected")},
    },
)
def test_draws_may_depend_on_each_other_if_each_has_the_same_second_moment(formula=ADAM, worlds=DEPENDENT):
    for world in worlds.values():
        paths = {path: sympy.Rational(share) for path, share in world.items()}
        _, second = corrected(formula, paths)

        assert sum(paths.values()) == 1
        assert {expected(SymbolArray(draws) ** 2, paths) for draws in zip(*paths, strict=True)} == {
            expected(second, paths)
        }


@statement(
    "D026",
    false={
        "a common second moment": {"world": {(1, 1): "1/2", (-1, -1): "1/2"}},
        "a sum": {"formula": near("second_unnormalised")},
        "uncorrected": {"formula": near("second_uncorrected")},
    },
)
def test_of_draws_unlike_the_corrected_average_expects_a_mixture(formula=ADAM, world=UNLIKE):
    paths = {path: sympy.Rational(share) for path, share in world.items()}
    _, second = corrected(formula, paths)

    assert sum(path[-1] ** 2 * share for path, share in paths.items()) == sympy.Rational(1, 2)
    assert expected(second, paths) == sympy.Rational(5, 7)  # at beta2 = 3/4: (3/4 * 1 + 1 * 1/2) / (3/4 + 1)


@statement(
    "adam_bias_correction.P4",
    "D034",
    false={
        "zeros": {"start": "0"},
        "the moment itself, kept as it was": {"weight": lambda beta, steps: beta**steps},
        "uncorrected": {"formula": near("without_correction")},
        "the second uncorrected": {"formula": near("second_uncorrected")},
    },
)
def test_from_another_start_the_corrected_average_is_biased(
    formula=ADAM, start="5/2", weight=lambda beta, steps: beta**steps / (1 - beta**steps)
):
    paths = independent(SKEW, 3)
    _, second = corrected(formula, paths, start)
    bias = expected(second, paths) - sum(value**2 * sympy.Rational(p) for value, p in SKEW.items())

    assert bias == expression(weight(BETAS["beta2"], 3)) * sympy.Rational(start) != 0


@statement(
    "adam_bias_correction.P5",
    false={"one step more": {"lag": 1}, "a larger beta": {"beta": "0.9999"}},
)
def test_what_an_uncorrected_average_has_of_its_moment_grows_to_one(lag=0, beta="0.999"):
    def factor(steps):
        return expression(bias_correction(exactly(beta), steps + lag))

    assert factor(1) == sympy.Rational(1, 1000)
    assert abs(factor(1000) - sympy.Rational("0.632305")) <= sympy.Rational(1, 2 * 10**6)

    excess = sympy.Symbol("x", positive=True)
    inside = 1 / (1 + excess)  # every beta between 0 and 1
    grown = sympy.factor(bias_correction(inside, T + 1) - bias_correction(inside, T))
    assert sympy.simplify(grown - excess / (1 + excess) ** (T + 1)) == 0  # positive
    assert sympy.limit(bias_correction(sympy.Rational(999, 1000), T), T, sympy.oo) == 1


def stated_variance(beta, steps):
    """Return the part of a draw's variance that the corrected average has."""
    return (1 - beta) * (1 + beta**steps) / ((1 + beta) * (1 - beta**steps))


def newest(beta, steps):
    """Return the weight of the newest draw in a corrected average."""
    return (1 - beta) / (1 - beta**steps)


@statement(
    "adam_bias_correction.P6",
    "adam_lr_interpretation.P5",
    false={
        "of an uncorrected average": {"part": lambda beta, steps: (1 - beta) * (1 - beta ** (2 * steps)) / (1 + beta)},
        "its limit": {"part": lambda beta, steps: (1 - beta) / (1 + beta)},
        "of a sum": {"formula": near("first_unnormalised")},
        "uncorrected": {"formula": near("without_correction")},
        "the second uncorrected": {"formula": near("second_uncorrected")},
        "squared averages": {"formula": near("second_of_average")},
    },
)
def test_the_average_of_independent_draws_varies_less_and_less(formula=ADAM, part=stated_variance):
    """Over all paths of up to four draws, and by induction for every t: a new draw is independent of all before.

    In the limit, betas to 1 as well, both averages are their moments, and a step made of these is at most the rate.
    """
    moments = [sum(value**power * sympy.Rational(p) for value, p in SKEW.items()) for power in range(5)]
    variances = moments[2] - moments[1] ** 2, moments[4] - moments[2] ** 2
    for steps in range(1, 5):
        paths = independent(SKEW, steps)
        for average, variance, beta in zip(corrected(formula, paths), variances, BETAS.values(), strict=True):
            found = expected(average**2, paths) - expected(average, paths) ** 2
            assert found == variance * expression(part(beta, steps))

    mean, second, grad = symbols("m v g", positive=True)
    options = {"learning_rate": RATE, "eps": EPS, "beta1": BETA1, "beta2": BETA2}
    averaged = after(T - 1, formula, (1 - BETA1 ** (T - 1)) * mean, (1 - BETA2 ** (T - 1)) * second)
    averages = corrected_averages(formula, grad, averaged, **options)
    for average, before, new, beta in zip(averages, (mean, second), (grad, grad**2), (BETA1, BETA2), strict=False):
        assert vanishes(average - (1 - newest(beta, T)) * before - newest(beta, T) * new)
    beta = sympy.Symbol("b", positive=True)
    assert sympy.cancel(part(beta, 1) - 1) == 0
    kept = (1 - newest(beta, T)) ** 2 * part(beta, T - 1) + newest(beta, T) ** 2
    assert sympy.simplify(part(beta, T) - kept) == 0

    excess, far = sympy.symbols("x y", positive=True)  # the power of beta falls as the latter grows
    form, limit = between(part(beta, T), beta), between((1 - beta) / (1 + beta), beta)
    assert (-sympy.diff(form, far)).factor().is_positive
    assert sympy.cancel(sympy.limit(form, far, sympy.oo) - limit) == 0
    assert sympy.limit(limit, excess, 0) == 0

    # The step, which is made of any two averages alike, depends on both continuously: in the limit on both moments.
    assert moments[1] ** 2 <= moments[2]


@statement(
    "adam_bias_correction.P7",
    false={
        "the weight uncorrected": {"weight": lambda beta, steps: 1 - beta},
        "the weight of the step before": {"weight": lambda beta, steps: (1 - beta) / (1 - beta ** (steps + 1))},
        "squared averages": {"formula": near("second_of_average")},
        "uncorrected": {"formula": near("without_correction")},
        "the second uncorrected": {"formula": near("second_uncorrected")},
        "counted from two": {"formula": near("step_from_two")},
    },
)
def test_the_corrected_average_moves_to_each_square_by_a_falling_weight(formula=ADAM, weight=newest):
    average, before, grad = symbols("m v g", positive=True)
    state = after(T - 1, formula, average, before * (1 - BETA2 ** (T - 1)))
    options = {"learning_rate": RATE, "eps": EPS, "beta1": BETA1, "beta2": BETA2}
    _, second, _ = corrected_averages(formula, grad, state, **options)
    share = weight(BETA2, T)
    beta = expression(BETA2)

    assert vanishes(second - (1 - share) * before - share * grad**2)
    assert vanishes(weight(BETA2, 1) - exactly(1))
    assert sympy.factor(between(weight(beta, T) - weight(beta, T + 1), beta)).is_positive


def slope(theta):
    return 2 * theta


@statement(
    "D024",
    false={"of the gradient": {"printed": slope}},
)
def test_the_square_of_the_loss_is_not_what_the_average_holds(printed=lambda theta: theta**2):
    """At 3, of the loss theta^2."""
    (_,), state = walk(ADAM, exactly(3), [slope(exactly(3))], **RATES, **BETAS)

    assert expression(state.exp_avg_sq) == expression((1 - BETAS["beta2"]) * slope(exactly(3)) ** 2)
    assert expression(state.exp_avg_sq) != expression((1 - BETAS["beta2"]) * printed(exactly(3)) ** 2)


@statement("D025", false={"where the step began": {"place": 0}})
def test_the_average_after_a_step_is_made_of_the_slope_before_it(place=1):
    """From 3, on the loss theta^2, one step of descent, whose first gradient is that at 3."""
    path = [exactly(3)]
    grad = slope(path[0])
    moved, _ = gd.body(path[0], grad, gd.state_type(), learning_rate=exactly("1/4"))
    path.append(moved)
    _, state = ADAM.body(path[0], grad, after(0, ADAM, 0 * grad, 0 * grad), **RATES, **BETAS)
    printed = (1 - BETAS["beta2"]) * slope(path[place]) ** 2

    assert vanishes(state.exp_avg_sq - (1 - BETAS["beta2"]) * slope(path[0]) ** 2)
    assert not vanishes(state.exp_avg_sq - printed)
