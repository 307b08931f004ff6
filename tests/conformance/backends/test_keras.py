"""The adapter of Keras, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import assert_backend_conforms, check, run

keras = pytest.importorskip("keras", reason="keras is not installed: nox -s conformance-matrix has it")


class Uncorrected(keras.optimizers.RMSprop):
    """RMSprop that takes epsilon for its square."""

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7, **keywords):
        super().__init__(learning_rate, rho=rho, epsilon=epsilon, **keywords)

    @property
    def epsilon(self):
        return self._root**2

    @epsilon.setter
    def epsilon(self, value):
        self._root = value


def test_adapters_keep_their_promises():
    assert_backend_conforms("keras", select="lion or relu or layer_norm", dtypes=["float64"], isolate=False)


@pytest.mark.parametrize("formula", ["gd", "adam_eps_hat", "lion"])
def test_keras_follows_its_formulas(formula):
    assert run("keras", select=f"{formula}. and optimizers", dtypes=["float64"]).conforms


def test_what_keras_computes_in_single_precision_is_known():
    report = run("keras", select="rms_norm", dtypes=["float64", "float32"])

    assert report.conforms
    assert {record.dtype for record in report.checks if record.status == "expected-deviation"} == {"float64"}


def test_a_learning_rate_within_the_velocity_is_told():
    report = check(keras.optimizers.SGD, "momentum_heavy_ball", dtypes=["float64"])

    assert report.status == "deviates"
    assert "this is momentum_heavy_ball_rate_inside" in report.summary()


def test_an_optimizer_is_its_own_adapter():
    assert check(keras.optimizers.Adagrad, "adagrad", dtypes=["float64"]).status == "deviates"
    assert check(Uncorrected, "rmsprop_eps_inside", dtypes=["float64"]).status == "deviates"
    assert check(keras.optimizers.RMSprop, "rmsprop_eps_inside", dtypes=["float64"]).conforms


def test_what_a_check_changes_in_keras_is_as_before():
    before = keras.config.floatx()
    check(keras.optimizers.SGD, "gd", dtypes=["float64"])

    assert keras.config.floatx() == before
