"""What the documents state about normalization, proved on the catalogue's own bodies."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.activations.relu import relu
from oracle.activations.sigmoid import sigmoid
from oracle.arithmetic.primitives import namespace, variance
from oracle.arithmetic.symbols import SymbolArray
from oracle.dialects import neighbour
from oracle.exact import exact
from oracle.normalization.batch_norm import (
    batch_norm,
    batch_norm_running_mean,
    batch_norm_running_variance,
    batch_norm_running_variance_biased,
)
from oracle.normalization.layer_norm import layer_norm
from oracle.normalization.placement import activation_then_bn, bn_then_activation, post_norm, pre_norm
from oracle.normalization.rms_norm import rms_norm
from oracle.normalization.shifts import conditional, marginal, shifts
from oracle.normalization.standardize_feature import standardize_feature
from tests.helpers.algebra import vanishes
from tests.helpers.statements import statement

EPS = sympy.Symbol("e", positive=True)
A, B = sympy.Symbol("a", positive=True), sympy.Symbol("b", real=True)
GAIN, SHIFT = sympy.symbols("g h", real=True)
#: Numbers whose deviations and roots are no rounder than they have to be.
NUMBERS = [sympy.Rational(n, 3) for n in (1, -4, 7)]
ROWS = [[1, 5, -2], [0, 3, 7], [-4, 2, 2], [3, -1, 1]]


def column(values):
    return SymbolArray(np.reshape(np.array(list(values), dtype=object), (-1, 1)))


def row(values):
    return SymbolArray(np.array(list(values), dtype=object))


def variables(count):
    return list(sympy.symbols(f"x1:{count + 1}", real=True))


def full(value, count):
    return row([value] * count)


def bn(values, gain=1, shift=0, eps=EPS, f=batch_norm):
    """Normalize one feature of a batch."""
    return list(f.body(column(values), row([gain]), row([shift]), eps=eps).elements[:, 0])


def ln(values, gain=1, shift=0, eps=EPS, f=layer_norm):
    """Normalize one sample."""
    count = len(values)
    return list(f.body(row(values), full(gain, count), full(shift, count), eps=eps).elements)


def rms(values, gain=1, eps=EPS, f=rms_norm):
    return list(f.body(row(values), full(gain, len(values)), eps=eps).elements)


def standardized(values, f=standardize_feature):
    return list(f.body(column(values)).elements[:, 0])


def mean(values):
    return sum(values) / sympy.Integer(len(values))


def spread(values):
    middle = mean(values)
    return mean([(value - middle) ** 2 for value in values])


def same(left, right):
    return vanishes(row(left) - row(right))


def wrong(formula, change):
    return neighbour(formula, f"{formula.id}_{change}")


# -- Standardized features -------------------------------------------------------------------------------------------


@statement(
    "standardize_feature.P1",
    false={
        "the variance without its root": {"f": wrong(standardize_feature, "no_root")},
        "divided by n - 1": {"f": wrong(standardize_feature, "unbiased")},
    },
)
def test_standardized_features_have_mean_0_and_variance_1(f=standardize_feature):
    values = standardized(variables(3), f)

    assert vanishes(mean(values))
    assert vanishes(spread(values) - 1)


@statement(
    "D050", false={"the divisor n - 1": {"moved": 1 / sympy.sqrt(2)}, "an epsilon": {"eps": sympy.Rational(1, 100)}}
)
def test_constant_features_have_no_standard_value_and_the_divisor_matters(moved=sympy.Integer(1), eps=0):
    assert standardized([0, 1]) == [-moved, moved]
    assert wrong(standardize_feature, "unbiased").body(column([0, 1])).elements[1, 0] == sympy.sqrt(2) / 2
    # Printed without epsilon: nothing over nothing.
    deviation, divisor = 1 - mean([1, 1]), sympy.sqrt(spread([1, 1]) + eps)
    assert (deviation, divisor) == (0, 0)
    assert all(value is sympy.nan for value in standardized([1, 1]))
    assert bn([1, 1]) == [0, 0]


@statement(
    "standardize_feature.P2",
    false={
        "not divided": {"f": wrong(standardize_feature, "no_root")},
        "mean kept": {"f": wrong(standardize_feature, "mean_kept")},
    },
)
def test_standardizing_forgets_place_and_scale_and_needs_no_second_time(f=standardize_feature):
    x = variables(3)
    once = standardized(x, f)

    assert same(standardized([A * value + B for value in x], f), once)
    assert same(standardized([-A * value + B for value in x], f), [-value for value in once])
    twice = standardized(standardized(NUMBERS, f), f)
    assert same(twice, standardized(NUMBERS, f))


@statement(
    "standardize_feature.P3", false={"whitened": {"joint": 0}, "the covariance of x": {"joint": sympy.Rational(4, 9)}}
)
def test_standardizing_keeps_correlations(joint=None):
    x = np.array([[0, 1], [1, 0], [2, 5]])
    once = standardize_feature.body(SymbolArray(x)).elements
    deviations = x - x.mean(axis=0).astype(int)
    covariance = [[sympy.Rational(int(deviations[:, i] @ deviations[:, j]), 3) for j in range(2)] for i in range(2)]
    correlation = covariance[0][1] / sympy.sqrt(covariance[0][0] * covariance[1][1])

    assert vanishes(mean(once[:, 0] * once[:, 1]) - (correlation if joint is None else joint))
    assert correlation != 0


@statement(
    "standardize_feature.C2",
    "standardize_feature.P4",
    false={"a smaller constant": {"constant": sympy.Rational(1, 49)}, "another line": {"slope": sympy.Rational(1, 3)}},
)
def test_the_logistic_function_of_small_numbers_is_nearly_a_line(
    constant=sympy.Rational(1, 48), slope=sympy.Rational(1, 4)
):
    z, p = sympy.Symbol("z", real=True), sympy.Symbol("p", positive=True)
    value = sigmoid.body(SymbolArray(z)).elements.item()
    below = sympy.Rational(1, 2) + slope * z - value
    beyond = constant * z**3 - below

    # Both are odd, and 0 at 0 with two derivatives, so that signs for z > 0 follow from those of the next derivative.
    for difference in (below, beyond):
        assert vanishes(SymbolArray(difference + difference.subs(z, -z)))
        assert all(sympy.diff(difference, z, order).subs(z, 0) == 0 for order in range(3))
    # With p = s (1 - s), in (0, 1/4]: s'' = p (1 - 2 s) < 0 for z > 0, and s''' = p (1 - 6 p) >= -1/8.
    weight = value * (1 - value)
    assert vanishes(SymbolArray(sympy.diff(value, z, 2) - weight * (1 - 2 * value)))
    assert vanishes(SymbolArray(sympy.diff(value, z, 3) - weight * (1 - 6 * weight)))
    third = 6 * constant + p * (1 - 6 * p)
    assert sympy.diff(third, p, 2) < 0
    assert third.subs(p, 0) > 0
    assert third.subs(p, sympy.Rational(1, 4)) >= 0


# -- Batch normalization ---------------------------------------------------------------------------------------------


@statement(
    "batch_norm.P1",
    false={
        "unbiased": {"f": wrong(batch_norm, "unbiased")},
        "epsilon outside": {"f": wrong(batch_norm, "eps_outside")},
        "swapped": {"f": wrong(batch_norm, "affine_swapped")},
    },
)
def test_a_batch_has_the_shift_as_mean_and_nearly_the_squared_gain_as_variance(f=batch_norm):
    x = variables(3)
    z = bn(x, GAIN, SHIFT, f=f)

    assert vanishes(mean(z) - SHIFT)
    assert vanishes(spread(z) - GAIN**2 * spread(x) / (spread(x) + EPS))


@statement(
    "batch_norm.P2",
    "layer_norm.P3",
    false={
        "epsilon kept": {"power": 0},
        "epsilon outside": {"f": wrong(batch_norm, "eps_outside"), "g": wrong(layer_norm, "eps_outside")},
        "mean kept": {"f": wrong(batch_norm, "mean_kept"), "g": wrong(layer_norm, "mean_kept")},
    },
)
def test_shifts_vanish_and_scales_go_into_epsilon(power=2, f=batch_norm, g=layer_norm):
    x = variables(3)
    for norm, formula in ((bn, f), (ln, g)):
        once = norm(x, f=formula)
        assert same(norm([value + B for value in x], f=formula), once)
        for sign in (1, -1):
            scaled = norm([sign * A * value + B for value in x], eps=A**power * EPS, f=formula)
            assert same(scaled, [sign * value for value in once])
    # With the same epsilon a scale is forgotten in the limit alone.
    far = [sympy.limit(value, A, sympy.oo) for value in bn([A * value for value in (0, 3)], f=f)]
    assert far == bn([0, 3], eps=0, f=f) != bn([0, 3], eps=1, f=f)


@statement(
    "batch_norm.P4",
    "rms_norm.P1",
    "layer_norm.P1",
    "layer_norm.P4",
    false={
        "one more": {"others": 3},
        "a sum for a mean": {"f": wrong(layer_norm, "sum"), "g": wrong(batch_norm, "sum")},
        "a sum of squares": {"r": wrong(rms_norm, "sum_of_squares")},
    },
)
def test_no_element_exceeds_the_root_of_the_others_number(others=2, f=layer_norm, g=batch_norm, r=rms_norm):
    x = variables(3)
    share = spread(x) / (spread(x) + EPS)
    for once in (ln(x, f=f), bn(x, f=g)):
        assert vanishes(mean(once))
        assert vanishes(mean([value**2 for value in once]) - share)
        # What is missing to Samuelson's bound is a square, which is 0 where the others are equal.
        rest = (x[1] - x[2]) ** 2 / (3 * (spread(x) + EPS))
        assert vanishes(others * share - once[0] ** 2 - rest)
    assert bn([5, 1, 1], eps=0, f=g)[0] == sympy.sqrt(others)
    assert ln([7], f=f) == [0]
    assert ln([1, 5], eps=0, f=f) == [-1, 1]
    square = mean([value**2 for value in x])
    assert vanishes(sum(value**2 for value in rms(x, f=r)) - 3 * square / (square + EPS))
    assert rms([4, 0, 0], eps=0, f=r)[0] == sympy.sqrt(3)


@statement(
    "batch_norm.P5",
    false={
        "epsilon outside": {"f": wrong(batch_norm, "eps_outside")},
        "unbiased": {"f": wrong(batch_norm, "unbiased")},
        "mean kept": {"f": wrong(batch_norm, "mean_kept")},
    },
)
def test_one_sample_or_a_constant_feature_becomes_the_shift_and_two_are_opposite(f=batch_norm):
    delta = sympy.Symbol("d", positive=True)
    reach = delta / sympy.sqrt(delta**2 + EPS)

    assert same(bn([B], GAIN, SHIFT, f=f), [SHIFT])
    assert same(bn([B] * 4, GAIN, SHIFT, f=f), [SHIFT] * 4)
    assert same(bn([B + delta, B - delta], f=f), [reach, -reach])


@statement(
    "batch_norm.C2",
    "batch_norm.P6",
    false={"without epsilon": {"inside": 0}, "one is added": {"f": wrong(batch_norm, "gain_one_plus")}},
)
def test_gain_and_shift_can_undo_the_normalization(inside=EPS, f=batch_norm):
    x = variables(3)

    assert same(bn(x, sympy.sqrt(spread(x) + inside), mean(x), f=f), x)


@statement(
    "batch_norm.P7",
    "layer_norm.P8",
    false={
        "without the last term": {"last": 0},
        "without the mean": {"middle": 0},
        "second moment": {"f": wrong(batch_norm, "second_moment"), "g": wrong(layer_norm, "second_moment")},
    },
)
def test_the_gradient_loses_its_mean_and_its_part_along_the_output(last=1, middle=1, f=batch_norm, g=layer_norm):
    x, costs = variables(3), list(sympy.symbols("d1:4", real=True))
    root = sympy.Symbol("R", positive=True)

    def settled(value):
        """With the root as a symbol, whose square is the variance and epsilon."""
        return sympy.simplify(sympy.sympify(value).subs(EPS, root**2 - spread(x)))

    for norm, formula in ((bn, f), (ln, g)):
        loss = sum(cost * value for cost, value in zip(costs, norm(x, GAIN, SHIFT, f=formula), strict=True))
        slopes = [settled(sympy.diff(loss, value)) for value in x]
        once = [settled(value) for value in norm(x, f=formula)]
        along = mean([cost * value for cost, value in zip(costs, once, strict=True)])
        told = [
            GAIN / root * (cost - middle * mean(costs) - last * value * along)
            for cost, value in zip(costs, once, strict=True)
        ]

        assert same(slopes, told)
        assert vanishes(sum(slopes))
        product = sum(slope * value for slope, value in zip(slopes, once, strict=True))
        assert settled(product - 3 * GAIN * along / root * EPS / root**2) == 0
        assert settled(sympy.diff(loss, GAIN) - 3 * along) == 0
        assert vanishes(sympy.diff(loss, SHIFT) - sum(costs))
        # Without epsilon nothing is left along the output: a sample stretched around its mean comes out the same.
        stretched = norm([mean(x) + A * (value - mean(x)) for value in x], eps=0, f=formula)
        assert same(stretched, norm(x, eps=0, f=formula))


@statement("batch_norm.P8", false={"an epsilon": {"eps": EPS}, "a negative factor": {"factor": -A}})
def test_a_bias_before_batch_norm_is_cancelled_and_weights_may_be_rescaled(eps=0, factor=A):
    inputs, weights = [(1, 2), (0, -3), (4, 1)], sympy.symbols("w v", real=True)
    mapped = [sum(w * u for w, u in zip(weights, sample, strict=True)) for sample in inputs]

    assert same(bn([value + B for value in mapped]), bn(mapped))
    assert same(bn([factor * value for value in mapped], eps=eps), bn(mapped, eps=eps))


@statement("batch_norm.C1", "batch_norm.P9", false={"unbiased": {"factor": 1}, "another rate": {"rate": 2}})
def test_statistics_of_all_batches_average_to_those_of_the_population(factor=None, rate=1):
    population = [sympy.Rational(n) for n in (0, 1, 5)]
    for m in (1, 2, 3):
        batches = [column(batch) for batch in itertools.product(population, repeat=m)]
        means = [namespace(batch).mean(batch, axis=0).elements.item() for batch in batches]
        spreads = [variance(batch, axis=0).elements.item() for batch in batches]

        assert mean(means) == mean(population)
        assert spread(means) == spread(population) / m**rate
        assert mean(spreads) == spread(population) * (sympy.Rational(m - 1, m) if factor is None else factor)


@statement("D051", false={"one pair per feature": {"gains": (1, 2)}, "equal variances": {"scale": 1}})
def test_one_pair_of_parameters_per_layer_cannot_undo_two_features(gains=(1, 1), scale=2):
    x = SymbolArray(np.array([[0, 0], [2, 2 * scale]]))
    z = batch_norm.body(x, row(gains), row(gains), eps=0).elements

    # The features differ by a factor; what comes out of one pair does not.
    assert [z[1, k] - z[0, k] for k in range(2)] == [2, 2]
    assert (x.elements[1] - x.elements[0]).tolist() != [2, 2]


@statement("D052", false={"two samples": {"batch": ([1.0], [3.0])}})
def test_one_sample_without_running_statistics_is_lost(batch=([3.0],)):
    one = np.ones(1)
    shown = exact(batch_norm, np.array(batch), one, one, eps=1e-5)
    seen = np.array([[1.0], [7.0]])
    formulas = batch_norm_running_mean, batch_norm_running_variance, batch_norm_running_variance_biased
    running = [exact(formula, seen, one, momentum=1.0).item() for formula in formulas]

    assert (shown == 1.0).all()
    assert running == [4.0, 18.0, 9.0]


# -- Placement -------------------------------------------------------------------------------------------------------


def of_batch(norm, eps=0):
    return lambda x: row(norm(list(x.elements), eps=eps))


def rectified(x):
    return relu.body(x)


@statement(
    "batch_norm_placement",
    "batch_norm_placement.P1",
    "D053",
    false={
        "the orders exchanged": {"first": activation_then_bn, "second": bn_then_activation},
        "no rectifier": {"activation": lambda x: x},
    },
)
def test_a_rectifier_behind_batch_norm_leaves_nothing_negative_and_one_before_it_does(
    first=bn_then_activation, second=activation_then_bn, activation=rectified
):
    batch = row([-1, 1])
    behind = list(first(batch, normalize=of_batch(bn), activation=activation).elements)
    before = list(second(batch, normalize=of_batch(bn), activation=activation).elements)

    assert behind == [0, 1]
    assert before == [-1, 1]
    assert (mean(before), spread(before)) == (0, 1)
    assert mean(behind) != 0


@statement(
    "batch_norm_placement.P2",
    false={"a square": {"affine": lambda x: x**2}, "falling": {"affine": lambda x: -2 * x + 1}},
)
def test_the_orders_agree_for_the_identity_and_not_in_general(affine=lambda x: 2 * x + 1):
    normalize = of_batch(bn)
    for batch in ([-1, 1], [0, 3, 6], [1, 5, 5]):
        x = row(batch)
        orders = [
            order(x, normalize=normalize, activation=affine) for order in (activation_then_bn, bn_then_activation)
        ]
        assert same(orders[0].elements, normalize(x).elements)
        assert same(orders[1].elements, affine(normalize(x)).elements)
        assert not same(*(order.elements for order in orders))
        kept = [
            order(x, normalize=normalize, activation=lambda x: x) for order in (activation_then_bn, bn_then_activation)
        ]
        assert same(*(order.elements for order in kept))
        turned = [
            order(x, normalize=normalize, activation=rectified) for order in (activation_then_bn, bn_then_activation)
        ]
        assert not same(*(order.elements for order in turned))


@statement(
    "norm_placement_pre_post",
    "norm_placement_pre_post.P1",
    false={"the places exchanged": {"before": post_norm, "after": pre_norm}, "a block": {"block": lambda x: x}},
)
def test_without_a_block_the_one_placement_is_the_identity_and_the_other_a_norm(
    before=pre_norm, after=post_norm, block=lambda x: 0 * x
):
    x = row(variables(3))
    normalize = of_batch(ln, EPS)

    assert same(before(x, normalize=normalize, block=block).elements, x.elements)
    assert same(after(x, normalize=normalize, block=block).elements, normalize(x).elements)
    assert not same(normalize(x).elements, x.elements)


@statement("norm_placement_pre_post.P2", false={"the places exchanged": {"before": post_norm, "after": pre_norm}})
def test_the_one_placement_grows_without_limit_and_the_other_does_not(before=pre_norm, after=post_norm):
    normalize = of_batch(ln, 1)
    for size in (1, 10**3, 10**6):
        x = row([size, 0, -2 * size])
        outside = sum(value**2 for value in after(x, normalize=normalize, block=lambda x: x**2).elements)
        grown = sum(value**2 for value in before(x, normalize=normalize, block=lambda x: x / 4).elements)
        assert outside < 3
        assert grown > size**2


@statement("norm_placement_pre_post.P3", false={"the places exchanged": {"place": post_norm}, "an epsilon": {"eps": 1}})
def test_what_is_added_before_a_norm_does_not_see_the_scale(place=pre_norm, eps=0):
    normalize = of_batch(ln, eps)
    block = lambda x: x**2 + 3 * x

    added = [
        place(row(x), normalize=normalize, block=block) - row(x) for x in (NUMBERS, [5 * value for value in NUMBERS])
    ]
    assert same(*(change.elements for change in added))


@statement(
    "bn_vs_ln_axes",
    "bn_vs_ln_axes.P1",
    "layer_norm.P6",
    false={
        "the layers exchanged": {"f": layer_norm, "g": batch_norm},
        "one scale": {"f": wrong(batch_norm, "one_scale")},
    },
)
def test_batch_norm_settles_columns_and_layer_norm_rows(f=batch_norm, g=layer_norm):
    x = SymbolArray(np.array(ROWS))
    samples, features = x.shape
    by_column = f.body(x, full(1, features), full(0, features), eps=0).elements
    by_row = g.body(x, full(1, features), full(0, features), eps=0).elements
    turned = SymbolArray.wrap(x.elements.T)
    across = f.body(turned, full(1, samples), full(0, samples), eps=0).elements

    for lines in (by_column.T, by_row):
        for line in lines:
            assert vanishes(mean(line))
            assert vanishes(spread(line) - 1)
    assert same(across.T.ravel(), by_row.ravel())
    assert not same(by_column.ravel(), by_row.ravel())


@statement("bn_vs_ln_axes.P2", false={"one axis": {"second": batch_norm}})
def test_normalizing_both_ways_depends_on_the_order(second=layer_norm):
    def layers(*formulas):
        values = np.array(ROWS[:3], dtype=float)
        for formula in formulas:
            values = exact(formula, values, np.ones(3), np.zeros(3), eps=0.5)
        return values

    assert not np.array_equal(layers(batch_norm, second), layers(second, batch_norm))


# -- Layer normalization and the root mean square --------------------------------------------------------------------


@statement("D054", false={"equal gains": {"gains": (3, 3)}})
def test_one_gain_for_all_features_gives_opposite_values_and_two_gains_do_not(gains=(3, 5)):
    once = layer_norm.body(row([1, 7]), row(gains), row([0, 0]), eps=0).elements

    assert once.tolist() == [-gains[0], gains[1]]
    assert once[0] != -once[1]
    assert layer_norm.arrays == ("x", "weight", "bias")


@statement(
    "layer_norm.P7",
    "rms_norm.P5",
    false={"not centred": {"centre": lambda x: 0}, "epsilon outside": {"f": wrong(layer_norm, "eps_outside")}},
)
def test_layer_norm_is_the_root_mean_square_norm_of_what_is_centred(centre=mean, f=layer_norm):
    x = variables(3)
    centred = [value - centre(x) for value in x]

    assert same(ln(x, GAIN, f=f), rms(centred, GAIN))
    # So the two agree where the mean is 0; and where they agree it is, for the mean of the one is always 0.
    assert vanishes(sum(ln(x, f=f)))
    root = sympy.sqrt(mean([value**2 for value in x]) + EPS)
    assert vanishes(sum(rms(x)) * root - sum(x))


@statement(
    "rms_norm.P2", false={"epsilon kept": {"power": 0}, "epsilon outside": {"f": wrong(rms_norm, "eps_outside")}}
)
def test_a_scale_of_a_sample_goes_into_epsilon(power=2, f=rms_norm):
    x = variables(3)
    for sign in (1, -1):
        scaled = rms([sign * A * value for value in x], eps=A**power * EPS, f=f)
        assert same(scaled, [sign * value for value in rms(x, f=f)])


@statement("rms_norm.P3", false={"layer norm": {"norm": ln}})
def test_the_root_mean_square_norm_sees_a_shift(norm=rms):
    assert not same(norm([value + 1 for value in NUMBERS], eps=0), norm(NUMBERS, eps=0))


@statement(
    "rms_norm.P4",
    false={"layer norm": {"norm": ln}, "no rotation": {"sign": 1}, "a scale": {"size": 2}},
)
def test_the_root_mean_square_norm_commutes_with_rotations(norm=rms, sign=-1, size=1):
    """Of two coordinates by any angle but half a turn, which is two quarter turns: products of these are all."""

    def settled(values):
        """With what stands below roots in one form."""
        roots = sympy.Matrix(values).replace(
            lambda value: value.is_Pow and not value.exp.is_integer, lambda value: sympy.cancel(value.base) ** value.exp
        )
        return list(roots)

    tangent = sympy.Symbol("t", real=True)  # of half the angle
    cosine, sine = size * (1 - tangent**2) / (1 + tangent**2), size * 2 * tangent / (1 + tangent**2)
    for count in (2, 3):
        x, turn = sympy.Matrix(variables(count)), sympy.eye(count)
        turn[:2, :2] = sympy.Matrix([[cosine, sine], [sign * sine, cosine]])

        assert same(settled(norm(list(turn * x), GAIN)), settled(turn * sympy.Matrix(norm(list(x), GAIN))))


@statement("rms_norm.P6", false={"an epsilon": {"eps": 1}, "layer norm": {"norm": ln}})
def test_the_root_mean_square_norm_keeps_directions_and_needs_no_second_time(norm=rms, eps=0):
    x = variables(3)
    once = norm(x)

    assert all(vanishes(once[i] * x[j] - once[j] * x[i]) for i in range(3) for j in range(i))
    assert norm([sympy.Integer(1)] * 3, eps=EPS)[0].is_positive
    settled = norm(NUMBERS, eps=eps)
    assert same(norm(settled, eps=eps), settled)


@statement("rms_norm.P7", false={"the same": {"ratio": 1}})
def test_the_root_mean_square_norm_has_half_the_parameters(ratio=2):
    counts = [len(set(formula.arrays) - {"x"}) for formula in (layer_norm, rms_norm)]

    assert counts[0] == ratio * counts[1]


# -- Shifts of data --------------------------------------------------------------------------------------------------


def tables(parts=4):
    """Every joint distribution of two inputs and two labels with probabilities that are multiples of 1 / parts."""
    for a, b, c in itertools.product(range(parts + 1), repeat=3):
        if a + b + c <= parts:
            yield ((F(a, parts), F(b, parts)), (F(c, parts), F(parts - a - b - c, parts)))


@statement(
    "dataset_shift_definitions",
    "dataset_shift_definitions.P1",
    false={
        "the marginals alone": {
            "unchanged": lambda p, q: (
                marginal(p, of="x") == marginal(q, of="x") and marginal(p, of="y") == marginal(q, of="y")
            )
        },
        "the inputs alone": {"implied": frozenset({"covariate"})},
    },
)
def test_every_kind_of_shift_is_a_shift_of_the_dataset(unchanged=None, implied=frozenset({"dataset"})):
    def still(p, q):
        return marginal(p, of="x") == marginal(q, of="x") and conditional(p, of="y") == conditional(q, of="y")

    for p, q in itertools.product(tables(), repeat=2):
        found = shifts(p, q)
        assert not found or implied <= found
        assert (unchanged or still)(p, q) == ("dataset" not in found)


@statement(
    "dataset_shift_definitions.P2",
    false={"a symmetric relation": {"training": ((F(1, 4), F(1, 4)), (F(1, 4), F(1, 4)))}},
)
def test_a_shift_of_the_inputs_moves_the_labels_and_the_other_way_round(training=((F(1, 2), 0), (F(1, 8), F(3, 8)))):
    moved_inputs = ((training[0][0] / 2, training[0][1] / 2), (training[1][0] * F(3, 2), training[1][1] * F(3, 2)))
    of_labels = marginal(training, of="y")
    factors = [F(1, 4) / of_labels[0], F(3, 4) / of_labels[1]]
    moved_labels = tuple(tuple(p * factor for p, factor in zip(line, factors, strict=True)) for line in training)

    assert shifts(training, moved_inputs) >= {"covariate"}
    assert marginal(moved_inputs, of="y") != marginal(training, of="y")
    assert shifts(training, moved_labels) >= {"prior"}
    assert marginal(moved_labels, of="x") != marginal(training, of="x")
