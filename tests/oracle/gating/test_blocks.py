"""Feed-forward blocks with a gated unit."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from oracle.activations.relu import relu
from oracle.activations.silu import silu
from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.bound import bound
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.gating.blocks import ffn_glu, ffn_glu_hidden_size, ffn_parameters, ffn_swiglu, glu_generic
from oracle.gating.gates import swiglu
from tests.helpers.arguments import plain_arguments

X, W, V, W2 = ARRAYS = plain_arguments(ffn_swiglu)


def test_one_number_goes_through_as_worked_by_hand():
    one = np.ones((1, 1))

    # 3 * max(-2, 0) = 0, and 3 * 6 = 18 twice.
    x = np.array([[-2.0], [3.0]])
    fed = exact(lambda *arrays: ffn_glu(*arrays, activation=relu.body), x, one, 2 * one, one)
    assert fed.tolist() == [[0.0], [18.0]]
    # With SiLU(2) = 1.76159415595576..., times 2 and 1.
    assert float(exact(ffn_swiglu, 2 * one, one, one, one).item()) == float(2 * exact(silu, 2.0))


def test_it_is_the_generic_block_with_silu_and_swiglu_before_a_matrix():
    block = exact(ffn_swiglu, *ARRAYS)
    none = np.zeros(2)

    assert exact(lambda *arrays: ffn_glu(*arrays, activation=silu.body), *ARRAYS).tolist() == block.tolist()
    unit = exact(lambda x, w, v, w2, b: x.namespace.matmul(swiglu.body(x, w, b, v, b), w2), *ARRAYS, none)
    assert unit.tolist() == block.tolist()
    generic = exact(lambda x, w, v, b: glu_generic(x, w, b, v, b, activation=silu.body), X, W, V, none)
    assert generic.tolist() == exact(swiglu, X, W, none, V, none).tolist()


def test_torch_agrees_within_the_bound():
    x, w, v, w2 = map(torch.tensor, ARRAYS)
    theirs = (torch.nn.functional.silu(x @ w) * (x @ v)) @ w2
    enclosure = bound(ffn_swiglu, *ARRAYS, precision=Precision(FLOAT64, FLOAT64, FLOAT64))

    assert (enclosure.ratio(theirs.numpy()) <= 1).all()
    assert (enclosure.error < 1e-12).all()


def test_the_width_of_usual_models():
    assert [ffn_glu_hidden_size(4 * width) for width in (768, 4096)] == [2048, F(32768, 3)]
    assert ffn_parameters(768, 3072, gated=False, biases=False) == ffn_parameters(768, 2048, gated=True, biases=False)


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(DomainError, match="w2 must be finite"):
        exact(ffn_swiglu, X, W, V, W2 + np.inf)
