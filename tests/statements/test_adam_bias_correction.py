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


def states(formula, paths):
    """Run all paths at once, one element for each."""
    grads = [SymbolArray([sympy.Integer(value) for value in column]) for column in zip(*paths, strict=True)]
    _, state = walk(formula, 0 * grads[0], grads, **RATES, **BETAS)
    return state


def expected(array, paths):
    """Return the mean over all paths."""
    return sum(value * share for value, share in zip(expressions(array), paths.values(), strict=True))


def corrected(state):
    """Return the corrected averages."""
    return [
        average / bias_correction(beta, state.step)
        for average, beta in zip((state.exp_avg, state.exp_avg_sq), BETAS.values(), strict=True)
    ]


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
        "counted from two": {"formula": near("step_from_two")},
        "of the averages' squares": {"formula": near("second_of_average")},
        "swapped": {"order": (1, 0)},
    },
)
def test_of_draws_alike_the_corrected_averages_expect_the_moments(formula=ADAM, order=(0, 1)):
    """Over every path of up to four draws; a correction that counts otherwise shows in the step."""
    mean, second = (sum(value**power * sympy.Rational(p) for value, p in SKEW.items()) for power in (1, 2))
    for steps in range(1, 5):
        paths = independent(SKEW, steps)
        state = states(formula, paths)
        found = [expected(average, paths) for average in corrected(state)]

        assert [found[place] for place in order] == [mean, second]

    grads = [SymbolArray([sympy.Integer(value) for value in SKEW])]
    (end,), _ = walk(formula, 0 * grads[0], grads, **RATES, **BETAS)
    assert expressions(end) == [sympy.Rational(1, 2), 0, -sympy.Rational(3, 4)]


DEPENDENT = {
    "one draw for ever": {(1, 1, 1): "1/2", (-1, -1, -1): "1/4", (0, 0, 0): "1/4"},
    "the opposite next": {(1, -1, 1): "3/8", (-1, 1, -1): "3/8", (0, 0, 0): "1/4"},
    "other distributions": {(1, 2, -1): "1/8", (1, 0, 0): "3/8", (0, 0, 1): "3/8", (0, 0, 0): "1/8"},
}


@statement(
    "adam_bias_correction.P3",
    "D026",
    false={
        "another second moment at last": {"worlds": {"unlike": {(1, 1, 2): "1/2", (-1, 0, 0): "1/2"}}},
        "uncorrected": {"formula": near("second_unnormalised")},
    },
)
def test_draws_may_depend_on_each_other_if_each_has_the_same_second_moment(formula=ADAM, worlds=DEPENDENT):
    for world in worlds.values():
        paths = {path: sympy.Rational(share) for path, share in world.items()}
        squares = [sum(path[place] ** 2 * share for path, share in paths.items()) for place in range(3)]
        _, second = corrected(states(formula, paths))

        assert sum(paths.values()) == 1
        assert expected(second, paths) == squares[0]


@statement(
    "adam_bias_correction.P4",
    "D034",
    false={"zeros": {"start": "0"}, "the moment itself, kept as it was": {"weight": lambda beta, steps: beta**steps}},
)
def test_from_another_start_the_corrected_average_is_biased(
    start="5/2", weight=lambda beta, steps: beta**steps / (1 - beta**steps)
):
    paths, zero = independent(SKEW, 3), exactly(0)
    grads = [SymbolArray([sympy.Integer(value) for value in column]) for column in zip(*paths, strict=True)]
    begun = after(0, ADAM, 0 * grads[0], 0 * grads[0] + exactly(start))
    _, state = walk(ADAM, zero, grads, begun, **RATES, **BETAS)
    bias = expected(corrected(state)[1], paths) - sum(value**2 * sympy.Rational(p) for value, p in SKEW.items())

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


@statement(
    "adam_bias_correction.P6",
    "adam_lr_interpretation.P5",
    false={
        "uncorrected": {"part": lambda beta, steps: (1 - beta) * (1 - beta ** (2 * steps)) / (1 + beta)},
        "its limit": {"part": lambda beta, steps: (1 - beta) / (1 + beta)},
        "of a sum": {"formula": near("first_unnormalised")},
    },
)
def test_the_average_of_independent_draws_varies_less_and_less(formula=ADAM, part=stated_variance):
    """In the limit, betas to 1 as well, both averages are their moments, and the step is at most the rate."""
    mean, second = (sum(value**power * sympy.Rational(p) for value, p in SKEW.items()) for power in (1, 2))
    for steps in range(1, 5):
        paths = independent(SKEW, steps)
        first, _ = corrected(states(formula, paths))
        variance = expected(first**2, paths) - expected(first, paths) ** 2
        assert variance == (second - mean**2) * expression(part(BETAS["beta1"], steps))

    symbol, (excess, far) = sympy.Symbol("b"), sympy.symbols("x y", positive=True)
    beta, power = 1 / (1 + excess), 1 / (1 + far)  # every beta, and every power of it
    form = part(symbol, T).subs(symbol**T, power).subs(symbol, beta)
    assert (-sympy.diff(form, far)).factor().is_positive  # smaller with every step, as the power is
    assert sympy.cancel(sympy.limit(form, far, sympy.oo) - (1 - beta) / (1 + beta)) == 0
    assert sympy.limit((1 - beta) / (1 + beta), excess, 0) == 0
    assert mean**2 <= second


@statement(
    "adam_bias_correction.P7",
    false={
        "the weight uncorrected": {"weight": lambda beta, steps: 1 - beta},
        "the weight of the step before": {"weight": lambda beta, steps: (1 - beta) / (1 - beta ** (steps + 1))},
        "squared averages": {"formula": near("second_of_average")},
    },
)
def test_the_corrected_average_moves_to_each_square_by_a_falling_weight(
    formula=ADAM, weight=lambda beta, steps: (1 - beta) / (1 - beta**steps)
):
    average, before, grad = symbols("m v g", positive=True)
    state = after(T - 1, formula, average, before * (1 - BETA2 ** (T - 1)))
    _, state = formula.body(THETA, grad, state, learning_rate=RATE, eps=EPS, beta1=BETA1, beta2=BETA2)
    share = weight(BETA2, T)
    moved = (1 - share) * before + share * grad**2

    assert vanishes(state.exp_avg_sq / (1 - BETA2**T) - moved)
    assert vanishes(weight(BETA2, 1) - exactly(1))


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
