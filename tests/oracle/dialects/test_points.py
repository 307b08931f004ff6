"""The tables of points, and the way from a formula to one of them."""

import numpy as np
import pytest

from oracle.catalogue import FORMULAS, get
from oracle.dialects import FAMILIES, neighbour, relatives
from oracle.errors import UnknownFormulaError
from oracle.exact import exact
from oracle.optimizers.adam import adam, adam_eps_hat
from oracle.optimizers.adamw import adamw, adamw_paper_scaling
from oracle.trajectory import trajectory
from tests.helpers.arguments import plain_arguments
from tests.helpers.rates import STEPS, settings

PARAM = np.array([0.75, -2.0, 0.03125, 1.0])
GRADS = [
    np.array([0.5, -0.25, 2.0, 0.0]),
    np.array([-1.0, 0.125, 0.5, 1.0]),
    np.array([0.25, 3.0, -0.0625, -0.5]),
]
ARRAYS = {
    "grad": np.array([0.75, -0.25, 2.0, -1.5]),
    "x": np.array([[0.75, -0.25, 2.0], [1.5, 0.5, -3.0], [-0.125, 1.0, 0.25], [4.0, -2.0, 1.25]]),
    "weight": np.array([2.0, -0.5, 1.5]),
    "bias": np.array([0.25, 3.0, -1.0]),
    "running": np.array([0.5, 2.0, 1.0]),
}

VALUES = {
    "beta1": 0.75,
    "beta2": 0.875,
    "eps": 0.125,
    "momentum": 0.75,
    "alpha": 0.75,
    "dampening": 0.375,
    "l2_penalty": 0.25,
    "weight_decay": 0.25,
    "schedule_multiplier": 0.5,
    "keep": 0.75,
    "regression_weight": 0.25,
}
RATES = (0.5, 0.25, 0.75)  # it changes, which is all that tells a rate inside the buffer from one outside


def outputs(record, thresholds=(1.0, 4.0)):
    """Exact results on inputs that tell all points apart."""
    if record.kind == "schedule":
        values = settings(record)
        raised = {**values, **{name: 2 * values["peak_value"] for name in values if name == "end_value"}}
        return [exact(record, step, **each) for each in (values, raised) for step in STEPS]
    if record.kind == "function":
        arrays = plain_arguments(record) or [ARRAYS[name] for name in record.arrays]
        calls = [{name: VALUES.get(name, value) for name in record.hyperparameters} for value in thresholds]
        return [exact(record, *arrays, **call) for call in calls]
    fixed = {name: VALUES[name] for name in record.hyperparameters if name != "learning_rate"}
    path, _ = exact(
        trajectory(record), PARAM, GRADS, hyperparameters=[{"learning_rate": rate, **fixed} for rate in RATES]
    )
    return path


def differ(left, right):
    return any((a != b).any() for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda record: record.id)
def test_every_relative_of_a_formula_differs_from_it(formula):
    expected = outputs(formula)

    assert [relative.id for relative in relatives(formula) if not differ(outputs(relative), expected)] == []


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda record: record.id)
def test_neighbours_are_relatives(formula):
    assert set(formula.neighbours) <= {relative.id for relative in relatives(formula)}


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda record: record.id)
def test_neighbours_take_the_hyperparameters_of_the_formula_and_say_what_they_do(formula):
    for id in formula.neighbours:
        record = neighbour(formula, id)

        assert record.id == id
        assert record.hyperparameters == formula.hyperparameters
        assert record.domain is formula.domain
        assert record.title


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda record: record.id)
def test_named_formulas_come_first_among_relatives(formula):
    ids = [relative.id for relative in relatives(formula)]
    named = [id in {record.id for record in FORMULAS} for id in ids]

    assert named == sorted(named, reverse=True)
    assert len(ids) == len(set(ids))
    assert formula.id not in ids


def test_no_two_families_share_an_id():
    ids = [id for family in FAMILIES for id in family.points]

    assert len(ids) == len(set(ids))


def test_a_change_of_the_claimed_formula_is_told_plainly():
    assert neighbour(adamw, "adamw_eps_hat").title == "epsilon is added before the bias correction (eps-hat form)"


def test_a_change_of_another_formula_names_it():
    title = neighbour(adamw, "adam_l2_eps_inside").title

    assert title == "as adam_l2, but epsilon is added inside the root"


def test_a_named_neighbour_keeps_its_own_title():
    assert neighbour(adam, "adam_eps_hat").title == adam_eps_hat.title


def test_a_schedule_s_multiplier_becomes_part_of_the_learning_rate():
    arguments = {"beta1": 0.75, "beta2": 0.875, "eps": 0.125, "weight_decay": 0.25}
    bridged = neighbour(adamw_paper_scaling, "adamw")
    split, _ = exact(
        trajectory(bridged),
        PARAM,
        GRADS,
        hyperparameters={**arguments, "learning_rate": 0.5, "schedule_multiplier": 0.25},
    )
    whole, _ = exact(trajectory(adamw), PARAM, GRADS, hyperparameters={**arguments, "learning_rate": 0.125})

    assert not differ(split, whole)


def test_a_penalty_is_handed_on_as_weight_decay():
    arguments = {"learning_rate": 0.5, "beta1": 0.75, "beta2": 0.875, "eps": 0.125}
    bridged = neighbour(get("adam_l2"), "adamw")
    penalised, _ = exact(trajectory(bridged), PARAM, GRADS, hyperparameters={**arguments, "l2_penalty": 0.25})
    decayed, _ = exact(trajectory(adamw), PARAM, GRADS, hyperparameters={**arguments, "weight_decay": 0.25})

    assert not differ(penalised, decayed)


@pytest.mark.parametrize(("formula", "multiplier"), [(adamw, {}), (adamw_paper_scaling, {"schedule_multiplier": 1.0})])
def test_a_decay_after_the_step_is_worked_by_hand(formula, multiplier):
    arguments = {"learning_rate": 0.5, "beta1": 0.5, "beta2": 0.5, "eps": 1.0, "weight_decay": 0.25, **multiplier}
    after = neighbour(formula, f"{formula.id}_decay_after")
    path, _ = exact(trajectory(after), np.array([2.0]), [np.array([1.0])], hyperparameters=arguments)

    rate = multiplier.get("schedule_multiplier", arguments["learning_rate"])
    assert path[0].tolist() == [1.75 * (1 - 0.25 * rate)]  # 2 - 0.5 * 1 / (1 + 1), and what the decay leaves of it


@pytest.mark.parametrize("id", ["momentum_ema", "adamw", "adam_with_everything"])
def test_what_cannot_be_evaluated_is_refused(id):
    with pytest.raises(UnknownFormulaError) as refusal:
        neighbour(adam, id)

    assert str(refusal.value) == f"adam has no relative with the id {id!r}"
