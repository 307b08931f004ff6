"""The adapter of Keras, on what is installed of it."""

from __future__ import annotations

import pytest

from conformance import assert_backend_conforms, check, identify, laws, run
from conformance.backends import Backend, Implementation
from conformance.backends.keras import backend
from conformance.backends.keras_optimizers import OptimizerFactory

keras = pytest.importorskip("keras", reason="keras is not installed: nox -s conformance-matrix has it")

LOSS = "losses.SparseCategoricalCrossentropy"


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


class KeepsItsAverages(keras.optimizers.Lion):
    """Lion that loads the count and the learning rate alone."""

    def load_own_variables(self, store):
        for number, variable in enumerate(self.variables[:2]):
            variable.assign(store[str(number)])


class ForgetsWhenSaved(keras.optimizers.Lion):
    """Lion that hands its averages over to what is saved."""

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for variable in self.variables[2:]:
            variable.assign(0 * variable.value)


def test_adapters_keep_their_promises():
    assert_backend_conforms("keras", select="lion or relu or layer_norm", dtypes=["float64"], isolate=False)


@pytest.mark.parametrize("formula", ["gd", "adam_eps_hat", "lion"])
def test_keras_follows_its_formulas(formula):
    assert run("keras", select=f"{formula}. and optimizers", dtypes=["float64"]).conforms


def test_what_keras_computes_in_single_precision_is_known():
    report = run("keras", select="rms_norm", dtypes=["float64", "float32"])

    assert report.conforms
    assert {record.dtype for record in report.checks if record.status == "expected-deviation"} == {"float64"}


@pytest.mark.parametrize(("name", "evaluation"), [("jax", ""), ("torch", "one_pass")])
def test_what_torch_alone_does_is_claimed_and_expected_on_torch_alone(monkeypatch, name, evaluation):
    monkeypatch.setattr(keras.backend, "backend", lambda: name)
    implementations = {each.label: each for each in backend().implementations}
    norm, loss = (implementations[f"keras.{label}"] for label in ("layers.BatchNormalization", LOSS))

    assert norm.evaluation == evaluation
    assert ("slices_apart" in {known.property for known in norm.expected}) == (name == "torch")
    assert bool(loss.expected) == (name == "torch")


def test_a_loss_divided_in_single_precision_is_known_where_it_is():
    report = run("keras", select="loss_cross_entropy and follows", dtypes=["float64"])

    expected = "expected-deviation" if keras.backend.backend() == "torch" else "conforms"
    assert [record.status for record in report.checks] == [expected]


def test_a_learning_rate_within_the_velocity_is_told():
    report = check(keras.optimizers.SGD, "momentum_heavy_ball", dtypes=["float64"])

    assert report.status == "deviates"
    assert "this is momentum_heavy_ball_rate_inside" in report.summary()


def test_an_optimizer_is_its_own_adapter():
    assert check(keras.optimizers.Adagrad, "adagrad", dtypes=["float64"]).status == "deviates"
    assert check(Uncorrected, "rmsprop_eps_inside", dtypes=["float64"]).status == "deviates"
    assert check(keras.optimizers.RMSprop, "rmsprop_eps_inside", dtypes=["float64"]).conforms


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (keras.optimizers.Lion, "lion: Move every coordinate"),
        (keras.optimizers.SGD, "sgd_l2, but momentum: decaying sum (heavy ball); learning rate: inside the velocity"),
    ],
)
def test_an_optimizer_is_identified(target, named):
    (dialect,) = identify(target, dtypes=["float64"]).dialects

    assert dialect.startswith(named)


def test_a_schedule_is_identified_in_its_own_precision():
    found = identify(keras.optimizers.schedules.CosineDecay)

    assert found.formula == "schedule_cosine_to_10pct_down_to_zero"
    assert list(found.precision) == ["float32"]


def test_what_claims_no_formula_has_laws():
    judged = {record.name: record.outcome for record in laws(keras.optimizers.SGD).records}

    assert judged["decay_times_learning_rate"] == "holds"
    assert judged["gradient_scale_ignored"] == "broken"


@pytest.mark.parametrize(
    ("constructor", "deviating"),
    [
        (keras.optimizers.Lion, set()),
        (KeepsItsAverages, {"resuming_changes_nothing", "rewinding_changes_nothing"}),
        (ForgetsWhenSaved, {"saving_changes_nothing"}),
    ],
)
def test_what_an_optimizer_does_with_what_is_saved_is_told(constructor, deviating):
    spellings = {"learning_rate": "learning_rate", "beta1": "beta_1", "beta2": "beta_2", "weight_decay": "weight_decay"}
    factory = OptimizerFactory(constructor, spellings)
    sibling = Implementation("lion", constructor.__name__, factory, ("float32",), missing_gradients=False)
    select = "(follows or changes_nothing) and not copying"
    report = run(Backend("siblings", "1", (sibling,)), select=select, dtypes=["float32"])

    found = {record.property: record.status for record in report.checks}
    assert found == dict.fromkeys(found, "conforms") | dict.fromkeys(deviating, "deviates")
    assert len(found) == 4


def test_what_a_check_changes_in_keras_is_as_before():
    before = keras.config.floatx()
    check(keras.optimizers.SGD, "gd", dtypes=["float64"])

    assert keras.config.floatx() == before
