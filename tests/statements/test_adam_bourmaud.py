"""What follows from Adam as one document prints it: corrected averages written back, an index that starts somewhere."""

from __future__ import annotations

import functools
import itertools
import math
from fractions import Fraction as F

import mpmath
import numpy as np
import sympy

from oracle.arithmetic.balls import balls
from oracle.arithmetic.primitives import bias_correction
from oracle.arithmetic.symbols import SymbolArray
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.exact import exact
from oracle.formula import initial_state
from tests.helpers.algebra import exactly, expression, series, symbols, vanishes, walk
from tests.helpers.statements import statement

ADAM, LITERAL = get("adam"), get("adam_bourmaud_literal_k1")
THETA, RATE, EPS, BETA1, BETA2 = symbols("theta eta epsilon beta_1 beta_2", positive=True)
OPTIONS = {"learning_rate": RATE, "eps": EPS, "beta1": BETA1, "beta2": BETA2}
LAGGED = neighbour(ADAM, "adam_second_lagged")
CUSTOMARY = {"learning_rate": 1.0, "beta1": 0.9, "beta2": 0.999, "eps": 0.0}


def near(name):
    """Return the printed rule with one change."""
    return neighbour(LITERAL, f"adam_bourmaud_literal_k1_{name}")


def after(steps, formula, zero):
    """Return zeros after a number of steps."""
    return initial_state(formula.state_type, zero)._replace(step=steps)


def run(formula, count, dtype, **options):
    """Yield parameter and state after every step under a gradient of 1, in the arithmetic of a dtype."""
    param, one = np.zeros(1, dtype), np.ones(1, dtype)
    state = initial_state(formula.state_type, np.zeros(1, dtype))
    for _ in range(count):
        with np.errstate(over="ignore"):
            param, state = formula(param, one, state, **{**CUSTOMARY, **options})
        yield param.item(), state


def moments(formula, beta, count):
    """Return the first moment after every step under a gradient of 1; for balls."""
    zero = balls(0.0)
    state, found = initial_state(formula.state_type, zero), []
    for _ in range(count):
        _, state = formula(zero, balls(1.0), state, learning_rate=1, beta1=beta, beta2=0, eps=1)
        found.append(state.exp_avg)
    return found


def steps_of(formula, betas, count):
    """Return the length of every step under a gradient of 1, and their sum; for balls."""
    zero = balls(0.0)
    param, state, found = zero, initial_state(formula.state_type, zero), []
    for _ in range(count):
        moved, state = formula(zero, balls(1.0), state, learning_rate=1, beta1=betas[0], beta2=betas[1], eps=0)
        param = param + moved
        found.append(-moved)
    return [*found, param]


@statement(
    "adam_bourmaud.P1",
    "D032",
    false={"counted from one": {"completed": 0}, "an index behind": {"completed": -2}},
)
def test_from_index_zero_both_divisors_are_zero_and_the_first_update_is_no_number(completed=-1):
    index = completed + 1
    for beta in (F(1, 2), F(999, 1000), F(0)):  # 0^0 being 1
        assert bias_correction(beta, index) == 0

    state = after(completed, LITERAL, np.zeros(1))
    with np.errstate(invalid="ignore"):
        param, state = LITERAL(np.zeros(1), np.ones(1), state, **{**CUSTOMARY, "eps": 1e-8})
    assert np.isinf(state.exp_avg).all()
    assert np.isinf(state.exp_avg_sq).all()
    assert np.isnan(param).all()


@statement(
    "adam_bourmaud.P2",
    "D033",
    false={
        "kept apart": {"formula": neighbour(LITERAL, "adam")},
        "uncorrected": {"formula": near("first_uncorrected")},
        "counted from two": {"formula": near("step_from_two")},
    },
)
def test_the_first_update_is_adams_and_the_second_starts_from_other_moments(formula=LITERAL):
    """The moments differ by the square of a beta times what the first gradient left: the step does for most others."""
    one, two = series("g", 2, real=True, nonzero=True)
    (first,), state = walk(formula, THETA, [one], **OPTIONS)
    (expected,), _ = walk(ADAM, THETA, [one], **OPTIONS)
    assert vanishes(first - expected)

    _, state = walk(formula, THETA, [one, two], **OPTIONS)
    _, plain = walk(ADAM, THETA, [one, two], **OPTIONS)
    corrections = (1 - BETA1**2, 1 - BETA2**2)
    assert vanishes(state.exp_avg - plain.exp_avg / corrections[0] - BETA1**2 * one / corrections[0])
    assert vanishes(state.exp_avg_sq - plain.exp_avg_sq / corrections[1] - BETA2**2 * one**2 / corrections[1])

    # Not whenever the first gradient is not 0: without beta1, and then a gradient of 0, neither rule moves.
    still = {**OPTIONS, "beta1": exactly(0)}
    ends = [walk(rule, THETA, [one, exactly(0)], **still)[0][-1] for rule in (formula, ADAM)]
    assert vanishes(ends[0] - ends[1])

    grads = series("g", 3, real=True, nonzero=True)
    bare = {**OPTIONS, "beta1": exactly(0), "beta2": exactly(0)}
    paths = [walk(rule, THETA, grads, **bare)[0] for rule in (formula, ADAM)]
    assert all(vanishes(one - other) for one, other in zip(*paths, strict=True))


@statement(
    "adam_bourmaud",
    "adam_bourmaud.P3",
    false={
        "one correction alone": {"last": lambda i, steps: i},
        "from the next on": {"first": lambda i: i + 1},
        "kept apart": {"formula": neighbour(LITERAL, "adam")},
    },
)
def test_the_corrections_of_all_later_steps_multiply(formula=LITERAL, first=lambda i: i, last=lambda i, steps: steps):
    for steps in (1, 2, 4):
        grads = series("g", steps, real=True)
        _, state = walk(formula, THETA, grads, **OPTIONS)
        for average, beta, power in ((state.exp_avg, BETA1, 1), (state.exp_avg_sq, BETA2, 2)):
            unrolled = sum(
                (1 - beta)
                * beta ** (steps - i)
                * grad**power
                / math.prod([1 - beta**j for j in range(first(i), last(i, steps) + 1)], start=exactly(1))
                for i, grad in enumerate(grads, 1)
            )
            assert sympy.cancel(expression(average - unrolled)) == 0


@statement(
    "adam_bourmaud.P4",
    false={
        "kept apart": {"formula": neighbour(LITERAL, "adam")},
        "multiplied": {"formula": near("correction_multiplied")},
        "another beta": {"beta": 0.95},
    },
)
def test_under_a_gradient_of_one_the_first_moment_climbs_to_thousands_and_comes_back(formula=LITERAL, beta=0.9):
    found = exact(functools.partial(moments, formula), beta, 400)

    assert [f"{value:.8g}" for value in found[:4]] == ["1", "5.2631579", "17.848126", "47.000039"]
    assert f"{max(found):.1f}" == "3945.1"
    assert abs(found[-1] - 1) < 1e-12
    assert min(found) >= 1.0


def limit_of_the_product(beta):
    r"""Return :math:`\prod_k (1 - \beta^k)^{-1}`."""
    return 1 / mpmath.qp(beta, maxterms=10**6)


def from_two(beta):
    """Leave the first correction out."""
    return limit_of_the_product(beta) * (1 - beta)


@statement(
    "adam_bourmaud.P5",
    "D033",
    false={
        "the first correction left out": {"product": from_two},
        "kept apart": {"formula": neighbour(LITERAL, "adam")},
        "a step earlier": {"last": {"float64": 328, "float32": 19}},
    },
)
def test_the_second_moment_overflows_and_the_parameter_is_frozen(
    formula=LITERAL, product=limit_of_the_product, last=None
):
    """In the arithmetic of two formats, as it is executed; in exact arithmetic nothing ever stops."""
    with mpmath.workdps(20):
        golden = {"0.9": "7.7756e+5", "0.99": "4.8151e+69"}
        assert {beta: mpmath.nstr(product(mpmath.mpf(beta)), 5) for beta in golden} == golden
        logarithms = [mpmath.log(product(mpmath.mpf(beta))) for beta in ("0.9", "0.99", "0.999")]
        assert mpmath.nstr(logarithms[-1], 6) == "1639.74"
        lack = [
            mpmath.pi**2 / 6 - value * (1 - mpmath.mpf(beta))
            for value, beta in zip(logarithms, ("0.9", "0.99", "0.999"), strict=True)
        ]
        assert all(later < earlier / 5 for earlier, later in itertools.pairwise(lack))
        assert min(lack) > 0

    for dtype, index in (last or {"float64": 329, "float32": 20}).items():
        path = list(run(formula, index + 100, dtype))
        finite = [bool(np.isfinite(state.exp_avg_sq).all()) for _, state in path]
        assert finite == [True] * (index - 1) + [False] * 101
        assert len({param for param, _ in path[index - 2 :]}) == 1
        from_zero, _ = formula(np.zeros(1, dtype), np.ones(1, dtype), path[index - 1][1], **CUSTOMARY)
        assert from_zero.tolist() == [0.0]  # no rounding, which far from zero would hide a small update


@statement(
    "adam_bourmaud.P6",
    "D033",
    false={
        "kept apart": {"formula": neighbour(LITERAL, "adam")},
        "the rate off": {"formula": near("rate_off")},
        "another beta2": {"betas": (0.9, 0.998)},
    },
)
def test_the_parameter_freezes_after_less_than_one_and_a_third_learning_rates(formula=LITERAL, betas=(0.9, 0.999)):
    *lengths, end = exact(functools.partial(steps_of, formula), betas, 60)
    golden = ["1", "0.23531673", "0.043707834", "0.0072775698", "0.0011330728"]

    assert [f"{length:.8g}" for length in lengths[:5]] == golden
    assert f"{end:.13f}" == "-1.2876321577455"
    assert lengths[-1] < 1e-40  # what follows is below the last printed digit


@statement(
    "adam_bourmaud.P7",
    false={
        "kept apart": {"formula": neighbour(LITERAL, "adam")},
        "another beta2": {"beta2": 0.999},
        "a smaller beta2": {"beta2": 0.98},
    },
)
def test_below_the_overflow_the_step_takes_fifteen_thousand_updates_to_recover(formula=LITERAL, beta2=0.99):
    largest, before = 0.0, 0.0
    for number, (param, state) in enumerate(run(formula, 16_000, "float64", beta2=beta2), 1):
        largest, moved, before = max(largest, state.exp_avg_sq.item()), before - param, param
        if number == 1_000:
            assert f"{largest:.2e}" == "1.82e+65"
        if number == 15_000:
            assert 0 < moved < 0.1
    assert moved > 0.99
    assert f"{largest:.2e}" == "1.82e+65"


@statement(
    "adam_bourmaud.P8",
    "D032",
    false={
        "the printed rule": {"apart": LITERAL},
        "an index ahead": {"first": 2},
        "counted from two": {"apart": neighbour(ADAM, "adam_step_from_two")},
        "uncorrected": {"apart": neighbour(ADAM, "adam_without_correction")},
        "uphill": {"apart": neighbour(ADAM, "adam_ascent")},
        "counted from one": {"completed": 0},
    },
)
def test_kept_apart_and_counted_from_one_the_printed_index_is_adams(
    apart=get("adam_bourmaud_index_only"), first=1, completed=-1
):
    grads = series("g", 3, real=True)
    theta, average, square = THETA, exactly(0), exactly(0)
    path, _ = walk(apart, theta, grads, **OPTIONS)
    for index, (grad, place) in enumerate(zip(grads, path, strict=True), first):
        average, square = BETA1 * average + (1 - BETA1) * grad, BETA2 * square + (1 - BETA2) * grad**2
        root = SymbolArray(sympy.sqrt(expression(square / (1 - BETA2**index))))
        theta = theta - RATE * average / (1 - BETA1**index) / (root + EPS)
        assert vanishes(place - theta)

    with np.errstate(invalid="ignore"):  # where the index starts at 0 there is no first step
        nowhere, _ = apart(np.zeros(1), np.ones(1), after(completed, apart, np.zeros(1)), **{**CUSTOMARY, "eps": 1e-8})
    assert np.isnan(nowhere).all()


@statement(
    "D034",
    false={
        "the same start": {"start": "0"},
        "uncorrected": {"formula": near("first_uncorrected")},
        "counted from two": {"formula": near("step_from_two")},
    },
)
def test_where_the_moments_start_shows_in_the_first_update(formula=LITERAL, start="1"):
    """Under a gradient of 1, without epsilon: from 1 the first moment is (1/2 + 1/2) / (1 - 1/2)."""
    options = {**OPTIONS, "beta1": exactly("1/2"), "eps": exactly(0)}
    for value, length in (("0", 1), (start, 2)):
        state = after(0, formula, exactly(0))._replace(exp_avg=exactly(value))
        param, _ = formula.body(THETA, exactly(1), state, **options)
        assert vanishes(THETA - param - length * RATE)


@statement(
    "D035",
    false={
        "the current gradient": {"formula": ADAM},
        "uphill": {"formula": neighbour(ADAM, "adam_ascent")},
        "another rate": {"formula": neighbour(ADAM, "adam_rate_off")},
        "uncorrected": {"formula": neighbour(ADAM, "adam_without_correction")},
    },
)
def test_the_square_of_the_gradient_before_gives_another_step(formula=LAGGED):
    """Of the gradients 1 and 2 at beta2 = 1/2 the corrected second average is 3, or 2/3 with each square a step late."""
    options = {**OPTIONS, "beta1": exactly(0), "beta2": exactly("1/2")}
    for rule, square in ((ADAM, exactly(3)), (formula, exactly("2/3"))):
        _, state = walk(rule, THETA, [exactly(1)], **options)
        param, _ = rule.body(THETA, exactly(2), state, **options)
        root = SymbolArray(sympy.sqrt(expression(square)))

        assert vanishes(THETA - param - RATE * 2 / (root + EPS))
