"""What the documents state about a penalty on the parameters and their decay, for descent without and with momentum."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.arithmetic.symbols import SymbolArray
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.losses.l2_regularized import l2_regularized_loss
from tests.helpers.algebra import exactly, expression, series, symbols, vanishes, walk
from tests.helpers.statements import statement

GD, SGD_L2, UNSCALED, EMA = map(get, ("gd", "sgd_l2", "weight_decay_unscaled", "momentum_ema"))
PARAM, GRAD, VELOCITY = symbols("w g v", real=True, nonzero=True)
RATE, PENALTY, BETA = symbols("eta lambda beta", positive=True)
AXES = sympy.symbols("w_1 w_2", real=True)


def near(name):
    """Return descent with a penalty, with one change."""
    return neighbour(SGD_L2, name)


def moved(formula, param, grad, state=None, **values):
    """Return where one step leads."""
    (end,), _ = walk(formula, param, [grad], state, **values)
    return end


def penalised(param, penalty=PENALTY):
    """Return the gradient of the loss with its penalty, derived from that loss."""
    loss = sympy.Function("L")(*AXES)
    total = expression(l2_regularized_loss(SymbolArray(loss), SymbolArray(list(AXES)), penalty))
    slope = sympy.diff(total, AXES[0]) - sympy.diff(loss, AXES[0])
    return SymbolArray(slope.subs(AXES[0], expression(param)))


def unhalved(loss, param, penalty):
    return l2_regularized_loss(loss, param, 2 * penalty)


def of_moduli(loss, param, penalty):
    return loss + penalty * SymbolArray(sympy.Add(*(sympy.Abs(x) for x in param.elements)))


@statement(
    "l2_regularized_loss",
    "l2_regularized_loss.P1",
    false={"not halved": {"total": unhalved}, "of the moduli": {"total": of_moduli}},
)
def test_the_penalty_adds_to_the_gradient_and_shifts_the_curvature(total=l2_regularized_loss):
    loss, penalty = sympy.Function("L")(*AXES), expression(PENALTY)
    whole = expression(total(SymbolArray(loss), SymbolArray(list(AXES)), PENALTY))
    for axis in AXES:
        assert sympy.expand(sympy.diff(whole - loss, axis) - penalty * axis) == 0
    shift = sympy.hessian(whole - loss, AXES)
    assert shift == penalty * sympy.eye(2)

    # Eigenvalues, and with them the constants of smoothness and of strong convexity, are shifted as well.
    a, b, c, x = sympy.symbols("a b c x", real=True)
    curvature = sympy.Matrix([[a, b], [b, c]])
    shifted = (curvature + shift - (x + penalty) * sympy.eye(2)).det()
    assert sympy.expand(shifted - (curvature - x * sympy.eye(2)).det()) == 0


@statement(
    "l2_regularized_loss.P2",
    false={
        "subtracted": {"total": lambda loss, param, penalty: l2_regularized_loss(loss, param, -penalty)},
        "of a squared coefficient": {
            "total": lambda loss, param, penalty: l2_regularized_loss(loss, param, penalty**2)
        },
        "the sum of the parameters": {
            "total": lambda loss, param, penalty: loss + penalty * param.namespace.sum(param)
        },
    },
)
def test_the_penalised_loss_is_larger_and_affine_in_the_coefficient(total=l2_regularized_loss):
    loss, first, second = symbols("L a b", real=True)
    param = SymbolArray(list(AXES))
    excess = expression(total(loss, param, PENALTY) - loss)
    slope = sympy.cancel(excess / expression(PENALTY))

    assert slope.is_nonnegative
    assert not slope.has(expression(PENALTY))
    assert slope.subs(dict.fromkeys(AXES, 0)) == 0
    assert slope.subs(AXES[0], sympy.Symbol("p", positive=True)).is_positive  # any other point
    assert slope.subs(AXES[1], sympy.Symbol("p", positive=True)).is_positive
    middle = total(loss, param, first) + total(loss, param, second) - 2 * total(loss, param, (first + second) / 2)
    assert vanishes(middle)
    assert vanishes(total(loss, param, exactly(0)) - loss)


@statement(
    "l2_regularized_loss.P3",
    false={
        "measured from another point": {"origin": 1},
        "subtracted": {"sign": -1},
        "weaker and weaker": {"penalties": (2, 1, F(1, 3))},
    },
)
def test_a_stronger_penalty_makes_every_minimiser_smaller_and_its_loss_larger(
    origin=0, sign=1, penalties=(F(1, 3), 1, 2)
):
    """Over all losses with four values on four points, all their minimisers; and the identity that proves it for all."""
    points = [np.array([F(x)], dtype=object) for x in (-2, -1, 0, 3)]
    costs = {
        (place, value, penalty): l2_regularized_loss(F(value), points[place] - origin, sign * penalty)
        for place, value, penalty in itertools.product(range(4), range(4), penalties)
    }
    for losses in itertools.product(range(4), repeat=4):
        before = None
        for penalty in penalties:
            total = [costs[place, value, penalty] for place, value in enumerate(losses)]
            best = [place for place, value in enumerate(total) if value == min(total)]
            norms = [points[place].item() ** 2 for place in best]
            reached = [losses[place] for place in best]
            if before is not None:
                assert max(norms) <= before[0]
                assert min(reached) >= before[1]
            before = min(norms), max(reached)

    # Both brackets are at least 0 if w minimises under lambda, and u under mu: so are then mu - lambda and this product.
    loss_w, loss_u, weak, strong = symbols("L_w L_u lambda mu", real=True)
    w, u = series("w", 2, real=True)

    def total(loss, param, penalty):
        return l2_regularized_loss(loss, param, penalty)

    brackets = total(loss_u, u, weak) - total(loss_w, w, weak) + total(loss_w, w, strong) - total(loss_u, u, strong)
    assert vanishes(brackets - (strong - weak) * (w**2 - u**2) / 2)
    assert vanishes(loss_u - loss_w - (total(loss_u, u, weak) - total(loss_w, w, weak)) - weak * (w**2 - u**2) / 2)


@statement(
    "l2_regularized_loss.P4",
    false={"a stretch": {"turn": sympy.Matrix([[2, 0], [0, "1/2"]])}, "of the moduli": {"total": of_moduli}},
)
def test_the_penalty_does_not_see_a_rotation_or_reflection(total=l2_regularized_loss, turn=None):
    angle = sympy.Symbol("phi", real=True)
    rotation = sympy.Matrix([[sympy.cos(angle), -sympy.sin(angle)], [sympy.sin(angle), sympy.cos(angle)]])
    param = sympy.Matrix(AXES)
    for matrix in [rotation, rotation * sympy.diag(1, -1)] if turn is None else [turn]:
        turned = SymbolArray(list(matrix * param))
        assert vanishes(total(exactly(0), turned, PENALTY) - total(exactly(0), SymbolArray(list(AXES)), PENALTY))


@statement(
    "l2_gd_equals_weight_decay",
    "l2_gd_equals_weight_decay.C1",
    "l2_gd_equals_weight_decay.P1",
    "l2_gd_equals_weight_decay.P4",
    "D040",
    false={
        "decay after the step": {"formula": near("sgd_l2_decay_after")},
        "not scaled by the rate": {"formula": near("weight_decay_unscaled")},
        "scaled twice": {"formula": near("sgd_l2_rate_squared")},
        "a doubled penalty": {"formula": near("sgd_l2_decay_doubled")},
    },
)
def test_for_plain_descent_a_penalty_is_a_decay(formula=SGD_L2):
    rates, grads = series("eta", 3, positive=True), series("g", 3, real=True)
    path, _ = walk(formula, PARAM, grads, learning_rate=rates, l2_penalty=PENALTY)
    for before, now, rate, grad in zip([PARAM, *path], path, rates, grads, strict=False):
        assert vanishes(now - moved(GD, before, grad + penalised(before), learning_rate=rate))
        assert vanishes(now - ((1 - rate * PENALTY) * before - rate * grad))
        assert vanishes(now - moved(UNSCALED, before, grad, learning_rate=rate, weight_decay=rate * PENALTY))


@statement(
    "l2_gd_equals_weight_decay.P2",
    false={
        "grows": {"formula": near("sgd_l2_decay_grows")},
        "doubled": {"formula": near("sgd_l2_decay_doubled")},
        "of the sign": {"formula": near("sgd_l2_decay_l1")},
    },
)
def test_without_gradient_the_product_of_rate_and_penalty_decides(formula=SGD_L2):
    rates = series("eta", 3, positive=True)
    path, _ = walk(formula, PARAM, [0 * PARAM] * 3, learning_rate=rates, l2_penalty=PENALTY)
    assert vanishes(path[-1] - PARAM * math.prod([1 - rate * PENALTY for rate in rates], start=exactly(1)))

    x = sympy.Symbol("x", real=True)
    factor = expression(moved(formula, exactly(1), exactly(0), learning_rate=SymbolArray(x), l2_penalty=exactly(1)))
    positive = sympy.Interval.open(0, sympy.oo)
    shrinks = sympy.solveset(sympy.Abs(factor) < 1, x, sympy.S.Reals).intersect(positive)
    same_sign = sympy.solveset(factor >= 0, x, sympy.S.Reals).intersect(positive)
    grows = sympy.solveset(sympy.Abs(factor) > 1, x, sympy.S.Reals).intersect(positive)
    assert shrinks == sympy.Interval.open(0, 2)
    assert shrinks.intersect(same_sign) == sympy.Interval.Lopen(0, 1)  # monotonically
    assert shrinks - same_sign == sympy.Interval.open(1, 2)  # oscillating
    assert grows == sympy.Interval.open(2, sympy.oo)


@statement(
    "l2_gd_equals_weight_decay.P3",
    false={"not scaled": {"formula": near("weight_decay_unscaled")}, "the penalty summed": {"summed": True}},
)
def test_any_sampling_leaves_the_penalty_a_decay(formula=SGD_L2, summed=False):
    """Over every batch of three samples, with repetition and of every size up to three."""
    grads = series("g", 3, real=True)
    for size in (1, 2, 3):
        for batch in itertools.product(grads, repeat=size):
            mean = sum(batch) / size
            of_samples = sum(grad + penalised(PARAM) for grad in batch) / (1 if summed else size)
            end = moved(formula, PARAM, mean, learning_rate=RATE, l2_penalty=PENALTY)
            assert vanishes(end - moved(GD, PARAM, of_samples, learning_rate=RATE))


def coupled(param, grad, velocity, rate=RATE, beta=BETA, penalty=PENALTY, formula=EMA):
    """Make one step of momentum on the loss with its penalty: the parameter and the velocity."""
    state = formula.state_type(velocity)
    end, state = formula.body(param, grad + penalised(param, penalty), state, learning_rate=rate, momentum=beta)
    return end, state.momentum_buffer


def decoupled(param, grad, velocity, rate=RATE, beta=BETA, penalty=PENALTY):
    """Make one step of momentum on the loss, and decay beside it."""
    end, state = EMA.body(param, grad, EMA.state_type(velocity), learning_rate=rate, momentum=beta)
    return end - rate * penalty * param, state.momentum_buffer


@statement(
    "l2_momentum_propagation",
    "l2_momentum_propagation.P1",
    "l2_momentum_propagation.P2",
    "D039",
    false={
        "a decay beside it": {"step": decoupled},
        "a sum": {"step": lambda *numbers: coupled(*numbers, formula=get("momentum_heavy_ball"))},
        "looking ahead": {"step": lambda *numbers: coupled(*numbers, formula=get("momentum_nesterov"))},
    },
)
def test_the_penalty_runs_through_the_velocity(step=coupled):
    """From any velocity: so each step multiplies all weights in it by beta, and adds those of the parameter at hand."""
    end, velocity = step(PARAM, GRAD, VELOCITY)
    share = RATE * (1 - BETA)

    assert vanishes(velocity - (BETA * VELOCITY + (1 - BETA) * (GRAD + PENALTY * PARAM)))
    assert vanishes(end - (PARAM - RATE * BETA * VELOCITY - share * GRAD - share * PENALTY * PARAM))


@statement(
    "l2_momentum_propagation.P2",
    "l2_momentum_propagation.C1",
    false={"decoupled": {"step": decoupled}, "an age too old": {"age": 1}, "the last weights alone": {"window": 1}},
)
def test_the_velocity_holds_the_weights_of_all_steps(step=coupled, age=0, window=4):
    grads, param, velocity, weights = series("g", 4, real=True), PARAM, exactly(0), []
    for grad in grads:
        weights.append(param)
        param, velocity = step(param, grad, velocity)
    faded = [(1 - BETA) * BETA**place for place in range(4)]
    of_losses = sum(share * grad for share, grad in zip(faded, reversed(grads), strict=True))
    of_weights = (
        PENALTY
        * BETA**age
        * sum(share * weight for share, weight in list(zip(faded, reversed(weights), strict=True))[:window])
    )

    assert vanishes(velocity - of_losses - of_weights)


@statement(
    "l2_momentum_propagation.P3",
    "l2_momentum_propagation.P4",
    "l2_momentum_propagation.C1",
    false={
        "decoupled": {"step": decoupled},
        "a sum": {"step": lambda *numbers: coupled(*numbers, formula=get("momentum_heavy_ball"))},
    },
)
def test_a_penalty_is_a_decay_only_without_momentum(step=coupled):
    first, _ = step(PARAM, GRAD, exactly(0), RATE, BETA, PENALTY)
    beside, _ = decoupled(PARAM, GRAD, exactly(0), RATE, BETA, PENALTY)
    apart = sympy.factor(expression(first - beside))  # no factor vanishes but those of beta and lambda
    assert vanishes(SymbolArray(apart) - RATE * BETA * PENALTY * PARAM)

    factor, _ = step(PARAM, exactly(0), exactly(0), RATE, BETA, PENALTY)
    other, _ = decoupled(PARAM, exactly(0), exactly(0), RATE, BETA, PENALTY)
    assert vanishes(factor - (1 - RATE * (1 - BETA) * PENALTY) * PARAM)
    assert vanishes(other - (1 - RATE * PENALTY) * PARAM)

    for beta, penalty in ((exactly(0), PENALTY), (BETA, exactly(0))):
        ends = []
        for rule in (step, decoupled):
            param, velocity = PARAM, exactly(0)
            for grad in series("g", 3, real=True):
                param, velocity = rule(param, grad, velocity, RATE, beta, penalty)
            ends.append(param)
        assert vanishes(ends[0] - ends[1])


@statement(
    "l2_momentum_propagation.P5",
    false={
        "decoupled": {"step": decoupled},
        "a sum": {"step": lambda *numbers: coupled(*numbers, formula=get("momentum_heavy_ball"))},
    },
)
def test_without_gradient_the_weights_follow_a_recurrence_of_second_order(step=coupled):
    before = symbols("u", real=True)[0]
    velocity = (before - PARAM) / RATE  # what led here from there
    after, _ = step(PARAM, exactly(0), velocity)
    assert vanishes(after - (1 + BETA - RATE * PENALTY * (1 - BETA)) * PARAM + BETA * before)

    x, h = sympy.symbols("x h", positive=True)
    beta = expression(BETA)
    quadratic = sympy.Poly(x**2 - (1 + beta - h * (1 - beta)) * x + beta, x)
    root = sympy.Function("r")(h)  # the one that is 1 at h = 0; implicitly, its slope there is that of 1 - h
    implicit = quadratic.as_expr().subs(x, root)
    slope = sympy.solve(sympy.diff(implicit, h), sympy.diff(root, h))[0].subs(root, 1).subs(h, 0)
    assert quadratic.eval(1).subs(h, 0) == 0
    assert sympy.simplify(slope) == -1
    assert quadratic.discriminant().subs({beta: sympy.Rational(9, 10), h: 1}) < 0  # oscillates


@statement(
    "weight_decay_bourmaud.P1",
    "weight_decay_bourmaud.C1",
    false={
        "scaled": {"formula": neighbour(UNSCALED, "sgd_l2")},
        "grows": {"formula": neighbour(UNSCALED, "weight_decay_unscaled_decay_grows")},
        "after the step": {"formula": neighbour(UNSCALED, "weight_decay_unscaled_decay_after")},
    },
)
def test_the_unscaled_decay_pulls_to_zero_at_a_rate_of_its_own(formula=UNSCALED):
    values = {"learning_rate": RATE, "weight_decay": PENALTY}
    assert vanishes(moved(formula, PARAM, GRAD, **values) - ((1 - PENALTY) * PARAM - RATE * GRAD))

    path, _ = walk(formula, PARAM, [0 * GRAD] * 3, **values)
    assert vanishes(path[-1] - (1 - PENALTY) ** 3 * PARAM)
    assert not path[-1].elements.item().has(expression(RATE))

    x = sympy.Symbol("x", real=True)
    factor = expression(moved(formula, exactly(1), exactly(0), learning_rate=RATE, weight_decay=SymbolArray(x)))
    monotone = sympy.And(factor >= 0, factor < 1).as_set()
    assert monotone == sympy.Interval.Lopen(0, 1)


@statement(
    "weight_decay_bourmaud",
    "weight_decay_bourmaud.P2",
    "D040",
    false={
        "the coefficient as it is": {"coefficient": lambda decay, rate: decay},
        "times the rate": {"coefficient": lambda decay, rate: decay * rate},
        "rates alike": {"second_rate": "1/2"},
    },
)
def test_at_a_constant_rate_the_unscaled_decay_is_a_penalty_and_at_two_rates_it_is_none(
    coefficient=lambda decay, rate: decay / rate, second_rate="1/4"
):
    path, _ = walk(UNSCALED, PARAM, [GRAD, VELOCITY], learning_rate=RATE, weight_decay=PENALTY)
    penalty = coefficient(PENALTY, RATE)
    before = PARAM
    for grad, now in zip((GRAD, VELOCITY), path, strict=True):
        assert vanishes(now - moved(GD, before, grad + penalised(before, penalty), learning_rate=RATE))
        before = now

    rates = [exactly("1/2"), exactly(second_rate)]
    unscaled, _ = walk(UNSCALED, exactly(1), [exactly(0)] * 2, learning_rate=rates, weight_decay=exactly("1/8"))
    scaled, _ = walk(SGD_L2, exactly(1), [exactly(0)] * 2, learning_rate=rates, l2_penalty=PENALTY)
    equations = [expression(one - other) for one, other in zip(unscaled, scaled, strict=True)]
    assert sympy.solve(equations, expression(PENALTY)) == []


@statement(
    "weight_decay_bourmaud.P3",
    "D040",
    false={"scaled": {"formula": SGD_L2, "name": "l2_penalty"}},
)
def test_without_a_rate_the_unscaled_decay_goes_on(formula=UNSCALED, name="weight_decay"):
    end = moved(formula, PARAM, GRAD, learning_rate=exactly(0), **{name: PENALTY})
    frozen = moved(SGD_L2, PARAM, GRAD, learning_rate=exactly(0), l2_penalty=PENALTY)

    assert vanishes(end - (1 - PENALTY) * PARAM)
    assert vanishes(frozen - PARAM)


@statement(
    "weight_decay_bourmaud.P4",
    false={"scaled": {"formula": SGD_L2, "name": "l2_penalty"}},
)
def test_where_the_unscaled_decay_comes_to_rest_depends_on_the_rate(formula=UNSCALED, name="weight_decay"):
    """On half of h (w - c)^2, whose slope is h (w - c)."""
    curvature, centre = symbols("h c", positive=True)
    slope = curvature * (PARAM - centre)

    def rest(rule, name):
        end = moved(rule, PARAM, slope, learning_rate=RATE, **{name: PENALTY})
        (place,) = sympy.solve(expression(end - PARAM), expression(PARAM))
        return place

    place = rest(formula, name)
    pull = expression(RATE) * expression(slope).subs(expression(PARAM), place)
    assert sympy.simplify(pull + expression(PENALTY) * place) == 0
    assert sympy.simplify(sympy.diff(place, expression(RATE))) != 0
    assert sympy.simplify(sympy.diff(rest(SGD_L2, "l2_penalty"), expression(RATE))) == 0
