"""The adapter of MLX, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import assert_backend_conforms, check, run
from conformance.backends import Backend, Implementation
from conformance.backends.mlx_functions import ArrayFunction
from conformance.backends.mlx_optimizers import OptimizerFactory

mx = pytest.importorskip("mlx.core", reason="mlx is not installed: nox -s conformance-matrix has it")
optimizers = pytest.importorskip("mlx.optimizers")

RATE = {"learning_rate": "learning_rate"}
ADAM = {**RATE, "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps"}


class KeepsItsState(optimizers.SGD):
    """SGD that takes no other state once it has made an update."""

    @property
    def state(self):
        return self._state

    @state.setter
    def state(self, state):
        if self.step.item() == 0:
            self._state = state


def uncorrected():
    return OptimizerFactory(optimizers.Adam, ADAM, {"betas": (0.9, 0.999)})


def dampened():
    spellings = {**RATE, "momentum": "momentum", "dampening": "dampening"}
    return OptimizerFactory(optimizers.SGD, spellings)


def judged(call, formula):
    return check(ArrayFunction(call), formula, dtypes=["float32"])


def test_adapters_keep_their_promises():
    assert_backend_conforms("mlx", select="lion or relu or layer_norm", dtypes=["float32"], isolate=False)


@pytest.mark.parametrize("formula", ["momentum_nesterov", "rmsprop", "lion", "clip_by_norm_torch", "batch_norm"])
def test_mlx_follows_its_formulas(formula):
    assert run("mlx", select=f"{formula}. and follows", dtypes=["float64", "float32"]).conforms


@pytest.mark.parametrize(
    "select", ["SGD:float", "adam. and follows", "sigmoid. and follows", "permuted_rows and RMSNorm"]
)
def test_what_mlx_computes_in_single_precision_is_known(select):
    report = run("mlx", select=select, dtypes=["float64"])

    found = {record.status for record in report.checks if record.counted}
    assert "expected-deviation" in found <= {"conforms", "expected-deviation"}


@pytest.mark.parametrize("formula", ["adam", "adam_eps_hat"])
def test_adam_as_it_comes_is_not_corrected(formula):
    report = check(uncorrected(), formula, dtypes=["float32"])

    assert report.status == "deviates"
    assert "without" in report.summary()


def test_a_dampening_that_holds_from_the_first_step_is_told():
    assert check(dampened(), "momentum_torch_dampening", dtypes=["float32"]).status == "deviates"


@pytest.mark.parametrize(("constructor", "status"), [(optimizers.SGD, "conforms"), (KeepsItsState, "deviates")])
def test_what_an_optimizer_does_with_a_state_that_is_put_back_is_told(constructor, status):
    factory = OptimizerFactory(constructor, {**RATE, "momentum": "momentum"})
    sibling = Implementation("momentum_heavy_ball", constructor.__name__, factory, ("float32",))
    report = run(Backend("siblings", "1", (sibling,)), select="follows or changes_nothing", dtypes=["float32"])

    found = {record.property: record.status for record in report.checks}
    assert found == dict.fromkeys(found, "conforms") | {"rewinding_changes_nothing": status}
    assert len(found) == 5


def test_activations_of_other_formulas_deviate():
    from mlx import nn

    assert judged(nn.gelu_approx, "gelu").status == "deviates"
    assert judged(nn.gelu, "gelu").conforms
