"""The adapter of tinygrad, on what is installed of it."""

from __future__ import annotations

import numpy as np
import pytest

from conformance import UsageError, assert_backend_conforms, check, run
from conformance.backends import Implementation, tinygrad_tensors
from conformance.backends.tinygrad_functions import Method, TensorFunction
from conformance.backends.tinygrad_optimizers import OptimizerFactory

pytest.importorskip("tinygrad", reason="tinygrad is not installed: nox -s conformance-matrix has it")

RATE = {"learning_rate": "lr"}


@pytest.fixture
def no_compiler(monkeypatch):
    """A machine without clang, where what was found before is forgotten."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    tinygrad_tensors.compiler.cache_clear()
    yield monkeypatch
    tinygrad_tensors.compiler.cache_clear()


def test_adapters_keep_their_promises():
    select = "(gd.adapter and not scalars and not copies) or relu or clip"
    assert_backend_conforms("tinygrad", select=select, dtypes=["float32"], isolate=False)


@pytest.mark.parametrize("formula", ["sgd_l2", "clip_by_value", "lstm_cell", "linear_vjp_weight"])
def test_tinygrad_follows_its_formulas(formula):
    assert run("tinygrad", select=f"{formula}. and follows", dtypes=["float32"]).conforms


@pytest.mark.parametrize(
    ("select", "dtype"),
    [
        ("gd.sum_of_steps and default", "float64"),
        ("momentum_heavy_ball. and default and follows", "float64"),
        ("adam.bias_correction", "float64"),
        ("gd. and copies and copying", "float32"),
        ("gelu. and follows", "float64"),
        ("rms_norm.permuted_rows", "float64"),
        ("nn.BatchNorm and constants", "float32"),
        ("nn.BatchNorm:default and constants", "float64"),
        ("lstm_hidden.nothing_learned", "float32"),
    ],
)
def test_what_tinygrad_computes_otherwise_is_known(select, dtype):
    report = run("tinygrad", select=select, dtypes=[dtype])

    found = {record.status for record in report.checks if record.counted}
    assert "expected-deviation" in found <= {"conforms", "expected-deviation"}


def test_a_penalty_that_is_called_a_decay_is_told():
    from tinygrad.nn import optim

    factory = OptimizerFactory(optim.SGD, {**RATE, "weight_decay": "weight_decay"})
    subject = Implementation("weight_decay_unscaled", "mine", factory, ("float32",), missing_gradients=False)
    report = check(subject, "weight_decay_unscaled", dtypes=["float32"])

    assert report.status == "deviates"
    assert "sgd_l2" in report.summary()


def test_an_approximation_deviates():
    assert check(TensorFunction(Method("gelu")), "gelu", dtypes=["float32"]).status == "deviates"


def test_half_types_are_rounded_before_they_are_read():
    call = TensorFunction(Method("clip", {"min_": -0.1, "max_": 0.1}))(dtype="bfloat16", device="cpu")

    assert call(np.array([1.0])).tolist() == [0.10009765625]


def test_the_clang_of_ziglang_is_used_where_there_is_no_other(no_compiler):
    pytest.importorskip("ziglang", reason="ziglang is not installed")

    assert TensorFunction(Method("relu"))(dtype="float64", device="cpu")(np.array([-1.0, 2.0])).tolist() == [0.0, 2.0]


def test_a_machine_without_a_compiler_is_told_what_is_missing(no_compiler):
    no_compiler.setattr(tinygrad_tensors, "find_spec", lambda name: None)

    with pytest.raises(UsageError, match="clang: it must be on PATH, or named by CC, or inside of the package ziglang"):
        run("tinygrad", select="relu. and follows")
