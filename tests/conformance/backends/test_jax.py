"""The adapter of JAX, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import assert_backend_conforms, check, run

jax = pytest.importorskip("jax", reason="jax is not installed: nox -s conformance-matrix has it")


def tanh_gelu(x):
    return jax.nn.gelu(x, approximate=True)


def test_adapters_keep_their_promises():
    assert_backend_conforms(
        "jax", select="(relu or layer_norm) and not jit", dtypes=["float64", "bfloat16"], isolate=False
    )


def test_functions_follow_their_formulas_operation_by_operation_and_compiled():
    report = run("jax", select="relu or silu", dtypes=["float64", "float32"])

    assert report.conforms
    assert {record.implementation for record in report.checks} >= {"jax.nn.silu", "jax.nn.silu:jit"}


def test_a_function_is_given_arrays_of_the_framework_that_its_module_uses():
    report = check(tanh_gelu, "gelu_tanh", dtypes=["float64", "bfloat16"])

    assert report.status == "conforms"
    assert "arrays of jax" in report.summary()


def test_another_formula_is_told():
    report = check(tanh_gelu, "gelu", dtypes=["float64"])

    assert report.status == "deviates"
    assert "this is gelu_tanh" in report.summary()


def test_what_a_check_changes_in_jax_is_as_before():
    before = jax.config.jax_enable_x64
    check(tanh_gelu, "gelu_tanh", dtypes=["float64"])

    assert jax.config.jax_enable_x64 == before
