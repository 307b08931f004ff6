"""The logistic function."""

import numpy as np
import pytest
import sympy
import torch

from oracle.activations.sigmoid import sigmoid
from oracle.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Precision
from oracle.arithmetic.symbols import symbol_array
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact


def test_one_and_three_are_shared_as_worked_by_hand():
    # 1 / (1 + 1/3) at the logarithm of 3, up to the rounding of that logarithm.
    assert sigmoid(np.array([0.0])).tolist() == [0.5]
    assert abs(float(exact(sigmoid, np.log(3.0))) - 0.75) <= 2.0**-53


def test_golden_values():
    values = exact(sigmoid, np.array([1.0, -1.0]))

    assert f"{values[0]:.15f} {values[1]:.15f}" == "0.731058578630005 0.268941421369995"


def test_it_is_half_of_one_plus_the_hyperbolic_tangent_of_the_half():
    x = symbol_array("x", real=True)
    difference = sigmoid.body(x).elements.item() - (1 + sympy.tanh(x.elements.item() / 2)) / 2

    assert sympy.simplify(difference.rewrite(sympy.exp)) == 0


@pytest.mark.parametrize("x", [-710.0, -745.0, -1e4, -1e308, 40.0, 1e308])
def test_extreme_numbers_have_the_value_that_rounds_the_limit(x):
    value = float(exact(sigmoid, x))

    assert value == (1.0 if x > 0 else np.exp(x))
    assert not np.signbit(value)


def test_it_loses_no_digits_far_below_zero():
    # e^x (1 - e^x) within the next term of the series.
    x = -40.0
    power = float(exact(exp, x))

    assert abs(float(exact(sigmoid, x)) - power * (1 - power)) <= power**3 + 2.0**-53 * power


def exp(x):
    return x.namespace.exp(x)


def test_torch_agrees_within_the_bound():
    x = np.linspace(-30, 30, 61)
    enclosure = bound(sigmoid, x, precision=Precision(FLOAT64, FLOAT64, FLOAT64))

    assert (enclosure.ratio(torch.sigmoid(torch.tensor(x)).numpy()) <= 1).all()


@pytest.mark.parametrize("form", [FLOAT64, FLOAT32, FLOAT16], ids=lambda form: form.name)
def test_the_bound_is_finite_and_narrow_at_the_ends_of_the_range(form):
    x = form.round(np.array([-40.0, -1e4, 40.0, 1e4, form.smallest_normal, form.largest, -form.largest]))
    enclosure = bound(sigmoid, x, precision=Precision(form, form, FLOAT64))

    assert (enclosure.error <= 16 * form.unit).all()


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(DomainError, match="x must be finite"):
        exact(sigmoid, np.array([np.nan]))
