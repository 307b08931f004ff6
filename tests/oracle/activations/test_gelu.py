"""The number times the probability that a normal one is smaller, and its approximations."""

import numpy as np
import pytest
import torch

from oracle.activations.gelu import gelu, gelu_sigmoid, gelu_tanh
from oracle.activations.sigmoid import sigmoid
from oracle.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Precision
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact

ALL = (gelu, gelu_tanh, gelu_sigmoid)
STRICT = Precision(FLOAT64, FLOAT64, FLOAT64)

every_form = pytest.mark.parametrize("formula", ALL, ids=lambda formula: formula.id)


def test_golden_values():
    values = exact(gelu, np.array([1.0, -1.0, 2.0, 3.0]))

    assert [f"{value:.15g}" for value in values] == [
        "0.841344746068543",
        "-0.158655253931457",
        "1.95449973610364",
        "2.99595030590511",
    ]


def test_phi_is_the_cumulative_distribution_and_not_the_density():
    assert abs(float(exact(gelu, 1.0)) - float(np.exp(-0.5) / np.sqrt(2 * np.pi))) > 0.5


def test_the_minimum_is_where_it_is_known_to_be():
    lowest = -0.751791524693564
    around = exact(gelu, lowest + np.array([-1e-3, 0.0, 1e-3]))

    assert f"{around[1]:.15f}" == "-0.169971207479904"
    assert around[1] < around[0]
    assert around[1] < around[2]


@every_form
def test_the_values_of_opposite_numbers_differ_by_the_number(formula):
    x = np.array([0.5, 3.0, 17.0])

    assert exact(lambda t: formula.body(t) - formula.body(-t), x).tolist() == x.tolist()


def test_the_approximations_are_off_by_as_much_as_is_known():
    x = np.linspace(-6, 6, 2401)
    distances = [float(np.max(np.abs(exact(other, x) - exact(gelu, x)))) for other in (gelu_tanh, gelu_sigmoid)]

    assert 4.72e-4 <= distances[0] <= 4.733e-4
    assert 0.0203 <= distances[1] <= 0.020335


def test_the_logistic_approximation_scales_its_argument():
    x = np.array([0.5, -2.0, 3.0])
    expected = exact(lambda t: t * sigmoid.body(1.702 * t), x)

    assert exact(gelu_sigmoid, x).tolist() == expected.tolist()


@every_form
@pytest.mark.parametrize("x", [-100.0, -1e4, -1e300])
def test_what_underflows_keeps_its_sign(formula, x):
    assert np.signbit(exact(formula, x))


def test_the_tail_is_its_asymptotic_series():
    # -phi(x) (1 - 1/x^2 + ...), within the next term.
    x = 30.0
    density = float(np.exp(-x * x / 2) / np.sqrt(2 * np.pi))
    first = -density * (1 - 1 / x**2)

    assert abs(float(exact(gelu, -x)) - first) <= density * 4 / x**4


def test_torch_agrees_within_the_bound():
    x = np.linspace(-30, 30, 61)
    for formula, approximate in ((gelu, "none"), (gelu_tanh, "tanh")):
        value = torch.nn.functional.gelu(torch.tensor(x), approximate=approximate).numpy()

        assert (bound(formula, x, precision=STRICT).ratio(value) <= 1).all()


@every_form
@pytest.mark.parametrize("form", [FLOAT64, FLOAT32, FLOAT16], ids=lambda form: form.name)
def test_the_bound_is_finite_and_narrow_at_the_ends_of_the_range(formula, form):
    x = form.round(np.array([-40.0, -5.0, -1e4, 40.0, 1e4, form.smallest_normal]))
    enclosure = bound(formula, x, precision=Precision(form, form, FLOAT64))

    assert (enclosure.error <= 24 * form.unit * np.maximum(np.abs(x), 1)).all()


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(DomainError, match="x must be finite"):
        exact(gelu, np.array([np.inf]))
