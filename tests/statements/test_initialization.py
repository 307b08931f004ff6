"""The first parameters of a layer: what the documents state of their law."""

import itertools

import numpy as np
import sympy

from oracle.activations.relu import relu
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.differentiation.layers import linear
from oracle.initialization.kaiming import (
    LayerParameters,
    kaiming_uniform_init,
    kaiming_uniform_zero_bias,
    torch_linear_init,
)
from tests.helpers.algebra import expression, expressions, vanishes
from tests.helpers.statements import statement


def drawn(law, fan_in=2):
    """A layer of one output made of symbols for the draws, and the symbols."""
    names = " ".join(f"u{k}" for k in range(fan_in + 1))
    draws = symbol_array(names, real=True)
    weight_draws, bias_draws = draws[:fan_in].reshape(1, fan_in), draws[fan_in:]
    parameters = law(weight_draws, bias_draws)
    return parameters, expressions(draws)


def zero_bias(weight_draws, bias_draws):
    return kaiming_uniform_zero_bias(weight_draws)


def fan_out(weight_draws, bias_draws):
    """Bounds made of the number of outputs, which is 1 here."""
    return LayerParameters(sympy.sqrt(6) * weight_draws, bias_draws)


def mean(value, draws):
    """Expectation over independent draws of the uniform law on [-1, 1]."""
    for draw in draws:
        value = sympy.integrate(sympy.expand(value), (draw, -1, 1)) / 2
    return sympy.simplify(value)


def mean_square_of_rectified(law, x):
    """Expectation of the square of a rectified output.

    The output's law is the same turned round, and the squares of both rectified ones add up to its square.
    """
    for sign in ("positive", "negative"):
        z = symbol_array("z", **{sign: True})
        assert vanishes(relu.body(z) ** 2 + relu.body(-z) ** 2 - z**2)
    parameters, draws = drawn(law, x.shape[-1])
    output = expression(linear(x, parameters.weight, parameters.bias))
    turned = output.subs({draw: -draw for draw in draws}, simultaneous=True)
    assert vanishes(output + turned)
    return mean(output**2, draws) / 2


@statement(
    "kaiming_uniform_init",
    "kaiming_uniform_init.P1",
    false={"torch's layer": {"law": torch_linear_init}, "the outputs counted": {"law": fan_out}},
)
def test_weights_and_biases_have_the_printed_bounds_and_variances(law=kaiming_uniform_init):
    for count in (1, 2, 3, 6):
        parameters, draws = drawn(law, count)
        weight, bias = expressions(parameters.weight)[0], expression(parameters.bias)
        largest = dict.fromkeys(draws, 1)

        assert weight.subs(largest) == sympy.sqrt(sympy.Rational(6, count))
        assert bias.subs(largest) == 1 / sympy.sqrt(count)
        assert mean(weight, draws) == mean(bias, draws) == 0
        assert mean(weight**2, draws) == sympy.Rational(2, count)
        assert mean(bias**2, draws) == sympy.Rational(1, 3 * count)
        both = list(itertools.combinations(expressions(parameters.weight), 2))
        assert all(mean(a * b, draws) == 0 for a, b in both)


@statement(
    "kaiming_uniform_init.P2",
    false={"the printed bias": {"law": kaiming_uniform_init}, "torch's layer": {"law": torch_linear_init}},
)
def test_without_bias_a_rectified_layer_keeps_the_mean_square(law=zero_bias):
    x = symbol_array("x0 x1", real=True).reshape(1, 2)

    assert vanishes(mean_square_of_rectified(law, x) - sum(element**2 for element in expressions(x)) / 2)


@statement(
    "kaiming_uniform_init.P3",
    "D086",
    false={"no bias": {"law": zero_bias}, "torch's layer": {"law": torch_linear_init}},
)
def test_the_printed_bias_adds_a_sixth_over_the_inputs(law=kaiming_uniform_init):
    for count in (1, 2, 3):
        x = symbol_array(" ".join(f"x{k}" for k in range(count)), real=True).reshape(1, count)
        kept = sum(element**2 for element in expressions(x)) / count

        assert vanishes(mean_square_of_rectified(law, x) - kept - sympy.Rational(1, 6 * count))


@statement("D086", false={"the printed weights": {"law": kaiming_uniform_init}, "no bias": {"law": zero_bias}})
def test_torch_s_layer_keeps_a_sixth_of_the_mean_square_and_adds_the_same_bias(law=torch_linear_init):
    x = symbol_array("x0 x1", real=True).reshape(1, 2)
    kept = sum(element**2 for element in expressions(x)) / 2

    assert vanishes(mean_square_of_rectified(law, x) - kept / 6 - sympy.Rational(1, 12))


@statement(
    "kaiming_uniform_init.P4", false={"a normal law's": {"kurtosis": 3}, "torch's layer": {"law": torch_linear_init}}
)
def test_the_fourth_moment_is_that_of_a_uniform_law(law=kaiming_uniform_init, kurtosis=sympy.Rational(9, 5)):
    for count in (1, 2, 3):
        parameters, draws = drawn(law, count)
        weight = expressions(parameters.weight)[0]

        assert mean(weight**4, draws) == sympy.Rational(36, 5 * count**2)
        assert mean(weight**4, draws) / mean(weight**2, draws) ** 2 == kurtosis


@statement("kaiming_uniform_init.P5", false={"torch's layer": {"law": torch_linear_init}, "1 / n": {"factor": 1}})
def test_a_normal_law_of_twice_the_inverse_of_the_inputs_has_the_same_variance(law=kaiming_uniform_init, factor=2):
    w = sympy.Symbol("w", real=True)
    for count in (1, 2, 3):
        spread = sympy.Rational(factor, count)
        density = sympy.exp(-(w**2) / (2 * spread)) / sympy.sqrt(2 * sympy.pi * spread)
        normal = sympy.integrate(w**2 * density, (w, -sympy.oo, sympy.oo))
        parameters, draws = drawn(law, count)

        assert mean(expressions(parameters.weight)[0] ** 2, draws) == sympy.simplify(normal)


@statement("D086", false={"the printed bias": {"law": kaiming_uniform_init}})
def test_he_s_bias_is_zero(law=zero_bias):
    parameters, _ = drawn(law, 3)

    assert expressions(parameters.bias) == [0]
    assert SymbolArray(parameters.weight).shape == (1, 3)
    assert np.all(kaiming_uniform_zero_bias(np.ones((2, 3))).bias == 0)
