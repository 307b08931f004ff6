"""Lion, and Lion as the slide prints it: a step late."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy

from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision, precision_models
from oracle.arithmetic.symbols import symbol_array
from oracle.bound import Walk, bound
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.formula import initial_state
from oracle.optimizers.lion import LionLiteralState, LionState, lion, lion_literal_ct
from oracle.optimizers.momentum import momentum_ema
from oracle.trajectory import trajectory

DEFAULTS = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.01}
GOLDEN_GRADS = [np.array(grad) for grad in (1.0, -20.0, 0.5, 3.0)]
OFF = 20 * 2.0**-53  # a gradient of 20 meets the floats nearest to 0.9 and 0.99
SINGLE = Precision(FLOAT32, FLOAT32, FLOAT64)
CANCELLING = {"learning_rate": 0.25, "beta1": 0.5, "beta2": 0.75, "weight_decay": 0.0}

both = pytest.mark.parametrize("formula", [lion, lion_literal_ct], ids=lambda record: record.id)


def path_of(formula, grads, start=0.0, **hyperparameters):
    return exact(trajectory(formula), np.array(start), grads, hyperparameters=hyperparameters)


def scalars(*values):
    return [np.array(value) for value in values]


def test_lion_gives_the_golden_values():
    path, state = path_of(lion, GOLDEN_GRADS, start=1.0, **DEFAULTS)

    assert np.abs(np.array(path) - [0.899, 0.998101, 1.097102899, 0.996005796101]).max() <= 2.0**-52
    assert abs(state.exp_avg - -0.15136701) <= OFF


def test_the_direction_gives_the_golden_values():
    _, state = path_of(lion_literal_ct, GOLDEN_GRADS, start=1.0, **DEFAULTS)

    assert abs(state.direction - 0.1351209) <= OFF


def test_two_steps_are_worked_by_hand():
    options = {"learning_rate": 0.5, "beta1": 0.5, "beta2": 0.75, "weight_decay": 0.5}
    path, state = path_of(lion, scalars(4.0, -0.5), start=4.0, **options)

    assert [float(value) for value in path] == [2.5, 1.375]  # 3 - 1/2; the direction 1/2 - 1/4 is still positive
    assert state.exp_avg == 0.625


def test_the_direction_is_the_unrolled_rational_sum():
    grads = [F(1), F(-3), F(1, 2), F(5)]
    beta1, beta2 = F(3, 4), F(7, 8)
    _, state = path_of(
        lion_literal_ct, scalars(*map(float, grads)), learning_rate=0.1, beta1=0.75, beta2=0.875, weight_decay=0.0
    )
    past = sum((1 - beta2) * beta2 ** (3 - i) * grad for i, grad in enumerate(grads[:3], start=1))

    assert state.direction == (1 - beta1) * grads[3] + beta1 * past
    assert abs(state.exp_avg) <= (1 - beta2**4) * 5


def test_without_decay_the_path_lies_on_a_grid_of_the_learning_rate():
    grads = scalars(1.0, -20.0, 0.5, 3.0, -7.0)
    path, _ = path_of(lion, grads, learning_rate=0.25, beta1=0.9, beta2=0.99, weight_decay=0.0)

    assert [float(value) / 0.25 % 2 for value in path] == [t % 2 for t in range(1, 6)]


def test_the_first_step_goes_along_the_sign_of_the_gradient():
    for beta1 in (0.0, 0.5, 0.999):
        path, _ = path_of(lion, [np.array([3.0, -1e-300, 0.0])], start=np.zeros(3), **{**DEFAULTS, "beta1": beta1})

        assert path[0].tolist() == [-0.1, 0.1, 0.0]


def test_without_beta1_it_is_sign_descent():
    grads = scalars(5.0, -1e-9, 0.0, 2.0)
    path, _ = path_of(lion, grads, learning_rate=0.5, beta1=0.0, beta2=0.75, weight_decay=0.0)

    assert [float(value) for value in path] == [-0.5, 0.0, 0.0, -0.5]


def test_with_a_beta1_of_one_it_takes_the_sign_of_the_old_average():
    path, _ = path_of(lion, scalars(5.0, -1.0), learning_rate=0.5, beta1=1.0, beta2=0.75, weight_decay=0.0)

    assert [float(value) for value in path] == [0.0, -0.5]


def test_with_equal_betas_it_takes_the_sign_of_the_velocity_of_momentum_ema():
    grads = scalars(1.0, -2.0, 0.25, -0.125, 3.0)
    options = {"learning_rate": 0.5, "beta1": 0.75, "beta2": 0.75, "weight_decay": 0.0}
    path, _ = path_of(lion, grads, **options)
    velocities = [
        path_of(momentum_ema, grads[: t + 1], learning_rate=1.0, momentum=0.75)[1].momentum_buffer for t in range(5)
    ]

    assert [float(value) for value in path] == (-0.5 * np.cumsum(np.sign(velocities))).tolist()


def test_under_zero_gradients_only_the_decay_acts():
    path, state = path_of(lion, scalars(0.0, 0.0), start=3.0, **{**DEFAULTS, "learning_rate": 0.5, "weight_decay": 1.0})

    assert [float(value) for value in path] == [1.5, 0.75]
    assert state.exp_avg == 0.0


def test_the_decay_draws_into_its_interval_and_keeps_there():
    # |theta| <= 1 / decay = 2 is invariant; the distance to it falls by 1 - 1/4 in each step at least.
    options = {"learning_rate": 0.5, "beta1": 0.5, "beta2": 0.5, "weight_decay": 0.5}
    path, _ = path_of(lion, scalars(*[-1.0] * 40), start=6.0, **options)
    distances = np.maximum(np.abs(np.array([6.0, *map(float, path)])) - 2.0, 0.0)

    assert (distances[1:] <= 0.75 * distances[:-1] + 2.0**-51).all()  # of rounded positions near 2
    inside, _ = path_of(lion, scalars(*[-1.0] * 40), start=1.5, **options)
    assert max(float(value) for value in inside) <= 2.0


def test_the_average_knows_nothing_of_parameters_rate_and_decay():
    _, one = path_of(lion, GOLDEN_GRADS, start=1.0, **DEFAULTS)
    _, other = path_of(lion, GOLDEN_GRADS, start=-5.0, **{**DEFAULTS, "learning_rate": 2.0, "weight_decay": 0.4})

    assert one.exp_avg == other.exp_avg


def test_the_printed_form_is_lion_delayed_by_one_step():
    grads = scalars(1.0, -20.0, 0.5, 3.0, -7.0)
    options = {"learning_rate": 0.25, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0}
    prompt, _ = path_of(lion, grads, **options)
    late, _ = path_of(lion_literal_ct, grads, **options)

    assert [float(value) for value in late] == [0.0, *(float(value) for value in prompt[:-1])]


def test_the_printed_form_only_decays_in_its_first_step():
    path, _ = path_of(
        lion_literal_ct, scalars(7.0), start=4.0, **{**DEFAULTS, "learning_rate": 0.5, "weight_decay": 0.5}
    )

    assert path[0] == 3.0


@both
def test_symbols_prove_oddness(formula):
    param, grad, average, direction = (symbol_array(name, real=True) for name in ["t", "g", "m", "c"])
    options = {name: symbol_array(name, positive=True) for name in formula.hyperparameters}
    state = LionState(average) if formula is lion else LionLiteralState(average, direction)
    moved, after = formula(param, grad, state, **options)
    mirrored, _ = formula(-param, -grad, type(state)(*(-value for value in state)), **options)

    assert sympy.simplify((moved + mirrored).elements.item()) == 0
    assert after.exp_avg.elements.item().has(sympy.Symbol("g", real=True))


def lion_in_numpy(param, grads, *, learning_rate, beta1, beta2, weight_decay):
    """Lion as published: Algorithm 2 of Chen et al., the update of the average last."""
    average = np.zeros_like(param)
    for grad in grads:
        update = np.sign(average * beta1 + grad * (1 - beta1))
        param = param - (update + param * weight_decay) * learning_rate
        average = average * beta2 + grad * (1 - beta2)
    return param


def test_the_path_agrees_with_a_program_written_after_the_paper():
    rng = np.random.default_rng(5)
    grads = list(rng.normal(size=(30, 8)))
    start = rng.normal(size=8)
    path, _ = path_of(lion, grads, start=start, **DEFAULTS)

    assert np.abs(lion_in_numpy(start, grads, **DEFAULTS) - path[-1]).max() <= 30 * 4 * 2.0**-53 * 4


# What the bound says where the sign is undecided.


def cancelled(walk):
    """Two steps, after which the first element's direction cancels: 1/8 of the past against a half of -1/4."""
    walk.step(np.array([1.0, 1.0]), CANCELLING)
    return walk.step(np.array([-0.25, 1.0]), CANCELLING)[0]


def test_a_direction_that_cancels_is_undecided_and_accepts_three_places():
    expected = cancelled(Walk(lion, np.zeros(2), precision=SINGLE))

    assert expected.undecided.tolist() == [True, False]
    assert expected.reasons == ("sign undecided",)
    assert all(expected.ratio(np.array([place, -0.5]))[0] <= 1 for place in (-0.5, -0.25, 0.0))
    assert expected.ratio(np.array([-0.375, -0.5]))[0] > 1e5


def test_the_average_does_not_depend_on_an_undecided_sign():
    walk = Walk(lion, np.zeros(2), precision=SINGLE)
    cancelled(walk)
    _, state = walk.step(np.array([1.0, 1.0]), CANCELLING)

    assert not state["exp_avg"].undecided.any()
    assert (state["exp_avg"].error <= 16 * FLOAT32.unit).all()


@pytest.mark.parametrize("taken", [-0.5, -0.25, 0.0])
def test_after_a_look_the_walk_goes_on_from_the_branch_that_was_taken(taken):
    walk = Walk(lion, np.zeros(2), precision=SINGLE)
    cancelled(walk)
    walk.resynchronise(np.array([taken, -0.5]))
    expected, _ = walk.step(np.array([1.0, 1.0]), CANCELLING)

    assert expected.ratio(np.array([taken - 0.25, -0.75])).max() <= 1
    assert expected.error.max() < 1e-6


@both
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_an_exact_zero_has_the_sign_zero_in_every_precision(formula, dtype):
    for precision in precision_models(dtype):
        expected, _ = bound(formula, np.ones(1), np.zeros(1), precision=precision, **CANCELLING)

        assert not expected.undecided.any()
        assert expected.ratio(np.array([0.75]))[0] == np.inf


@both
@pytest.mark.parametrize(
    ("name", "value", "interval"),
    [
        ("learning_rate", -1.0, "[0, inf)"),
        ("beta1", 1.1, "[0, 1]"),
        ("beta2", -0.1, "[0, 1]"),
        ("weight_decay", -1.0, "[0, inf)"),
    ],
)
def test_arguments_outside_the_domain_are_refused(formula, name, value, interval):
    state = initial_state(formula.state_type, np.zeros(1))
    with pytest.raises(DomainError) as refusal:
        formula(np.ones(1), np.ones(1), state, **{**DEFAULTS, name: value})

    assert str(refusal.value) == f"{name} must be in {interval}, got {name}={value!r}"
