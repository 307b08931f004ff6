"""Claims about softmax and the losses of classification."""

from __future__ import annotations

import numpy as np

from oracle.arithmetic.balls import BallArray, abs_upper, balls, working_precision
from oracle.arithmetic.curves import chosen, logistic_loss
from oracle.arithmetic.primitives import namespace
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, result, total
from properties.strategies.inputs import called
from properties.subject import Floats

__all__ = [
    "classes_exchanged",
    "equal_scores",
    "gap_is_the_score",
    "never_negative",
    "order_of_scores",
    "permuted_classes",
    "probabilities_add_up",
    "shifted_scores",
    "two_classes",
    "undecided_costs_log_two",
    "within_the_margin",
]

_SLIDES = "bourmaudnetworks, Choix du coût : Classification"
_TWO = "bourmaudnetworks, « Cross-entropy » à deux classes vs « Binary cross-entropy »"
_CLASSES = {"short": 4, "spread": 2, "huge": 1, "rows": 1}


def _with_scores(call: Call, scores: Floats) -> Call:
    return Call((np.asarray(scores, dtype=np.float64), *call.arrays[1:]), {})


@claim(
    "probabilities_add_up",
    kind="invariant",
    formulas=("softmax",),
    statement=r"\sum_i p_i = 1",
    source=_SLIDES,
    inputs=called(_CLASSES),
    catches=(
        "softmax_unshifted",
        "softmax_other_axis",
        "softmax_whole_array",
        "softmax_with_rest",
        "softmax_epsilon",
    ),
)
def probabilities_add_up(bench: Bench, *, call: Call) -> None:
    """The probabilities of every sample add up to 1."""
    shown, error = result(bench, call)
    with working_precision(PRECISION_BITS):
        sums = np.asarray(BallArray.namespace.sum(balls(shown), axis=-1).elements, dtype=np.float64)
    expected = Enclosure(value=balls(np.ones(sums.shape)), error=total(np.sum(error, axis=-1), 2.0**-50))
    bench.compare(sums, expected, quantity="result", note="probabilities add up to that")


@claim(
    "shifted_scores",
    kind="metamorphic",
    formulas=("softmax", "loss_cross_entropy", "loss_cross_entropy_gradient"),
    statement=r"f(s + a \mathbf 1) = f(s)",
    source=_SLIDES,
    inputs=called({"short": 4, "spread": 2}),
    catches=(
        "softmax_with_rest",
        "loss_cross_entropy_without_sum",
        "loss_cross_entropy_gradient_of_scores",
    ),
)
def shifted_scores(bench: Bench, *, call: Call) -> None:
    """Adding the same number to all scores changes nothing."""
    scores = np.clip(np.rint(4.0 * call.arrays[0]) / 4.0, -16.0, 16.0)  # so that sums are numbers of every dtype
    shown, error = result(bench, _with_scores(call, scores))
    shifted, shifted_error = result(bench, _with_scores(call, scores + 16.0))
    expected = Enclosure(value=balls(shown), error=total(error, shifted_error))
    bench.compare(shifted, expected, quantity="result", note="16 was added to all scores")


@claim(
    "permuted_classes",
    kind="metamorphic",
    formulas=("softmax", "loss_cross_entropy"),
    statement=r"p(P s) = P \, p(s), \quad l(P y, P s) = l(y, s)",
    source=_SLIDES,
    inputs=called(_CLASSES),
    catches=(
        "softmax_unshifted",
        "softmax_with_rest",
        "softmax_cooled_down",
        "softmax_first_class_heavier",
        "loss_cross_entropy_unshifted",
        "loss_cross_entropy_next_class",
        "loss_cross_entropy_seventeenth_class_ignored",
    ),
)
def permuted_classes(bench: Bench, *, call: Call) -> None:
    """The order of the classes does not matter."""
    shown, error = result(bench, call)
    last = call.arrays[0].shape[-1] - 1
    turned = bench.call(Call((call.arrays[0][..., ::-1].copy(), *(last - label for label in call.arrays[1:])), {}))
    if bench.formula.id == "softmax":
        turned = turned[..., ::-1]
    expected = Enclosure(value=balls(shown), error=total(error, error))
    bench.compare(turned, expected, quantity="result", note="the classes were turned round")


@claim(
    "equal_scores",
    kind="invariant",
    formulas=("softmax", "loss_cross_entropy"),
    statement=r"s = a \mathbf 1 \implies p_i = \tfrac1C \text{ and } l = \ln C",
    source=_SLIDES,
    inputs=called({"short": 2, "equal": 3, "huge": 3}),
    catches=(
        "softmax_other_axis",
        "softmax_whole_array",
        "softmax_with_rest",
        "softmax_epsilon",
        "softmax_first_class_heavier",
        "loss_cross_entropy_unshifted",
        "loss_cross_entropy_base_two",
        "loss_cross_entropy_averaged",
        "loss_cross_entropy_without_sum",
    ),
)
def equal_scores(bench: Bench, *, call: Call) -> None:
    """Classes with equal scores are equally probable."""
    first = call.arrays[0].flat[0]
    shown, error = result(bench, _with_scores(call, np.full(call.arrays[0].shape, first)))
    with working_precision(PRECISION_BITS):
        count = balls(np.full(shown.shape, float(call.arrays[0].shape[-1])))
        value = 1 / count if bench.formula.id == "softmax" else namespace(count).log(count)
        bench.compare(shown, Enclosure(value=value, error=error), quantity="result", note="all scores are equal")


@claim(
    "order_of_scores",
    kind="invariant",
    formulas=("softmax",),
    statement=r"s_i \le s_j \implies p_i \le p_j",
    source=_SLIDES,
    inputs=called(_CLASSES),
    catches=(
        "softmax_other_axis",
        "softmax_cooled_down",
        "softmax_first_class_heavier",
    ),
)
def order_of_scores(bench: Bench, *, call: Call) -> None:
    """A class with a larger score has a larger probability."""
    order = np.sort(call.arrays[0], axis=-1)
    shown, error = result(bench, _with_scores(call, order))
    falls = shown[..., :-1] - shown[..., 1:] > total(error[..., :-1], error[..., 1:])
    bench.require(not falls.any(), f"probabilities {shown.tolist()} of rising scores fall", quantity="result")


@claim(
    "never_negative",
    kind="invariant",
    formulas=("loss_bce", "bce_with_logits", "loss_cross_entropy"),
    statement=r"l \ge 0",
    source=_SLIDES,
    inputs=called({"short": 6, "confident": 2}),
    catches=(
        "loss_bce_ascends",
        "bce_with_logits_ascends",
        "loss_cross_entropy_without_sum",
    ),
)
def never_negative(bench: Bench, *, call: Call) -> None:
    """A negative log-likelihood is not negative."""
    shown, error = result(bench, call)
    bench.require(not np.any(shown < -error), f"the loss is {shown.tolist()}", quantity="result")


@claim(
    "two_classes",
    kind="metamorphic",
    formulas=("loss_cross_entropy",),
    statement=r"l(y, (s_0, s_1)) = \ln(1 + e^z) - y z, \quad z = s_1 - s_0",
    source=_TWO,
    inputs=called(_CLASSES),
    catches=(
        "loss_cross_entropy_unshifted",
        "loss_cross_entropy_smoothed",
        "loss_cross_entropy_base_two",
        "loss_cross_entropy_averaged",
        "loss_cross_entropy_warmer",
        "loss_cross_entropy_without_sum",
        "loss_cross_entropy_softmax_twice",
        "loss_cross_entropy_next_class",
    ),
)
def two_classes(bench: Bench, *, call: Call) -> None:
    """Of two classes it is the logistic loss of the difference of their scores."""
    scores = call.arrays[0][..., :2].copy()
    target = call.arrays[1] % 2
    shown, error = result(bench, Call((scores, target), {}))
    with working_precision(PRECISION_BITS):
        costs = logistic_loss(balls(scores[..., 1]) - balls(scores[..., 0]), balls(target))
        value = BallArray.namespace.mean(costs)
        bench.compare(shown, Enclosure(value=value, error=error), quantity="result", note="there are two classes")


@claim(
    "within_the_margin",
    kind="invariant",
    formulas=("loss_cross_entropy",),
    statement=r"m \le l \le m + \ln C, \quad m = \max_c s_c - s_y",
    source=_SLIDES,
    inputs=called(_CLASSES),
    catches=(
        "loss_cross_entropy_clamped",
        "loss_cross_entropy_averaged",
        "loss_cross_entropy_without_sum",
        "loss_cross_entropy_softmax_twice",
        "loss_cross_entropy_next_class",
    ),
)
def within_the_margin(bench: Bench, *, call: Call) -> None:
    """It is how far the true class's score is behind, on average, and at most the logarithm of the classes more."""
    shown, error = result(bench, call)
    scores, target = balls(call.arrays[0]), call.arrays[1].astype(np.int64)
    with working_precision(PRECISION_BITS):
        behind = BallArray.namespace.max(scores, axis=-1) - chosen(scores, target)
        half = namespace(scores).log(balls(float(scores.shape[-1]))) / 2
        expected = Enclosure(value=BallArray.namespace.mean(behind) + half, error=total(error, abs_upper(half)))
        bench.compare(shown, expected, quantity="result", note="the middle between both bounds")


@claim(
    "undecided_costs_log_two",
    kind="invariant",
    formulas=("loss_bce", "bce_with_logits"),
    statement=r"l(y, \tfrac12) = \ln 2",
    source=_TWO,
    inputs=called({"short": 3}),
    catches=(
        "loss_bce_summed",
        "loss_bce_base_two",
        "loss_bce_positive_only",
        "loss_bce_ascends",
        "bce_with_logits_summed",
        "bce_with_logits_base_two",
        "bce_with_logits_ascends",
    ),
)
def undecided_costs_log_two(bench: Bench, *, call: Call) -> None:
    """A probability of one half, or a score of zero, costs the logarithm of 2 whatever the target."""
    middle = 0.5 if bench.formula.id == "loss_bce" else 0.0
    shown, error = result(bench, _with_scores(call, np.full(call.arrays[0].shape, middle)))
    with working_precision(PRECISION_BITS):
        two = balls(np.full(shown.shape, 2.0))
        value = namespace(two).log(two)
        bench.compare(shown, Enclosure(value=value, error=error), quantity="result", note="nothing was decided")


@claim(
    "classes_exchanged",
    kind="metamorphic",
    formulas=("loss_bce", "bce_with_logits"),
    statement=r"l(1 - y, 1 - \hat y) = l(y, \hat y), \quad l(1 - y, -z) = l(y, z)",
    source=_TWO,
    inputs=called({"short": 4}),
    catches=("loss_bce_positive_only",),
)
def classes_exchanged(bench: Bench, *, call: Call) -> None:
    """The two classes may change places."""
    first, target = call.arrays
    if bench.formula.id == "loss_bce":
        first = np.clip(np.rint(16.0 * first), 1.0, 15.0) / 16.0  # so that the complement is a number of the dtype
        call = _with_scores(call, first)
    shown, error = result(bench, call)
    other = 1.0 - first if bench.formula.id == "loss_bce" else -first
    exchanged, exchanged_error = result(bench, Call((other, 1.0 - target), {}))
    expected = Enclosure(value=balls(shown), error=total(error, exchanged_error))
    bench.compare(exchanged, expected, quantity="result", note="the classes changed places")


@claim(
    "gap_is_the_score",
    kind="metamorphic",
    formulas=("bce_with_logits",),
    statement=r"l(0, z) - l(1, z) = \frac1n \sum_i z_i",
    source=_TWO,
    inputs=called({"short": 4, "tails": 2}),
    catches=(
        "bce_with_logits_summed",
        "bce_with_logits_base_two",
        "bce_with_logits_through_probability",
        "bce_with_logits_clamped",
        "bce_with_logits_smoothed",
        "bce_with_logits_ascends",
        "bce_with_logits_half_score",
    ),
)
def gap_is_the_score(bench: Bench, *, call: Call) -> None:
    """The negative class costs more than the positive one by the mean score."""
    score = call.arrays[0]
    shown, error = result(bench, Call((score, np.ones(score.shape)), {}))
    other, other_error = result(bench, Call((score, np.zeros(score.shape)), {}))
    with working_precision(PRECISION_BITS):
        value = balls(shown) + BallArray.namespace.mean(balls(score))
        expected = Enclosure(value=value, error=total(error, other_error))
        bench.compare(other, expected, quantity="result", note="the gap is the mean score")
