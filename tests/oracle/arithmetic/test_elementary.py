"""Library functions: honest results lie within the bound, which is not idle."""

from __future__ import annotations

import math

import numpy as np
import pytest

from oracle.arithmetic import elementary
from oracle.arithmetic.balls import balls, midpoint
from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision
from oracle.arithmetic.rounding import atom, given

SINGLE = Precision(FLOAT32, FLOAT32, FLOAT64)
DOUBLE = Precision(FLOAT64, FLOAT64, FLOAT64)
NAMES = ("cos", "erf", "exp", "log", "tanh")


def arguments(name: str) -> np.ndarray:
    drawn = FLOAT32.round(np.random.default_rng(0).normal(size=500) * 3)
    return np.abs(drawn) if name == "log" else drawn


@pytest.mark.parametrize("name", ["cos", "exp", "log", "tanh"])
def test_numpy_in_float32_stays_within(name: str) -> None:
    x = arguments(name)
    bounded = getattr(elementary, name)(given(x, SINGLE))
    ratio = np.abs(getattr(np, name)(x.astype(np.float32)) - bounded.x) / bounded.error

    assert 0.05 < np.max(ratio) <= 1


def test_the_error_function_of_the_c_library_stays_within() -> None:
    x = arguments("erf")
    bounded = elementary.erf(given(x, DOUBLE))
    distance = np.abs(midpoint(balls(np.asarray([math.erf(v) for v in x])) - bounded.x))

    assert 0.01 < np.max(distance / bounded.error) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_an_inherited_error_covers_every_argument_within_it(name: str) -> None:
    x = arguments(name) + (0.5 if name == "log" else 0)
    e = np.full(x.shape, 0.125)
    bounded = getattr(elementary, name)(atom(x, SINGLE, e))
    exact = getattr(elementary, name)
    ends = np.stack([exact(given(x + shift, SINGLE)).x for shift in (-0.125, 0.125)])

    assert np.all(np.abs(ends - bounded.x) <= bounded.error)


def test_a_logarithm_of_what_may_be_zero_has_no_bound() -> None:
    assert elementary.log(atom(np.asarray([1.0]), SINGLE, np.asarray([1.5]))).error == np.inf


@pytest.mark.parametrize(("name", "value"), [("cos", 1), ("erf", 0), ("exp", 1), ("tanh", 0)])
def test_an_exact_zero_has_an_exact_value(name: str, value: float) -> None:
    result = getattr(elementary, name)(given(np.zeros(1), SINGLE))

    assert result.x == value
    assert result.error == 0
