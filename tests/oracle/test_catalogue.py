"""What must hold of every formula, whatever it computes."""

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from oracle.arithmetic.balls import balls, working_precision
from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision
from oracle.arithmetic.symbols import symbol_array
from oracle.bound import bound
from oracle.catalogue import ALIASES, FORMULAS, get
from oracle.dialects import neighbour
from oracle.domains import Domain
from oracle.errors import UnknownFormulaError
from oracle.formula import initial_state
from tests.helpers.arguments import plain_arguments, symbolic_arguments
from tests.helpers.rates import STEPS, rates, settings

ROOT = Path(__file__).parents[2]

NUMBERS = {
    "learning_rate": 0.5,
    "beta1": 0.75,
    "beta2": 0.875,
    "eps": 0.125,
    "momentum": 0.75,
    "alpha": 0.75,
    "dampening": 0.375,
    "l2_penalty": 0.25,
    "weight_decay": 0.25,
    "schedule_multiplier": 0.5,
    "clip_value": 1.0,
    "max_norm": 1.0,
    "keep": 0.75,
    "regression_weight": 0.25,
}

ARRAYS = (np.array([0.5, 3.0]), np.array([1.0, -2.0]), np.array([0.25, 1.5]))


def arguments(formula):
    """Arrays for a function."""
    return plain_arguments(formula) or ARRAYS[: len(formula.arrays)]


every_formula = pytest.mark.parametrize("formula", FORMULAS, ids=lambda record: record.id)


def evaluate(formula, number):
    """Three steps of an optimizer, one call of a function, or some rates, in the number system of ``number``."""
    if formula.kind == "schedule":
        return rates(formula, number)
    values = {name: number(NUMBERS[name]) for name in formula.hyperparameters}
    param, grad = number(np.array([1.0, -2.0])), number(np.array([0.5, 3.0]))
    if formula.kind == "function":
        given = zip(formula.arrays, arguments(formula), strict=True)
        return formula(*(x if name in formula.integers else number(x) for name, x in given), **values)
    state = initial_state(formula.state_type, 0 * param)
    for _ in range(3):
        param, state = formula(param, grad, state, **values)
    return param


def in_balls(formula):
    with working_precision(256):
        return evaluate(formula, balls).elements.astype(np.float64)


def near(left, right):
    """Float64 results of a few dozen operations whose terms do not exceed 100."""
    return bool((np.abs(np.asarray(left) - np.asarray(right)) <= 100 * 64 * 2.0**-53).all())


def with_neighbours(formula):
    return (formula, *(neighbour(formula, id) for id in formula.neighbours))


@every_formula
def test_every_formula_and_neighbour_runs_in_balls_and_numpy_alike(formula):
    for record in with_neighbours(formula):
        assert near(evaluate(record, lambda value: value), in_balls(record))


@pytest.mark.parametrize("formula", [f for f in FORMULAS if f.kind != "schedule"], ids=lambda record: record.id)
def test_every_formula_and_neighbour_runs_on_torch_tensors_in_float64(formula):
    def number(value):
        return torch.tensor(value) if isinstance(value, np.ndarray) else value

    for record in with_neighbours(formula):
        result = evaluate(record, number)

        assert result.dtype == torch.float64
        assert near(result.numpy(), in_balls(record))


@every_formula
def test_every_formula_and_neighbour_runs_in_symbols(formula):
    values = {name: symbol_array(name, positive=True) for name in formula.hyperparameters}
    param, grad = symbol_array("theta", real=True), symbol_array("g", real=True)
    for record in with_neighbours(formula):
        if record.kind == "schedule":
            lengths = {name: value for name, value in settings(formula).items() if name in formula.lengths}
            result = record(4, **{**values, **lengths})
        elif record.kind == "function":
            result = record(*symbolic_arguments(formula, 2), **values)
        else:
            result, _ = record(param, grad, initial_state(record.state_type, 0 * param), **values)

        assert all(element.free_symbols for element in result.elements.flat)


@every_formula
@pytest.mark.parametrize("storage", [FLOAT64, FLOAT32], ids=lambda form: form.name)
def test_every_formula_and_neighbour_runs_under_rounding(formula, storage):
    precision = Precision(storage, storage, FLOAT64)
    arrays = (np.array([1.0, -2.0]), np.array([0.5, 3.0]))
    schedule = formula.kind == "schedule"
    values = settings(formula) if schedule else {name: NUMBERS[name] for name in formula.hyperparameters}
    for record in with_neighbours(formula):
        if schedule:
            enclosure, expected = bound(record, np.array(STEPS), precision=precision, **values), rates(record)
        elif record.kind == "function":
            enclosure = bound(record, *arguments(formula), precision=precision, **values)
            expected = record(*arguments(formula), **values)
        else:
            enclosure, _ = bound(record, *arrays, precision=precision, **values)
            expected, _ = record(*arrays, initial_state(record.state_type, np.zeros(2)), **values)

        assert near(enclosure.midpoint, expected)
        assert (enclosure.error >= 0).all()


@every_formula
def test_a_formula_has_enough_neighbours_that_resolve(formula):
    assert len(set(formula.neighbours)) == len(formula.neighbours)
    assert len(formula.neighbours) >= (6 if formula.kind == "optimizer" else 3)
    assert formula.id not in formula.neighbours
    assert all(neighbour(formula, id).id == id for id in formula.neighbours)


def test_ids_are_unique_and_aliases_lead_to_them():
    ids = [formula.id for formula in FORMULAS]

    assert len(set(ids)) == len(ids)
    assert not set(ALIASES) & set(ids)
    assert set(ALIASES.values()) <= set(ids)


def test_the_catalogue_is_asked_by_id_and_by_alias():
    assert all(get(formula.id) is formula for formula in FORMULAS)
    assert get("sgd") is get("gd")


def test_an_unknown_id_lists_the_three_nearest():
    with pytest.raises(UnknownFormulaError) as refusal:
        get("adam_w")

    assert re.fullmatch(r"no formula has the id 'adam_w'; the nearest are (\w+, ){2}\w+", str(refusal.value))
    assert "adamw" in str(refusal.value)


@every_formula
def test_the_id_is_the_name_of_the_body(formula):
    assert formula.body.__name__ == formula.id


@every_formula
def test_the_docstring_has_every_section_and_the_equation(formula):
    text = inspect.cleandoc(formula.body.__doc__)
    sections = re.findall(r"^(\w+)\n-+$", text, flags=re.MULTILINE)

    assert sections == ["Parameters", "Returns", "Raises", "Notes", "Examples"]
    assert formula.title.endswith(".")
    assert formula.latex
    assert ">>> " in text


@every_formula
def test_the_docstring_names_every_argument(formula):
    text = inspect.cleandoc(formula.body.__doc__)
    listed = re.search(r"Parameters\n-+\n(.*?)\n\nReturns", text, flags=re.DOTALL)[1]
    names = {name for line in re.findall(r"^(\S.*?) : ", listed, flags=re.MULTILINE) for name in line.split(", ")}

    assert names == set(inspect.signature(formula.body).parameters)


@every_formula
def test_every_hyperparameter_has_a_domain_that_holds_what_is_drawn(formula):
    assert set(formula.domain) == set(formula.draw) == set(formula.hyperparameters)
    for name, drawn in formula.draw.items():
        declared = formula.domain[name]

        assert isinstance(drawn, Domain)
        assert declared.low <= drawn.low
        assert drawn.high <= declared.high


@every_formula
def test_citations_are_in_the_bibliography_and_have_a_place(formula):
    keys = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(encoding="utf-8"), flags=re.MULTILINE))

    assert formula.source
    for citation in formula.source:
        key, _, place = citation.partition(", ")
        assert key in keys
        assert place


def test_every_reference_is_cited():
    keys = re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(encoding="utf-8"), flags=re.MULTILINE)
    cited = {citation.partition(", ")[0] for formula in FORMULAS for citation in formula.source}

    assert len(set(keys)) == len(keys)
    assert set(keys) == cited


@every_formula
def test_the_module_of_a_formula_has_tests_that_mention_it(formula):
    module = Path(inspect.getfile(formula.body)).relative_to(ROOT)
    tests = ROOT / "tests" / module.parent / f"test_{module.name}"

    assert re.search(rf"\b{formula.id}\b", tests.read_text(encoding="utf-8"))


@every_formula
def test_bodies_never_branch_on_arrays(formula):
    tree = ast.parse(inspect.cleandoc(inspect.getsource(formula.body)))
    tested = [node.test for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp | ast.While)]

    names = {node.id for test in tested for node in ast.walk(test) if isinstance(node, ast.Name)}
    whole_numbers = {"step", *formula.lengths} if formula.kind == "schedule" else set()
    assert names <= whole_numbers or all(ast.unparse(test) == "step == 1" for test in tested)
