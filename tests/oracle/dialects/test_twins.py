"""Each named formula equals its place in the family's body: symbols prove it at three steps."""

import pytest
import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import FORMULAS
from oracle.dialects import FAMILIES
from oracle.dialects.family import SPELLING
from tests.helpers.arguments import symbolic_arguments
from tests.helpers.rates import LENGTHS, STEPS


def family_of(formula):
    (family,) = [family for family in FAMILIES if formula in family.named]
    return family


def same(left, right):
    differences = [a - b for a, b in zip(left.elements.flat, right.elements.flat, strict=True)]
    return all(difference == 0 or sympy.simplify(difference) == 0 for difference in differences)


def positive(name):
    return symbol_array(name, positive=True)


def remembered(state_type, step):
    """Any memory: the same symbols in every state type."""
    return state_type(**{name: step - 1 if name == "step" else positive(name) for name in state_type._fields})


@pytest.mark.parametrize("formula", [f for f in FORMULAS if f.kind == "optimizer"], ids=lambda record: record.id)
@pytest.mark.parametrize("step", [1, 2, 3])
def test_an_optimizer_equals_its_place_from_any_memory(formula, step):
    family = family_of(formula)
    values = {name: positive(name) for name in formula.hyperparameters}
    if "beta2" in values:  # s^2 = 1 - beta2^t, so that the root of the bias correction is a symbol
        root = sympy.Symbol("s", positive=True)
        values["beta2"] = SymbolArray((1 - root**2) ** sympy.Rational(1, step))
    spelled = {SPELLING.get(name, name): value for name, value in values.items()}
    param, grad = positive("theta"), positive("g")
    moved, state = formula.body(param, grad, remembered(formula.state_type, step), **values)
    twin_moved, twin_state = family.evaluate(formula.id)(param, grad, remembered(family.state_type, step), **spelled)

    assert same(moved, twin_moved)
    for name in state._fields:
        assert name == "step" or same(getattr(state, name), getattr(twin_state, name))


@pytest.mark.parametrize("formula", [f for f in FORMULAS if f.kind == "function"], ids=lambda record: record.id)
def test_a_function_equals_its_place(formula):
    arrays = symbolic_arguments(formula, 3)
    values = {name: positive(name) for name in formula.hyperparameters}
    spelled = {SPELLING.get(name, name): value for name, value in values.items()}

    assert same(formula.body(*arrays, **values), family_of(formula).evaluate(formula.id)(*arrays, **spelled))


@pytest.mark.parametrize("formula", [f for f in FORMULAS if f.kind == "schedule"], ids=lambda record: record.id)
def test_a_schedule_equals_its_place(formula):
    values = {name: LENGTHS.get(name, positive(name)) for name in formula.hyperparameters}
    twin = family_of(formula).evaluate(formula.id)

    assert all(same(formula.body(step, **values), twin(step, **values)) for step in STEPS)


def test_every_formula_lies_in_exactly_one_family():
    assert [sum(formula in family.named for family in FAMILIES) for formula in FORMULAS] == [1] * len(FORMULAS)
