"""What the documents state about Adam with a decay beside it, and about Adam with a penalty in its gradient."""

from __future__ import annotations

import itertools

import numpy as np
import sympy

from oracle.arithmetic.balls import balls
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.exact import exact
from oracle.formula import initial_state
from oracle.optimizers.step_bound import longest_step_gradients, step_bound
from oracle.trajectory import trajectory
from tests.helpers.algebra import exactly, expression, series, symbols, vanishes, walk
from tests.helpers.statements import statement

ADAM, ADAMW, PAPER, ADAM_L2, UNSCALED = map(
    get, ("adam", "adamw", "adamw_paper_scaling", "adam_l2", "weight_decay_unscaled")
)
PARAM, RATE, EPS, BETA1, BETA2, DECAY = symbols("theta eta epsilon beta_1 beta_2 lambda", positive=True)
OPTIONS = {"learning_rate": RATE, "eps": EPS, "beta1": BETA1, "beta2": BETA2}
RATIONAL = {"eps": exactly("1/3"), "beta1": exactly("1/2"), "beta2": exactly("3/4")}
GRADS = [exactly(2), exactly(-1), exactly("1/2")]


def near(name):
    """Return AdamW with one change."""
    return neighbour(ADAMW, name)


def near_l2(name):
    """Return Adam with a penalty, with one change."""
    return neighbour(ADAM_L2, name)


@statement(
    "adamw.P1",
    false={"a decay of one": {"decay": "1"}, "epsilon corrected": {"formula": near("adamw_eps_hat")}},
)
def test_without_decay_adamw_is_adam(formula=ADAMW, decay="0"):
    grads = series("g", 2, real=True)
    plain, state = walk(ADAM, PARAM, grads, **OPTIONS)
    decayed, same = walk(formula, PARAM, grads, **OPTIONS, weight_decay=exactly(decay))

    assert all(vanishes(one - other) for one, other in zip(plain, decayed, strict=True))
    assert vanishes(state.exp_avg - same.exp_avg)
    assert vanishes(state.exp_avg_sq - same.exp_avg_sq)


@statement(
    "adamw.P2",
    "adamw.C2",
    false={"a penalty": {"formula": near("adam_l2")}},
)
def test_the_averages_know_neither_decay_nor_parameters(formula=ADAMW):
    grads = series("g", 3, real=True)
    _, state = walk(formula, PARAM, grads, **OPTIONS, weight_decay=DECAY)
    own = {expression(number) for number in (*grads, BETA1, BETA2)}

    assert expression(state.exp_avg).free_symbols <= own
    assert expression(state.exp_avg_sq).free_symbols <= own


@statement(
    "adamw",
    "adamw.P6",
    "D038",
    false={
        "of what the step left": {"formula": near("adamw_decay_after")},
        "inside the quotient": {"formula": near("adamw_decay_inside")},
        "not scaled by the rate": {"formula": near("adamw_paper_scaling")},
        "a penalty": {"formula": near("adam_l2")},
    },
)
def test_the_decay_of_the_parameter_may_be_taken_off_before_the_step_or_after_it(formula=ADAMW):
    options = {**RATIONAL, "learning_rate": RATE, "weight_decay": DECAY}
    path, _ = walk(formula, PARAM, GRADS, **options)
    # The step of Adam alone, which depends on the gradients and not on where it is made.
    bare, _ = walk(ADAM, PARAM, GRADS, **RATIONAL, learning_rate=RATE)
    steps = [before - now for before, now in itertools.pairwise([PARAM, *bare])]

    for before, now, step in zip([PARAM, *path], path, steps, strict=False):
        assert vanishes(now - ((1 - RATE * DECAY) * before - step))
        assert vanishes(now - ((before - step) - RATE * DECAY * before))


def from_the_origin(beta1, beta2, decay, steps):
    """Return how far AdamW gets from zero under the gradients of the longest steps, and what bounds it; for balls."""
    rate = balls(0.25)
    zero = balls(0.0)
    param, state, bound = zero, initial_state(ADAMW.state_type, zero), zero
    for number, grad in enumerate(longest_step_gradients(beta1, beta2, steps), 1):
        param, state = ADAMW(
            param, grad, state, learning_rate=rate, beta1=beta1, beta2=beta2, eps=0, weight_decay=decay
        )
        bound = (1 - rate * decay) * bound + rate * step_bound(beta1, beta2, number)
    return -param, bound


@statement(
    "adamw.P5",
    false={
        "unequal betas": {"beta1": 0.125, "beta2": 0.875},
        "no decay": {"formula": near("adam")},
        "a decay that grows": {"formula": near("adamw_decay_grows")},
    },
)
def test_the_decay_keeps_the_parameter_in_a_box(formula=ADAMW, beta1=0.5, beta2=0.5):
    reached, bound = exact(from_the_origin, 0.5, 0.75, 0.5, 12)
    assert reached == bound  # sharp

    values = {"learning_rate": 0.25, "beta1": beta1, "beta2": beta2, "eps": 0.0, "weight_decay": 0.5}
    paths = np.array(list(itertools.product((-4.0, -1.0, 0.0, 0.5), repeat=3))).T
    for start in (0.0, 1.0, 2.0, 3.0):
        ends, _ = exact(trajectory(formula), np.full(paths.shape[1], start), list(paths), hyperparameters=values)
        box = max(abs(start), 1 / values["weight_decay"])
        assert all((np.abs(end) <= box).all() for end in ends)  # correct rounding keeps the order


@statement(
    "adamw.P7",
    false={
        "epsilon corrected": {"formula": near("adamw_eps_hat")},
        "of what the step left": {"formula": near("adamw_decay_after")},
        "a penalty": {"formula": near("adam_l2")},
    },
)
def test_adamw_gives_the_golden_values(formula=ADAMW):
    values = {"learning_rate": "0.1", "beta1": "0.9", "beta2": "0.999", "eps": "1e-8", "weight_decay": "0.1"}
    values = {name: exactly(value) for name, value in values.items()}
    path, _ = walk(formula, exactly(1), [exactly(grad) for grad in (1, 2, -3, 0)], **values)
    golden = ("0.890000001", "0.784581799018166", "0.783395882555066", "0.781017309814199")

    for param, printed in zip(path, golden, strict=True):
        error = sympy.N(expression(param - exactly(printed)), 30)
        assert abs(error) <= sympy.Rational(1, 2 * 10**15)


@statement(
    "D038",
    false={"the same scaling": {"paper": near("adamw"), "multiplier": 1}},
)
def test_the_paper_s_decay_ignores_the_base_rate(paper=PAPER, multiplier=2):
    """With a schedule that stays at 1 it is the decay that is not multiplied by any rate."""
    names = paper.hyperparameters
    options = {**RATIONAL, "learning_rate": RATE, "weight_decay": DECAY, "schedule_multiplier": exactly(1)}
    (end,), _ = walk(paper, PARAM, [exactly(0)], **{name: options[name] for name in names})
    (other,), _ = walk(UNSCALED, PARAM, [exactly(0)], learning_rate=RATE, weight_decay=DECAY)
    assert vanishes(end - other)

    options["schedule_multiplier"] = exactly(multiplier)
    (end,), _ = walk(paper, PARAM, [exactly(0)], **{name: options[name] for name in names})
    assert vanishes(end - (1 - multiplier * DECAY) * PARAM)


def alone(formula, penalty, count, beta1="9/10", start=2):
    """Return the path that a penalty alone makes, without epsilon."""
    options = {"learning_rate": exactly("1/100"), "beta1": exactly(beta1), "beta2": exactly("999/1000")}
    path, _ = walk(formula, exactly(start), [exactly(0)] * count, **options, eps=exactly(0), l2_penalty=penalty)
    return path


@statement(
    "adam_l2",
    "adam_l2.P1",
    "D039",
    false={
        "decoupled": {"formula": near_l2("adamw")},
        "kept out of the square": {"formula": near_l2("adamw_decay_inside")},
        "no root": {"formula": neighbour(ADAM_L2, "adam_without_root")},
    },
)
def test_alone_a_penalty_moves_the_same_way_however_strong_it_is(formula=ADAM_L2):
    """Without momentum as well: it is the division by the root, and no average, that takes the strength away."""
    for beta1 in ("9/10", "0"):
        free = [sympy.simplify(expression(param)) for param in alone(formula, DECAY, 3, beta1)]
        assert not any(param.has(expression(DECAY)) for param in free)
        assert free[0] == 2 - sympy.Rational(1, 100)
        assert expression(alone(formula, DECAY, 1, beta1, start=-2)[0]) == -2 + sympy.Rational(1, 100)

    values = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 0.0}
    for penalty in (1e-3, 10.0):
        path, _ = exact(
            trajectory(formula), 2.0, [0.0] * 10, hyperparameters={**values, formula.hyperparameters[-1]: penalty}
        )
        assert f"{path[-1]:.14f}" == "1.90016776705902"


@statement(
    "adam_l2.P2",
    false={
        "decoupled": {"formula": near_l2("adamw")},
        "epsilon inside": {"formula": near_l2("adam_l2_eps_inside")},
        "no root": {"formula": near_l2("adam_without_root")},
    },
)
def test_where_past_gradients_were_large_a_penalty_decays_less(formula=ADAM_L2):
    """At averages that stay: of the gradient at hand, and of squares that beta2 = 1 keeps."""
    root, grad = symbols("r g", positive=True)
    zeros = initial_state(formula.state_type, 0 * PARAM)
    options = {"learning_rate": RATE, "eps": EPS, "beta1": exactly(0), "l2_penalty": DECAY}
    weight = exactly("1/4")  # 1 - beta2, so that the corrected square is that root's

    def step(penalty):
        square = root**2 * weight - weight * (grad + penalty * PARAM) ** 2  # before this gradient comes in
        state = zeros._replace(exp_avg_sq=square / (1 - weight))
        end, _ = formula.body(PARAM, grad, state, **{**options, "beta2": 1 - weight, "l2_penalty": penalty})
        return PARAM - end

    decay = step(DECAY) - step(0 * DECAY)
    assert vanishes(decay - RATE * DECAY * PARAM / (root + EPS))
    assert sympy.diff(sympy.simplify(expression(decay)), expression(root)).is_negative


@statement(
    "adam_l2.P3",
    false={"always decoupled": {"formula": near_l2("adamw")}, "no penalty": {"penalty": exactly(0)}},
)
def test_a_penalty_is_the_decay_only_if_there_is_none(formula=ADAM_L2, penalty=DECAY):
    grads = series("g", 2, positive=True)
    none = [
        walk(rule, PARAM, grads, **OPTIONS, **{rule.hyperparameters[-1]: exactly(0)})[0] for rule in (formula, ADAMW)
    ]
    assert all(vanishes(one - other) for one, other in zip(*none, strict=True))

    ends = [
        walk(rule, PARAM, grads[:1], **OPTIONS, **{rule.hyperparameters[-1]: penalty})[0][0]
        for rule in (formula, ADAMW)
    ]
    apart = sympy.factor(sympy.simplify(expression(ends[0] - ends[1])))
    assert apart != 0
    # Apart from the penalty's own, the factors vanish for chosen numbers alone.
    assert apart.subs(expression(penalty), 0) == 0
