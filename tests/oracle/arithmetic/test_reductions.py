"""Sums, means and variances along axes: their values in every number system, and why variance has its own rule."""

import numpy as np
import pytest

from oracle.arithmetic.balls import balls, midpoint, working_precision
from oracle.arithmetic.formats import FLOAT16, FLOAT32, FLOAT64, Precision, precision_models
from oracle.arithmetic.primitives import namespace, variance
from oracle.arithmetic.reductions import mean, sum
from oracle.arithmetic.rounding import given
from oracle.arithmetic.scalars import gamma
from oracle.arithmetic.symbols import symbol_array
from tests.helpers.programs.kit import Kit
from tests.helpers.programs.normalization_programs import AXES, NormalizationForm, variances

NARROW = Precision(FLOAT32, FLOAT32, FLOAT64)
X = np.array([[1.0, 2.0, 6.0], [0.5, -0.5, 3.0]])
SETTINGS = [{"axis": axis, "keepdims": keep} for axis in (0, -1, (0, 1), None) for keep in (False, True)]


def printed(one):
    """Return the errors of a rounded number's whole bound."""
    return float(np.max(one.error))


@pytest.mark.parametrize("along", SETTINGS, ids=str)
@pytest.mark.parametrize("precision", [NARROW, precision_models("float64")[0]], ids=["float32", "float64"])
def test_reductions_have_the_values_and_shapes_of_numpy_s(along, precision):
    for ours, theirs in ((sum, np.sum), (mean, np.mean), (variance, np.var)):
        with working_precision(128):
            result = ours(given(X, precision), **along)
            distance = np.abs(result.carrier.midpoint(result.x) - theirs(X, **along))

        assert result.shape == theirs(X, **along).shape
        assert (distance <= 2.0**-48).all()
        assert (result.error > 0).all()


@pytest.mark.parametrize("along", SETTINGS, ids=str)
def test_balls_and_symbols_take_the_same_means(along):
    with working_precision(128):
        assert (np.abs(midpoint(balls(0.0).namespace.mean(balls(X), **along)) - np.mean(X, **along)) <= 2.0**-50).all()
    x = symbol_array("a b c", real=True).reshape(3, 1)

    assert namespace(x).mean(x, axis=0).elements.item() == np.sum(x.elements) / 3


def test_zeros_have_a_mean_and_a_variance_of_exactly_zero():
    zeros = given(np.zeros((2, 3)), NARROW)

    assert not mean(zeros, axis=0).error.any()
    assert not variance(zeros, axis=0).error.any()


def test_a_variance_is_that_of_every_number_near_the_given_ones():
    off = mean(given(np.array([[0.1, 0.3], [0.7, 0.2]]).astype(np.float32).astype(float), NARROW), axis=-1)
    spread = variance(off, axis=0)
    error = float(off.error.max())
    ends = [np.var(off.x + np.array(signs) * error) for signs in ((1, -1), (-1, 1))]

    assert max(abs(end - float(spread.x)) for end in ends) <= printed(spread)


def test_what_may_leave_the_range_has_no_bound():
    half = Precision(FLOAT16, FLOAT16, FLOAT64)

    assert printed(mean(given(np.full(4, 6e4), half), axis=0)) == np.inf
    assert printed(variance(given(np.array([200.0, -200.0]), half), axis=0)) == np.inf
    assert printed(variance(given(np.array([2.0, -2.0]), half), axis=0)) < np.inf


def worst_of(form, count, offset):
    """The largest error of a program's variance of numbers far from zero, and the numbers."""
    rng, worst, at = np.random.default_rng(0), 0.0, None
    kit = Kit(NARROW)
    for _ in range(40):
        x = FLOAT32.round(offset + rng.normal(size=count))
        with np.errstate(all="ignore"):
            off = abs(float(variances(kit, form, x[None].astype(np.float32))[0]) - float(np.var(x)))
        if off > worst:
            worst, at = off, x
    return worst, at


def test_welford_leaves_a_bound_of_two_passes_alone_and_stays_in_ours():
    form = NormalizationForm("sum", "welford", "printed", "two_products", "divisor")
    worst, x = worst_of(form, 3, 300.0)
    spread, off = np.var(x), printed(mean(given(x, NARROW), axis=0))
    passes = gamma(3 + 6, FLOAT32.unit) * (spread + off**2) + off**2

    assert worst > 2 * passes
    assert worst <= printed(variance(given(x, NARROW), axis=0))


@pytest.mark.parametrize("form", AXES["variance"])
def test_every_admitted_variance_stays_in_the_bound_far_from_zero(form):
    worst, x = worst_of(NormalizationForm("running", form, "printed", "two_products", "divisor"), 7, 3000.0)

    assert 0 < worst <= printed(variance(given(x, NARROW), axis=0))


def test_one_pass_leaves_the_bound():
    x = FLOAT32.round(3000.0 + np.random.default_rng(0).normal(size=7))
    narrow = x.astype(np.float32)
    one_pass = np.mean(narrow * narrow) - np.mean(narrow) ** 2

    assert abs(float(one_pass) - np.var(x)) > 10 * printed(variance(given(x, NARROW), axis=0))


def test_float64_numbers_are_reduced_in_balls():
    with working_precision(128):
        result = mean(given(np.array([0.1, 0.2, 0.4]), Precision(FLOAT64, FLOAT64, FLOAT64)), axis=0)

        assert float(result.x.elements.item().rad()) < 2.0**-120
