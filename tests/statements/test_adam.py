"""What the documents state about Adam, proved on the catalogue's own bodies; the size of its steps is elsewhere."""

from __future__ import annotations

from dataclasses import replace

import sympy

from oracle.arithmetic.primitives import bias_correction, namespace
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.formula import initial_state
from tests.helpers.algebra import exactly, expression, expressions, series, symbols, vanishes, walk
from tests.helpers.averages import corrected_averages
from tests.helpers.statements import statement

ADAM, EPS_HAT, GD, RMSPROP, ADAGRAD = map(get, ("adam", "adam_eps_hat", "gd", "rmsprop", "adagrad"))
THETA, RATE, EPS, BETA1, BETA2 = symbols("theta eta epsilon beta_1 beta_2", positive=True)
BETAS = {"beta1": BETA1, "beta2": BETA2}
#: Any number of steps, the one at hand included.
T = sympy.Symbol("t", integer=True, positive=True)
GOLDEN = {"learning_rate": exactly("0.1"), "beta1": exactly("0.9"), "beta2": exactly("0.999"), "eps": exactly("1e-8")}
ROTATION = sympy.Matrix([["3/5", "-4/5"], ["4/5", "3/5"]])


def near(name):
    """Return Adam with one change."""
    return neighbour(ADAM, f"adam_{name}")


def after(steps, formula, average, square):
    """Return the state after a number of steps, which may be a symbol."""
    zeros = initial_state(formula.state_type, 0 * average)
    return zeros._replace(step=steps, exp_avg=average, exp_avg_sq=square)


def step(formula, grad, state, **changes):
    """Make one step from theta with symbolic hyperparameters: how far down it goes, and the new state."""
    values = {"learning_rate": RATE, "eps": EPS, **BETAS, **changes}
    moved, state = formula.body(THETA, grad, state, **values)
    return THETA - moved, state


def corrected(state, beta1=BETA1, beta2=BETA2):
    """Return the corrected averages."""
    return (
        state.exp_avg / bias_correction(beta1, state.step),
        state.exp_avg_sq / bias_correction(beta2, state.step),
    )


def root_of(weight):
    r"""Return a beta whose correction :math:`1 - \beta^t` after t steps is the square of a symbol."""
    return SymbolArray((1 - expression(weight) ** 2) ** (1 / T))


@statement(
    "adam.P1",
    "D034",
    false={
        "no correction": {"formula": near("without_correction")},
        "epsilon corrected": {"formula": EPS_HAT},
        "counted from two": {"formula": near("step_from_two")},
        "another start": {"start": THETA},
    },
)
def test_the_first_step_knows_no_betas(formula=ADAM, start=0 * THETA):
    grad = symbol_array("g", real=True, nonzero=True)
    moved, state = step(formula, grad, after(0, formula, start, 0 * THETA))
    first, second = corrected(state)

    assert vanishes(first - grad)
    assert vanishes(second - grad**2)
    assert vanishes(moved - RATE * grad / (abs(grad) + EPS))


@statement(
    "adam.P2",
    "adam.C2",
    false={
        "first uncorrected": {"formula": near("first_uncorrected")},
        "counted from two": {"formula": near("step_from_two")},
        "epsilon corrected": {"formula": EPS_HAT},
    },
)
def test_under_a_constant_gradient_every_step_is_the_first(formula=ADAM):
    """By induction: zeros are the averages at t - 1 = 0, and from those at any t - 1 follow those at t."""
    (grad,) = symbols("g", positive=True)

    def averages(steps):
        return (1 - BETA1**steps) * grad, (1 - BETA2**steps) * grad**2

    assert all(vanishes(start) for start in averages(0))

    moved, state = step(formula, grad, after(T - 1, formula, *averages(T - 1)))

    assert all(vanishes(x - y) for x, y in zip((state.exp_avg, state.exp_avg_sq), averages(T), strict=True))
    assert vanishes(moved - RATE * grad / (grad + EPS))


@statement(
    "adam.P3",
    false={
        "a day late": {"weight": lambda beta, steps, i: (1 - beta) * beta ** (steps - i + 1) / (1 - beta**steps)},
        "weights of sums": {"weight": lambda beta, steps, i: (1 - beta) * beta ** (steps - i)},
        "of squared averages": {"formula": near("second_of_average")},
        "uncorrected": {"formula": near("without_correction")},
        "the first uncorrected": {"formula": near("first_uncorrected")},
        "the second uncorrected": {"formula": near("second_uncorrected")},
        "counted from two": {"formula": near("step_from_two")},
        "looking ahead": {"formula": near("nesterov")},
    },
)
def test_the_corrected_averages_are_weighted_means(
    formula=ADAM, weight=lambda beta, steps, i: (1 - beta) * beta ** (steps - i) / (1 - beta**steps)
):
    """Of four gradients, and by induction of any number: what the new one takes all others lose in proportion."""
    values, steps = {"learning_rate": RATE, "eps": EPS, **BETAS}, 4
    grads = series("g", steps, real=True)
    _, before = walk(formula, THETA, grads[:-1], **values)
    first, second, _ = corrected_averages(formula, grads[-1], before, **values)

    assert vanishes(first - sum(weight(BETA1, steps, i) * grad for i, grad in enumerate(grads, 1)))
    assert vanishes(second - sum(weight(BETA2, steps, i) * grad**2 for i, grad in enumerate(grads, 1)))

    mean, square = symbols("m v", positive=True)
    before = after(T - 1, formula, (1 - BETA1 ** (T - 1)) * mean, (1 - BETA2 ** (T - 1)) * square)
    first, second, _ = corrected_averages(formula, grads[0], before, **values)
    place = sympy.Symbol("i", integer=True, positive=True)
    for beta, found, old, gained in ((BETA1, first, mean, grads[0]), (BETA2, second, square, grads[0] ** 2)):
        share = weight(beta, T, T)
        assert vanishes(found - (1 - share) * old - share * gained)
        assert vanishes(weight(beta, T, place) - (1 - share) * weight(beta, T - 1, place))

    (excess,) = symbols("x", positive=True)
    inside = [sympy.cancel(expression(weight(1 / (1 + excess), steps, i))) for i in range(1, steps + 1)]
    assert all(share.is_positive for share in inside)  # for every beta between 0 and 1
    assert sympy.cancel(sum(inside) - 1) == 0  # so that a mean lies between the smallest and the largest
    beta, fade = sympy.symbols("b f", positive=True)
    share = weight(beta, T, T).subs(beta**T, beta / (1 + fade)).subs(beta, 1 / (1 + expression(excess)))
    assert sympy.factor(share).is_positive  # at every step
    assert sympy.factor(1 - share).is_positive


def one_for_all(param, grad, state, *, learning_rate, beta1, beta2, eps):
    """Divide every coordinate by the root of one second average, that of the squared norm."""
    options = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "eps": eps}
    _, state = ADAM.body(param, grad, state, **options)
    first, second = corrected(state, beta1, beta2)
    return param - learning_rate * first / (namespace(second).sqrt(namespace(second).sum(second)) + eps), state


@statement(
    "adam.P10",
    false={
        "a unit for all alone": {"formula": replace(ADAM, body=one_for_all)},
        "epsilon inside": {"formula": near("eps_inside")},
        "no root": {"formula": near("without_root")},
        "epsilon kept": {"epsilon_scaled": False},
    },
)
def test_each_coordinate_may_have_its_own_unit(formula=ADAM, epsilon_scaled=True):
    start, grads = symbol_array("x y", real=True), [exactly(2, -3), exactly(-1, "1/2"), exactly("1/3", 1)]
    values = {"learning_rate": RATE, "beta1": exactly("1/2"), "beta2": exactly("3/4")}
    unit = symbol_array("c d", positive=True)
    own = unit * EPS if epsilon_scaled else EPS
    plain, state = walk(formula, start, grads, eps=EPS, **values)
    scaled, _ = walk(formula, start, [unit * grad for grad in grads], eps=own, **values)
    turned, _ = walk(formula, -start, [-grad for grad in grads], eps=EPS, **values)
    mirror = exactly(1, -1)
    mirrored, _ = walk(formula, mirror * start, [mirror * grad for grad in grads], eps=EPS, **values)
    average, _ = corrected(state, values["beta1"], values["beta2"])

    assert all(vanishes(one - other) for one, other in zip(plain, scaled, strict=True))
    assert all(vanishes(one + other) for one, other in zip(plain, turned, strict=True))
    assert all(vanishes(mirror * one - other) for one, other in zip(plain, mirrored, strict=True))
    for moved, descent in zip(expressions(plain[-2] - plain[-1]), expressions(RATE * average), strict=True):
        assert sympy.limit(moved * expression(EPS), expression(EPS), sympy.oo) == descent


@statement(
    "adam.P11",
    "adam.C1",
    false={
        "a memory": {"beta": "1/2"},
        "epsilon corrected": {"formula": EPS_HAT},
        "the modulus": {"formula": near("second_of_modulus")},
    },
)
def test_without_betas_a_step_is_the_gradient_over_its_modulus(formula=ADAM, beta="0"):
    beta = exactly(beta)
    grads = series("g", 3, real=True, nonzero=True)
    path, _ = walk(formula, THETA, grads, learning_rate=RATE, eps=EPS, beta1=beta, beta2=beta)
    for before, now, grad in zip([THETA, *path], path, grads, strict=False):
        assert vanishes(before - now - RATE * grad / (abs(grad) + EPS))

    weight = symbol_array("s", positive=True)  # its square is 1 - beta2^t
    grad, square = symbols("g v", positive=True)
    moved, state = step(formula, grad, after(T - 1, formula, beta * grad, square), beta1=beta, beta2=root_of(weight))
    rescaled, other = RMSPROP.body(
        THETA, grad, RMSPROP.state_type(square), learning_rate=RATE * weight, alpha=root_of(weight), eps=EPS * weight
    )

    assert vanishes(state.exp_avg_sq - other[0])
    assert vanishes(moved - (THETA - rescaled))  # RMSProp, its average corrected


@statement(
    "adam.P12",
    "adam.C1",
    false={
        "uncorrected": {"formula": near("second_uncorrected")},
        "a constant rate": {"power": "0"},
        "the rate over t": {"power": "1"},
    },
)
def test_at_the_end_of_beta2_adam_is_adagrad(formula=ADAM, power="1/2"):
    grads = [exactly(3), exactly(-1), exactly(2), exactly("1/2")]
    beta2 = symbol_array("q", positive=True)
    rates = [RATE / sympy.Integer(number) ** sympy.Rational(power) for number in range(1, len(grads) + 1)]
    path, _ = walk(formula, THETA, grads, learning_rate=rates, beta1=exactly(0), beta2=beta2, eps=exactly(0))
    expected, _ = walk(ADAGRAD, THETA, grads, learning_rate=RATE, eps=exactly(0))

    for before, now, start, end in zip([THETA, *path], path, [THETA, *expected], expected, strict=False):
        moved = sympy.simplify(expression(before - now))
        assert vanishes(SymbolArray(sympy.limit(moved, expression(beta2), 1, "-")) - (start - end))


@statement(
    "adam.P13",
    false={"an average of one": {"average": "1"}, "a gradient": {"grad": "1/9"}},
)
def test_without_gradients_numerator_and_root_stay_zero(average="0", grad="0"):
    state = after(0, ADAM, exactly(average), exactly(0))
    path, state = walk(ADAM, THETA, [exactly(grad)] * 3, state, learning_rate=RATE, eps=EPS, **BETAS)

    assert vanishes(state.exp_avg)
    assert vanishes(state.exp_avg_sq)
    assert all(vanishes(param - THETA) for param in path)


@statement(
    "adam.P14",
    false={
        "the root at the full rate": {"power": 2},
        "it never falls": {"formula": near("amsgrad")},
        "the average as it was": {"formula": near("first_lagged")},
    },
)
def test_without_gradients_the_averages_fade_and_the_parameter_moves_on(formula=ADAM, power=1):
    average, square = symbols("m v", positive=True)
    state = after(T - 1, formula, average, square)
    state = state._replace(max_exp_avg_sq=square) if "max_exp_avg_sq" in state._fields else state
    moved, state = step(formula, 0 * average, state, eps=exactly(0))
    faded = average * BETA1 / (1 - BETA1**T)
    squared_root = square * BETA2**power / (1 - BETA2**T)

    assert vanishes(moved**2 - (RATE * faded) ** 2 / squared_root)
    assert vanishes(state.exp_avg - BETA1 * average)


@statement(
    "adam.P15",
    false={
        "epsilon uncorrected": {"eps_power": 0},
        "epsilon over the root": {"eps_power": -1},
        "epsilon corrected before": {"formula": EPS_HAT},
    },
)
def test_the_corrections_fold_into_rate_and_epsilon(formula=ADAM, eps_power=1):
    weight, average, square = symbols("s m v", positive=True)
    grad = symbol_array("g", real=True)
    moved, state = step(formula, grad, after(T - 1, formula, average, square), beta2=root_of(weight))
    gathered = SymbolArray(sympy.sqrt(expression(state.exp_avg_sq)))

    folded = RATE * weight / (1 - BETA1**T) * state.exp_avg / (gathered + EPS * weight**eps_power)

    assert vanishes(moved - folded)


@statement("adam.P16", false={"plain descent": {"formula": GD}})
def test_a_rotation_of_the_gradient_does_not_rotate_the_step(formula=ADAM):
    values = {"learning_rate": 1, "beta1": exactly("1/2"), "beta2": exactly("3/4"), "eps": exactly("1/2")}
    values = {name: values[name] for name in formula.hyperparameters}

    def stepped(grad):
        start = exactly(0, 0)
        (end,), _ = walk(formula, start, [SymbolArray(list(grad))], **values)
        return sympy.Matrix(expressions(end))

    grad = sympy.Matrix([2, 0])

    assert stepped(ROTATION * grad) != ROTATION * stepped(grad)


@statement(
    "adam.P17",
    false={
        "of squared averages": {"formula": near("second_of_average")},
        "without its weight": {"formula": near("second_unnormalised")},
        "at the first's rate": {"formula": near("betas_shared")},
    },
)
def test_the_second_average_keeps_beta2_of_itself_and_gains_a_square(formula=ADAM):
    average, square = symbols("m v", positive=True)
    grad = symbol_array("g", real=True)
    _, state = step(formula, grad, after(T - 1, formula, average, square))
    gained = sympy.factor(expression(state.exp_avg_sq - BETA2 * square))

    assert vanishes(SymbolArray(gained) - (1 - BETA2) * grad**2)


@statement(
    "adam.P18",
    false={
        "epsilon corrected": {"formula": EPS_HAT},
        "epsilon inside": {"formula": near("eps_inside")},
        "counted from two": {"formula": near("step_from_two")},
    },
)
def test_adam_gives_the_golden_values(formula=ADAM):
    golden = {
        "theta": ("-0.099999999", "-0.196518200971834", "-0.189858299444752", "-0.184402913360069"),
        "first": ("1", "1.52631578947368", "-0.143911439114391", "-0.102064553649317"),
        "second": ("1", "2.50075037518759", "4.66933477833341", "3.50024862331141"),
    }
    grads = [exactly(grad) for grad in (1, 2, -3, 0)]
    for number in range(1, 5):
        path, state = walk(formula, exactly(0), grads[:number], **GOLDEN)
        averages = corrected(state, GOLDEN["beta1"], GOLDEN["beta2"])
        found = dict(zip(golden, (path[-1], *averages), strict=True))
        for name, printed in golden.items():
            decimals = max(len(printed[number - 1].partition(".")[2]), 14)
            error = expression(found[name] - exactly(printed[number - 1]))
            assert abs(sympy.N(error, 30)) <= sympy.Rational(1, 2 * 10**decimals)
