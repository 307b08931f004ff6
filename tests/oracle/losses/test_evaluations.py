"""Softmax, logistic functions and costs of scores by other programs: the same on paper and in exact arithmetic, and bounds of their own."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from oracle.arithmetic.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, FORMATS, Precision
from oracle.arithmetic.symbols import symbol_array
from oracle.bound import bound
from oracle.catalogue import FORMULAS, get
from oracle.errors import UnknownFormulaError
from oracle.exact import exact

NAMES = ("logsumexp", "unshifted", "through_probability", "overflowing")
NAMED = [(formula.id, name) for formula in FORMULAS for name in NAMES if name in formula.evaluations]
SCORES = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]])
HUGE = np.array([[1e4, 1e4, 9990.0], [-1e4, -1e4, -9998.0]])
LABELS = np.array([2, 0])

every_evaluation = pytest.mark.parametrize(("formula", "name"), NAMED)
every_format = pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)


def arguments(formula: str, scores: np.ndarray) -> tuple[tuple[np.ndarray, ...], dict[str, float]]:
    if formula == "bce_with_logits":
        return (scores, np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.25]])), {}
    if formula == "loss_combined":
        return (scores, LABELS, np.array([1.0, 2.0]), np.array([0.5, 2.0])), {"regression_weight": 0.5}
    return ((scores,) if get(formula).arrays[1:] == () else (scores, LABELS)), {}


def plainly(form) -> Precision:
    """Everything in one format, with scalars of float64."""
    return Precision(form, form, FLOAT64)


def test_they_are_named_for_what_has_probabilities_and_for_costs_of_scores():
    assert set(NAMED) == {
        ("sigmoid", "overflowing"),
        ("silu", "overflowing"),
        ("gelu_sigmoid", "overflowing"),
        ("bce_with_logits", "unshifted"),
        ("bce_with_logits", "through_probability"),
        ("softmax", "logsumexp"),
        ("softmax", "unshifted"),
        ("loss_cross_entropy", "unshifted"),
        ("loss_cross_entropy", "through_probability"),
        ("loss_combined", "unshifted"),
        ("loss_combined", "through_probability"),
        ("loss_cross_entropy_gradient", "logsumexp"),
        ("loss_cross_entropy_gradient", "unshifted"),
    }


@every_evaluation
@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_it_is_the_formula_on_paper(formula, name, sign):
    record, label = get(formula), np.array(1)
    scores = symbol_array("a b", **{sign: True})
    others = {
        **dict.fromkeys(("softmax", "sigmoid", "silu", "gelu_sigmoid"), ()),
        "bce_with_logits": (symbol_array("x y", positive=True),),
        "loss_combined": (label, symbol_array("r s", real=True), symbol_array("t u", real=True)),
    }.get(formula, (label,))
    values = {"regression_weight": sympy.Symbol("w")} if formula == "loss_combined" else {}
    printed, other = (program.body(scores, *others, **values) for program in (record, record.programs[name]))

    for one, two in zip(np.ravel(printed.elements), np.ravel(other.elements), strict=True):
        together = sympy.expand_log(sympy.logcombine(sympy.together(sympy.expand(one - two)), force=True), force=True)
        assert sympy.simplify(together) == 0


@every_evaluation
@pytest.mark.parametrize("scores", [SCORES, 30 * SCORES], ids=["small", "spread"])
def test_its_exact_values_are_the_formula_s(formula, name, scores):
    arrays, values = arguments(formula, scores)
    record = get(formula)

    assert np.array_equal(exact(record.programs[name], *arrays, **values), exact(record, *arrays, **values))


@every_evaluation
@every_format
def test_its_bound_of_small_scores_is_no_wider_than_a_few_times_the_printed_one(formula, name, form):
    arrays, values = arguments(formula, SCORES)
    record = get(formula)
    printed, other = (
        bound(program, *arrays, precision=plainly(form), **values) for program in (record, record.programs[name])
    )

    assert other.bounded.all()
    assert (other.error <= 6 * printed.error).all()


@pytest.mark.parametrize("form", [FLOAT64, FLOAT32], ids=lambda form: form.name)
def test_by_logsumexp_the_bound_grows_with_the_scores_and_stays_of_use(form):
    record = get("softmax")
    printed, other = (
        bound(program, form.round(HUGE), precision=plainly(form)) for program in (record, record.programs["logsumexp"])
    )

    assert (other.error >= 10 * printed.error).all()
    assert (other.error <= 2 * 1e4 * form.unit).all()


@pytest.mark.parametrize("form", [FLOAT64, FLOAT32, FLOAT16, BFLOAT16], ids=lambda form: form.name)
def test_the_exponential_of_scores_less_their_logsumexp_leaves_the_printed_bound_and_not_its_own(form):
    """A simpler rule, that of the shifted program alone, would have condemned it."""
    scores = form.round(np.array([100.0, 100.5, 99.0]))
    largest = float(np.max(scores))
    total = form.round(np.array(largest + np.log(np.sum(np.exp(scores - largest)))))
    shown = form.round(np.exp(form.round(scores - total)))
    record, precision = get("softmax"), plainly(form)

    assert bound(record, scores, precision=precision).ratio(shown).max() > 1
    assert 0.01 < bound(record.programs["logsumexp"], scores, precision=precision).ratio(shown).max() <= 1


@pytest.mark.parametrize("formula", ["softmax", "loss_cross_entropy", "loss_cross_entropy_gradient", "loss_combined"])
def test_unshifted_exponentials_that_leave_the_range_have_no_bound(formula):
    record = get(formula).programs["unshifted"]
    for scores in (HUGE, np.full((2, 3), 89.0), np.full((2, 3), -120.0)):
        arrays, values = arguments(formula, scores)
        assert not bound(record, *arrays, precision=plainly(FLOAT32), **values).bounded.any()


@pytest.mark.parametrize("formula", ["sigmoid", "silu", "gelu_sigmoid"])
def test_a_growing_exponential_that_leaves_the_range_has_no_bound(formula):
    x, record = np.array([89.0, 1e4, 40.0]), get(formula)

    assert bound(record, x, precision=plainly(FLOAT32)).bounded.all()
    bounded = bound(record.programs["overflowing"], x, precision=plainly(FLOAT32)).bounded

    assert bounded.tolist() == [False, False, True]


@pytest.mark.parametrize("formula", ["loss_cross_entropy", "loss_combined", "bce_with_logits"])
def test_logarithms_of_probabilities_that_are_rounded_to_zero_have_no_bound(formula):
    arrays, values = arguments(formula, np.array([[0.0, 120.0, 1.0], [0.0, 1.0, -2.0]]))
    record = get(formula)

    assert not bound(
        record.programs["through_probability"], *arrays, precision=plainly(FLOAT32), **values
    ).bounded.any()
    assert bound(record, *arrays, precision=plainly(FLOAT32), **values).bounded.all()


def test_what_is_accepted_is_stable_or_claimed():
    softmax = get("softmax")

    assert softmax.accepted() == ("", "logsumexp")
    assert softmax.accepted("logsumexp") == ("", "logsumexp")
    assert softmax.accepted("unshifted") == ("", "logsumexp", "unshifted")
    with pytest.raises(UnknownFormulaError, match="softmax must be among logsumexp, unshifted, got 'one_pass'"):
        softmax.accepted("one_pass")
    with pytest.raises(UnknownFormulaError, match="adam must be among none, got 'one_pass'"):
        get("adam").accepted("one_pass")
