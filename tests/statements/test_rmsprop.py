"""What the documents state about RMSProp with epsilon outside the root and inside, proved on the catalogue's bodies."""

from __future__ import annotations

import pytest
import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.domains import at_least, closed
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.formula import initial_state
from tests.helpers.algebra import exactly, expression, series, state_with, symbols, vanishes, walk
from tests.helpers.statements import statement

RMSPROP, INSIDE, ADAGRAD, ADAM, GD = map(get, ("rmsprop", "rmsprop_eps_inside", "adagrad", "adam", "gd"))
#: The square enters whole, the weights change places, the average is corrected, and is a step late.
WHOLE, SWAPPED, CORRECTED, LAGGED = (
    neighbour(RMSPROP, f"rmsprop_{name}") for name in ("without_weights", "weights_swapped", "corrected", "lagged")
)
UNCORRECTED_ADAM = neighbour(ADAM, "adam_without_correction")
STEPS = 5
#: Any number of steps, the one at hand included.
T = sympy.Symbol("t", positive=True, integer=True)
INVERSE_ROOT = sympy.Rational(-1, 2)


def of_state(formula, average, **known):
    """Return a state with an average of squares, by any of its names, after any number of steps."""
    return state_with(formula, 0 * average, sum=average, square_avg=average, exp_avg_sq=average, step=T - 1, **known)


def one_step(formula, grad, average, **options):
    """Return the movement of one step, and the average after it."""
    values = {"learning_rate": exactly(1), "eps": exactly(0), "alpha": exactly(0), **options}
    taken = {name: values[name] for name in formula.hyperparameters}
    after, state = formula.body(0 * grad, grad, of_state(formula, average), **taken)
    return after, getattr(state, "square_avg", None)


def inverse(odds):
    """A factor between 0 and 1: all of (0, 1], as the argument runs through the numbers from 0 on."""
    return SymbolArray(1 / (1 + expression(odds)))


@statement(
    "rmsprop.P1",
    "rmsprop.C3",
    false={
        "without the weight": {"formula": WHOLE},
        "the weights swapped": {"formula": SWAPPED},
        "a power too many": {"power": lambda steps, place: steps - place + 1},
    },
)
def test_the_average_is_a_weighted_sum_of_squares(formula=RMSPROP, power=lambda steps, place: steps - place):
    """Of five gradients, and by induction of any number: all weights fade by alpha, and the new square has 1 - alpha.

    They are nonnegative and sum to what bounds the average by the largest square.
    """
    start, rate, alpha, eps = symbols("theta eta alpha eps", positive=True)
    grads = series("q", STEPS, real=True)
    for count in range(1, STEPS + 1):
        _, state = walk(formula, start, grads[:count], learning_rate=rate, alpha=alpha, eps=eps)
        weights = [(1 - alpha) * alpha ** power(count, place) for place in range(1, count + 1)]

        assert vanishes(state.square_avg - sum(w * grad**2 for w, grad in zip(weights, grads, strict=False)))
        assert vanishes(sum(weights) - (1 - alpha**count))

    place = sympy.Symbol("i", positive=True, integer=True)
    average, grad = symbols("v q", positive=True)
    _, after = one_step(formula, grad, average, alpha=alpha, eps=eps)
    assert vanishes(after - alpha * average - (1 - alpha) * alpha ** power(T, T) * grad**2)
    assert vanishes(alpha ** power(T, place) - alpha * alpha ** power(T - 1, place))
    assert vanishes(alpha * (1 - alpha ** (T - 1)) + (1 - alpha) - (1 - alpha**T))


@statement(
    "rmsprop.P2",
    "rmsprop.C2",
    false={
        "a sum": {"formula": WHOLE},
        "the weights swapped": {"formula": SWAPPED},
        "twice the average": {"turning": 2},
    },
)
def test_the_average_falls_where_the_square_is_smaller(formula=RMSPROP, turning=1):
    average, grad, alpha = symbols("v q alpha", real=True)
    _, after = one_step(formula, grad, average, alpha=alpha)
    _, silent = one_step(formula, exactly(0), average, alpha=alpha)

    assert vanishes(after - average - (1 - alpha) * (grad**2 - turning * average))
    assert vanishes(silent - alpha * average)


@statement(
    "rmsprop.P3",
    false={
        "a sum": {"formula": WHOLE},
        "a step late": {"formula": LAGGED},
        "without the root": {"longest": lambda alpha: 1 / (1 - alpha)},
        "only after zeros, without memory": {"memories": (0,)},
    },
)
def test_a_step_is_longest_after_nothing_but_zeros(
    formula=RMSPROP,
    longest=lambda alpha: 1 / SymbolArray(sympy.sqrt(1 - expression(alpha))),
    memories=("9/10", "99/100"),
):
    """What a squared step lacks is a multiple of alpha and of the average: at alpha 0 every step is longest."""
    (average,) = symbols("v", nonnegative=True)
    grad, odds, eps = symbols("q a eps", positive=True)
    alpha = inverse(odds)
    step, after = one_step(formula, grad, average, alpha=alpha)
    damped, _ = one_step(formula, grad, average, alpha=alpha, eps=eps)
    root = SymbolArray(sympy.sqrt(expression(after)))

    assert vanishes(longest(alpha) ** 2 - step**2 - alpha * average / ((1 - alpha) * after))
    assert vanishes(damped * (root + eps) - step * root)
    assert [expression(longest(exactly(value))) ** 2 for value in memories] == [10, 100]
    for value in memories:
        later, _ = one_step(formula, exactly(2), exactly(3), alpha=exactly(value))
        assert bool(expression(later) ** 2 < expression(longest(exactly(value))) ** 2)


@statement(
    "rmsprop.P4",
    false={"a sum": {"formula": WHOLE}, "a step late": {"formula": LAGGED}, "in the other sense": {"sense": -1}},
)
def test_a_step_grows_with_its_gradient_and_shrinks_with_the_past(formula=RMSPROP, sense=1):
    average, grad, odds, rate, eps = symbols("v q a eta eps", positive=True)
    alpha = inverse(odds)
    step, _ = one_step(formula, grad, average, alpha=alpha, learning_rate=rate, eps=eps)
    length = expression(-step)
    mixed = sympy.sqrt(expression((1 - alpha) * grad**2 + alpha * average))
    below = mixed + expression(eps)

    assert sympy.simplify(length - expression(rate * grad) / below) == 0
    # With d q^2/root the derivative of the root, both derivatives of the length are quotients of what is positive.
    rise = expression(rate * (alpha * average + eps * SymbolArray(mixed))) / (mixed * below**2)
    fall = expression(rate * grad * alpha) / (2 * mixed * below**2)
    assert sympy.simplify(sympy.diff(length, expression(grad)) - sense * rise) == 0
    assert sympy.simplify(sympy.diff(length, expression(average)) + sense * fall) == 0
    assert sympy.factor(rise).is_positive
    assert sympy.factor(fall).is_positive


@statement(
    "rmsprop.P5",
    false={
        "corrected": {"formula": CORRECTED},
        "a step behind": {"weight": lambda alpha, t: 1 - alpha ** (t - 1)},
        "the limit of descent": {"limit": 2},
    },
)
def test_a_constant_gradient_gives_steps_that_fall_to_the_rate(
    formula=RMSPROP, weight=lambda alpha, t: 1 - alpha**t, limit=1
):
    """By induction for every t; the same for gradients of the other sign, since the rule is odd."""
    grad, rate, odds = symbols("c eta a", positive=True)
    alpha = SymbolArray(1 / (1 + expression(odds)))
    step, after = one_step(formula, grad, weight(alpha, T - 1) * grad**2, alpha=alpha, learning_rate=rate)
    against, _ = one_step(formula, -grad, weight(alpha, T - 1) * grad**2, alpha=alpha, learning_rate=rate)
    gathered = expression(weight(alpha, T))

    assert vanishes(after - SymbolArray(gathered) * grad**2)
    assert vanishes(weight(alpha, 0) * grad)
    assert vanishes(step**2 * SymbolArray(gathered) - rate**2)
    assert vanishes(step + against)
    growth = weight(alpha, T + 1) - weight(alpha, T)  # positive: the steps fall
    assert vanishes(growth - alpha**T * (1 - alpha))
    half = weight(exactly("1/2"), T)
    assert sympy.limit(1 / expression(half), T, sympy.oo) == limit


@statement(
    "rmsprop.P6",
    false={
        "a step late": {"formula": LAGGED},
        "no power": {"power": 0},
        "descent at the rate": {"rate": lambda eta, eps: eta},
    },
)
def test_the_ends_of_memory_are_sign_descent_and_descent(
    formula=RMSPROP, power=INVERSE_ROOT, rate=lambda eta, eps: eta / eps
):
    grad, eta, eps, average = symbols("q eta eps v", positive=True)
    smooth, _ = one_step(formula, grad, average, learning_rate=eta, eps=eps)
    frozen, kept = one_step(formula, grad, exactly(0), alpha=exactly(1), learning_rate=eta, eps=eps)
    rest = sympy.Symbol("d", positive=True)  # 1 - alpha
    first, after = one_step(formula, grad, exactly(0), alpha=SymbolArray(1 - rest), learning_rate=eta)
    descent, _ = GD.body(0 * grad, grad, initial_state(GD.state_type, grad), learning_rate=rate(eta, eps))

    assert vanishes(smooth + eta * grad / (grad + eps))
    assert vanishes(frozen - descent)
    assert vanishes(kept)
    assert sympy.limit(expression(after), rest, 0) == 0
    assert vanishes(first + eta * SymbolArray(rest**power))


@statement(
    "rmsprop.P7",
    "rmsprop.C1",
    "rmsprop_eps_inside.P5",
    false={
        "epsilon unscaled": {"units": {RMSPROP: 0, INSIDE: 0}},
        "epsilon inside as outside": {"units": {INSIDE: 1}},
        "epsilon outside as inside": {"units": {RMSPROP: 2}},
        "without the root": {"units": {neighbour(RMSPROP, "rmsprop_without_root"): 1}},
    },
)
def test_gradients_in_other_units_lead_to_the_same_place(units={RMSPROP: 1, INSIDE: 2}):  # noqa: B006  # only read
    """With a unit for each coordinate if there is no epsilon, and with epsilon in its power of the unit if there is."""
    start, scale = symbol_array("x y", real=True), symbol_array("c d", positive=True)
    grads = [symbol_array(f"g{t} h{t}", positive=True) for t in (1, 2)]
    rate, eps, whole, odds = symbols("eta eps a b", positive=True)
    for formula, power in units.items():
        for factor, floor, scaled_floor in ((scale, exactly(0), exactly(0)), (whole, eps, whole**power * eps)):
            options = {"learning_rate": rate, "alpha": inverse(odds)}
            plain, _ = walk(formula, start, grads, eps=floor, **options)
            scaled, _ = walk(formula, start, [factor * grad for grad in grads], eps=scaled_floor, **options)
            assert all(vanishes(mine - theirs) for mine, theirs in zip(plain, scaled, strict=True))


@statement(
    "rmsprop.P8",
    false={
        "Adam itself": {"other": ADAM},
        "corrected": {"formula": CORRECTED},
        "with a first moment": {"beta1": "1/10"},
    },
)
def test_it_is_adam_without_first_moment_and_correction(formula=RMSPROP, other=UNCORRECTED_ADAM, beta1="0"):
    """By induction for every t: from one average both lead to the same place and the same average, from zero on."""
    start, rate, eps, odds = symbols("theta eta eps a", positive=True)
    average, memory = symbols("v m", positive=True)
    (grad,) = symbols("q", real=True)
    alpha = inverse(odds)
    adams = {"learning_rate": rate, "beta1": exactly(beta1), "beta2": alpha, "eps": eps}
    for mine, theirs in ((formula, other), (CORRECTED, ADAM)):
        place, kept = mine.body(start, grad, of_state(mine, average), learning_rate=rate, alpha=alpha, eps=eps)
        adam_place, adam_kept = theirs.body(start, grad, of_state(theirs, average, exp_avg=memory), **adams)
        assert vanishes(place - adam_place)
        assert vanishes(kept.square_avg - adam_kept.exp_avg_sq)
        assert initial_state(mine.state_type, 0.0).square_avg == initial_state(theirs.state_type, 0.0).exp_avg_sq


@statement(
    "rmsprop.P9",
    "rmsprop_vs_adagrad_norm.P2",
    false={"a sum": {"formula": WHOLE}, "the weights swapped": {"formula": SWAPPED}, "alpha": {"share": lambda a: a}},
)
def test_the_average_stays_below_its_share_of_the_sum(formula=RMSPROP, share=lambda alpha: 1 - alpha):
    """By induction: a distance d from the share becomes one that cannot be negative either; the first is zero.

    Coordinates that do not exceed others have no larger norm of any kind that grows with the coordinates.
    """
    average, gap, grad, odds = symbols("v d q a", nonnegative=True)
    alpha = inverse(odds)
    _, after = one_step(formula, grad, average, alpha=alpha)
    _, state = ADAGRAD.body(
        0 * grad, grad, of_state(ADAGRAD, (average + gap) / share(alpha)), learning_rate=exactly(1), eps=exactly(1)
    )
    _, first = one_step(formula, grad, exactly(0), alpha=alpha)

    distance = expression(share(alpha) * state.sum - after)
    assert sympy.simplify(distance - expression(gap + (1 - alpha) * average)) == 0
    assert expression(gap + SymbolArray(sympy.factor(expression((1 - alpha) * average)))).is_nonnegative
    assert vanishes(first - share(alpha) * grad**2)


GOLDEN = {
    RMSPROP: ("-0.306534300317155", "-0.588224441162226", "-0.331378544241398", "-0.331378544241398"),
    INSIDE: ("-0.301511344577764", "-0.584354057052383", "-0.326250743429076", "-0.326250743429076"),
}


@statement(
    "rmsprop.P10",
    "rmsprop_eps_inside.P6",
    "D020",
    false={
        "the forms exchanged": {"golden": dict(zip(GOLDEN, reversed(list(GOLDEN.values())), strict=True))},
        "corrected": {"golden": {CORRECTED: GOLDEN[RMSPROP]}},
        "another memory": {"alpha": "0.99"},
    },
)
def test_the_worked_numbers_are_met(golden=GOLDEN, alpha="0.9"):
    grads = [exactly(grad) for grad in (1, 2, -3, 0)]
    options = {"learning_rate": exactly("0.1"), "alpha": exactly(alpha), "eps": exactly("0.01")}
    for formula, printed in golden.items():
        path, _ = walk(formula, exactly(0), grads, **options)
        averages = [walk(formula, exactly(0), grads[:count], **options)[1].square_avg for count in range(1, 5)]

        assert [expression(v) for v in averages] == [sympy.Rational(v) for v in ("0.1", "0.49", "1.341", "1.2069")]
        for place, text in zip(path, printed, strict=True):
            assert abs(expression(place) - sympy.Rational(text)) <= sympy.Rational(1, 2 * 10**15)


def denominators(forms, root, floors):
    """Return what divides a gradient of 1, for an average of ``root**2``: of a first step without memory, squared."""
    steps = [one_step(form, root, exactly(0), eps=floor)[0] for form, floor in zip(forms, floors, strict=True)]
    return [sympy.simplify(expression(root / step) ** 2) for step in steps]


@statement(
    "rmsprop_eps_inside.P1",
    false={
        "the same epsilon outside": {"outside": lambda floor: floor**2},
        "the same form": {"forms": (RMSPROP, RMSPROP)},
        "no factor": {"factor": 1},
    },
)
def test_inside_steps_are_longer_by_up_to_the_root_of_two(
    forms=(INSIDE, RMSPROP), outside=lambda floor: floor, factor=2
):
    """Beside the root of epsilon outside; squares of what divides, whose differences are products and squares."""
    root, floor = symbols("r e", positive=True)  # of the average, and of epsilon
    inside, other = denominators(forms, root, (floor**2, outside(floor)))
    r, e = expression(root), expression(floor)

    assert sympy.expand(other - inside - 2 * r * e) == 0  # zero only where the average is
    assert sympy.expand(factor * inside - other - (r - e) ** 2) == 0  # zero only where average and epsilon are equal


@statement(
    "rmsprop_eps_inside.P2",
    false={
        "twice as large": {"turning": lambda eps: 1 - eps},
        "epsilon doubled": {"turning": lambda eps: (1 - 2 * eps) / 2},
        "the forms exchanged": {"forms": (RMSPROP, INSIDE)},
    },
)
def test_which_form_steps_further_depends_on_the_scale(turning=lambda eps: (1 - eps) / 2, forms=(INSIDE, RMSPROP)):
    """The form inside does where the root of the average exceeds half of 1 - epsilon: always, for epsilon above 1."""
    root, eps = symbols("r eps", positive=True)
    inside, outside = denominators(forms, root, (eps, eps))

    assert sympy.expand(outside - inside - 2 * expression(eps * (root - turning(eps)))) == 0


@statement(
    "rmsprop_eps_inside.P3",
    false={"another rate": {"formula": neighbour(INSIDE, "rmsprop_eps_inside_rate_off")}, "large": {"end": 1}},
)
def test_both_forms_meet_as_epsilon_vanishes(formula=INSIDE, end=0):
    grad, average, odds, rate = symbols("q v a eta", positive=True)
    eps = sympy.Symbol("eps", positive=True)
    options = {"alpha": inverse(odds), "learning_rate": rate, "eps": SymbolArray(eps)}
    inside, outside = (one_step(form, grad, average, **options)[0] for form in (formula, RMSPROP))

    assert sympy.simplify(expression(inside - outside).subs(eps, end)) == 0  # both are continuous there


@statement(
    "D020",
    false={"without epsilon": {"eps": "0"}, "where they cross": {"eps": "1/2", "grad": "1/2"}},
)
def test_the_two_places_of_epsilon_differ_in_the_first_step(eps="1", grad="2"):
    options = {"alpha": exactly("3/4"), "eps": exactly(eps)}
    outside, _ = one_step(RMSPROP, exactly(grad), exactly(0), **options)
    inside, _ = one_step(INSIDE, exactly(grad), exactly(0), **options)

    assert not vanishes(outside - inside)
    assert (expression(outside), expression(inside)) == (-1, -sympy.sqrt(2))


@statement(
    "D021",
    false={
        "as printed": {"domain": at_least(0)},
        "up to two": {"domain": closed(0, 2)},
        "frozen": {"beyond": 1.0},
    },
)
def test_a_memory_beyond_one_makes_squares_negative(domain=RMSPROP.domain["alpha"], beyond=2.0):
    """With alpha = 2 a gradient of 1 leaves an average of -1; at 1 it stays 0 and the step is descent over epsilon."""
    _, negative = one_step(RMSPROP, exactly(1), exactly(0), alpha=exactly(beyond), eps=exactly(1))
    frozen, kept = one_step(RMSPROP, exactly(1), exactly(0), alpha=exactly(1), eps=exactly(4))
    start = initial_state(RMSPROP.state_type, 0.0)

    assert expression(negative) == -1
    assert (expression(frozen), expression(kept)) == (sympy.Rational(-1, 4), 0)
    assert [value for value in (0.0, 0.5, 1.0, beyond) if value in domain] == [0.0, 0.5, 1.0]
    with pytest.raises(DomainError, match="alpha must be in"):
        exact(RMSPROP, 0.0, 1.0, start, learning_rate=1.0, alpha=beyond, eps=1.0)
