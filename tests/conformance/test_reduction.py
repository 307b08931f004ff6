"""Counterexamples are reduced without leaving what a claim speaks of, within a budget, and always alike."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, islice

import numpy as np
import pytest

from conformance.backends import Implementation
from conformance.backends.torch import backend
from conformance.faults.decay import ADAMW
from conformance.faults.descent import GD, HEAVY_BALL
from conformance.faults.lion import LION
from conformance.faults.programs import Program
from conformance.reduction import Retrial, reduced
from conformance.session import Session, fingerprint
from conformance.specimen import Specimen
from conformance.witness import Witness
from oracle.arithmetic.formats import precision_models
from oracle.catalogue import get
from properties.cases import Call, Step, Training
from properties.catalogue import claims_for
from properties.claims import Space, Violation
from properties.differential import optimizer_follows_the_formula
from properties.optimizers.adaptive import constant_gradient
from properties.reduction.calls import simpler_calls
from properties.reduction.trainings import simpler_trainings
from properties.strategies.trainings import PLANS
from properties.subject import Group
from tests.helpers.judging import a_training
from tests.helpers.quick import at_home, session

PRECISION = precision_models("float64")[-1]
RIGHT = {"gd": GD, "adamw": ADAMW, "lion": LION, "momentum_heavy_ball": HEAVY_BALL}
FUNCTIONS = {
    entry.formula: entry.factory
    for entry in backend().implementations
    if get(entry.formula).kind != "optimizer" and not entry.expected and not entry.fixed
}
WHERE = Violation("", quantity="param", step=2, tensor=0, index=1)


def specimen(factory, formula):
    return Specimen(
        Implementation(formula, "mine", factory, ("float64",)), "float64", "cpu", Session("quick", 0).counts
    )


def simpler(inputs, formula, violation=WHERE):
    """All inputs of one run that are a step simpler."""
    space = Space(get(formula), "float64", "quick")
    (name,) = (name for name, value in inputs.items() if isinstance(value, Training | Call))
    ways = (simpler_trainings if isinstance(inputs[name], Training) else simpler_calls)(inputs[name], violation, space)
    return ({**inputs, name: run} for run in chain(*ways))


def smallest(claim, formula, count):
    """The smallest cases of a claim."""
    return sorted(session().cases(claim, get(formula), "float64"), key=lambda case: case.size)[:count]


@pytest.mark.parametrize("kind", [kind for kind, plan in PLANS.items() if plan.cases >= 1])
def test_simpler_trainings_hang_together(kind):
    session = Session("quick", 0)
    cases = session.cases(optimizer_follows_the_formula, get("adamw"), "float64")
    start = sum(PLANS[other].cases for other in list(PLANS)[: list(PLANS).index(kind)])
    training = cases[start].inputs["training"]

    found = [inputs["training"] for inputs in simpler({"training": training}, "adamw")]

    assert found
    for other in found:
        assert sorted(tensor for group in other.groups for tensor in group.tensors) == list(range(len(other.params)))
        assert other.steps
        for step in other.steps:
            assert set(step.changes) <= set(range(len(other.groups)))
            shapes = [param.shape for param in other.params]
            assert all(grad is None or grad.shape == shape for grad, shape in zip(step.grads, shapes, strict=True))
        for values in chain.from_iterable(other.hyperparameters()):
            get("adamw").require(values)
    assert len({fingerprint(other) for other in found} - {fingerprint(training)}) > len(found) / 2


def test_a_group_that_loses_its_tensors_takes_its_changes_and_its_arrival_along():
    one = np.ones(1)
    groups = Group((0,), {"learning_rate": 1.0}), Group((1,), {"learning_rate": 0.5})
    steps = (
        Step((one, None)),
        Step((one, one), {0: {"learning_rate": 0.25}, 1: {"learning_rate": 0.125}}, ("add_group",)),
    )
    training = Training((one, one), groups, steps)

    alone = [
        inputs["training"] for inputs in simpler({"training": training}, "gd") if len(inputs["training"].params) == 1
    ]
    (first, *_), (second, *_) = (
        [each for each in alone if each.groups[0].hyperparameters == group.hyperparameters] for group in groups
    )

    assert first.steps[1].changes == {0: {"learning_rate": 0.25}}
    assert first.steps[1].events == ()
    assert second.steps[1].changes == {0: {"learning_rate": 0.125}}
    assert second.steps[1].events == ("add_group",)


@pytest.mark.parametrize(
    ("formula", "factory"),
    [
        at_home(formula, formula, factory, name=formula)
        for formula, factory in ({name: Program(rule) for name, rule in RIGHT.items()} | FUNCTIONS).items()
    ],
)
def test_what_is_right_fails_on_no_simpler_input_of_any_claim(formula, factory, draws):
    programs = [get(formula).programs[name] for name in get(formula).accepted()]
    for claim in claims_for(formula):
        retrials = [Retrial(claim, specimen(factory, formula), program, PRECISION) for program in programs]
        for case in smallest(claim, formula, draws(1, 4)):
            for inputs in islice(simpler(case.inputs, formula), 0, None, draws(23, 1)):
                assert not all(retrial.fails_alike(inputs) for retrial in retrials), (claim.name, inputs)


def an_adamw(lacking):
    """AdamW that lacks something in a step with this number."""

    def rule(theta, g, memory, h, t):
        return lacking(theta) if t == 3 else ADAMW(theta, g, memory, h, t)

    return specimen(Program(rule), "adamw")


def first_failure(subject, claim=optimizer_follows_the_formula):
    retrial = Retrial(claim, subject, get("adamw"), PRECISION)
    for case in Session("quick", 0).cases(claim, get("adamw"), "float64"):
        if violation := retrial.fails(case.inputs):
            return retrial, case.inputs, violation
    raise AssertionError("nothing fails")


SPACE = Space(get("adamw"), "float64", "quick")


def test_a_reduced_training_has_the_steps_it_needs_one_element_and_numbers_of_one_digit():
    retrial, inputs, violation = first_failure(an_adamw(lambda theta: theta))

    found, failure = reduced(inputs, violation, retrial.fails_alike, SPACE, 200)

    training = found["training"]
    assert failure.step == len(training.steps) == 3
    assert [param.shape for param in training.params] == [(1,)]
    assert all(step.grads[0] in (0.0, 1.0) for step in training.steps)
    assert training.groups[0].hyperparameters == {
        "learning_rate": 1.0, "beta1": 0.5, "beta2": 0.5, "eps": 1.0, "weight_decay": 0.5
    }  # fmt: skip


def test_the_same_is_reduced_to_the_same():
    once, again = (
        reduced(inputs, violation, retrial.fails_alike, SPACE, 200)
        for retrial, inputs, violation in (
            first_failure(an_adamw(lambda theta: theta)),
            first_failure(an_adamw(lambda theta: theta)),
        )
    )

    assert fingerprint(once[0]) == fingerprint(again[0])


@pytest.mark.parametrize("budget", [0, 1, 7, 50])
def test_a_search_keeps_within_its_budget_and_to_what_fails(budget):
    retrial, inputs, violation = first_failure(an_adamw(lambda theta: theta))
    tried = []

    def fails(candidate):
        tried.append(fingerprint(candidate))
        return retrial.fails_alike(candidate)

    found, failure = reduced(inputs, violation, fails, SPACE, budget)

    assert len(tried) == len(set(tried)) == min(budget, len(tried))
    assert budget > 1 or found is inputs
    assert str(retrial.fails(found)) == str(failure)


def test_a_search_does_not_go_over_to_another_way_to_fail():
    training = a_training({"learning_rate": 0.5}, params=[1.0, 2.0], grads=[[3.0, 4.0]])
    numbers, shape = (Violation("", quantity="param", step=1, low=low) for low in (0.0, None))
    state = Violation("", quantity="exp_avg", step=1, low=0.0)

    def fails(inputs):
        (param,) = inputs["training"].params
        return numbers if param.size == 2 and param[0] == 1.0 else shape if param.size == 1 else state

    found, failure = reduced({"training": training}, numbers, fails, Space(get("gd"), "float64", "quick"), 200)

    assert failure is numbers
    assert found["training"].params[0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("matters", [True, False])
def test_arrays_lie_in_one_piece_unless_that_matters(matters):
    strided = np.arange(1.0, 13.0).reshape(3, 4)[:, ::2]
    training = Training((strided,), (Group((0,), {"learning_rate": 0.5}),), (Step((strided,)),))
    wrong = Violation("", quantity="param", step=1, tensor=0, low=0.0)

    def fails(inputs):
        (param,) = inputs["training"].params
        return wrong if param.shape == (3, 2) and not (matters and param.flags.c_contiguous) else None

    found, _ = reduced({"training": training}, wrong, fails, Space(get("gd"), "float64", "quick"), 200)

    (param,) = found["training"].params
    assert param.flags.c_contiguous == (not matters)
    assert param.tolist() == [[0.0, 0.0]] * 3


def test_inputs_on_which_the_formula_itself_fails_are_none_of_the_claims():
    retrial = Retrial(constant_gradient, specimen(Program(GD), "adagrad"), get("adagrad"), PRECISION)
    values = {"learning_rate": 0.5, "eps": 1.0}
    constant, varied = (
        {"training": a_training(values, params=[1.0], grads=[[1.0], [1.0], [grad]])} for grad in (1.0, 2.0)
    )

    assert retrial.fails_alike(constant)
    assert retrial.fails(varied)
    assert retrial.fails_alike(varied) is None


@pytest.mark.parametrize("error", [ValueError, IndexError, ZeroDivisionError])
def test_inputs_that_a_check_cannot_be_run_on_are_none_of_the_claims(error):
    def check(bench, training):
        raise error("the draws see to that")

    retrial = Retrial(replace(optimizer_follows_the_formula, check=check), an_adamw(np.copy), get("adamw"), PRECISION)
    inputs = {"training": a_training({}, params=[1.0], grads=[])}

    assert retrial.fails_alike(inputs) is None
    with pytest.raises(error):
        retrial.fails(inputs)


def test_the_witness_shows_exact_results_rounded_once():
    session = Session("quick", 0)
    training = a_training({"learning_rate": 0.125, "momentum": 0.75}, params=[1.0], grads=[[1.0], [0.1]])
    formula = get("momentum_heavy_ball")
    witness = Witness(specimen(Program(HEAVY_BALL), formula.id), session, formula, PRECISION)

    shown = witness.train(training)

    assert [params[0].tolist() for params in shown.params] == [[0.875], [0.76875]]
    assert [states[0]["momentum_buffer"].tolist() for states in shown.states] == [[1.0], [0.85]]
    assert shown.grads[1] is training.steps[1].grads


def test_the_witness_of_a_function_returns_its_exact_result():
    witness = Witness(specimen(None, "relu"), Session("quick", 0), get("relu"), PRECISION)

    assert witness.call(Call((np.array([-1.0, 2.0]),), {})).tolist() == [0.0, 2.0]
