"""The number times its own logistic function."""

import numpy as np
import pytest
import torch

from oracle.activations.silu import silu
from oracle.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Precision
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact


def test_golden_values():
    values = exact(silu, np.array([1.0, -1.0, 2.0]))

    assert [f"{value:.15g}" for value in values] == ["0.731058578630005", "-0.268941421369995", "1.76159415595576"]


def test_the_number_at_the_logarithm_of_three_keeps_three_quarters():
    x = np.log(3.0)

    assert abs(float(exact(silu, x)) - 0.75 * x) <= 2.0**-52


def test_the_minimum_lies_where_the_slope_vanishes():
    lowest = -1.27846454276107
    around = exact(silu, lowest + np.array([-1e-3, 0.0, 1e-3]))

    assert f"{around[1]:.15f}" == "-0.278464542761074"
    assert around[1] < around[0]
    assert around[1] < around[2]


def test_the_values_of_opposite_numbers_differ_by_the_number():
    x = np.array([0.5, 3.0, 17.0])

    assert exact(lambda t: silu.body(t) - silu.body(-t), x).tolist() == x.tolist()


@pytest.mark.parametrize("x", [-1e4, -1e308])
def test_what_underflows_keeps_its_sign(x):
    assert np.signbit(exact(silu, x))
    assert exact(silu, x) == 0


def test_torch_agrees_within_the_bound():
    x = np.linspace(-30, 30, 61)
    enclosure = bound(silu, x, precision=Precision(FLOAT64, FLOAT64, FLOAT64))

    assert (enclosure.ratio(torch.nn.functional.silu(torch.tensor(x)).numpy()) <= 1).all()


@pytest.mark.parametrize("form", [FLOAT64, FLOAT32, FLOAT16], ids=lambda form: form.name)
def test_the_bound_is_finite_and_narrow_at_the_ends_of_the_range(form):
    x = form.round(np.array([-40.0, -1e4, 40.0, 1e4, form.smallest_normal]))
    enclosure = bound(silu, x, precision=Precision(form, form, FLOAT64))

    assert (enclosure.error <= 16 * form.unit * np.maximum(np.abs(x), 1)).all()


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(DomainError, match="x must be finite"):
        exact(silu, np.array([np.inf]))
