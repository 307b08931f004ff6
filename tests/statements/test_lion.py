"""What the documents state about Lion, proved on the catalogue's own bodies."""

from __future__ import annotations

import itertools

import numpy as np
import sympy
import torch

from oracle.arithmetic.symbols import SymbolArray
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.exact import exact
from oracle.formula import initial_state
from tests.helpers.algebra import exactly, expression, expressions, series, symbols, vanishes, walk
from tests.helpers.statements import statement

LION, LITERAL, EMA = get("lion"), get("lion_literal_ct"), get("momentum_ema")
#: The betas change places or are one, the sign is of the new average, the decay is unscaled or a penalty.
SWAPPED, SHARED, OF_AVERAGE, UNSCALED, PENALTY, UNSIGNED, ONE_AT_ZERO = (
    neighbour(LION, f"lion_{name}")
    for name in (
        "betas_swapped",
        "betas_shared",
        "of_average",
        "decay_unscaled",
        "decay_l2",
        "unsigned",
        "sign_of_zero_is_one",
    )
)
STEPS = 4


def of_state(formula, average):
    """Return a state with an average."""
    return initial_state(formula.state_type, 0 * average)._replace(exp_avg=average)


def options(**given):
    """Symbols for the hyperparameters that are not given."""
    rate, decay, beta1, beta2 = symbols("eta lambda beta1 beta2", positive=True)
    return {"learning_rate": rate, "beta1": beta1, "beta2": beta2, "weight_decay": decay, **given}


def direction(before, after, rate):
    """Return that of which a step without decay took the sign."""
    turned = sympy.expand(expression((before - after) / rate))
    assert turned.func is sympy.sign
    return turned.args[0]


@statement(
    "lion.P4",
    "lion.C2",
    false={
        "the betas swapped": {"formula": SWAPPED},
        "one beta": {"formula": SHARED},
        "of the new average": {"formula": OF_AVERAGE},
        "a power too many": {"power": lambda steps, place: steps - place + 1},
    },
)
def test_the_direction_looks_once_more_at_the_gradient(formula=LION, power=lambda steps, place: steps - place):
    """Beta1 weighs what the average kept, beta2 makes the average: two roles that Adam's betas do not have.

    After four gradients, and by induction after any number: beta2 multiplies all weights, and the new one enters.
    """
    values = options(weight_decay=exactly(0))
    start, grads = symbols("theta", real=True)[0], series("g", STEPS, real=True)
    beta1, beta2 = values["beta1"], values["beta2"]
    past, _ = walk(formula, start, grads[:-1], **values)
    path, state = walk(formula, start, grads, **values)
    kept = sum((1 - beta2) * beta2 ** power(STEPS - 1, place) * grads[place - 1] for place in range(1, STEPS))
    weights = [(1 - beta2) * beta2 ** power(STEPS, place) for place in range(1, STEPS + 1)]
    looked = SymbolArray(direction(past[-1], path[-1], values["learning_rate"]))

    assert vanishes(looked - (1 - beta1) * grads[-1] - beta1 * kept)
    assert vanishes(state.exp_avg - sum(weight * grad for weight, grad in zip(weights, grads, strict=True)))
    assert vanishes(sum(weights) - (1 - beta2**STEPS))  # nonnegative, so that they bound the average

    t, place = sympy.symbols("t i", positive=True, integer=True)
    average, grad = symbols("m g", real=True)
    after, state = formula.body(start, grad, of_state(formula, average), **values)
    looked = SymbolArray(direction(start, after, values["learning_rate"]))
    assert vanishes(looked - (1 - beta1) * grad - beta1 * average)
    assert vanishes(state.exp_avg - beta2 * average - (1 - beta2) * beta2 ** power(t, t) * grad)
    assert vanishes(beta2 ** power(t, place) - beta2 * beta2 ** power(t - 1, place))
    assert vanishes(beta2 * (1 - beta2 ** (t - 1)) + (1 - beta2) - (1 - beta2**t))


@statement(
    "lion.P5",
    false={
        "the betas swapped": {"formula": SWAPPED},
        "of the new average": {"formula": OF_AVERAGE},
        "unsigned": {"formula": UNSIGNED},
        "a beta of a half": {"last": "1/2"},
    },
)
def test_the_ends_of_the_betas_are_signs_of_average_gradient_and_memory(formula=LION, last="1"):
    theta, average, grad = symbols("theta m g", real=True)

    def step(**betas):
        values = options(weight_decay=exactly(0), **betas)
        after, state = formula.body(theta, grad, of_state(formula, average), **values)
        return (theta - after) / values["learning_rate"], state.exp_avg

    signum, new_average = step(beta1=options()["beta2"])
    without, _ = step(beta1=exactly(0))
    behind, _ = step(beta1=exactly(last))
    velocity = EMA.body(theta, grad, of_velocity(average), learning_rate=exactly(1), momentum=options()["beta2"])[
        1
    ].momentum_buffer

    assert vanishes(new_average - velocity)
    assert vanishes(signum - sign(velocity))
    assert vanishes(without - sign(grad))
    assert vanishes(behind - sign(average))


def of_velocity(velocity):
    return initial_state(EMA.state_type, velocity)


def sign(value):
    return SymbolArray(sympy.sign(expression(value)))


@statement(
    "lion.P3",
    false={"one step late": {"formula": LITERAL}, "a beta of one": {"beta1": "1"}, "unsigned": {"formula": UNSIGNED}},
)
def test_the_first_step_takes_the_sign_of_the_gradient(formula=LION, beta1=None):
    theta, grad = symbols("theta g", real=True)
    (odds,) = symbols("a", positive=True)  # beta1 = 1 / (1 + a) runs through (0, 1)
    for beta in (1 / (1 + odds), exactly(0)) if beta1 is None else (exactly(beta1),):
        values = options(weight_decay=exactly(0), beta1=beta)
        (after,), _ = walk(formula, theta, [grad], **values)
        assert vanishes((theta - after) / values["learning_rate"] - sign(grad))


@statement(
    "lion.P6",
    false={
        "the decay unscaled": {"formula": UNSCALED},
        "without the decay": {"formula": neighbour(LION, "lion_decay_absent")},
        "half the box": {"edge": lambda decay: 1 / (2 * decay)},
    },
)
def test_the_distance_from_the_box_contracts(formula=LION, edge=lambda decay: 1 / decay):
    """Beyond either edge by what is left of the step, which cannot be negative; inside, the edge is not passed."""
    theta, average, grad = symbols("theta m g", real=True)
    values = options()
    rate, decay = values["learning_rate"], values["weight_decay"]
    after, _ = formula.body(theta, grad, of_state(formula, average), **values)
    (signed,) = expression(after).atoms(sympy.sign) or {sympy.Integer(0)}
    kept = 1 - rate * decay

    assert vanishes(after - edge(decay) - kept * (theta - edge(decay)) + rate * (1 + SymbolArray(signed)))
    assert vanishes(after + edge(decay) - kept * (theta + edge(decay)) - rate * (1 - SymbolArray(signed)))


@statement(
    "lion.P7",
    false={
        "with decay": {"decay": "1/10"},
        "gradients that cancel": {"grads": ("1", "-4", "1/3"), "betas": ("4/5", "0")},
        "unsigned": {"formula": UNSIGNED},
    },
)
def test_without_decay_all_places_lie_on_a_grid(
    formula=LION, decay="0", grads=("1", "-2/7", "3/5"), betas=("3/4", "11/13")
):
    """All 81 sequences of four of three gradients, whose directions never cancel."""
    texts = dict(zip(LION.hyperparameters, ("1/8", *betas, decay), strict=True))
    rows = list(itertools.product([sympy.Rational(grad) for grad in grads], repeat=STEPS))
    columns = [SymbolArray(list(column)) for column in zip(*rows, strict=True)]
    start = SymbolArray([sympy.Rational(1, 3)] * len(rows))
    path, _ = walk(formula, start, columns, **{name: exactly(text) for name, text in texts.items()})
    for number, places in enumerate(path, start=1):
        lengths = expressions(8 * (places - start))
        assert all(length.is_Integer and (length - number) % 2 == 0 for length in lengths)


@statement(
    "lion.P8",
    false={
        "a penalty": {"formula": PENALTY},
        "the decay unscaled": {"formula": UNSCALED},
        "without rates": {"kept": lambda rate, decay: 1 - decay},
    },
)
def test_neither_average_nor_direction_know_the_parameters(formula=LION, kept=lambda rate, decay: 1 - rate * decay):
    """From any average, and so, by induction, after any number of steps from the start."""
    first, second, average, grad = symbols("theta phi m g", real=True)
    values = options()
    hidden = {expression(symbol) for symbol in (first, values["weight_decay"], values["learning_rate"])}
    one, state = formula.body(first, grad, of_state(formula, average), **values)
    other, _ = formula.body(second, grad, of_state(formula, average), **values)

    assert vanishes(one - other - kept(values["learning_rate"], values["weight_decay"]) * (first - second))
    assert not expression(state.exp_avg).free_symbols & hidden
    assert not any(sign.free_symbols & hidden for sign in expression(one).atoms(sympy.sign))


@statement(
    "lion.P10",
    "D036",
    false={
        "in time": {"late": LION},
        "with decay": {"decay": None},
        "two steps": {"delay": 2},
        "the betas swapped": {"prompt": SWAPPED},
        "of the new average": {"prompt": OF_AVERAGE},
    },
)
def test_the_printed_form_is_lion_a_step_late(late=LITERAL, prompt=LION, decay="0", delay=1):
    """Four steps, and by induction any number: from Lion's place before its last step, and from its average after it."""
    start, grads = symbols("theta", real=True)[0], series("g", STEPS, real=True)
    values = options(**({} if decay is None else {"weight_decay": exactly(decay)}))
    path, _ = walk(prompt, start, grads, **values)
    behind, _ = walk(late, start, grads, **values)
    decayed, _ = walk(late, start, grads[:1], **options())
    factor = 1 - options()["learning_rate"] * options()["weight_decay"]

    assert all(vanishes(place - before) for place, before in zip(behind[delay:], path, strict=False))
    assert all(vanishes(place - start) for place in behind[:delay])
    assert vanishes(decayed[0] - factor * start)

    (average,) = symbols("m", real=True)
    steps, place, state = [], start, of_state(prompt, average)
    for grad in grads[:2]:
        after, state = prompt.body(place, grad, state, **values)
        steps.append((direction(place, after, values["learning_rate"]), after, state.exp_avg))
        place = after
    (aimed, arrived, kept), (ahead, _, following) = steps
    printed, state = late.body(start, grads[1], late.state_type(kept, SymbolArray(aimed)), **values)
    assert vanishes(printed - arrived)
    assert vanishes(state.exp_avg - following)
    assert vanishes(state.direction - SymbolArray(ahead))


@statement("D036", false={"of no gradient": {"grad": "0"}, "the same form": {"late": LION}})
def test_the_two_indices_differ_in_the_first_step(grad="1", late=LITERAL):
    values = {name: exactly(value) for name, value in zip(LION.hyperparameters, ("1", "1/2", "1/2", "0"), strict=True)}
    ends = [expression(walk(form, exactly(0), [exactly(grad)], **values)[0][-1]) for form in (LION, late)]

    assert ends == [-1, 0]


@statement("D037", false={"of one": {"formula": ONE_AT_ZERO}, "after another": {"average": 1.0}})
def test_the_sign_of_zero_is_zero(formula=LION, average=0.0):
    """In numpy and torch as in the oracle; with any other a parameter without gradients would move."""
    values = {"learning_rate": 0.5, "beta1": 0.5, "beta2": 0.5, "weight_decay": 0.0}
    state = of_state(formula, np.full(1, average))
    after, _ = formula(np.ones(1), np.zeros(1), state, **values)
    proved, _ = exact(formula, np.ones(1), np.zeros(1), state, **values)

    assert after.tolist() == proved.tolist() == [1.0]
    assert [np.sign(0.0), torch.sign(torch.tensor(0.0)).item(), int(sympy.sign(0))] == [0, 0, 0]


@statement(
    "lion.P11",
    false={
        "the betas swapped": {"formula": SWAPPED},
        "the printed index": {"formula": LITERAL},
        "the decay unscaled": {"formula": UNSCALED},
    },
)
def test_the_worked_numbers_are_met_exactly(formula=LION):
    texts = {"learning_rate": "0.1", "beta1": "0.9", "beta2": "0.99", "weight_decay": "0.01"}
    values = {name: exactly(text) for name, text in texts.items()}
    grads = [exactly(grad) for grad in ("1", "-20", "0.5", "3")]
    path, _ = walk(formula, exactly(1), grads, **values)
    averages = [walk(formula, exactly(1), grads[:count], **values)[1].exp_avg for count in range(1, 5)]
    directions = [walk(LITERAL, exactly(1), grads[:count], **values)[1].direction for count in range(1, 5)]

    for numbers, printed in (
        (path, "0.899 0.998101 1.097102899 0.996005796101"),
        (averages, "0.01 -0.1901 -0.183199 -0.15136701"),
        (directions, "0.1 -1.991 -0.12109 0.1351209"),
    ):
        assert [expression(number) for number in numbers] == [sympy.Rational(text) for text in printed.split()]
