"""The remark of the documents that Nesterov's method needs a schedule for its momentum as well."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import numpy as np

from oracle.catalogue import get
from oracle.exact import exact
from oracle.formula import initial_state
from oracle.optimizers.accelerated import accelerated_path, growing_momentum, nesterov_momenta
from tests.helpers.algebra import series, symbols, vanishes
from tests.helpers.statements import statement

NESTEROV = get("momentum_nesterov")
CURVATURES = [F(1), F(1, 4), F(1, 40), F(1, 160), F(1, 1000), F(1, 4000)]


def heights(curvature, momenta):
    """Losses on h x^2 / 2 from 1 at rate 1, the most that a smoothness of 1 allows."""
    path = accelerated_path(lambda place: curvature * place, F(1), F(1), momenta)
    return [curvature * place**2 / 2 for place in path]


def keeps_promise(height, steps):
    """Whether a loss is as low as acceleration promises for every convex loss: 2 / (T + 1)^2."""
    return height <= F(2, (steps + 1) ** 2)


@statement(
    "schedule_momentum_remark",
    false={
        "no momentum": {"momentum": lambda t: F(0)},
        "a constant": {"momentum": lambda t: F(1, 2)},
        "a schedule that ends": {"momentum": lambda t: min(growing_momentum(F(t)), F(1, 2))},
        "a momentum for one horizon": {"constants": {F(9, 10): 40}},
    },
)
def test_no_constant_momentum_keeps_the_promise_of_acceleration(
    momentum=lambda t: growing_momentum(F(t)), constants=None
):
    """The schedule does on every curvature and at every time; of each constant there is a curvature where it fails."""
    momenta = [momentum(t) for t in range(1, 101)]
    constants = {F(0): 40, F(1, 2): 80, F(9, 10): 400} if constants is None else constants

    for curvature in CURVATURES:
        assert all(keeps_promise(height, t) for t, height in enumerate(heights(curvature, momenta), start=1))
    for constant, steps in constants.items():
        assert not keeps_promise(heights((1 - constant) / steps, [constant] * steps)[-1], steps)


@statement(
    "schedule_momentum_remark",
    false={"one for all steps": {"momenta": lambda first, steps: [first / 2] * steps}, "late": {"start": 3.0}},
)
def test_nesterovs_own_momenta_keep_it_too(momenta=nesterov_momenta, start=1.0):
    values = [F(float(value)) for value in exact(momenta, np.array(start), 100)]

    assert values[0] == 0
    assert all(before < after < 1 for before, after in itertools.pairwise(values))
    for curvature in CURVATURES:
        assert all(keeps_promise(height, t) for t, height in enumerate(heights(curvature, values), start=1))


@statement(
    "schedule_momentum_remark",
    false={"a momentum that varies": {"varying": True}, "the heavy ball": {"formula": get("momentum_heavy_ball")}},
)
def test_with_a_constant_momentum_it_is_the_formula_of_the_catalogue(formula=NESTEROV, varying=False):
    """Which keeps the places looked at; with a momentum that varies its velocity would need the one before."""
    start, rate, curvature, constant = symbols("theta eta h mu")
    momenta = series("mu", 3) if varying else [constant] * 3
    path = accelerated_path(lambda place: curvature * place, start, rate, momenta)
    param, state, before = start, initial_state(formula.state_type, 0 * start), start
    for momentum, place in zip(momenta, path, strict=True):
        param, state = formula.body(param, curvature * param, state, learning_rate=rate, momentum=momentum)
        assert vanishes(param - place - momentum * (place - before))
        before = place
