"""Identities of the specification, proved on the very bodies that run in floats."""

from __future__ import annotations

import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.formula import NoState
from oracle.optimizers.adam import AdamState
from oracle.optimizers.momentum import MomentumState
from oracle.trajectory import trajectory

XP = SymbolArray.namespace


def vanishes(difference: SymbolArray) -> bool:
    return all(sympy.simplify(expression) == 0 for expression in difference.elements.flat)


def test_several_names_make_an_array_and_one_makes_a_scalar():
    assert symbol_array("g1 g2", real=True).shape == (2,)
    assert symbol_array("eta").shape == ()


def test_comparisons_make_relations_that_where_turns_into_cases():
    x = symbol_array("x", real=True)

    chosen = XP.where(x >= 1, 10, XP.where(x == 0, 20, x)).elements.item()

    assert [chosen.subs(x.elements.item(), value) for value in (2, 0, -5)] == [10, 20, -5]


def test_zero_over_zero_is_zero():
    quotient = XP.quotient(SymbolArray([0, 0, 1]), SymbolArray([0, 2, 2]))

    assert quotient.elements.tolist() == [0, 0, sympy.Rational(1, 2)]


def test_the_norm_of_symbols_is_the_root_of_their_squares():
    a, b = sympy.symbols("a b", real=True)

    norm = XP.linalg.vector_norm(symbol_array("a b", real=True)).elements.item()

    assert norm == sympy.sqrt(a**2 + b**2)


def test_adam_equals_its_folded_form():
    param, grad, exp_avg = symbol_array("theta g m", real=True)
    exp_avg_sq, learning_rate, eps, beta1, odds = symbol_array("v eta epsilon beta_1 b", positive=True)
    beta2 = 1 / (1 + odds)  # in (0, 1), and sympy knows it

    updated, state = get("adam")(
        param,
        grad,
        AdamState(2, exp_avg, exp_avg_sq),
        learning_rate=learning_rate,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
    )

    root = XP.sqrt(1 - beta2**3)
    rate = learning_rate * root / (1 - beta1**3)
    folded = param - rate * state.exp_avg / (XP.sqrt(state.exp_avg_sq) + eps * root)
    assert vanishes(updated - folded)


def test_adam_without_memory_divides_the_gradient_by_its_size():
    param, grad = symbol_array("theta g", real=True)
    learning_rate, eps = symbol_array("eta epsilon", positive=True)

    params, state = trajectory(get("adam"))(
        param, [grad], hyperparameters={"learning_rate": learning_rate, "beta1": 0, "beta2": 0, "eps": eps}
    )

    assert vanishes(params[0] - (param - learning_rate * grad / (abs(grad) + eps)))
    assert state.step == 1


def test_the_moving_average_unrolls_to_a_weighted_sum():
    param, *grads = symbol_array("theta g1 g2 g3 g4", real=True)
    momentum, learning_rate = symbol_array("gamma eta", positive=True)

    _, state = trajectory(get("momentum_ema"))(
        param, grads, hyperparameters={"learning_rate": learning_rate, "momentum": momentum}
    )

    unrolled = sum(((1 - momentum) * momentum ** (3 - i) * g for i, g in enumerate(grads)), start=SymbolArray(0))
    assert vanishes(state.momentum_buffer - unrolled)


def test_a_penalty_propagates_through_the_velocity():
    param, grad, velocity = symbol_array("w g v", real=True)
    momentum, learning_rate, penalty = symbol_array("beta eta lambda", positive=True)

    updated, state = get("momentum_ema")(
        param, grad + penalty * param, MomentumState(velocity), learning_rate=learning_rate, momentum=momentum
    )

    fresh = learning_rate * (1 - momentum)
    expansion = param - learning_rate * momentum * velocity - fresh * grad - fresh * penalty * param
    assert vanishes(updated - expansion)
    assert vanishes(state.momentum_buffer - (momentum * velocity + (1 - momentum) * (grad + penalty * param)))


def test_for_gradient_descent_a_penalty_is_a_decay():
    param, grad = symbol_array("theta g", real=True)
    learning_rate, penalty = symbol_array("eta lambda", positive=True)

    coupled, _ = get("gd")(param, grad + penalty * param, NoState(), learning_rate=learning_rate)
    decoupled, _ = get("sgd_l2")(param, grad, NoState(), learning_rate=learning_rate, l2_penalty=penalty)

    assert vanishes(coupled - decoupled)


def test_heavy_ball_is_the_average_with_a_larger_rate():
    param, *grads = symbol_array("theta g1 g2 g3", real=True)
    momentum, learning_rate = symbol_array("gamma eta", positive=True)

    averaged, _ = trajectory(get("momentum_ema"))(
        param, grads, hyperparameters={"learning_rate": learning_rate, "momentum": momentum}
    )
    summed, _ = trajectory(get("momentum_heavy_ball"))(
        param, grads, hyperparameters={"learning_rate": learning_rate * (1 - momentum), "momentum": momentum}
    )

    assert all(vanishes(a - b) for a, b in zip(averaged, summed, strict=True))


def test_clipping_by_norm_projects_onto_the_ball():
    grad = symbol_array("a b", real=True)

    clipped = get("clip_by_norm")(grad, max_norm=1.0)

    a, b = grad.elements
    outside = [expression.subs({a: 3, b: 4}) for expression in clipped.elements]
    inside = [expression.subs({a: sympy.Rational(1, 2), b: 0}) for expression in clipped.elements]
    assert outside == [sympy.Rational(3, 5), sympy.Rational(4, 5)]
    assert inside == [sympy.Rational(1, 2), 0]
