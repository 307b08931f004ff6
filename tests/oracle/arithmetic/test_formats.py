"""Formats round as the hardware does, and a precision knows what each rounding may cost."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from oracle.arithmetic.formats import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    FORMATS,
    Format,
    Precision,
    precision_models,
)

DTYPES = {FLOAT32: np.float32, FLOAT16: np.float16, BFLOAT16: ml_dtypes.bfloat16, FLOAT64: np.float64}


@pytest.mark.parametrize("form", DTYPES, ids=lambda form: form.name)
def test_constants_are_those_of_the_dtype(form: Format) -> None:
    info = ml_dtypes.finfo(DTYPES[form])

    assert form.largest == float(info.max)
    assert form.smallest_normal == float(info.smallest_normal)
    assert form.smallest_subnormal == float(info.smallest_subnormal)
    assert form.unit == float(info.eps) / 2


@pytest.mark.parametrize("form", [FLOAT32, FLOAT16], ids=lambda form: form.name)
def test_rounding_agrees_with_the_dtype_to_the_last_bit(form: Format) -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=4000) * 2.0 ** rng.integers(-150, 130, 4000), [0.0, -0.0, 65519.9, 65520]])
    with np.errstate(over="ignore", under="ignore"):
        expected = values.astype(DTYPES[form]).astype(np.float64)

    assert np.array_equal(form.round(values), expected)
    assert np.array_equal(np.signbit(form.round(values)), np.signbit(expected))


def test_bfloat16_rounds_once_and_not_through_float32() -> None:
    just_above_a_tie = 1 + 2.0**-8 + 2.0**-40

    assert BFLOAT16.round(np.asarray(just_above_a_tie)) == 1 + 2.0**-7
    assert float(np.float32(just_above_a_tie)) == 1 + 2.0**-8


def test_spacing_is_the_gap_to_the_next_number() -> None:
    values = np.asarray([1.0, 1.5, 3.0, 1e-46])

    assert FLOAT32.spacing(values).tolist() == [2.0**-23, 2.0**-23, 2.0**-22, 2.0**-149]


def test_defaults_of_a_precision_are_the_pessimistic_ones() -> None:
    precision = Precision(BFLOAT16, BFLOAT16, FLOAT64)

    assert precision.entry is BFLOAT16
    assert precision.accumulate is FLOAT32
    assert precision.readout is BFLOAT16
    assert precision.flush_to_zero
    assert Precision(FLOAT64, FLOAT64, FLOAT64).accumulate is FLOAT64


@pytest.mark.parametrize("form", [FLOAT64, FLOAT32], ids=lambda form: form.name)
def test_one_operation_costs_the_unit_of_the_format(form: Format) -> None:
    assert Precision(form, form, FLOAT64).unit == form.unit


def test_an_operation_in_a_half_format_rounds_through_float32() -> None:
    assert Precision(FLOAT16, FLOAT16, FLOAT64).unit == 2.0**-11 + 2.0**-24 + 2.0**-35
    assert Precision(FLOAT16, FLOAT32, FLOAT64).unit == 2.0**-24


def test_an_underflow_costs_half_the_smallest_number_or_all_below_the_normal_ones() -> None:
    assert Precision(FLOAT32, FLOAT32, FLOAT64).underflow == 2.0**-126
    assert Precision(FLOAT32, FLOAT32, FLOAT64, flush_to_zero=False).underflow == 2.0**-150
    assert Precision(FLOAT16, FLOAT16, FLOAT64).underflow == 2.0**-25


def test_the_entry_of_a_scalar_is_counted_in_units_of_the_arithmetic() -> None:
    assert Precision(BFLOAT16, FLOAT32, FLOAT64).entry_roundings == 1
    assert Precision(BFLOAT16, FLOAT32, FLOAT64, entry=BFLOAT16).entry_roundings == 2.0**16
    assert Precision(BFLOAT16, BFLOAT16, FLOAT64, entry=FLOAT32).entry_roundings < 2.0**-15


def test_a_number_of_the_computed_format_is_stored_as_it_is() -> None:
    assert Precision(FLOAT32, FLOAT32, FLOAT64).rounding_to(FLOAT32) == (0, 0)
    assert Precision(BFLOAT16, FLOAT32, FLOAT64).rounding_to(BFLOAT16) == (2.0**-8, 2.0**-126)
    assert Precision(FLOAT16, FLOAT32, FLOAT64).rounding_to(FLOAT16) == (2.0**-11, 2.0**-25)


@pytest.mark.parametrize("dtype", FORMATS)
def test_what_rounds_to_what_is_shown_lies_within_the_preimage(dtype: str) -> None:
    form, rng = FORMATS[dtype], np.random.default_rng(1)
    hidden = np.concatenate([rng.normal(size=2000), 1 + rng.normal(size=500) * form.unit, rng.normal(size=500) * 1e-7])
    shown = [form.round(hidden), form.round(FLOAT32.round(hidden)) if form.bits < 24 else form.round(hidden)]

    for values in shown:
        assert np.all(np.abs(hidden - values) <= Precision(form, form, FLOAT64).preimage_radius(values))


@pytest.mark.parametrize("dtype", FORMATS)
def test_models_of_a_dtype_store_it(dtype: str) -> None:
    assert {model.storage.name for model in precision_models(dtype)} == {dtype}
