"""Long short-term memory: worked values, settled gates, and torch's cell."""

import numpy as np
import pytest
import sympy
import torch

from oracle.arithmetic.curves import affine, affine_pair
from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision
from oracle.arithmetic.rounding import given
from oracle.arithmetic.symbols import SymbolArray
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.gating.lstm import lstm_cell, lstm_hidden, lstm_parameters
from tests.helpers.arguments import plain_arguments

ARRAYS = plain_arguments(lstm_cell)
FORGET, ENTRY, OUTPUT, CANDIDATE = range(4)

both = pytest.mark.parametrize("formula", [lstm_cell, lstm_hidden], ids=lambda formula: formula.id)


def one_unit(x, hidden, cell, w=(0, 0, 0, 0), u=(0, 0, 0, 0), b=(0, 0, 0, 0)):
    """Arrays of one sample, one input and one unit; parameters by gate."""
    return (
        *(np.full((1, 1), float(value)) for value in (x, hidden, cell)),
        *(np.array(values, dtype=float).reshape(4, 1, 1) for values in (w, u)),
        np.array(b, dtype=float).reshape(4, 1),
    )


def test_one_unit_as_worked_by_hand():
    # Gates of 0 are a half; a candidate of 0 is 0.
    assert exact(lstm_cell, *one_unit(1, 1, 3)).tolist() == [[1.5]]
    # Only the candidate has an argument, 2 * 1 - 1 * 1 - 1 = 0.
    assert exact(lstm_cell, *one_unit(1, 1, 3, w=(0, 0, 0, 2), u=(0, 0, 0, -1), b=(0, 0, 0, -1))).tolist() == [[1.5]]
    assert exact(lstm_hidden, *one_unit(1, 1, 0)).tolist() == [[0.0]]


@pytest.mark.parametrize("gate", [FORGET, ENTRY, OUTPUT, CANDIDATE])
def test_the_order_of_the_gates_is_forget_entry_output_candidate(gate):
    bias, sigma = [0, 0, 0, 0], 1 / (1 + sympy.exp(-1))
    bias[gate] = 1
    x, c = sympy.Integer(0), sympy.Symbol("c")
    arrays = [SymbolArray(np.full((1, 1), value, dtype=object)) for value in (x, x, c)]
    arrays += [SymbolArray(np.zeros((4, 1, 1)))] * 2 + [SymbolArray(np.array(bias, dtype=object).reshape(4, 1))]
    cell = {FORGET: sigma * c, CANDIDATE: c / 2 + sympy.tanh(1) / 2}.get(gate, c / 2)

    assert sympy.simplify(lstm_cell.body(*arrays).elements.item() - cell) == 0
    shown = lstm_hidden.body(*arrays).elements.item()
    assert sympy.simplify(shown - (sigma if gate == OUTPUT else sympy.Rational(1, 2)) * sympy.tanh(cell)) == 0


def test_settled_gates_keep_or_replace_the_cell():
    far = 2000.0

    assert exact(lstm_cell, *one_unit(1, 1, 0.1, b=(far, -far, 0, 5))).tolist() == [[0.1]]
    assert exact(lstm_cell, *one_unit(1, 1, 0.1, b=(-far, far, 0, far))).tolist() == [[1.0]]
    assert exact(lstm_hidden, *one_unit(1, 1, 9.0, b=(0, 0, -far, 0))).tolist() == [[0.0]]


def test_without_parameters_the_cell_is_halved_at_every_step():
    cell = np.full((1, 1), 3.0)
    for _ in range(5):
        cell = exact(lstm_cell, *one_unit(1, 1, cell.item()))

    assert cell.tolist() == [[3.0 / 2**5]]


@both
def test_torch_agrees_within_the_bound(formula):
    x, hidden, cell, w, u, b = map(torch.tensor, ARRAYS)
    torchs = [1, 0, 3, 2]  # its order: input gate, forget gate, candidate, output gate
    units = cell.shape[1]
    module = torch.nn.LSTMCell(x.shape[1], units, dtype=torch.float64)
    with torch.no_grad():
        module.weight_ih.copy_(w[torchs].transpose(1, 2).reshape(4 * units, -1))
        module.weight_hh.copy_(u[torchs].transpose(1, 2).reshape(4 * units, -1))
        module.bias_ih.copy_(b[torchs].flatten())
        module.bias_hh.zero_()
        shown, kept = module(x, (hidden, cell))
    enclosure = bound(formula, *ARRAYS, precision=Precision(FLOAT64, FLOAT64, FLOAT64))

    assert (enclosure.ratio((kept if formula is lstm_cell else shown).numpy()) <= 1).all()


def test_parameters_are_counted_as_torch_counts_them():
    module = torch.nn.LSTMCell(3, 5)
    counted = sum(parameter.numel() for parameter in module.parameters())

    assert lstm_parameters(3, 5, biases=2) == counted
    assert lstm_parameters(3, 5) == counted - 4 * 5


def test_an_entry_of_a_rounded_array_carries_its_own_bound():
    precision = Precision(FLOAT32, FLOAT32, FLOAT64)
    whole = given(np.array([[1.0, 2.0], [0.5, 4.0]]), precision) * 0.1
    entry = whole[1]

    assert entry.shape == (2,)
    assert entry.error.tolist() == whole.error[1].tolist()
    assert (entry * 1.0).error.tolist() == (whole * 1.0).error[1].tolist()


def test_terms_of_both_maps_may_be_added_in_any_order():
    precision = Precision(FLOAT32, FLOAT32, FLOAT64)
    large, small = np.array([[2.0**20]]), FLOAT32.round(np.full((1, 40), 1 / 3))
    arrays = (np.ones((1, 1)), large, small, np.ones((40, 1)), -large[0])
    x, w, hidden, u, b = (given(array, precision) for array in arrays)
    total = np.float32(large.item())
    for term in (*small.ravel(), -large.item()):
        total = np.float32(total + np.float32(term))
    off = abs(float(total) - float(np.sum(small)))

    # One map after the other does not let the terms of the first meet the additions of the second.
    assert off > affine(hidden, u, affine(x, w, b)).error.item()
    assert off <= affine_pair(x, w, hidden, u, b).error.item()


@both
def test_a_number_that_is_not_finite_is_refused(formula):
    *others, b = ARRAYS

    with pytest.raises(DomainError, match="b must be finite"):
        exact(formula, *others, b + np.inf)
