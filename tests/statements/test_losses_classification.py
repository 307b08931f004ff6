"""Probabilities and losses of classification: what the documents state of them."""

import itertools
import math
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.arithmetic.curves import log_softmax
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.dialects import neighbour
from oracle.differentiation.losses import bce_with_logits_gradient, loss_cross_entropy_gradient
from oracle.errors import DomainError
from oracle.exact import exact
from oracle.losses.binary import bce_with_logits, loss_bce
from oracle.losses.combined import loss_combined
from oracle.losses.cross_entropy import loss_cross_entropy, soft_cross_entropies
from oracle.losses.regression import loss_squared_error
from oracle.losses.simplex import in_simplex
from oracle.losses.softmax import softmax
from oracle.training.sampling import expectation
from tests.helpers.algebra import expression, expressions, vanishes
from tests.helpers.statements import statement

S = symbol_array("s0 s1 s2", real=True)
#: Scores with ties, and so far apart that probabilities nearly vanish.
SCORES = [np.array(row) / 2 for row in itertools.product((-40.0, -1.0, 0.0, 3.0), repeat=3)]
PROBABILITIES = [0.0625, 0.25, 0.5, 0.75, 0.9375]


def cross_entropy(scores, label):
    """The catalogue's loss of one sample."""
    return loss_cross_entropy.body(scores, np.array(label))


def cost(scores, label, loss=loss_cross_entropy):
    return float(exact(loss, np.asarray(scores, dtype=np.float64), np.array(label)))


def derivatives(value, array):
    return SymbolArray([sympy.diff(expression(value), symbol) for symbol in expressions(array)])


def jacobian(p, scores):
    return sympy.Matrix(expressions(p)).jacobian(expressions(scores))


def averaged(prediction, target):
    """The document's sign of each sample's loss: the log-likelihood itself."""
    return -loss_bce.body(prediction, target)


# -- Two classes -----------------------------------------------------------------------------------------------------


@statement("loss_bce", "D075", false={"brackets around the first term alone, as printed": {"bracketed": False}})
def test_the_minus_and_the_mean_belong_to_both_terms(bracketed=True):
    p, y = symbol_array("p0 p1", positive=True), symbol_array("y0 y1", real=True)
    first = sum(b * sympy.log(a) for a, b in zip(expressions(p), expressions(y), strict=True))
    second = sum((1 - b) * sympy.log(1 - a) for a, b in zip(expressions(p), expressions(y), strict=True))
    expected = -(first + second) / 2 if bracketed else -first / 2 + second / 2

    assert vanishes(loss_bce.body(p, y) - expected)


@statement(
    "loss_bce.P1",
    false={"the sign printed for one sample": {"loss": averaged}, "squares": {"loss": loss_squared_error.body}},
)
def test_it_is_least_at_the_target_where_it_is_the_entropy(loss=loss_bce.body):
    p, y = symbol_array("p", positive=True), symbol_array("y", positive=True)
    a, b = expression(p), expression(y)
    value = expression(loss(p, y))
    entropy = -b * sympy.log(b) - (1 - b) * sympy.log(1 - b)

    assert vanishes(sympy.diff(value, a).subs(a, b))
    assert vanishes(sympy.diff(value, a, 2) - b / a**2 - (1 - b) / (1 - a) ** 2)  # two terms that are not negative
    assert vanishes(value.subs(a, b) - entropy)
    assert sympy.limit(value.subs(b, 1), a, 1) == sympy.limit(value.subs(b, 0), a, 0) == 0
    assert all(float(exact(loss, np.array(q), np.array(t))) > 0 for q in PROBABILITIES for t in (0.0, 0.25, 1.0))


@statement(
    "loss_bce.P2",
    false={"only the probability": {"label": lambda y: y}, "only the label": {"probability": lambda p: p}},
)
def test_the_classes_may_change_places(label=lambda y: 1 - y, probability=lambda p: 1 - p):
    p, y = symbol_array("p0 p1", positive=True), symbol_array("y0 y1", real=True)

    assert vanishes(loss_bce.body(probability(p), label(y)) - loss_bce.body(p, y))


def logistic(z):
    """Probability of a score."""
    return 1 / (1 + SymbolArray.namespace.exp(-z))


@statement(
    "loss_bce.P3",
    false={
        "the slope of the probability left in": {"slope": lambda p, y: (p - y) * p * (1 - p)},
        "half": {"peak": F(1, 8)},
    },
)
def test_of_a_score_the_derivative_is_the_residual_and_the_second_at_most_a_quarter(
    slope=lambda p, y: p - y, peak=F(1, 4)
):
    p, y, z = (symbol_array(name, real=True) for name in "pyz")
    a, c = expression(p), expression(z)
    direct = sympy.diff(expression(loss_bce.body(p, y)), a)
    through = expression(loss_bce.body(logistic(z), y))
    s = expression(logistic(z))

    assert vanishes(direct - (a - expression(y)) / (a * (1 - a)))
    assert vanishes(sympy.diff(through, c) - slope(s, expression(y)))
    assert vanishes(sympy.diff(through, c, 2) - s * (1 - s))  # not negative: convex
    assert vanishes(s * (1 - s) + (s - sympy.Rational(1, 2)) ** 2 - sympy.Rational(peak))
    assert vanishes(sympy.logcombine(through - sympy.log(1 + sympy.exp(c)) + expression(y) * c, force=True))


@statement("loss_bce.P4", false={"a probability of 1/4": {"p": 0.25}, "base 2": {"base": 2.0}})
def test_one_half_costs_the_logarithm_of_two(p=0.5, base=math.e):
    for y in (0.0, 0.25, 1.0):
        assert float(exact(loss_bce, np.array([p]), np.array([y]))) == math.log(2.0) / math.log(base)


@statement("loss_bce.P5", false={"a gap of a half": {"gap": 0.5}, "the label's sign turned": {"turned": -1}})
def test_the_stable_form_is_the_same_number_and_lies_above_a_hinge_by_log_two_at_most(gap=math.log(2.0), turned=1):
    y = symbol_array("y", real=True)
    for sign in ("positive", "negative"):
        z = symbol_array("z", **{sign: True})
        c = expression(z)
        stable = expression(bce_with_logits.body(z, y))
        softplus = sympy.log(1 + sympy.exp(c)) - expression(y) * c
        assert vanishes(sympy.exp(stable - softplus) - 1) or sympy.simplify(sympy.expand_log(stable - softplus)) == 0
        for label in (0, 1):
            hinge = sympy.Max(0, (1 - 2 * label) * turned * c)
            assert vanishes(stable.subs(expression(y), label) - hinge - sympy.log(1 + sympy.exp(-sympy.Abs(c))))
    widest = float(exact(bce_with_logits, np.zeros(1), np.zeros(1)))
    assert widest == gap  # the logarithm falls with the modulus of the score


@statement("loss_bce.P6", "D076", false={"the negative log-likelihood": {"printed": loss_bce.body}})
def test_a_step_along_the_printed_sample_loss_goes_uphill(printed=averaged):
    z, y, rate = (symbol_array(name, real=True) for name in ("z", "y", "eta"))
    step = derivatives(printed(logistic(z), y), z.reshape(1))
    moved = loss_bce.body(logistic(z - rate * step[0]), y)
    change = sympy.diff(expression(moved), expression(rate)).subs(expression(rate), 0)
    size = expression(derivatives(loss_bce.body(logistic(z), y), z.reshape(1))) ** 2

    assert vanishes(change - size)


@statement("D077", false={"one half": {"probability": 0.5}, "a score": {"formula": bce_with_logits}})
def test_probabilities_of_zero_and_one_have_no_cost(probability=0.0, formula=loss_bce):
    for end in (probability, 1 - probability):
        try:
            value = exact(formula, np.array([end]), np.array([0.25]))
        except DomainError:
            continue
        raise AssertionError(f"{end} costs {value}")


# -- Softmax ---------------------------------------------------------------------------------------------------------


@statement(
    "softmax",
    "softmax.P1",
    "probability_simplex.P1",
    false={"unnormalised": {"formula": neighbour(softmax, "softmax_with_rest")}},
)
def test_probabilities_are_positive_add_up_to_one_and_keep_order_and_places(formula=softmax):
    p = formula.body(S)
    order = [2, 0, 1]

    assert vanishes(sum(expressions(p)) - 1)
    assert vanishes(formula.body(S[order]) - p[order])
    assert all(element.is_positive for element in expressions(p))
    for scores in SCORES:
        shares = exact(formula, scores)
        assert ((shares[:, None] > shares) <= (scores[:, None] > scores)).all()


@statement("softmax.P2", false={"not of the exponent": {"shift": lambda s, a: s * a}, "a limit of zero": {"limit": 0}})
def test_probabilities_ignore_a_shift_and_go_from_equal_shares_to_the_largest(shift=lambda s, a: s + a, limit=1):
    a, t = symbol_array("a", real=True), symbol_array("t", positive=True)
    scores = SymbolArray([0, 2, 2])
    warm, symbol = softmax.body(t * scores), expression(t)

    assert vanishes(softmax.body(shift(S, a)) - softmax.body(S))
    assert not vanishes(softmax.body(2 * scores) - softmax.body(scores))
    assert [sympy.limit(share, symbol, 0) for share in expressions(warm)] == [sympy.Rational(limit, 3)] * 3
    assert [sympy.limit(share, symbol, sympy.oo) for share in expressions(warm)] == [0, *[sympy.Rational(limit, 2)] * 2]


@statement(
    "softmax.P3",
    "loss_cross_entropy.P2",
    false={"without the outer product": {"outer": 0}, "a quarter": {"largest": F(1, 4)}},
)
def test_the_jacobian_is_that_of_a_covariance_with_eigenvalues_of_at_most_a_half(outer=1, largest=F(1, 2)):
    p = expressions(softmax.body(S))
    found = jacobian(softmax.body(S), S)
    v = sympy.symbols("v0:3", real=True)
    column = sympy.Matrix(v)
    spread = sum(a * b * (x - y) ** 2 for (a, x), (b, y) in itertools.combinations(zip(p, v, strict=True), 2))

    assert vanishes(found - (sympy.diag(*p) - outer * sympy.Matrix(p) * sympy.Matrix(p).T))
    assert vanishes(found - found.T)
    assert vanishes(found * sympy.ones(3, 1))
    assert vanishes((column.T * found * column)[0] - spread)  # not negative
    # A row's moduli add up to 2p(1 - p): no eigenvalue is larger, and one half is attained by two equal scores.
    for k in range(3):
        row = found[k, k] - sum(found[k, j] for j in range(3) if j != k)
        assert vanishes(row - 2 * p[k] * (1 - p[k]))
        assert vanishes(row + 2 * (p[k] - sympy.Rational(1, 2)) ** 2 - sympy.Rational(1, 2))
    pair = symbol_array("a b", real=True)
    equal = jacobian(softmax.body(pair), pair).subs(dict.fromkeys(expressions(pair), 0))
    assert max(equal.eigenvals()) == sympy.Rational(largest)
    # With a class more it is approached, where that class's score falls.
    opposed = sympy.Matrix([1, -1, 0])
    along = (opposed.T * found.subs({expressions(S)[0]: 0, expressions(S)[1]: 0}) * opposed)[0] / 2
    assert sympy.limit(along, expressions(S)[2], -sympy.oo) == sympy.Rational(largest)
    # So probabilities move by no more than half of what the scores do.
    exactly = [([F(s) for s in scores], [F(p) for p in exact(softmax, scores)]) for scores in SCORES]
    for (a, p), (b, q) in itertools.combinations(exactly, 2):
        moved, by = (sum((x - y) ** 2 for x, y in zip(*pair, strict=True)) for pair in ((p, q), (a, b)))
        assert moved <= largest**2 * by


@statement(
    "softmax.P4", false={"powers of two": {"formula": neighbour(softmax, "softmax_base_two")}, "doubled": {"factor": 2}}
)
def test_differences_of_scores_are_logarithms_of_quotients(formula=softmax, factor=1):
    p = expressions(formula.body(S))

    for i, j in itertools.permutations(range(3), 2):
        quotient = sympy.exp(factor * (expressions(S)[i] - expressions(S)[j]))
        assert vanishes(p[i] / p[j] - quotient)
    logarithms = SymbolArray(
        [sympy.log(share) for share in (sympy.Rational(1, 2), sympy.Rational(1, 3), sympy.Rational(1, 6))]
    )
    assert [sympy.simplify(share) for share in expressions(formula.body(logarithms))] == [
        sympy.Rational(1, 2),
        sympy.Rational(1, 3),
        sympy.Rational(1, 6),
    ]


@statement("softmax.P5", false={"the other class": {"place": 0}})
def test_two_classes_are_one_logistic_function_and_one_class_is_certain(place=1):
    pair = symbol_array("a b", real=True)

    assert vanishes(softmax.body(pair)[place] - logistic(pair[1] - pair[0]))
    assert expressions(softmax.body(S[:1])) == [1]


@statement("softmax.P6", false={"of one class fewer": {"classes": 2}, "no more than the largest": {"classes": 1}})
def test_the_logarithm_of_the_sum_is_the_largest_and_at_most_the_logarithm_of_the_classes_more(classes=3):
    for scores in SCORES:  # rounding is monotone
        above = -float(exact(log_softmax, scores)[np.argmax(scores)])
        assert 0 <= above <= math.log(classes)


@statement("softmax.P7", "ce_extremes.P3", false={"shifted": {"program": softmax}, "half the score": {"factor": 0.5}})
def test_without_a_shift_exponentials_overflow_from_a_score_on(program=softmax.programs["unshifted"], factor=1.0):
    for dtype, score in ((np.float64, 709.78), (np.float32, 88.72)):
        with np.errstate(over="ignore", invalid="ignore"):
            inside = program(np.array([score, 0.0], dtype=dtype) * dtype(factor))
            outside = program(np.array([score + 0.02, 0.0], dtype=dtype) * dtype(factor))
        assert np.isfinite(inside).all()
        assert np.isnan(outside).any()
    assert softmax(np.array([1e4, 0.0])).tolist() == [1.0, 0.0]
    with np.errstate(divide="ignore"):
        assert -np.log(softmax(np.array([0.0, 1e4])))[0] == np.inf
    assert float(loss_cross_entropy(np.array([0.0, 1e4]), np.array(0))) == 1e4


def from_one(p):
    """The printed sum, which begins at the class 1."""
    return sum(p[1:]) == 1 and all(share >= 0 for share in p)


@statement("probability_simplex", "probability_simplex.P1", false={"the printed index": {"inside": from_one}})
def test_probabilities_fill_the_simplex_between_its_centre_and_its_vertices(inside=in_simplex):
    grid = [row for row in itertools.product([F(k, 6) for k in range(7)], repeat=4) if sum(row) == 1]
    assert len(grid) == math.comb(9, 3)
    assert all(inside(row) for row in grid)
    assert not inside([F(1, 2)] * 4)
    assert not inside([F(3, 2), F(-1, 2), F(0), F(0)])
    for a, b in itertools.combinations(grid, 2):
        assert inside([(x + 2 * y) / 3 for x, y in zip(a, b, strict=True)])
    for row in grid:
        assert F(1, 4) <= sum(share**2 for share in row) <= 1
        assert (sum(share**2 for share in row) == 1) == (sorted(row) == [0, 0, 0, 1])


@statement("probability_simplex.P2", "D078", false={"from the class 0": {"inside": in_simplex}})
def test_positive_probabilities_never_add_up_to_one_without_the_first(inside=from_one):
    positive = [row for row in itertools.product([F(k, 6) for k in range(1, 7)], repeat=4) if sum(row) == 1]

    assert positive
    assert not any(inside(row) for row in positive)
    assert vanishes(sum(expressions(softmax.body(S))[1:]) - 1 + expressions(softmax.body(S))[0])


# -- Cross-entropy ---------------------------------------------------------------------------------------------------


@statement("loss_cross_entropy", "D080", false={"another class": {"label": 0}, "base 2": {"scale": 2}})
def test_cross_entropy_is_the_negative_logarithm_of_the_true_class_s_probability(label=1, scale=1):
    value = (
        expression(cross_entropy(S, label)) / sympy.log(scale) if scale != 1 else expression(cross_entropy(S, label))
    )
    p = expressions(softmax.body(S))

    assert vanishes(sympy.exp(-value) - p[1])
    one_hot = soft_cross_entropies(S, SymbolArray([0, 1, 0]))
    assert vanishes(one_hot - cross_entropy(S, 1))


@statement("loss_cross_entropy.P1", false={"attained": {"least": 1e-3}, "one class": {"classes": 1}})
def test_cross_entropy_is_positive_and_as_small_as_one_likes(least=0.0, classes=3):
    for scores in SCORES:
        assert cost(scores[:classes], 0) > least
    far, t = SymbolArray([sympy.Symbol("t", positive=True), 0]), sympy.Symbol("t", positive=True)
    assert sympy.limit(expression(cross_entropy(far, 0)), t, sympy.oo) == 0


@statement(
    "loss_cross_entropy.P2",
    false={"the label left out": {"gradient": lambda s, y: softmax.body(s)}, "once the distance": {"factor": 1}},
)
def test_its_gradient_is_the_probability_less_the_label(gradient=loss_cross_entropy_gradient.body, factor=2):
    label = np.array(1)
    found = expressions(gradient(S, label))
    p = expressions(softmax.body(S))
    value = expression(cross_entropy(S, 1))

    assert vanishes(SymbolArray(found) - derivatives(value, S))
    assert vanishes(sum(found))
    assert vanishes(found[0] - found[1] + found[2] - factor * (1 - p[1]))  # all but the true class's are positive
    # The sum of the squares is less than two: 2(1 - p)^2 less twice the product of the other two probabilities.
    assert vanishes(sum(g**2 for g in found) - 2 * (1 - p[1]) ** 2 + 2 * p[0] * p[2])
    assert vanishes(sympy.hessian(value, expressions(S)) - jacobian(softmax.body(S), S))


@statement("loss_cross_entropy.P3", false={"two to the power": {"logarithm": math.log2}, "10 classes": {"classes": 10}})
def test_equal_scores_cost_the_logarithm_of_the_classes(logarithm=math.log, classes=4):
    shift = symbol_array("a", real=True)

    assert vanishes(sympy.exp(expression(cross_entropy(S + shift, 0)) - expression(cross_entropy(S, 0))) - 1)
    assert cost([7.0] * classes, 2) == logarithm(classes)
    assert f"{cost([0.0] * classes, 0):.9f}" == "1.386294361"
    assert f"{cost([0.0] * 10, 0):.9f}" == "2.302585093"


@statement(
    "loss_cross_entropy.P4", false={"of one class fewer": {"more": math.log(2.0)}, "half the margin": {"factor": 0.5}}
)
def test_a_margin_bounds_the_cost_from_both_sides(more=math.log(3.0), factor=1.0):
    for scores, label in itertools.product(SCORES, range(3)):
        margin = max(0.0, factor * max(np.delete(scores, label) - scores[label]))
        upper = float(exact(lambda a, b: a + b, margin, math.nextafter(more, math.inf)))

        assert margin <= cost(scores, label) <= upper


@statement("loss_cross_entropy.P5", false={"of another class": {"label": 0}, "of the true one": {"sign": 1}})
def test_it_falls_with_the_score_of_the_true_class_and_rises_with_the_others(label=1, sign=-1):
    found = expressions(derivatives(cross_entropy(S, label), S))
    p = expressions(softmax.body(S))

    assert vanishes(found[1] - sign * (1 - p[1]))
    assert vanishes(found[0] - p[0])
    assert vanishes(found[2] - p[2])


@statement(
    "loss_cross_entropy.P6",
    false={"without the entropy": {"weight": 0}, "the divergence reversed": {"reversed_": True}},
)
def test_soft_labels_cost_their_entropy_and_a_divergence(weight=1, reversed_=False):
    labels = sympy.symbols("y0:3", positive=True)
    logarithms = expressions(log_softmax(S))
    entropy = -sum(y * sympy.log(y) for y in labels)
    if reversed_:
        divergence = sum(sympy.exp(q) * (q - sympy.log(y)) for q, y in zip(logarithms, labels, strict=True))
    else:
        divergence = sum(y * (sympy.log(y) - q) for q, y in zip(logarithms, labels, strict=True))

    assert vanishes(soft_cross_entropies(S, SymbolArray(labels)) - weight * entropy - divergence)
    for shares in map(np.array, ([0.5, 0.25, 0.25], [0.125, 0.8125, 0.0625])):
        least = float(exact(lambda y: soft_cross_entropies(_logarithms(y), y), shares))
        assert all(float(exact(soft_cross_entropies, scores, shares)) >= weight * least for scores in SCORES)


def _logarithms(y):
    return type(y).namespace.log(y)


@statement("loss_cross_entropy.P7", false={"log 3": {"least": math.log(3.0)}, "the right class, too": {"wrong": False}})
def test_a_wrong_choice_costs_at_least_the_logarithm_of_two(least=math.log(2.0), wrong=True):
    for scores, label in itertools.product(SCORES, range(3)):
        chosen = np.argmax(scores) != label and np.max(scores) >= scores[label]
        if chosen or not wrong:
            assert cost(scores, label) >= least


# -- The examples of the slides --------------------------------------------------------------------------------------


@statement(
    "ce_example_4_classes",
    "ce_example_4_classes.P1",
    "D079",
    false={"as printed, exactly": {"room": 0}, "two classes": {"printed": "0.5"}},
)
def test_the_printed_probability_and_cost_are_roundings_of_one_example(room=F(8, 1000), printed="0.071"):
    shown, loss = sympy.Rational(printed), sympy.Rational("2.647")
    half = sympy.Rational("0.0005")
    cheapest, dearest = -sympy.log(shown + half), -sympy.log(shown - half)

    assert cheapest < loss <= dearest
    assert f"{float(-sympy.log(shown)):.15f}" == "2.645075401940822"
    assert sympy.Abs(-sympy.log(shown) - loss) <= sympy.Rational(room)
    assert (f"{float(cheapest):.6f}", f"{float(dearest):.6f}") == ("2.638058", "2.652143")
    p = sympy.exp(-loss - half), sympy.exp(-loss + half)
    assert [f"{float(end):.7f}" for end in p] == ["0.0708281", "0.0708989"]
    assert f"{float(sympy.exp(-loss)):.6f}" == "0.070863"


@statement(
    "ce_extremes",
    "ce_extremes.P1",
    "ce_extremes.P2",
    false={
        "twice the gap": {"factor": 2},
        "a norm of one": {"norm": 1},
        "to the base 2": {"loss": lambda scores, label: cross_entropy(scores, label) / sympy.log(2)},
        "half of it": {"loss": lambda scores, label: cross_entropy(scores, label) / 2},
    },
)
def test_a_perfect_prediction_costs_its_gap_and_a_bad_one_has_a_bounded_gradient(
    factor=1, norm=sympy.sqrt(2), loss=cross_entropy
):
    t = sympy.Symbol("t", real=True)
    # As the score of the true class grows, cost and gap fall to 0, and the cost by the squared gap faster.
    three = SymbolArray([t, *expressions(S)[1:]])
    true = expression(softmax.body(three)[0])
    over = expression(loss(three, 0)) - factor * (1 - true)
    assert sympy.limit(over, t, sympy.oo) == 0
    assert vanishes(sympy.diff(over, t) + (1 - true) ** 2)
    scores = SymbolArray([t, 0])
    value = expression(cross_entropy(scores, 0))
    gradient = [
        sympy.limit(g, t, -sympy.oo) for g in expressions(loss_cross_entropy_gradient.body(scores, np.array(0)))
    ]

    assert sympy.limit(value, t, sympy.oo) == 0
    assert sympy.limit(value, t, -sympy.oo) == sympy.oo
    assert sympy.sqrt(sum(g**2 for g in gradient)) == norm


@statement(
    "ce_two_classes_vs_bce",
    "ce_two_classes_vs_bce.P1",
    "D081",
    false={"the other difference": {"sign": -1}, "of the second score alone": {"sign": 0}},
)
def test_two_classes_cost_what_their_difference_costs(sign=1):
    pair = symbol_array("a b", real=True)
    a, b = expressions(pair)
    for label in (0, 1):
        binary = loss_bce.body(logistic(sign * (pair[1] - pair[0])), SymbolArray([label])[0])
        ratio = sympy.exp(expression(cross_entropy(pair, label))) * sympy.exp(-expression(binary))
        assert vanishes(ratio - 1)
        shifted = SymbolArray([a, a + b])
        plain = SymbolArray([0, b])
        assert vanishes(
            sympy.exp(expression(cross_entropy(shifted, label)) - expression(cross_entropy(plain, label))) - 1
        )
    for first, second, label in itertools.product((-40.0, 0.0, 3.0), (-1.0, 700.0), (0, 1)):
        assert cost([first, second], label) == float(
            exact(bce_with_logits, np.array([second - first]), np.array([float(label)]))
        )


@statement("ce_two_classes_vs_bce.P2", false={"the same norm": {"ratio": 1}, "twice the norm": {"ratio": 4}})
def test_the_two_scores_have_opposite_gradients(ratio=2):
    pair = symbol_array("a b", real=True)
    for label in (0, 1):
        first, second = expressions(loss_cross_entropy_gradient.body(pair, np.array(label)))
        binary = expression(bce_with_logits_gradient.body((pair[1] - pair[0]).reshape(1), np.array([float(label)])))

        assert vanishes(second - binary)
        assert vanishes(first + second)
        assert vanishes(first**2 + second**2 - ratio * binary**2)


@statement("ce_two_classes_vs_bce.P3", false={"the same step": {"factor": 1}, "four times": {"factor": 4}})
def test_two_scores_learn_at_twice_the_rate_of_one(factor=2):
    rate, symbols_ = sympy.Symbol("alpha", positive=True), sympy.symbols("u0 u1 w0 w1", real=True)
    two = np.array(symbols_, dtype=object).reshape(2, 2)
    one = two[1] - two[0]
    for x, label in ((np.array([1, 2], dtype=object), 1), (np.array([-1, 3], dtype=object), 0)):
        scores = SymbolArray.wrap(two @ x)
        upstream = loss_cross_entropy_gradient.body(scores, np.array(label)).elements
        moved = two - rate * upstream[:, None] * x
        slope = bce_with_logits_gradient.body(SymbolArray.wrap([one @ x]), np.array([float(label)])).elements[0]

        # Whatever the parameters are, their difference moves as the one score's do: by induction, at every step.
        assert vanishes(SymbolArray.wrap(moved[1] - moved[0]) - SymbolArray.wrap(one - factor * rate * slope * x))


@statement("ce_two_classes_vs_bce.P4", false={"the difference": {"sign": -1}})
def test_descent_on_the_scores_keeps_their_sum(sign=1):
    pair, rate = symbol_array("a b", real=True), symbol_array("eta", positive=True)
    for label in (0, 1):
        moved = pair - rate * loss_cross_entropy_gradient.body(pair, np.array(label))

        assert vanishes(moved[0] + sign * moved[1] - pair[0] - sign * pair[1])


# -- Both together ---------------------------------------------------------------------------------------------------


def only_weighted(scores, label, prediction, target, *, regression_weight):
    return regression_weight * loss_combined.body(scores, label, prediction, target, regression_weight=1)


@statement("loss_combined", "loss_combined.P1", "D082", false={"all of it weighted": {"loss": only_weighted}})
def test_each_output_learns_from_its_own_cost(loss=loss_combined.body):
    weight = symbol_array("lambda", nonnegative=True)
    prediction, target = symbol_array("r0 r1", real=True), symbol_array("t0 t1", real=True)
    label = np.array(2)
    value = loss(S, label, prediction, target, regression_weight=weight)
    shared = sympy.Symbol("theta", real=True)
    both = [shared * k for k in (1, 2, 3)], [shared**2, shared]
    through = loss(SymbolArray(both[0]), label, SymbolArray(both[1]), target, regression_weight=weight)
    apart = cross_entropy(SymbolArray(both[0]), 2), loss_squared_error.body(SymbolArray(both[1]), target)

    assert vanishes(derivatives(value, S) - loss_cross_entropy_gradient.body(S, label))
    assert vanishes(derivatives(value, prediction) - 2 * weight * (prediction - target))
    first, second = (sympy.diff(expression(part), shared) for part in apart)
    assert vanishes(sympy.diff(expression(through), shared) - first - expression(weight) * second)


@statement("loss_combined.P2", false={"all of it weighted": {"loss": only_weighted}})
def test_without_weight_only_the_classes_count(loss=loss_combined.body):
    prediction, target, label = symbol_array("r0 r1", real=True), symbol_array("t0 t1", real=True), np.array(0)
    a, b = symbol_array("a", positive=True), symbol_array("b", positive=True)

    assert vanishes(loss(S, label, prediction, target, regression_weight=0) - cross_entropy(S, 0))
    both = loss(S, label, prediction, target, regression_weight=a + b)
    parts = loss(S, label, prediction, target, regression_weight=a), b * loss_squared_error.body(prediction, target)
    assert vanishes(both - parts[0] - parts[1])
    for scores in SCORES[::7]:
        assert (
            float(
                exact(
                    lambda s, p, t: loss_combined.body(s, label, p, t, regression_weight=0.5),
                    scores,
                    np.ones(2),
                    np.zeros(2),
                )
            )
            > 0
        )


# -- The starting level of a network that knows nothing -----------------------------------------------------------------


@statement(
    "memorisation_statement",
    "memorisation_statement.P1",
    false={"two classes": {"classes": 2}, "100": {"classes": 100}},
)
def test_a_uniform_prediction_of_ten_classes_starts_below_the_axis_end(classes=10):
    level = cost([0.0] * classes, 1)

    assert f"{level:.6f}" == "2.302585"
    assert 2.25 < level < 2.5
    labels = [k % classes for k in range(5 * classes)]
    assert F(labels.count(1), len(labels)) == F(1, 10)


@statement(
    "memorisation_statement.P2",
    false={
        "one class likelier": {"labels": (0, *range(10))},
        "a ninth": {"chance": F(1, 9)},
        "labels that look": {"drawn": lambda labels: list(itertools.product(labels[::2], labels[1::2]))},
    },
)
def test_no_predictor_beats_chance_on_labels_that_ignore_the_input(
    labels=tuple(range(10)),
    chance=F(1, 10),
    drawn=lambda labels: list(itertools.product(labels, repeat=2)),
):
    """Every function of two inputs, as the likeliest class of a softmax, on every draw of their labels."""
    likeliest = [int(np.argmax(softmax.body(scores))) for scores in np.eye(10)]
    for predictor in itertools.product(likeliest, repeat=2):
        accuracy = expectation(
            F(sum(one == other for one, other in zip(predictor, pair, strict=True)), 2) for pair in drawn(labels)
        )
        assert accuracy == chance
