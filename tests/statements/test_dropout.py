"""What the documents state about dropout: complete enumeration of the masks, in rational arithmetic."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import numpy as np
import sympy
import torch

from oracle.activations.sigmoid import sigmoid
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.domains import closed
from oracle.dropout.inference import dropout_inference_scaling, masks, probability
from oracle.losses.softmax import softmax
from tests.helpers.algebra import expression, expressions, vanishes
from tests.helpers.statements import statement

KEPT, INVERTED = get("dropout_keep_proportion"), get("dropout_inverted")
KEEPS = (F(1, 2), F(3, 4), F(1, 5), F(1))
X = (F(3), F(-1, 2), F(0), F(2))
WEIGHT = ((F(1), F(-2), F(1, 3), F(4)), (F(0), F(5), F(-1), F(1, 2)))
BIAS = (F(7), F(-1, 3))


def change(formula, name):
    return neighbour(formula, f"{formula.id}_{name}")


def numbers(array):
    """Fractions of an array of rational expressions."""
    return tuple(F(int(element.p), int(element.q)) for element in np.ravel(array.elements))


def rationals(values):
    return SymbolArray([sympy.Rational(str(value)) for value in values])


def drop(rule, x, mask, keep):
    """Run a formula's body on rational units."""
    return numbers(rule.body(rationals(x), rationals(mask), keep=SymbolArray(sympy.Rational(str(keep)))))


def linear(weight, x, bias=BIAS):
    return tuple(sum(w * u for w, u in zip(row, x, strict=True)) + b for row, b in zip(weight, bias, strict=True))


def mean(keep, value, units=len(X), chance=probability):
    """Average over all masks, coordinate by coordinate."""
    weighted = [(chance(mask, keep), value(mask)) for mask in masks(units)]
    return tuple(sum(weight * row[i] for weight, row in weighted) for i in range(len(weighted[0][1])))


def variance(keep, value, units=len(X), chance=probability):
    centre = mean(keep, value, units, chance)
    return mean(
        keep,
        lambda mask: tuple((y - c) ** 2 for y, c in zip(value(mask), centre, strict=True)),
        units,
        chance,
    )


def exchanged(mask, keep):
    return probability(mask, 1 - keep)


def together(mask, keep):
    """All units are kept or none is: the same total, and the same probability of each unit."""
    return keep if all(mask) else F(0) if any(mask) else 1 - keep


@statement(
    "dropout_keep_proportion",
    "dropout_keep_proportion.P1",
    "D046",
    false={
        "inverted": {"rule": INVERTED},
        "what is removed": {"chance": exchanged},
        "the other units": {"rule": change(KEPT, "complement")},
        "the variance of a sum": {"spread": lambda p: p},
    },
)
def test_mean_and_variance_of_kept_units_are_those_of_independent_trials(
    rule=KEPT, chance=probability, spread=lambda p: p * (1 - p)
):
    for keep in KEEPS:

        def layer(mask, keep=keep):
            return drop(rule, X, mask, keep)

        assert mean(keep, layer, chance=chance) == tuple(keep * x for x in X)
        assert variance(keep, layer, chance=chance) == tuple(spread(keep) * x**2 for x in X)
        for kept in range(len(X) + 1):
            count = sum(chance(mask, keep) for mask in masks(len(X)) if sum(mask) == kept)
            assert count == sympy.binomial(len(X), kept) * keep**kept * (1 - keep) ** (len(X) - kept)


@statement(
    "dropout_keep_proportion.P2",
    false={
        "inverted": {"rule": INVERTED},
        "without squares": {"power": 1},
        "by the proportion alone": {"spread": lambda p: p},
    },
)
def test_a_linear_layer_has_the_mean_of_scaled_units_and_the_sum_of_their_variances(
    rule=KEPT, power=2, spread=lambda p: p * (1 - p)
):
    for keep in KEEPS:

        def behind(mask, keep=keep):
            return linear(WEIGHT, drop(rule, X, mask, keep))

        assert mean(keep, behind) == linear(WEIGHT, [keep * x for x in X])
        assert variance(keep, behind) == tuple(
            spread(keep) * sum((w * x) ** power for w, x in zip(row, X, strict=True)) for row in WEIGHT
        )


@statement(
    "dropout_keep_proportion.P3",
    false={
        "the other units": {"rule": change(KEPT, "complement")},
        "no unit removed": {"rule": change(KEPT, "everywhere")},
    },
)
def test_keeping_all_is_the_identity_and_keeping_nothing_is_zero(rule=KEPT):
    for keep, result in ((F(1), X), (F(0), (0, 0, 0, 0))):
        certain = [mask for mask in masks(len(X)) if probability(mask, keep) == 1]

        assert [drop(rule, X, mask, keep) for mask in certain] == [result]
    assert KEPT.domain["keep"] == closed(0, 1)


@statement(
    "dropout_keep_proportion.P4",
    "dropout_keep_proportion.C1",
    false={
        "one unit fewer": {"networks": lambda n: 2 ** (n - 1)},
        "kept and removed units alike": {"chance": lambda mask, keep: keep ** len(mask)},
        "what is removed": {"chance": exchanged},
        "all units or none": {"chance": together},
    },
)
def test_every_mask_is_a_network_and_their_probabilities_are_those_of_independent_units(
    networks=lambda n: 2**n, chance=probability
):
    for units in range(1, 7):
        drawn = list(masks(units))

        assert len(drawn) == len(set(drawn)) == networks(units)
        for keep in KEEPS:
            assert sum(chance(mask, keep) for mask in drawn) == 1
            for mask in drawn:
                assert chance(mask, keep) == keep ** sum(mask) * (1 - keep) ** (units - sum(mask))
            for unit in range(units):
                assert sum(chance(mask, keep) for mask in drawn if mask[unit]) == keep
            weights = [drop(KEPT, (F(1),) * units, mask, keep) for mask in drawn]
            assert weights == drawn


@statement(
    "dropout_keep_proportion.P5",
    "dropout_bourmaud.P2",
    false={
        "no unit removed": {"rule": change(KEPT, "everywhere")},
        "the other units": {"rule": change(KEPT, "complement")},
        "stored columns": {"destructive": True},
    },
)
def test_a_removed_unit_and_its_column_have_no_gradient_and_the_weights_are_kept(rule=KEPT, destructive=False):
    for mask in masks(3):
        x = torch.tensor([3.0, -0.5, 2.0], requires_grad=True)
        weight = torch.tensor([[1.0, -2.0, 0.25], [0.5, 5.0, -1.0]], requires_grad=True)
        before = weight.detach().clone()
        drawn = torch.tensor(mask, dtype=torch.float32)
        if destructive:
            with torch.no_grad():
                weight *= drawn
        loss = (weight @ rule.body(x, drawn, keep=0.5)).square().sum()
        loss.backward()

        assert [gradient != 0 for gradient in x.grad.tolist()] == [bool(r) for r in mask]
        assert [bool(column.any()) for column in weight.grad.T] == [bool(r) for r in mask]
        assert torch.equal(weight.detach(), before)


@statement(
    "dropout_keep_proportion.P6",
    "D045",
    false={
        "divided once more": {"factor": lambda keep: 1 / keep},
        "by what is removed": {"factor": lambda keep: 1 - keep},
        "equal conventions": {"rules": (KEPT, KEPT)},
    },
)
def test_both_conventions_differ_by_the_factor_kept_and_their_arguments_by_the_complement(
    factor=lambda keep: keep, rules=(KEPT, INVERTED)
):
    """An argument of 0.2 keeps a fifth in one document, and four fifths in the other and in the libraries."""
    plain, inverted = rules
    for keep, mask in itertools.product(KEEPS, masks(len(X))):
        assert drop(plain, X, mask, keep) == tuple(factor(keep) * y for y in drop(inverted, X, mask, keep))
    argument = F(1, 5)
    assert mean(argument, lambda mask: drop(plain, X, mask, argument)) == tuple(argument * x for x in X)
    removed = 1 - argument
    assert mean(removed, lambda mask: drop(plain, X, mask, removed)) == tuple((1 - argument) * x for x in X)
    module = torch.nn.Dropout(float(argument)).train()
    kept = module(torch.ones(4096)).unique().tolist()
    assert kept == [0.0, float(torch.tensor(1.0) / torch.tensor(0.8))]


@statement(
    "D049",
    false={"one proportion for all": {"keeps": (F(1, 2), F(1, 2))}, "the output too": {"output": F(1, 2)}},
)
def test_each_layer_may_keep_a_proportion_of_its_own_and_the_output_all(keeps=(F(4, 5), F(1, 2)), output=F(1)):
    first, second = ((F(1), F(-2)), (F(3), F(1, 2))), ((F(2), F(1)),)
    x = (F(1), F(3))
    networks = [
        (probability(r, F(4, 5)) * probability(s, F(1, 2)), r, s) for r, s in itertools.product(masks(2), repeat=2)
    ]

    def through(r, s):
        hidden = linear(first, drop(KEPT, x, r, keeps[0]), (F(0), F(0)))
        return linear(second, drop(KEPT, hidden, s, keeps[1]), (F(1),))

    average = sum(weight * through(r, s)[0] for weight, r, s in networks)
    assert sum(weight for weight, _, _ in networks) == 1
    scaled = linear(first, [keeps[0] * u for u in x], (F(0), F(0)))
    assert average == output * linear(second, [keeps[1] * u for u in scaled], (F(1),))[0]


# -- Inference -------------------------------------------------------------------------------------------------------


def scaled_units(x, keep):
    return tuple(dropout_inference_scaling.body(u, keep=keep) for u in x)


@statement(
    "dropout_inference_scaling",
    "dropout_inference_scaling.P1",
    "D048",
    false={
        "not scaled": {"inference": lambda x, keep: x},
        "divided": {"inference": lambda x, keep: tuple(u / keep for u in x)},
        "by what is removed": {"inference": lambda x, keep: tuple((1 - keep) * u for u in x)},
    },
)
def test_scaled_weights_give_the_mean_of_all_networks_of_a_linear_one(inference=scaled_units):
    """A linear layer behind dropout whose units are kept by halves: unscaled inference gives twice the mean."""
    for keep in KEEPS:
        expected = mean(keep, lambda mask, keep=keep: linear(WEIGHT, drop(KEPT, X, mask, keep)))
        scaled_weights = tuple(tuple(keep * w for w in row) for row in WEIGHT)

        assert linear(WEIGHT, inference(X, keep)) == expected == linear(scaled_weights, X)


UNITS, BIASES = symbol_array("x1 x2 x3", real=True), symbol_array("b1 b2 b3", real=True)


def logits(units):
    """Scores of three classes behind three units."""
    return SymbolArray(linear(((1, -2, 3), (2, 1, -1), (0, 1, 1)), expressions(units), expressions(BIASES)))


def log_odds(scores, rule=softmax):
    """Logarithms of the ratios of all probabilities to the first one's, and of a sigmoid to what it leaves."""
    first, *others = expressions(rule.body(scores))
    left = 1 / expression(sigmoid.body(scores[0])) - 1  # what a sigmoid leaves, over the sigmoid
    return [sympy.log(sympy.powsimp(ratio)) for ratio in (*(p / first for p in others), 1 / left)]


@statement(
    "dropout_inference_scaling.P2",
    "dropout_inference_scaling.C1",
    false={
        "scaled biases": {"inference": lambda units, keep: keep * logits(units)},
        "what is removed": {"chance": exchanged},
        "not scaled": {"inference": lambda units, keep: logits(units)},
        "inverted": {"rule": INVERTED},
        "each class by itself": {"probabilities": sigmoid},
    },
)
def test_the_geometric_mean_of_all_softmax_networks_is_the_scaled_one(
    rule=KEPT,
    chance=probability,
    inference=lambda units, keep: logits(dropout_inference_scaling.body(units, keep=keep)),
    probabilities=softmax,
):
    """A geometric mean, normalised, has the mean logarithms of the odds of all networks."""
    keep = sympy.Symbol("p", positive=True)
    networks = [
        (chance(mask, keep), log_odds(logits(rule.body(UNITS, SymbolArray(list(mask)), keep=keep)), probabilities))
        for mask in masks(3)
    ]
    scaled = log_odds(inference(UNITS, SymbolArray(keep)), probabilities)

    for place, odds in enumerate(scaled):
        average = sum(weight * network[place] for weight, network in networks)
        assert sympy.expand(sympy.expand_log(average - odds)) == 0


@statement(
    "dropout_inference_scaling.P3",
    false={
        "always equal": {"keeps": (F(0), F(1))},
        "of no units": {"x": 0},
        "of scores": {"layers": (lambda scores: scores,)},
    },
)
def test_the_arithmetic_mean_of_the_probabilities_is_another(
    keeps=(F(1, 2), F(3, 4), F(1, 5)), x=4, layers=(softmax.body, sigmoid.body)
):
    """Over one unit of a multiple of ln 2, which makes all probabilities rational at some proportions."""

    def means(layer, number, keep):
        """Both means of the probabilities of a unit's multiples."""

        def behind(units):
            scores = [0, *expressions(units * SymbolArray([1, -2]))]
            return SymbolArray([sympy.simplify(p) for p in expressions(layer(SymbolArray(scores)))])

        unit = SymbolArray([number * sympy.log(2)])
        share = sympy.Rational(str(keep))
        kept = (
            behind(KEPT.body(unit, SymbolArray(list(mask)), keep=share)) * probability(mask, share) for mask in masks(1)
        )
        return sum(kept), behind(dropout_inference_scaling.body(unit, keep=share))

    for layer in layers:
        for keep in keeps:
            arithmetic, scaled = means(layer, x, keep)
            assert not vanishes((arithmetic - scaled)[1])
        for number, keep in ((4, F(0)), (4, F(1)), (0, F(1, 2))):
            arithmetic, scaled = means(layer, number, keep)
            assert vanishes(arithmetic - scaled)


@statement(
    "dropout_inference_scaling.P4",
    false={
        "a linear network": {"activation": lambda u: u},
        "where it is linear": {"x": (F(1), F(1)), "row": (F(1), F(2))},
    },
)
def test_behind_a_hidden_layer_scaling_is_an_approximation(
    activation=lambda u: max(u, F(0)), x=(F(1), F(1)), row=(F(1), F(-1))
):
    """A rectified difference of two units kept by halves: its mean is a quarter, scaling gives zero."""
    keep = F(1, 2)

    def hidden(units):
        return activation(sum(w * u for w, u in zip(row, units, strict=True)))

    (average,) = mean(keep, lambda mask: (hidden(drop(KEPT, x, mask, keep)),), 2)

    assert average != hidden(scaled_units(x, keep))


@statement(
    "dropout_inference_scaling.P5",
    false={
        "divided weights": {"reparametrised": lambda w, keep: w / keep},
        "the same weights": {"reparametrised": lambda w, keep: w},
    },
)
def test_inverted_dropout_is_the_same_network_with_scaled_weights(reparametrised=lambda w, keep: keep * w):
    for keep in KEEPS[:3]:
        other = tuple(tuple(reparametrised(w, keep) for w in row) for row in WEIGHT)

        assert linear(other, X) == linear(WEIGHT, scaled_units(X, keep))
        for mask in masks(len(X)):
            assert linear(other, drop(INVERTED, X, mask, keep)) == linear(WEIGHT, drop(KEPT, X, mask, keep))


# -- Columns ---------------------------------------------------------------------------------------------------------


def columns(weight, mask):
    return tuple(tuple(w * r for w, r in zip(row, mask, strict=True)) for row in weight)


def rows(weight, mask):
    return tuple(tuple(w * r for w in row) for row, r in zip(weight, mask, strict=False))


@statement(
    "dropout_bourmaud",
    "dropout_bourmaud.C1",
    "dropout_bourmaud.P1",
    false={"rows": {"zeroed": rows}, "the other columns": {"zeroed": lambda w, r: columns(w, [1 - k for k in r])}},
)
def test_removing_columns_is_removing_input_units(zeroed=columns):
    weight = tuple(sympy.symbols(f"w{row}_1:5") for row in range(2))
    x, bias = sympy.symbols("x1:5"), sympy.symbols("b1:3")
    for mask in masks(4):
        kept = KEPT.body(SymbolArray(list(x)), SymbolArray(list(mask)), keep=SymbolArray(sympy.Symbol("p")))
        pairs = zip(linear(zeroed(weight, mask), x, bias), linear(weight, kept.elements, bias), strict=True)

        assert all(sympy.expand(left - right) == 0 for left, right in pairs)


def exact_count(units, removed):
    """Masks that remove exactly so many units, all equally likely."""
    drawn = [mask for mask in masks(units) if sum(mask) == units - removed]
    return lambda mask, keep: F(int(mask in drawn), len(drawn))


@statement(
    "dropout_bourmaud.P3",
    "D047",
    false={
        "independent units": {"chance": lambda units, removed: probability},
        "over the dimension": {"share": lambda q, n: -q * (1 - q) / n},
        "positive": {"share": lambda q, n: q * (1 - q) / (n - 1)},
    },
)
def test_an_exact_count_has_the_same_mean_and_masks_that_repel_each_other(
    chance=exact_count, share=lambda q, n: -q * (1 - q) / (n - 1)
):
    """Of two columns one is removed: the covariance is -1/4, and 0 for independent columns."""
    for removed in (1, 2, 3):
        keep = 1 - F(removed, 4)
        weight = chance(4, removed)

        assert mean(keep, lambda mask, keep=keep: linear(WEIGHT, drop(KEPT, X, mask, keep)), chance=weight) == linear(
            WEIGHT, scaled_units(X, keep)
        )
        for one, other in itertools.combinations(range(4), 2):
            both = sum(weight(mask, keep) * mask[one] * mask[other] for mask in masks(4))
            independent = sum(probability(mask, keep) * mask[one] * mask[other] for mask in masks(4))
            assert both - keep**2 == share(keep, 4)
            assert independent - keep**2 == 0
    weight, half = chance(2, 1), F(1, 2)
    both, independent = (sum(law(mask, half) * mask[0] * mask[1] for mask in masks(2)) for law in (weight, probability))
    assert (both - half**2, independent - half**2) == (share(half, 2), 0) == (F(-1, 4), 0)


@statement(
    "dropout_bourmaud.P4",
    false={"a proportion kept": {"kept": lambda percent: F(percent, 100)}, "without the bias": {"bias": (F(0), F(0))}},
)
def test_removing_nothing_is_the_identity_and_removing_all_leaves_the_bias(
    kept=lambda percent: 1 - F(percent, 100), bias=BIAS
):
    for percent, expected in ((0, linear(WEIGHT, X)), (100, bias)):
        keep = kept(percent)
        certain = [mask for mask in masks(len(X)) if probability(mask, keep) == 1]

        assert [linear(columns(WEIGHT, mask), X) for mask in certain] == [expected]
