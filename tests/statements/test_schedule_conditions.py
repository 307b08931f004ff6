"""What the documents state about decreasing steps and plateaus: exact sums, and all short histories."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import flint
import sympy

from oracle.arithmetic.symbols import SymbolArray
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.schedules.conditions import condensed, decreasing_steps_allowed, noise_share, power_rate
from oracle.schedules.plateau import reduce_on_plateau
from tests.helpers.algebra import expression
from tests.helpers.statements import statement

CONSTANT, CLASSIC, TRANSFORMER = get("schedule_constant"), get("schedule_classic_warmup"), get("schedule_transformer")
TRIANGLE, WAVE, LINEAR = (
    get("schedule_triangular"),
    get("schedule_cosine_restarts"),
    get("schedule_linear_decay_warmup"),
)
RATIONAL = sympy.Rational
EXPONENTS = [RATIONAL(*pair) for pair in ((1, 4), (1, 2), (3, 5), (3, 4), (1, 1), (3, 2), (2, 1))]
RATE = sympy.Symbol("eta", positive=True)


def rate(formula, step, **values):
    levels = {name: SymbolArray(value) if isinstance(value, sympy.Basic) else value for name, value in values.items()}
    return expression(formula.body(step, **levels))


@statement(
    "schedule_constant",
    "schedule_constant.P1",
    false={
        "divided by the step": {"rule": neighbour(CONSTANT, "schedule_constant_decreasing")},
        "zero at first": {"rule": neighbour(CONSTANT, "schedule_constant_zero_first")},
        "sums of a rate": {"terms": lambda steps: steps - 1},
    },
)
def test_sums_of_a_constant_rate_and_of_its_square_grow_with_the_steps(rule=CONSTANT, terms=lambda steps: steps):
    for steps in (1, 2, 10, 100):
        course = [rate(rule, step, init_value=RATE) for step in range(steps)]

        assert set(course) == {RATE}
        assert sympy.expand(sum(course) - terms(steps) * RATE) == 0
        assert sympy.expand(sum(r**2 for r in course) - terms(steps) * RATE**2) == 0
        assert noise_share(course) == RATE  # the noise that is left, however long it runs


def power_term(exponent, power):
    """Terms from 1 on of the sum of the rates, or of their squares."""
    return lambda step: power_rate(step - 1, init_value=sympy.Integer(1), exponent=exponent) ** power


def converges(term):
    """Whether the sum of a power of the step converges: whether its condensed sum, which is geometric, does.

    Each condensed term is the one before times the same number; the sums up to the n-th power of 2 lie between
    half of that geometric sum and all of it.
    """
    low, high = condensed(term, 5)
    partial = [sum(term(step) for step in range(2, 2**doublings + 1)) for doublings in range(1, 6)]
    assert all(a <= s <= b for a, s, b in zip(low, partial, high, strict=True))
    weighted = [after - before for before, after in itertools.pairwise([0, *high])]
    ratios = {sympy.simplify(after / before) for before, after in itertools.pairwise(weighted)}
    assert len(ratios) == 1
    return ratios.pop() < 1


@statement(
    "schedule_decreasing_conditions",
    "schedule_decreasing_conditions.P1",
    false={
        "from the half on": {"both": lambda q: RATIONAL(1, 2) <= q <= 1},
        "below one": {"both": lambda q: RATIONAL(1, 2) < q < 1},
        "from one on": {"both": lambda q: q >= 1},
        "the rates for their squares": {"second": 1},
    },
)
def test_a_power_fulfils_both_conditions_above_a_half_and_up_to_one(both=lambda q: RATIONAL(1, 2) < q <= 1, second=2):
    for q in EXPONENTS:
        first_holds, second_holds = not converges(power_term(q, 1)), converges(power_term(q, second))

        assert (first_holds and second_holds) == bool(both(q))
        assert first_holds == bool(q <= 1)
        assert second_holds == bool(q > RATIONAL(1, 2))
        assert decreasing_steps_allowed([power_rate(t, init_value=RATIONAL(1, 3), exponent=q) for t in range(9)], 3)
        assert not decreasing_steps_allowed([power_rate(t, init_value=RATIONAL(1, 2), exponent=q) for t in range(9)], 3)
    q = sympy.Symbol("q", positive=True)
    for power, doubling in itertools.product(
        (1, 2), range(5)
    ):  # whatever the exponent, the ratio is 2^(1 - q), 2^(1 - 2q)
        term = power_term(q, power)
        ratio = 2 * term(2 ** (doubling + 1)) / term(2**doubling)
        assert sympy.simplify(ratio - 2 ** (1 - power * q)) == 0


def share_after(steps, exponent):
    """Enclose the noise's share after some steps of rates that fall with a power."""
    rates = [power_rate(t, init_value=flint.arb(1), exponent=flint.arb(exponent)) for t in range(steps)]
    return noise_share(rates)


@statement(
    "schedule_decreasing_conditions.P2",
    "schedule_decreasing_conditions.P3",
    "D056",
    false={
        "with a constant": {"vanishes": lambda q: q <= 1},
        "with a sum that converges": {"vanishes": lambda q: q > 0},
        "as the theorem asks": {"vanishes": lambda q: 1 / 2 < q <= 1},
        "for every power": {"largest": RATIONAL(3, 2)},
    },
)
def test_the_share_of_the_noise_vanishes_for_every_power_up_to_one(vanishes=lambda q: 0 < q <= 1, largest=RATIONAL(1)):
    """An inverse root of the step has a divergent sum of squares, and its noise vanishes all the same.

    A sum that diverges and rates that never increase: of the squares the first m add up to m at most, and all
    others to no more than rate m times the sum of the rates. After 2**n steps that sum is at least n / 2.
    """
    for q in (0, 1 / 4, 1 / 2, 1, 2):
        assert (share_after(2**14, q) < 1 / 5) == vanishes(q)
        for n in range(1, 9) if 0 < q <= 1 else ():
            reached = share_after(2**n, q)
            assert all(reached <= 2 * m / n + power_rate(m, init_value=1, exponent=flint.arb(q)) for m in range(2**n))

    m = sympy.Symbol("m", positive=True)
    q = largest / (1 + sympy.Symbol("r", nonnegative=True))  # every power up to the largest
    above = sympy.powsimp(power_rate(m, init_value=1, exponent=q) / power_rate(m, init_value=1, exponent=1))
    base, exponent = above.as_base_exp()
    assert base == m + 1
    assert exponent.simplify().is_nonnegative  # no rate is below the harmonic one
    assert condensed(lambda step: F(1, step), 8)[0] == [F(n, 2) for n in range(1, 9)]
    assert sympy.limit(2 / m + power_rate(m, init_value=1, exponent=q), m, sympy.oo) == 0  # with n = m**2


LEVELS = {"peak_value": RATIONAL(3), "end_value": RATIONAL(1, 10)}
FLOORED = {
    "classic": (CLASSIC, {**LEVELS, "warmup_steps": 3}),
    "cosine": (WAVE, {**LEVELS, "cycle_steps": 4, "cycle_growth": 2}),
    "triangle": (TRIANGLE, {"peak_value": RATIONAL(3), "init_value": RATIONAL(1, 10), "half_cycle_steps": 3}),
}


@statement(
    "schedule_decreasing_conditions.P3",
    "D057",
    false={
        "a floor of zero": {"floor": RATIONAL(0)},
        "a rate that goes on": {"horizon": (LINEAR, {**LEVELS, "warmup_steps": 2, "decay_steps": 3})},
        "a steeper tail": {"tail": lambda step: 1 / RATIONAL(step) ** 2},
        "a monotone cycle": {"cyclic": (CONSTANT, {"init_value": RATIONAL(1)})},
    },
)
def test_floors_horizons_inverse_roots_and_cycles_break_a_condition_each(
    floor=RATIONAL(1, 10),
    horizon=(LINEAR, {"peak_value": RATIONAL(3), "end_value": RATIONAL(0), "warmup_steps": 2, "decay_steps": 3}),
    tail=lambda step: 1 / RATIONAL(step),
    cyclic=FLOORED["triangle"],
):
    """A floor of 1/10 adds 1/100 to the sum of squares at every step: 10000 steps add 100."""
    for formula, values in FLOORED.values():
        names = {name: floor if name in ("end_value", "init_value") else value for name, value in values.items()}
        course = [rate(formula, step, **names) for step in range(40)]
        assert all(r >= RATIONAL(1, 10) for r in course)  # so both sums grow at least linearly

    formula, values = horizon
    assert {rate(formula, step, **values) for step in range(5, 60)} == {0}

    width, warmup = sympy.Symbol("d", positive=True), 4
    squares = {step: rate(TRANSFORMER, step, model_width=width, warmup_steps=warmup) ** 2 for step in range(4, 65)}
    assert all(sympy.expand(value - tail(step) / width) == 0 for step, value in squares.items())
    assert not converges(lambda step: RATIONAL(1, step))
    for step in range(4, 65):  # the power 1/2, whose share of the noise vanishes
        power = power_rate(step - 1, init_value=1 / sympy.sqrt(width), exponent=RATIONAL(1, 2))
        assert sympy.expand(rate(TRANSFORMER, step, model_width=width, warmup_steps=warmup) - power) == 0

    formula, values = cyclic
    course = [rate(formula, step, **values) for step in range(20)]
    assert all(r > 0 for r in course)
    assert not decreasing_steps_allowed(course, RATIONAL(1, 10))


@statement(
    "schedule_decreasing_conditions.P4",
    false={
        "steps too long": {"rates": (F(5, 2), F(1), F(1, 8), F(3, 4))},
        "the first rate alone": {"share": lambda rates: rates[0]},
    },
)
def test_the_order_of_the_steps_does_not_matter_to_the_bound(
    rates=(F(1), F(3, 4), F(1, 2), F(1, 8)), share=noise_share
):
    """Descent on x^2/2 + y^2/8, whose gradient is 1-Lipschitz, from (3, -5), in every order of four steps."""
    for order in itertools.permutations(rates):
        x, y = F(3), F(-5)
        start, decrease = x**2 / 2 + y**2 / 8, F(0)
        for step in order:
            decrease += step / 2 * (x**2 + (y / 4) ** 2)
            x, y = x - step * x, y - step * y / 4

        assert decrease <= start - (x**2 / 2 + y**2 / 8)
        assert share(order) == share(rates)
    assert not all(decreasing_steps_allowed(order, 1) for order in itertools.permutations(rates))


# -- Plateaus --------------------------------------------------------------------------------------------------------

HISTORIES = [list(map(F, history)) for history in itertools.product((1, 2, 3), repeat=6)]
FACTOR, INITIAL = F(1, 3), F(2)


def reduced(metrics, patience, **settings):
    return reduce_on_plateau(metrics, init_value=INITIAL, factor=FACTOR, patience=patience, **settings)


def early(metrics, patience, **settings):
    """Reduce when the count reaches the patience."""
    return reduced(metrics, patience - 1, **settings)


def recovering(metrics, patience, **settings):
    """Start anew after each improvement."""
    rates, best = [], F(10**9)
    for step, metric in enumerate(metrics):
        fresh = metric < best
        best = min(best, metric)
        rates.append(INITIAL if fresh else reduced(metrics[: step + 1], patience, **settings)[-1])
    return rates


@statement(
    "schedule_reduce_on_plateau",
    "schedule_reduce_on_plateau.P1",
    "D058",
    false={
        "recovers": {"rule": recovering},
        "one factor more": {"levels": [INITIAL * FACTOR ** (j + 1) for j in range(8)]},
        "below its floor": {"floor": F(1)},
    },
)
def test_the_rate_only_falls_and_by_whole_factors_down_to_its_floor(
    rule=reduced, levels=tuple(INITIAL * FACTOR**j for j in range(8)), floor=F(1, 50)
):
    for metrics, patience in itertools.product(HISTORIES, (0, 1, 2)):
        rates = [INITIAL, *rule(metrics, patience, end_value=F(1, 50))]

        assert all(after <= before for before, after in itertools.pairwise(rates))
        assert set(rates) <= {max(level, floor) for level in levels}


@statement(
    "schedule_reduce_on_plateau.P2",
    false={
        "no more than the threshold": {"gap": F(1, 10)},
        "improvements of equals": {"gap": F(0)},
    },
)
def test_a_metric_that_improves_beyond_the_threshold_never_reduces_the_rate(
    gap=F(1, 9),
):
    metrics = [10 - gap * step for step in range(30)]
    for patience in (0, 1, 3):
        assert reduced(metrics, patience, threshold=F(1, 10)) == [INITIAL] * 30
    relative = [(1 - gap) ** step for step in range(30)]
    assert reduced(relative, 0, threshold=F(1, 10), relative=True) == [INITIAL] * 30


@statement(
    "schedule_reduce_on_plateau.P3",
    false={
        "every epoch counted": {"exceeding": lambda n, patience: n // (patience + 1)},
        "exchanged": {
            "exceeding": lambda n, patience: (n - 1) // max(patience, 1),
            "reaching": lambda n, patience: (n - 1) // (patience + 1),
        },
    },
)
def test_a_constant_metric_reduces_the_rate_each_time_the_patience_is_over(
    exceeding=lambda n, patience: (n - 1) // (patience + 1), reaching=lambda n, patience: (n - 1) // patience
):
    for n, patience, threshold in itertools.product(range(1, 24), range(4), (F(0), F(1, 7))):
        rates = reduced([F(5)] * n, patience, threshold=threshold)
        assert rates[-1] == INITIAL * FACTOR ** exceeding(n, patience)
        if patience:
            rates = early([F(5)] * n, patience, threshold=threshold)
            assert rates[-1] == INITIAL * FACTOR ** reaching(n, patience)


@statement(
    "schedule_reduce_on_plateau.P4",
    false={
        "a relative threshold": {"settings": {"threshold": F(1, 4), "relative": True}},
        "an absolute threshold": {"settings": {"threshold": F(1, 2)}},
        "a decreasing transform": {"transforms": (lambda metric: -metric,)},
    },
)
def test_only_a_threshold_of_zero_is_blind_to_increasing_transforms(
    settings=None, transforms=(lambda metric: metric**3, lambda metric: metric / 100 - 7, lambda metric: 2**metric)
):
    for metrics, patience, transform in itertools.product(HISTORIES, (0, 1), transforms):
        changed = [transform(metric) for metric in metrics]

        assert reduced(changed, patience, **(settings or {})) == reduced(metrics, patience, **(settings or {}))
