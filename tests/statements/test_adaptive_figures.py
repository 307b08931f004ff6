"""The two figures of the documents about AdaGrad and RMSProp: their data, and what holds of it."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.arithmetic.symbols import SymbolArray
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.exact import exact
from oracle.examples.accumulator_norms import accumulators, norms, norms_on_own_paths
from oracle.examples.adagrad_quadratic import CURVATURES, descent_path, follow, loss, path, scaled_path
from tests.helpers.algebra import exactly, expression, series, state_with, symbols, vanishes
from tests.helpers.statements import statement

ADAGRAD, GD = get("adagrad"), get("gd")
#: The squares of the step before, their mean, a sum that forgets, no root.
LAGGED, MEAN, FORGETTING, ROOTLESS = (
    neighbour(ADAGRAD, f"adagrad_{name}") for name in ("lagged", "mean", "forgetting", "without_root")
)
OPTIONS = {"learning_rate": exactly("1/2"), "eps": exactly(0)}


def scaled(start, steps):
    """The path of one coordinate in units of the rate, correctly rounded."""
    return [float(place) for place in exact(scaled_path, np.array(start), steps)]


@statement(
    "adagrad_figure",
    "D019",
    false={
        "another loss": {"curvatures": [2, 5]},
        "another minimum": {"low": 1},
        "another number of points": {"steps": 9},
    },
)
def test_the_figure_is_ten_steps_down_a_valley(curvatures=(2, 6), low=0, steps=10):
    """Start, rate and epsilon are not given: from any of them the same two coordinates."""
    x, y = sympy.symbols("x y")
    height = loss(x, y)
    minimum = sympy.solve([sympy.diff(height, x), sympy.diff(height, y)], [x, y])

    assert [sympy.diff(height, variable, 2) for variable in (x, y)] == list(curvatures)
    assert CURVATURES.tolist() == list(curvatures)
    assert loss(minimum[x], minimum[y]) == low
    for rate, start in ((0.5, (1.0, 1.0)), (0.25, (-2.0, 0.5)), (1.0, (3.0, -4.0))):
        points = path(rate, start, 10)
        assert len(points) == steps + 1
        for coordinate, first in zip(zip(*points, strict=True), start, strict=True):
            assert list(coordinate) == [rate * place for place in scaled(first / rate, 10)]


@statement(
    "adagrad_figure.P1",
    false={
        "off the diagonal": {"start": (2.0, -1.0)},
        "with epsilon": {"eps": 0.5},
        "descent": {"points": descent_path(0.125, (2.0, -2.0), 10)},
    },
)
def test_a_start_on_a_diagonal_stays_on_it(start=(2.0, -2.0), eps=0.0, points=()):
    points = points or path(0.75, start, 10, eps)

    assert all(x == -y for x, y in points)
    assert len(set(points)) == 11


@statement(
    "adagrad_figure.P2",
    false={"stretched": {"mirror": -2}, "shifted": {"shift": 1}},
)
def test_the_path_is_odd_in_its_start(mirror=-1, shift=0):
    start = SymbolArray(sympy.symbols("x y", positive=True))
    plain = follow(ADAGRAD, start, 2, **OPTIONS)
    turned = follow(ADAGRAD, mirror * start + shift, 2, **OPTIONS)

    assert all(vanishes(mirror * place + shift - other) for place, other in zip(plain, turned, strict=True))


@statement(
    "adagrad_figure.P3",
    false={
        "from half": {"starts": (0.5, 2.0)},
        "two steps to hit": {"hit": 1.5},
        "no overshoot": {"inner": (1.5,)},
        "a faster fall": {"largest": lambda start: 1 - 1 / start},
        "the last ratio without its root": {"ratio": lambda squares: 1 - 1 / squares},
        "a step late": {"formula": LAGGED},
        "a mean": {"formula": MEAN},
        "forgetting": {"formula": FORGETTING},
        "no root": {"formula": ROOTLESS},
    },
)
def test_from_beyond_the_rate_it_falls_without_overshoot(
    formula=ADAGRAD,
    starts=(1.5, 2.0, 3.0, 4.0),
    hit=1.0,
    inner=(0.75, 0.5, 0.25),
    largest=lambda start: 1 - 1 / start**2,
    ratio=lambda squares: 1 - 1 / SymbolArray(sympy.sqrt(expression(squares))),
):
    """From any place after any number of steps; the sum of squares stays below r_0^4, so that it has a limit.

    For r_t^2 over the root of the sum is at least what that root grows by, and at most what r_t^2 falls by: the first
    adds up to the root of the whole sum, the second to r_0^2 at most.
    """
    (place, before), t = symbols("r R", positive=True), sympy.Symbol("t", positive=True, integer=True)
    squares = before**2 + place**2
    root = SymbolArray(sympy.sqrt(expression(squares)))
    state = state_with(formula, 0 * place, sum=before**2, square_avg=before**2, step=t - 1)
    after, kept = formula.body(place, place, state, learning_rate=exactly(1), eps=exactly(0))
    assert vanishes(kept.sum - squares)
    # Between 0 and 1 where the sum is above 1, 0 where it is 1, negative below; it grows with the sum, to the last ratio.
    assert vanishes(after - ratio(squares) * place)
    first, _ = formula.body(place, place, state_with(formula, 0 * place), learning_rate=exactly(1), eps=exactly(0))
    assert vanishes(first - (place - 1))
    term = place**2 / root
    assert vanishes(term - (root - before) - before * (root - before) / root)
    assert vanishes(place**2 - after**2 - term - after * (place - after))

    for start in starts:
        places = [F(r) for r in scaled(start, 30)]
        ratios = [after / before for before, after in itertools.pairwise(places)]
        assert all(0 < after < before for before, after in itertools.pairwise(places))
        # Each ratio is off by two roundings.
        assert all(before <= after * (1 + F(1, 2**50)) for before, after in itertools.pairwise(ratios))
        assert max(ratios) < largest(F(start))  # so that it falls to 0 as a power of this at least
    assert scaled(hit, 3) == [hit, 0.0, 0.0, 0.0]
    for start in inner:
        places = scaled(start, 12)
        sums = list(itertools.accumulate(F(r) ** 2 for r in places))
        for before, after, total in zip(places, places[1:], sums, strict=False):
            assert np.sign(after) == np.sign(before) * np.sign(float(total - 1))
        assert places[1] < 0 < places[0]


SEQUENCE = "1 0.5527864045 0.312797472048 0.17823341582 0.101782608479 0.0581658863948 0.0332479009318"
GOLDEN = {
    2.0: f"{SEQUENCE} 0.0190061049181 0.0108650767133 0.00621120689269".split(),
    1.5: ["6.78987883142e-5"],
    3.0: ["0.156119349995"],
    4.0: ["0.584948001176"],
    0.75: ["1.3923667092e-6"],
}


@statement(
    "adagrad_figure.P4",
    false={
        "a step more": {"steps": 11},
        "a start beside": {"golden": {2.0 + 2.0**-20: GOLDEN[2.0]}},
        "the last digit": {"golden": {3.0: ["0.156119349996"]}},
    },
)
def test_the_figures_numbers_are_met(golden=GOLDEN, steps=10):
    for start, printed in golden.items():
        for place, text in zip(scaled(start, steps)[-len(printed) :], printed, strict=True):
            digits, _, exponent = text.partition("e")
            unit = F(10) ** (int(exponent or 0) - len(digits.partition(".")[2]))
            assert abs(F(place) - F(text)) <= unit / 2


@statement(
    "adagrad_figure.P5",
    false={
        "the limit of the flat direction": {"limit": F(1)},
        "half the curvature": {"factors": lambda rate: (1 - rate, 1 - 3 * rate)},
        "AdaGrad": {"formula": ADAGRAD},
    },
)
def test_descent_depends_on_the_curvatures(
    formula=GD, limit=F(1, 3), factors=lambda rate: (1 - 2 * rate, 1 - 6 * rate)
):
    """Every step multiplies the coordinates, whatever they are: so t of them by powers."""
    (rate,), start = symbols("eta", positive=True), SymbolArray(sympy.symbols("x y", positive=True))
    options = {"learning_rate": rate, "eps": exactly(0)}
    taken = {name: options[name] for name in formula.hyperparameters}
    _, after = follow(formula, start, 1, **taken)
    expected = SymbolArray([expression(factor) for factor in factors(rate)]) * start

    assert vanishes(after - expected)
    hair = F(1, 10**9)
    for tried in (F(-1, 10), F(0), hair, limit - hair, limit, limit + hair):
        converges = all(abs(factor) < 1 for factor in factors(tried))
        assert converges == (0 < tried < limit)
    assert descent_path(0.25, (1.0, 1.0), 3)[-1] == (0.125, -0.125)


@statement(
    "rmsprop_vs_adagrad_norm",
    "rmsprop_vs_adagrad_norm.C1",
    "rmsprop_vs_adagrad_norm.P1",
    false={
        "both grow": {"falls": False},
        "AdaGrad falls": {"grads": [[3.0, 1.0], [-0.5, 2.0], [0.25, 0.5]], "first": 1},
    },
)
def test_one_norm_never_falls_and_the_other_may(
    grads=((3.0, 1.0), (-0.5, 2.0), (0.25, 0.5), (0.0, 0.0)), first=0, falls=True
):
    """In any norm that grows with the moduli of the coordinates, since no coordinate of the sum falls."""
    data = norms(grads, 0.75)
    (start, *after) = accumulators(series("g", 3, real=True), exactly("3/4"))
    for (before, _), (now, _) in itertools.pairwise((start, *after)):
        assert sympy.expand(expression(now - before)).is_nonnegative

    assert all(before[first] <= now[first] for before, now in itertools.pairwise(data))
    assert any(now[1] < before[1] for before, now in itertools.pairwise(data)) is falls


@statement(
    "rmsprop_vs_adagrad_norm.P2",
    false={
        "the sum itself, halved": {"share": F(1, 8)},
        "on own paths": {"data": norms_on_own_paths(1.0, (0.0, 1.0), 2, 0.75)},
    },
)
def test_the_norms_of_the_figures_data_keep_their_share(share=F(1, 4), data=()):
    grads = [[3.0, 1.0], [-0.5, 2.0], [0.25, 0.5], [4.0, -4.0]]
    data = data or norms(grads, 0.75)

    assert all(F(averaged) <= share * F(summed) * (1 + F(1, 2**51)) for summed, averaged in data)
    assert F(data[0][1]) == share * F(data[0][0])  # of the first gradient alone; both round the same way


@statement(
    "rmsprop_vs_adagrad_norm.P3",
    false={"a power less": {"power": lambda t: t - 1}, "gradients go on": {"later": "1/100"}},
)
def test_in_silence_one_is_frozen_and_the_other_decays(power=lambda t: t, later="0"):
    gradients = series("g", 2, real=True)
    (alpha,) = symbols("alpha", positive=True)
    kept = accumulators([*gradients, *[exactly(later)] * 4], alpha)
    summed, averaged = kept[1]
    for silent, (still, fading) in enumerate(kept[1:]):
        assert vanishes(still - summed)
        assert vanishes(fading - alpha ** power(silent) * averaged)


@statement(
    "D022",
    false={
        "common gradients": {"data": norms([[0.0, 6.0], [0.0, -6.0]], 0.75)},
        "one step": {"data": norms_on_own_paths(1.0, (0.0, 1.0), 1, 0.75)},
    },
)
def test_on_paths_of_their_own_the_comparison_fails(data=()):
    """From (0, 1) at rate 1 AdaGrad is at the minimum after one step; RMSProp overshoots, and gathers as much again."""
    data = data or norms_on_own_paths(1.0, (0.0, 1.0), 2, 0.75)

    assert data == [(36.0, 9.0), (36.0, 15.75)]
    assert data[1][1] > 0.25 * data[1][0]
