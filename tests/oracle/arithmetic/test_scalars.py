"""Scalars carry the error that a program makes in arithmetic among hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import flint
import numpy as np
import pytest

from oracle.arithmetic.balls import working_precision
from oracle.arithmetic.formats import BFLOAT16, FLOAT32, FLOAT64, Precision
from oracle.arithmetic.scalars import RoundedScalar, bias_correction, gamma, hyperparameter, scalar, scalar_sqrt

WIDE = Precision(FLOAT32, FLOAT32, FLOAT64)
NARROW = Precision(FLOAT32, FLOAT32, FLOAT32)
U = FLOAT32.unit

BETAS = (0.5, 0.9, 0.99, 0.999, 0.9999)


def within(value: float, low: float) -> bool:
    """Whether a bound is what was worked out by hand, up to its inflation and the underflow of scalars."""
    return low <= value <= low * (1 + 2.0**-20) + 2.0**-100


def distance(program: Any, value: RoundedScalar) -> float:
    """How far a program's number is from the exact one."""
    with working_precision(128):
        return abs(float(flint.arb(float(program)) - value.x))


def test_gamma_of_one_rounding_is_a_little_more_than_the_unit() -> None:
    assert 2.0**-8 < gamma(1, 2.0**-8) < 2.0**-8 * (1 + 2.0**-7)


def test_gamma_grows_with_every_rounding() -> None:
    counts = gamma(np.asarray([0.0, 0.5, 1.0, 7.0]), U)

    assert counts[0] == 0
    assert np.all(np.diff(counts) > 0)


def test_a_hyperparameter_is_exactly_the_float64_that_the_program_receives() -> None:
    rate = hyperparameter(0.1, WIDE)

    assert rate.e == 0
    assert rate.x == flint.arb(0.1)


def test_a_float32_scalar_is_off_by_its_rounding() -> None:
    rate = hyperparameter(0.1, NARROW)

    assert within(rate.e, 0.1 * U)
    assert distance(np.float32(0.1), rate) <= rate.e


def test_integers_are_exact_in_every_format() -> None:
    assert scalar(3, Precision(BFLOAT16, BFLOAT16, BFLOAT16)).e == 0


def test_one_minus_a_float32_beta_is_off_by_hundreds_of_units() -> None:
    rest = 1 - hyperparameter(0.999, NARROW)

    assert within(rest.e, 0.999 * U + (0.001 + 0.999 * U) * gamma(1, U))
    assert 100 * U * 0.001 < distance(np.float32(1) - np.float32(0.999), rest) <= rest.e


def test_a_product_inherits_both_errors_and_rounds_once() -> None:
    a, b = hyperparameter(0.1, NARROW), hyperparameter(0.3, NARROW)
    inherited = 0.1 * b.e + 0.3 * a.e + a.e * b.e

    assert within((a * b).e, inherited + (0.03 + inherited) * gamma(1, U))


def test_a_quotient_inherits_both_errors_and_rounds_twice() -> None:
    a, b = hyperparameter(0.1, NARROW), hyperparameter(0.3, NARROW)
    inherited = (a.e + b.e / 3) / (0.3 - b.e)

    assert within((a / b).e, inherited + (1 / 3 + inherited) * gamma(2, U))


def test_a_divisor_that_may_be_zero_leaves_no_bound() -> None:
    nothing = hyperparameter(0.5, NARROW) - hyperparameter(0.5, NARROW)

    assert (1 / nothing).e == math.inf


def test_a_root_of_what_may_be_zero_keeps_a_bound() -> None:
    root = scalar_sqrt(RoundedScalar(flint.arb(1e-8), 1e-8, NARROW))

    assert math.sqrt(1e-8) <= root.e < 1.01 * math.sqrt(1e-8)


def test_a_root_is_half_as_sensitive_as_its_argument() -> None:
    root = scalar_sqrt(RoundedScalar(flint.arb(4), 1e-3, WIDE))

    assert 1e-3 / 4 < root.e < 1.001e-3 / 4


def test_products_with_an_exact_zero_are_exact() -> None:
    zero = hyperparameter(0.0, NARROW)

    assert (zero * hyperparameter(0.1, NARROW)).is_zero
    assert (zero / hyperparameter(0.1, NARROW)).is_zero
    assert scalar_sqrt(zero).is_zero
    assert (hyperparameter(0.1, NARROW) + zero).e == hyperparameter(0.1, NARROW).e


def test_a_product_remembers_the_factors_that_may_meet_an_array_one_by_one() -> None:
    product = hyperparameter(0.25, WIDE) * hyperparameter(8.0, WIDE) / hyperparameter(4.0, WIDE)

    assert [round(factor, 9) for factor in product.chain] == [0.25, 8.0, 0.25]
    assert product.roundings == 3  # one product, and a quotient by way of a reciprocal


def test_a_sum_is_one_number() -> None:
    rest = 1 - hyperparameter(0.75, WIDE) * hyperparameter(0.5, WIDE)

    assert len(rest.chain) == 1
    assert rest.roundings == 0


@pytest.mark.parametrize(("precision", "library"), [(WIDE, 5), (NARROW, 9)])
def test_a_power_costs_its_products_and_what_pow_or_exp_may_add(precision: Precision, library: int) -> None:
    unit = precision.scalars.unit
    power = RoundedScalar(flint.arb(0.5), 0.0, precision) ** 10

    assert within(power.e, 2.0**-10 * gamma(10 + library + 4 * 10 * math.log(2), unit))


def test_a_power_multiplies_the_relative_error_of_its_base() -> None:
    power = RoundedScalar(flint.arb(0.5), 0.01, WIDE) ** 3

    assert 0.51**3 - 0.5**3 < power.e < 1.0001 * (0.51**3 - 0.5**3)


def test_the_zeroth_power_is_exactly_one() -> None:
    power = hyperparameter(0.9, NARROW) ** 0

    assert power.x == 1
    assert power.e == 0


@pytest.mark.parametrize("precision", [WIDE, NARROW])
def test_a_bias_correction_without_memory_is_exactly_one(precision: Precision) -> None:
    weight = bias_correction(hyperparameter(0.0, precision), 3)

    assert weight.x == 1
    assert weight.e == 0


def test_a_bias_correction_adds_three_roundings_to_its_power() -> None:
    beta = hyperparameter(0.5, NARROW)

    assert within(bias_correction(beta, 2).e, (beta**2).e + 3 * U * 0.75)


PROGRAMS: dict[str, Callable[[np.float32, int], np.float32]] = {
    "products": lambda b, t: np.float32(1) - np.multiply.reduce(np.full(t, b)),
    "pow": lambda b, t: np.float32(1) - np.power(b, np.float32(t)),
    "exp": lambda b, t: np.float32(1) - np.exp(np.float32(t) * np.log(b)),
    "expm1": lambda b, t: -np.expm1(np.float32(t) * np.log(b)),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_float32_programs_stay_within_the_bias_correction(program: str) -> None:
    worst = 0.0
    for beta in BETAS:
        for step in (1, 2, 3, 10, 100, 1000):
            weight = bias_correction(hyperparameter(beta, NARROW), step)
            worst = max(worst, distance(PROGRAMS[program](np.float32(beta), step), weight) / weight.e)

    assert 0.05 < worst <= 1


def test_a_scalar_refuses_what_is_no_number() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        hyperparameter(0.1, WIDE) + "0.1"
