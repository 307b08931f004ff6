"""The gradient of a batch: added up in any order, in floats too, and gathered from chunks."""

import itertools
from fractions import Fraction as F

import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.clipping.by_norm import clip_by_norm
from oracle.clipping.by_value import clip_by_value
from oracle.formula import NoState
from oracle.losses.regression import loss_squared_error
from oracle.normalization.batch_norm import batch_norm
from oracle.normalization.layer_norm import layer_norm
from oracle.optimizers.descent import gd
from oracle.training.accumulation import accumulated_mean, accumulated_sum, mean_of_chunk_means
from oracle.training.batches import batch_mean, batch_sum
from oracle.training.loop import trained
from oracle.training.risk import risk_sum
from tests.helpers.statements import statement

TERMS = [F(3), F(-1, 2), F(7), F(2, 3), F(-4)]
ROUNDOFF = F(1, 2**53)


def partitions(items):
    """Every way to split items into chunks, as lists of lists."""
    if not items:
        return [[]]
    first, *rest = items
    found = []
    for chunks in partitions(rest):
        found.append([[first], *chunks])
        found += [[*chunks[:k], [first, *chunks[k]], *chunks[k + 1 :]] for k in range(len(chunks))]
    return found


def in_pairs(terms):
    """Add neighbours, and the sums of neighbours, until one sum is left."""
    while len(terms) > 1:
        terms = [batch_sum(terms[place : place + 2]) for place in range(0, len(terms), 2)]
    return terms[0]


def averaged_in_pairs(terms):
    while len(terms) > 1:
        terms = [batch_mean(terms[place : place + 2]) for place in range(0, len(terms), 2)]
    return terms[0] * 5


@statement("batch_gradient_sum.C1", false={"means of neighbours": {"parallel": averaged_in_pairs}})
def test_one_after_another_and_in_pairs_the_gradients_have_the_same_sum(parallel=in_pairs):
    running = F(0)
    for term in TERMS:  # of which none is kept
        running += term

    assert running == parallel(TERMS) == batch_sum(TERMS)


@statement(
    "batch_gradient_sum",
    "batch_gradient_sum.P1",
    false={
        "the mean of the gradients": {"gathered": batch_mean},
        "without the last": {"gathered": lambda t: batch_sum(t[:-1])},
    },
)
def test_the_gradient_of_the_summed_loss_is_the_sum_of_the_gradients(gathered=batch_sum):
    theta = sympy.symbols("theta", real=True)
    samples = [(symbol_array(f"x{i}"), symbol_array(f"y{i}")) for i in range(3)]

    def model(x):
        return x.namespace.tanh(theta * x)

    def slope(part):
        return sympy.diff(risk_sum(loss_squared_error.body, model, part).elements.item(), theta)

    assert sympy.expand(slope(samples) - gathered([slope([sample]) for sample in samples])) == 0


@statement("problem_erm.P3", "batch_gradient_sum.P2", false={"n - 2 roundings": {"roundings": lambda n: n - 2}})
def test_each_order_of_a_float_sum_is_off_by_at_most_n_minus_1_roundings_of_all(roundings=lambda n: n - 1):
    numbers = st.integers(-(2**53), 2**53).map(float) | st.floats(-1e6, 1e6)

    @given(st.lists(numbers, min_size=2, max_size=7))
    @example([1.0, float(ROUNDOFF)])
    @settings(max_examples=60, database=None)
    def check(terms):
        exact = sum(map(F, terms))
        growth = (1 + ROUNDOFF) ** roundings(len(terms)) - 1
        allowed = growth * sum(abs(F(term)) for term in terms)
        for order in (batch_sum, in_pairs, lambda values: batch_sum(values[::-1])):
            assert abs(F(order(terms)) - exact) <= allowed

    check()


@statement("batch_gradient_sum.P2", false={"n - 1 roundings between two orders": {"factor": 1}})
def test_two_orders_of_a_float_sum_differ_by_up_to_twice_as_much(factor=2):
    unit = 2.0**-53
    terms = [unit, 1 + 2 * unit, -unit]
    left, right = (terms[0] + terms[1]) + terms[2], terms[0] + (terms[1] + terms[2])
    allowed = factor * (len(terms) - 1) * ROUNDOFF * sum(abs(F(term)) for term in terms)

    assert (left, right) == (1 + 4 * unit, 1.0)
    assert F(left) - F(right) == 4 * ROUNDOFF
    assert F(left) - F(right) <= allowed


@statement(
    "gradient_accumulation",
    "gradient_accumulation.P1",
    false={"means of the chunks": {"gathered": mean_of_chunk_means}},
)
def test_sums_do_not_depend_on_the_chunks(gathered=accumulated_sum):
    splits = partitions(TERMS)

    assert len(splits) == 52
    assert {gathered(chunks) for chunks in splits} == {batch_sum(TERMS)}


@statement("gradient_accumulation.P2", false={"every chunk alike": {"gathered": mean_of_chunk_means}})
def test_means_of_chunks_need_the_weights_of_their_sizes(gathered=accumulated_mean):
    assert {gathered(chunks) for chunks in partitions(TERMS)} == {batch_mean(TERMS)}


@statement(
    "gradient_accumulation.P2",
    false={
        "for all chunks": {"exact_for": lambda sizes: True},
        "for single samples": {"exact_for": lambda sizes: sizes == {1}},
    },
)
def test_means_of_chunk_means_are_exact_for_equal_chunks_only(exact_for=lambda sizes: len(sizes) == 1):
    grads = symbol_array("g1:5")
    terms = [grads[place] for place in range(4)]

    for chunks in partitions(terms):
        difference = (mean_of_chunk_means(chunks) - batch_mean(terms)).elements.item()
        assert (sympy.expand(difference) == 0) == exact_for({len(chunk) for chunk in chunks})


@statement(
    "gradient_accumulation.P3",
    false={
        "each sample by itself": {"normalize": lambda x, weight, bias: layer_norm.body(x, weight, bias, eps=1)},
        "no normalization": {"normalize": lambda x, weight, bias: weight * x + bias},
    },
)
def test_chunks_fail_where_the_samples_of_a_batch_are_coupled(
    normalize=lambda x, weight, bias: batch_norm.body(x, weight, bias, eps=1),
):
    weight = symbol_array("gamma")
    inputs, targets = SymbolArray([[1, 2], [4, -1], [-3, 0], [0, 2]]), SymbolArray([[1, 0], [0, 2], [3, 1], [-1, 1]])

    def slope(rows):
        predictions = normalize(inputs[rows], weight, symbol_array("beta"))
        return sympy.diff(loss_squared_error.body(predictions, targets[rows]).elements.item(), weight.elements.item())

    chunked = accumulated_sum([[slope(slice(0, 2))], [slope(slice(2, 4))]])
    assert sympy.expand(chunked - slope(slice(0, 4))) != 0


@statement("gradient_accumulation.P4", false={"gradients that do not see the parameters": {"curvature": F(0)}})
def test_an_update_for_every_chunk_is_another_rule(curvature=F(1)):
    rate = {"learning_rate": F(1, 4)}
    chunks = [(F(1), F(-2)), (F(5), F(3))]
    slopes = [lambda x, c=c, a=a: accumulated_sum([[a * x - term for term in c]]) for c in chunks for a in (curvature,)]
    once, _ = gd(F(2), batch_sum([slope(F(2)) for slope in slopes]), NoState(), **rate)
    each, _ = trained(gd, F(2), slopes, hyperparameters=rate)
    constant, _ = trained(gd, F(2), [lambda _, s=slope: s(F(2)) for slope in slopes], hyperparameters=rate)

    assert constant[-1] == once
    assert each[-1] != once


@statement("gradient_accumulation.P5", false={"a threshold that nothing reaches": {"threshold": 100}})
def test_clipping_the_sum_is_not_the_sum_of_the_clipped(threshold=5):
    chunks = [SymbolArray((3, 4)), SymbolArray((6, 8))]

    for clip in (
        lambda grad: clip_by_norm.body(grad, max_norm=SymbolArray(threshold)),
        lambda grad: clip_by_value.body(grad, clip_value=SymbolArray(threshold)),
    ):
        after, before = clip(accumulated_sum([chunks])), accumulated_sum([[clip(chunk) for chunk in chunks]])
        assert any(sympy.simplify(difference) != 0 for difference in (after - before).elements)


@statement(
    "gradient_accumulation", false={"the last chunk overwrites": {"gathered": lambda chunks: batch_sum(chunks[-1])}}
)
def test_one_update_after_the_last_chunk_is_that_of_the_large_batch(gathered=accumulated_sum):
    rate, start = F(1, 3), F(2)
    large, _ = gd(start, batch_sum(TERMS), NoState(), learning_rate=rate)

    for cuts in itertools.combinations(range(1, 5), 2):
        bounds = [0, *cuts, 5]
        chunks = [TERMS[low:high] for low, high in itertools.pairwise(bounds)]
        assert gd(start, gathered(chunks), NoState(), learning_rate=rate)[0] == large
