"""What the documents state about momentum as a moving average, proved on the catalogue's own bodies."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction as F

import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.domains import closed, half_open
from oracle.formula import initial_state
from oracle.trajectory import trajectory
from tests.helpers.algebra import exactly, expression, series, state_with, symbols, vanishes, walk
from tests.helpers.statements import statement

EMA, HEAVY_BALL, GD = get("momentum_ema"), get("momentum_heavy_ball"), get("gd")
#: The first buffer is the gradient, the average is corrected, the step is one late.
UNDAMPED, CORRECTED, LAGGED = (
    neighbour(EMA, f"momentum_ema_{name}") for name in ("first_gradient", "corrected", "lagged")
)
STEPS = 5
#: Any linear map of two coordinates, and a rotation.
LINEAR = sympy.Matrix(2, 2, sympy.symbols("a b c d", real=True))
ROTATION = sympy.Matrix([["4/5", "3/5"], ["-3/5", "4/5"]])


def of_state(formula, velocity):
    """Return a state with a velocity."""
    return initial_state(formula.state_type, 0 * velocity)._replace(momentum_buffer=velocity)


def of_the_sign(param, grad, state, **values):
    """Average the signs of the gradients."""
    return EMA.body(param, SymbolArray(sympy.sign(expression(grad))), state, **values)


def unrolled(factors, place):
    """Weight of the gradient of one step after all of them."""
    return math.prod(factors[place + 1 :], start=1 - factors[place])


@statement(
    "momentum_ema.C1",
    "D016",
    false={
        "without the end": {"domain": half_open(0, 1)},
        "beyond the end": {"domain": closed(0, 1.5)},
        "below zero": {"domain": closed(-0.5, 1)},
    },
)
def test_the_factor_lies_where_both_weights_are_weights(domain=EMA.domain["momentum"]):
    values = [-1.5, -0.5, -1e-300, 0.0, 0.5, 1.0, 1.0 + 2.0**-52, 1.5]

    assert [value for value in values if value in domain] == [x for x in values if min(F(x), 1 - F(x)) >= 0]


@statement(
    "momentum_ema.P1",
    "momentum_bourmaud.P2",
    "D016",
    false={"a sum": {"formula": HEAVY_BALL}, "a step late": {"formula": LAGGED}, "half the factor": {"full": "1/2"}},
)
def test_without_momentum_it_is_descent_and_with_all_of_it_the_velocity_stays(formula=EMA, full="1"):
    start, velocity, rate = symbols("theta v eta")
    grads = series("g", 3)
    path, _ = walk(formula, start, grads, learning_rate=rate, momentum=exactly(0))
    plain, _ = walk(GD, start, grads, learning_rate=rate)
    rest, _ = walk(formula, start, grads, learning_rate=rate, momentum=exactly(full))
    drift, state = walk(formula, start, grads, of_state(formula, velocity), learning_rate=rate, momentum=exactly(full))

    assert all(vanishes(mine - theirs) for mine, theirs in zip(path, plain, strict=True))
    assert all(vanishes(place - start) for place in rest)
    assert vanishes(state.momentum_buffer - velocity)
    assert vanishes(drift[-1] - start + 3 * rate * velocity)  # what a start other than zero would do for ever


@statement(
    "momentum_ema.P2",
    "momentum_bourmaud.P3",
    false={
        "its own factor as well": {"weight": lambda factors, i: (1 - factors[i]) * math.prod(factors[i:], start=1)},
        "the last complement": {"weight": lambda factors, i: math.prod(factors[i + 1 :], start=1 - factors[-1])},
        "a sum": {"formula": HEAVY_BALL},
        "a whole first gradient": {"formula": UNDAMPED},
    },
)
def test_the_velocity_is_a_weighted_sum_of_all_gradients(formula=EMA, weight=unrolled):
    start, before, rate, constant = symbols("theta v0 eta gamma")
    factors, grads = series("gamma", STEPS), series("g", STEPS)
    for count in range(1, STEPS + 1):
        past = grads[:count], of_state(formula, before)
        _, state = walk(formula, start, *past, learning_rate=rate, momentum=factors[:count])
        _, steady = walk(formula, start, *past, learning_rate=rate, momentum=constant)
        weights = [weight(factors[:count], place) for place in range(count)]
        kept = math.prod(factors[:count], start=1)
        powers = [(1 - constant) * constant ** (count - place) for place in range(1, count + 1)]

        assert vanishes(state.momentum_buffer - kept * before - dot(weights, grads))
        assert vanishes(sum(weights) - (1 - kept))
        assert vanishes(steady.momentum_buffer - constant**count * before - dot(powers, grads))
        assert vanishes(sum(powers) - (1 - constant**count))


@statement(
    "momentum_ema.P2",
    "momentum_ema.P3",
    "momentum_ema.P6",
    "momentum_bourmaud.P3",
    false={
        "a sum": {"formula": HEAVY_BALL},
        "a step late": {"formula": LAGGED},
        "corrected": {"formula": CORRECTED},
        "the gradient's sign": {"formula": replace(EMA, body=of_the_sign)},
        "the rate unscaled": {"inverse": lambda a: 1},
    },
)
def test_after_any_number_of_steps_the_next_one_keeps_weights_and_linearity(formula=EMA, inverse=lambda a: 1 / a):
    """The step of the induction: what the velocity is a sum of, at most how much, and what moves linearly with it."""
    before, past, rest, grad, rate, a, b = symbols("v0 p k g eta a b", positive=True)
    factor = SymbolArray(1 / (1 + sympy.Symbol("o", nonnegative=True)))  # all of (0, 1]; 0 by continuity
    steps = sympy.Symbol("t", positive=True, integer=True)

    def step(moved, velocity, grad, rate=rate):
        state = state_with(formula, 0 * velocity, momentum_buffer=velocity, step=steps)
        moved, state = formula.body(moved, grad, state, learning_rate=rate, momentum=factor)
        return moved, state.momentum_buffer

    # The product of all factors is k, and the sum of all weighted gradients p: with weights that add up to 1 - k.
    moved, velocity = step(0 * past, rest * before + past, grad)
    assert vanishes(velocity - factor * rest * before - factor * past - (1 - factor) * grad)
    assert vanishes(moved + rate * velocity)
    assert vanishes(factor * (1 - rest) + (1 - factor) - (1 - factor * rest))
    assert sympy.factor(expression(factor)).is_nonnegative
    assert sympy.factor(expression(1 - factor)).is_nonnegative

    one, other = symbols("x v g", real=True), symbols("y w h", real=True)
    mixed = step(*[a * mine + b * theirs for mine, theirs in zip(one, other, strict=True)])
    apart = [a * mine + b * theirs for mine, theirs in zip(step(*one), step(*other), strict=True)]
    assert all(vanishes(whole - parts) for whole, parts in zip(mixed, apart, strict=True))
    scaled = step(one[0], a * one[1], a * one[2], inverse(a) * rate)
    assert vanishes(scaled[0] - step(*one)[0])
    assert vanishes(scaled[1] - a * step(*one)[1])


def dot(weights, grads):
    return sum(weight * grad for weight, grad in zip(weights, grads, strict=False))


@statement(
    "momentum_ema.P3",
    "momentum_bourmaud.P3",
    false={
        "a sum": {"formula": HEAVY_BALL},
        "a whole first gradient": {"formula": UNDAMPED},
        "corrected, and half as long": {"reach": lambda kept: (1 - kept) / 2},
    },
)
def test_the_velocity_is_a_convex_combination_of_zero_and_the_gradients(formula=EMA, reach=lambda kept: 1 - kept):
    """So is every norm at most ``reach`` times the largest, by the triangle inequality; equal gradients attain it."""
    odds = sympy.symbols(f"a1:{STEPS + 1}", nonnegative=True)
    factors = [SymbolArray(1 / (1 + odd)) for odd in odds]  # all of (0, 1]; 0 by continuity
    grads = series("g", STEPS)
    _, state = walk(formula, exactly(0), grads, learning_rate=exactly(1), momentum=factors)
    velocity = expression(state.momentum_buffer)
    weights = [sympy.factor(sympy.diff(velocity, expression(grad))) for grad in grads]
    kept = expression(math.prod(factors, start=1))

    assert sympy.simplify(velocity - sum(w * expression(g) for w, g in zip(weights, grads, strict=True))) == 0
    assert all(weight.is_nonnegative for weight in weights)
    assert sympy.simplify(sum(weights) - reach(kept)) == 0


@statement(
    "momentum_ema.P4",
    "momentum_bourmaud.P3",
    false={
        "a step behind": {"gathered": lambda factor, t: 1 - factor ** (t - 1)},
        "without the sum of powers": {"lost": lambda factor, t: factor},
        "a sum": {"formula": HEAVY_BALL},
    },
)
def test_a_constant_gradient_gathers_geometrically(
    formula=EMA,
    gathered=lambda factor, t: 1 - factor**t,
    lost=lambda factor, t: factor * (1 - factor**t) / (1 - factor),
):
    """By induction for every t: what holds after t - 1 updates holds after the body's next."""
    start, grad, rate, factor = symbols("theta g eta gamma", positive=True)
    t = sympy.Symbol("t", positive=True, integer=True)
    gamma = expression(factor)

    def velocity(count):
        return gathered(gamma, count) * grad

    def place(count):
        return start - rate * grad * (count - lost(gamma, count))

    after, state = formula.body(
        place(t - 1), grad, of_state(formula, velocity(t - 1)), learning_rate=rate, momentum=factor
    )

    assert vanishes(velocity(0))
    assert vanishes(place(0) - start)
    assert vanishes(state.momentum_buffer - velocity(t))
    assert vanishes(after - place(t))


@statement(
    "momentum_ema.P5",
    "momentum_bourmaud.P3",
    false={
        "the same rate in both steps": {"ratio": lambda now, before: 1},
        "the ratio turned over": {"ratio": lambda now, before: before / now},
        "a sum": {"formula": HEAVY_BALL},
    },
)
def test_it_is_a_two_step_recurrence_of_the_parameters(formula=EMA, ratio=lambda now, before: now / before):
    start, velocity, grad, before, now, old, factor = symbols("theta v g eta0 eta1 gamma0 gamma1", positive=True)
    here, state = formula.body(start, grad, of_state(formula, velocity), learning_rate=before, momentum=old)
    (grad,) = symbols("g2")
    after, _ = formula.body(here, grad, state, learning_rate=now, momentum=factor)

    assert vanishes(after - here + now * (1 - factor) * grad - factor * ratio(now, before) * (here - start))


@statement(
    "momentum_ema.P5",
    "momentum_bourmaud.P3",
    "D015",
    false={
        "the same rate": {"conversion": lambda factor: 1},
        "the rate turned over": {"conversion": lambda factor: 1 / (1 - factor)},
        "a whole first gradient": {"formula": UNDAMPED},
    },
)
def test_it_is_the_heavy_ball_with_a_smaller_rate(formula=EMA, conversion=lambda factor: 1 - factor):
    start, rate, factor = symbols("theta eta gamma", positive=True)
    grads = series("g", 4)
    path, state = walk(formula, start, grads, learning_rate=rate, momentum=factor)
    ball, sums = walk(HEAVY_BALL, start, grads, learning_rate=rate * conversion(factor), momentum=factor)

    assert all(vanishes(mine - theirs) for mine, theirs in zip(path, ball, strict=True))
    assert vanishes(state.momentum_buffer - (1 - factor) * sums.momentum_buffer)


@statement("D015", false={"an average too": {"other": EMA}, "no memory": {"other": GD}})
def test_average_and_sum_differ_from_the_first_step_on(other=HEAVY_BALL):
    options = {"learning_rate": F(1), "momentum": F(1, 2)}
    average, _ = trajectory(EMA)(F(0), [F(1)] * 2, hyperparameters=options)
    total, _ = trajectory(other)(F(0), [F(1)] * 2, hyperparameters={n: options[n] for n in other.hyperparameters})

    assert average == [F(-1, 2), F(-5, 4)]
    assert total == [F(-1), F(-5, 2)]


@statement(
    "momentum_ema.P6",
    "momentum_bourmaud.P3",
    false={
        "the rate unscaled": {"inverse": lambda a: 1},
        "gradients squared": {"power": 2},
    },
)
def test_the_movement_is_linear_in_the_gradients(formula=EMA, inverse=lambda a: 1 / a, power=1):
    start, a, b = symbols("theta a b", positive=True)
    first, second = series("g", 3), series("h", 3)
    rates, factors = series("eta", 3), series("gamma", 3)

    def movement(grads, rates=rates):
        return walk(formula, start, grads, learning_rate=rates, momentum=factors)[0][-1] - start

    mixed = [a * x**power + b * y**power for x, y in zip(first, second, strict=True)]

    assert vanishes(movement(mixed) - a * movement(first) - b * movement(second))
    assert vanishes(movement([a * grad for grad in first], [inverse(a) * rate for rate in rates]) - movement(first))


def on_a_quadratic(formula, reduced, factor):
    r"""Return the matrix of one step on :math:`h \theta^2 / 2`, with ``reduced`` for :math:`\eta h`."""
    theta, velocity = symbols("theta v")
    after, state = formula.body(
        theta, theta, of_state(formula, velocity), learning_rate=SymbolArray(reduced), momentum=SymbolArray(factor)
    )
    variables = [expression(theta), expression(velocity)]
    return sympy.Matrix([expression(after), expression(state.momentum_buffer)]).jacobian(variables)


def all_inside(matrix):
    """Whether all eigenvalues of a matrix of two rows have a modulus below 1 (Jury's conditions)."""
    trace, determinant = matrix.trace(), matrix.det()
    return bool(abs(determinant) < 1 and abs(trace) < 1 + determinant)


@statement(
    "momentum_ema.P7",
    "momentum_bourmaud.P3",
    false={
        "the limit of descent": {"limit": lambda gamma: sympy.Integer(2)},
        "the limit of the heavy ball": {"limit": lambda gamma: 2 * (1 + gamma)},
        "a sum": {"formula": HEAVY_BALL},
    },
)
def test_on_a_quadratic_it_is_stable_up_to_a_limit(formula=EMA, limit=lambda gamma: 2 * (1 + gamma) / (1 - gamma)):
    gamma, reduced, z = sympy.symbols("gamma x z", positive=True)
    matrix = on_a_quadratic(formula, reduced, gamma)
    polynomial = (z * sympy.eye(2) - matrix).det()

    assert sympy.expand(polynomial - (z**2 - (1 + gamma - reduced * (1 - gamma)) * z + gamma)) == 0
    # Jury: |p(0)| < 1, p(1) > 0 and p(-1) > 0, which is gamma < 1, x > 0 and x below the limit.
    assert sympy.expand(polynomial.subs(z, 1) - reduced * (1 - gamma)) == 0
    assert sympy.simplify(polynomial.subs(z, -1) - (1 - gamma) * (limit(gamma) - reduced)) == 0
    for factor in (sympy.Integer(0), sympy.Rational(1, 2), sympy.Rational(9, 10)):
        edge, hair = limit(factor), sympy.Rational(1, 10**9)
        answers = [all_inside(on_a_quadratic(formula, x, factor)) for x in (0, hair, edge - hair, edge, edge + hair)]
        assert answers == [False, True, True, False, False]
    assert limit(sympy.Rational(9, 10)) == 38
    assert limit(sympy.Integer(0)) == 2


def lower(root):
    return (1 - root) / (1 + root)


@statement(
    "momentum_ema.P8",
    "momentum_bourmaud.P3",
    false={
        "without the roots": {"low": lambda root: (1 - root**2) / (1 + root**2)},
        "squared": {"low": lambda root: lower(root) ** 2},
        "a sum": {"formula": HEAVY_BALL},
    },
)
def test_on_a_quadratic_it_spirals_between_two_limits(formula=EMA, low=lower):
    """Between them, one the inverse of the other, the discriminant is negative: two roots of modulus root gamma."""
    root, reduced = sympy.symbols("r x", positive=True)
    matrix = on_a_quadratic(formula, reduced, root**2)
    discriminant = matrix.trace() ** 2 - 4 * matrix.det()
    limits = (reduced - low(root)) * (reduced - 1 / low(root))

    assert sympy.simplify(discriminant - (1 - root**2) ** 2 * limits) == 0
    assert sympy.expand(matrix.det()) == root**2
    assert abs(low(sympy.sqrt(sympy.Rational(9, 10))) - sympy.Rational("0.0263340")) < sympy.Rational(1, 2 * 10**7)


@statement(
    "momentum_ema.C2",
    "momentum_bourmaud.P3",
    false={
        "no momentum": {"factor": F(0)},
        "a rate too small to swing": {"wild": F(1, 40)},
        "a rate that swings still": {"calm": F(1, 10)},
    },
)
def test_it_overshoots_the_minimum_and_comes_back(factor=F(9, 10), wild=F(1, 2), calm=F(1, 40)):
    """On x^2 / 2 from 1; the limit between the two rates is 0.0263340."""

    def path(rate):
        param, state, places = F(1), initial_state(EMA.state_type, F(0)), []
        for _ in range(40):
            param, state = EMA(param, param, state, learning_rate=rate, momentum=factor)
            places.append(param)
        return places

    swinging = path(wild)
    beyond = next((number for number, place in enumerate(swinging) if place < 0), None)

    assert beyond is not None
    assert any(place > 0 for place in swinging[beyond:])
    assert all(place > 0 for place in path(calm))


@statement(
    "momentum_ema.P9",
    "momentum_bourmaud.P3",
    false={
        "the sign of the gradient": {"formula": neighbour(GD, "gd_sign"), "turn": ROTATION},
        "AdaGrad": {"formula": get("adagrad"), "turn": ROTATION},
    },
)
def test_it_commutes_with_rotations_and_translations(formula=EMA, turn=LINEAR):
    """With every linear map even, of which the rotations are some."""
    start, shift = symbol_array("x y", real=True), symbol_array("s u", real=True)
    grads = [symbol_array(f"g{t} h{t}", real=True) for t in (1, 2)]
    options = {name: symbol_array(name, positive=True) for name in formula.hyperparameters}

    def turned(vector):
        return SymbolArray(list(turn * sympy.Matrix(vector.elements)))

    path, _ = walk(formula, start, grads, **options)
    rotated, _ = walk(formula, turned(start), [turned(grad) for grad in grads], **options)
    moved, _ = walk(formula, start + shift, grads, **options)

    assert all(vanishes(mine - turned(theirs)) for mine, theirs in zip(rotated, path, strict=True))
    assert all(vanishes(mine - theirs - shift) for mine, theirs in zip(moved, path, strict=True))


@statement(
    "momentum_ema.P10",
    false={
        "a sum": {"formula": HEAVY_BALL},
        "a whole first gradient": {"formula": UNDAMPED},
        "ahead": {"rate": F(1, 5)},
    },
)
def test_the_worked_numbers_are_met_exactly(formula=EMA, rate=F(1, 10)):
    param, state, velocities, places = F(0), initial_state(formula.state_type, F(0)), [], []
    for grad in (1, 2, -3, 0):
        param, state = formula(param, F(grad), state, learning_rate=rate, momentum=F(9, 10))
        velocities.append(state.momentum_buffer)
        places.append(param)

    assert velocities == [F("0.1"), F("0.29"), F("-0.039"), F("-0.0351")]
    assert places == [F("-0.01"), F("-0.039"), F("-0.0351"), F("-0.03159")]


@statement(
    "momentum_bourmaud.P1",
    "momentum_bourmaud.P3",
    false={"the same rate": {"share": lambda n: 1}, "a rate divided": {"share": lambda n: 1 / n}},
)
def test_summed_gradients_at_a_rate_are_mean_gradients_at_a_multiple_of_it(share=lambda n: n):
    start, rate, factor, samples = symbols("theta alpha beta n", positive=True)
    sums = series("g", 4)
    printed, _ = walk(get("momentum_bourmaud"), start, sums, learning_rate=rate, momentum=factor)
    means = [total / samples for total in sums]
    fed, _ = walk(EMA, start, means, learning_rate=share(samples) * rate, momentum=factor)

    assert all(vanishes(mine - theirs) for mine, theirs in zip(printed, fed, strict=True))


@statement(
    "momentum_bourmaud.P3",
    false={"a sum": {"formula": HEAVY_BALL}, "corrected": {"formula": CORRECTED}, "a step late": {"formula": LAGGED}},
)
def test_the_rule_of_the_other_slides_is_the_same_one(formula=None):
    formula = formula or get("momentum_bourmaud")
    theta, moment, rate, beta = symbols("theta m0 alpha beta")
    grads = series("g", 3)
    path, _ = walk(formula, theta, grads, of_state(formula, moment), learning_rate=rate, momentum=beta)

    for grad, place in zip(grads, path, strict=True):
        moment = beta * moment + (1 - beta) * grad
        theta = theta - rate * moment
        assert vanishes(place - theta)
