"""Laws of the first parameters, as printed and as torch has them."""

from __future__ import annotations

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.formats import FLOAT32, FLOAT64
from oracle.arithmetic.symbols import symbol_array
from oracle.exact import exact
from oracle.initialization.kaiming import (
    kaiming_bound_squared,
    kaiming_uniform_init,
    kaiming_uniform_zero_bias,
    torch_linear_init,
)
from properties.claims import Violation
from properties.initialization.uniform import FALSE_ALARM, binomial_tail, require_uniform

SHAPE = (160, 25)  # outputs and inputs: 4000 weights, and no square


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def drawn(fill, dtype=torch.float64, **options):
    return fill(torch.empty(SHAPE, dtype=dtype), **options).double().numpy()


def layer(dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    return torch.nn.Linear(SHAPE[1], SHAPE[0], dtype=dtype)


def test_the_printed_weights_have_the_root_of_six_over_the_inputs():
    assert kaiming_bound_squared(6) == 1
    assert exact(kaiming_uniform_init, np.ones((1, 6)), np.ones(1)).weight.tolist() == [[1.0] * 6]
    assert exact(kaiming_uniform_init, np.ones((2, 24)), np.full(2, -1.0)).weight[0, 0] == 0.5
    assert exact(kaiming_uniform_init, np.ones((2, 4)), np.full(2, -1.0)).bias.tolist() == [-0.5, -0.5]


def test_a_bias_of_zero_is_the_other_reading():
    weight, bias = kaiming_uniform_zero_bias(np.ones((2, 24)))

    assert weight.tolist() == [[0.5] * 24] * 2
    assert bias.tolist() == [0.0, 0.0]


def test_torch_s_default_is_the_law_of_a_slope_that_no_activation_has():
    assert kaiming_bound_squared(25, slope_squared=5) == F(1, 25)
    printed = kaiming_uniform_init(
        symbol_array("u v", real=True).reshape(1, 2), symbol_array("c", real=True).reshape(1)
    )
    torch_s = torch_linear_init(symbol_array("u v", real=True).reshape(1, 2), symbol_array("c", real=True).reshape(1))

    ratios = [
        sympy.simplify(a / b) for a, b in zip(printed.weight.elements.flat, torch_s.weight.elements.flat, strict=True)
    ]
    assert ratios == [sympy.sqrt(6)] * 2
    assert printed.bias.elements.tolist() == torch_s.bias.elements.tolist()


@pytest.mark.parametrize(("dtype", "form"), [(torch.float64, FLOAT64), (torch.float32, FLOAT32)], ids=["f64", "f32"])
def test_torch_s_kaiming_uniform_draws_the_printed_weights(dtype, form, draws):
    for seed in range(draws(3, 1000)):
        torch.manual_seed(seed)
        weights = drawn(torch.nn.init.kaiming_uniform_, dtype, nonlinearity="relu")

        require_uniform(weights, kaiming_bound_squared(SHAPE[1]), unit=form.unit)


@pytest.mark.parametrize(("dtype", "form"), [(torch.float64, FLOAT64), (torch.float32, FLOAT32)], ids=["f64", "f32"])
def test_torch_s_linear_draws_its_own_weights_and_the_printed_bias(dtype, form, draws):
    for seed in range(draws(3, 1000)):
        made = layer(dtype, seed)

        require_uniform(
            made.weight.detach().double().numpy(), kaiming_bound_squared(25, slope_squared=5), unit=form.unit
        )
        require_uniform(made.bias.detach().double().numpy(), F(1, 25), unit=form.unit)


def test_torch_s_linear_does_not_draw_the_printed_weights():
    with pytest.raises(Violation, match=r"the largest modulus of 4000 is 0\.1"):
        require_uniform(layer().weight.detach().numpy(), kaiming_bound_squared(25), unit=FLOAT64.unit)


def test_torch_s_linear_has_no_bias_of_zero():
    assert layer().bias.detach().numpy().all()


FAULTS = {
    "normal instead of uniform": lambda: drawn(torch.nn.init.kaiming_normal_, nonlinearity="relu"),
    "fan-out": lambda: drawn(torch.nn.init.kaiming_uniform_, mode="fan_out", nonlinearity="relu"),
    "gain missing": lambda: drawn(torch.nn.init.kaiming_uniform_, nonlinearity="linear"),
    "mean of both fans": lambda: drawn(torch.nn.init.xavier_uniform_, gain=2**0.5),
    "moduli": lambda: np.abs(drawn(torch.nn.init.kaiming_uniform_, nonlinearity="relu")),
    "clipped normal": lambda: np.clip(drawn(torch.nn.init.kaiming_normal_, nonlinearity="relu"), -0.48, 0.48),
    "two levels": lambda: 0.48 * np.sign(drawn(torch.nn.init.kaiming_normal_)),
    "standard deviation for bound": lambda: drawn(torch.nn.init.uniform_, a=-(0.08**0.5), b=0.08**0.5),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_another_law_is_noticed(fault):
    with pytest.raises(Violation):
        require_uniform(FAULTS[fault](), kaiming_bound_squared(SHAPE[1]), unit=FLOAT64.unit)


def test_tails_are_those_of_all_sequences():
    sequences = [bits.bit_count() for bits in range(2**9)]

    for count in range(10):
        further = [k for k in sequences if (k >= count if 2 * count >= 9 else k <= count)]
        assert binomial_tail(count, 9, F(1, 2)) == F(len(further), 2**9)
    assert binomial_tail(2, 2, F(1, 4)) == F(1, 16)
    assert FALSE_ALARM == F(1, 10**9)
