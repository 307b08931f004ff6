"""Claims about dropout: the mask is read off the results, and judged by exact binomial tests.

A subject draws its own mask. What it returns for a unit that is not zero tells whether the unit was kept,
and so every result can be compared with the formula of the mask that was drawn. Whether the mask is a fair
one is a statistical question: each test there rejects a fair mask with a probability of `FALSE_ALARM` at
most, which is computed exactly and not approximated.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from oracle.arithmetic.balls import BallArray, abs_upper, balls, working_precision
from oracle.bound import bound
from oracle.dropout.binomial import binomial_tails
from oracle.dropout.inference import dropout_inference_scaling
from properties.cases import Call
from properties.claims import Bench, Violation, claim
from properties.margins import PRECISION_BITS
from properties.strategies.dropouts import dropped
from properties.subject import Floats

__all__ = [
    "FALSE_ALARM",
    "TESTS",
    "identity_at_inference",
    "keeps_its_proportion",
    "masked_follows_the_formula",
    "nothing_removed",
    "scaled_at_inference",
    "units_are_drawn_apart",
]

_SOURCE = "lopesquintas2026complements, Dropout"
_BOTH = ("dropout_keep_proportion", "dropout_inverted")

#: Probability at most that one test rejects a fair mask. A run makes fewer than 2**16 tests, however thorough it
#: is and whatever it judges, so that it raises a false alarm with a probability of 2**-30 < 1e-9 at most.
FALSE_ALARM = 2.0**-46

#: Binomial tests of one case, by claim: of all units together, and of neighbours along each axis.
TESTS = {"keeps_its_proportion": 1, "units_are_drawn_apart": 3}

#: Uniform numbers of 24 bits, as float32 generators draw them, meet a proportion to within this.
_GRAIN = 2.0**-24


def _trained(bench: Bench, call: Call, seed: int) -> Floats:
    """Return what the subject makes of the units in training, from a seed."""
    return _asked(bench, call, np.array(float(seed)))


def _asked(bench: Bench, call: Call, *seed: Floats) -> Floats:
    x = call.arrays[0]
    shown = bench.call(replace(call, arrays=(x, *seed)))
    if shown.shape != x.shape:
        raise Violation(f"the result has shape {shown.shape}, expected {x.shape}", quantity="result")
    return shown


def _mask(x: Floats, shown: Floats) -> Floats:
    """Return which units were kept; a unit of zero shows nothing, and counts as kept."""
    return np.where((x == 0) | (shown != 0), 1.0, 0.0)


def _tails(successes: int, trials: int, low: float, high: float) -> float:
    """Return how likely an outcome so far from its mean is at most, when the chance lies in an interval."""
    with working_precision(PRECISION_BITS):
        few, _ = binomial_tails(successes, trials, balls(low))
        _, many = binomial_tails(successes, trials, balls(high))
        return float(2 * abs_upper(BallArray.namespace.minimum(few, many)))


@claim(
    "follows_the_formula",
    kind="differential",
    formulas=_BOTH,
    statement=r"\exists\, r \in \{0, 1\}^n : \lvert \hat f(x) - f(x, r) \rvert \le E(x, r)",
    source="the formula's own; the bounds E are derived operation by operation",
    inputs=dropped(),
    catches=(
        "dropout_unscaled",
        "dropout_scaled_by_the_proportion_removed",
        "dropout_proportions_exchanged",
        "dropout_adds_noise",
        "dropout_keep_proportion_rescaled",
        "dropout_keep_proportion_scaled_in_training",
    ),
)
def masked_follows_the_formula(bench: Bench, *, call: Call, seed: int) -> None:
    """Every unit is zero, or lies where some honest program would put it if it was kept."""
    shown = _trained(bench, call, seed)
    drawn = replace(call, arrays=(call.arrays[0], _mask(call.arrays[0], shown)))
    bench.compare(shown, bench.enclosure(drawn), quantity="result", note="the unit was not removed")


@claim(
    "keeps_its_proportion",
    kind="invariant",
    formulas=_BOTH,
    statement=r"\lvert r \rvert \sim \mathrm{Binomial}(n, p)",
    source=_SOURCE,
    inputs=dropped({"many": 3}),
    catches=(
        "dropout_proportions_exchanged",
        "dropout_mask_of_the_proportion_removed",
        "dropout_removes_nothing",
        "dropout_squared_proportion",
        "dropout_keep_proportion_exchanged",
    ),
)
def keeps_its_proportion(bench: Bench, *, call: Call, seed: int) -> None:
    """The number of units kept is one that a binomial distribution gives, but for once in 2**46 tests."""
    keep = call.hyperparameters["keep"]
    shown = _trained(bench, call, seed)
    kept, units = int(np.count_nonzero(shown)), shown.size
    chance = _tails(kept, units, keep - _GRAIN, keep + _GRAIN)
    bench.require(
        chance > FALSE_ALARM,
        f"{kept} of {units} units are kept at keep={keep!r}, which happens with a probability of {chance:.2g} at most",
        quantity="result",
    )


@claim(
    "units_are_drawn_apart",
    kind="invariant",
    formulas=_BOTH,
    statement=r"P(r_i = r_j) = p^2 + (1 - p)^2 \text{ for } i \ne j",
    source=f"{_SOURCE}: each pass samples a network",
    inputs=dropped({"many": 3}),
    catches=(
        "dropout_one_mask_for_all_rows",
        "dropout_whole_rows",
        "dropout_mask_not_redrawn",
        "dropout_keep_proportion_whole_rows",
    ),
)
def units_are_drawn_apart(bench: Bench, *, call: Call, seed: int) -> None:
    """Neighbouring passes, rows and units share their fate as often as independent ones do."""
    keep = call.hyperparameters["keep"]
    kept = _trained(bench, call, seed) != 0
    share = keep**2 + (1 - keep) ** 2
    for axis, what in enumerate(("passes", "rows", "units")):
        one, other = (np.take(kept, range(start, kept.shape[axis], 2), axis) for start in (0, 1))
        equal, pairs = int(np.count_nonzero(one == other)), one.size
        chance = _tails(equal, pairs, share - 3 * _GRAIN, share + 3 * _GRAIN)
        bench.require(
            chance > FALSE_ALARM,
            f"{equal} of {pairs} pairs from neighbouring {what} share their fate at keep={keep!r}, which happens to "
            f"independent units with a probability of {chance:.2g} at most",
            quantity="result",
        )


@claim(
    "nothing_removed",
    kind="invariant",
    formulas=_BOTH,
    statement=r"p = 1 \implies y = x",
    source=_SOURCE,
    inputs=dropped({"short": 4, "many": 1}),
    catches=("dropout_never_keeps_all", "dropout_keep_proportion_never_keeps_all"),
    varies=("keep",),
)
def nothing_removed(bench: Bench, *, call: Call, seed: int) -> None:
    """Where everything is kept, training changes nothing."""
    x = call.arrays[0]
    shown = _trained(bench, replace(call, hyperparameters={"keep": 1.0}), seed)
    bench.require(bool(np.array_equal(shown, x)), f"{x.tolist()} became {shown.tolist()}", quantity="result")


@claim(
    "identity_at_inference",
    kind="invariant",
    formulas=("dropout_inverted",),
    statement=r"\hat f_{\mathrm{inference}}(x) = x",
    source="srivastava2014dropout, Section 10",
    inputs=dropped({"short": 4, "zeros": 1, "many": 1}),
    catches=("dropout_scaled_at_inference", "dropout_drops_at_inference"),
)
def identity_at_inference(bench: Bench, *, call: Call, seed: int) -> None:  # noqa: ARG001 - nothing is drawn
    """Inference changes nothing."""
    x = call.arrays[0]
    shown = _asked(bench, call)
    bench.require(bool(np.array_equal(shown, x)), f"{x.tolist()} became {shown.tolist()}", quantity="result")


@claim(
    "scaled_at_inference",
    kind="invariant",
    formulas=("dropout_keep_proportion",),
    statement=r"\hat f_{\mathrm{inference}}(x) = p\, x",
    source=f"{_SOURCE}, second paragraph",
    inputs=dropped({"short": 4, "zeros": 1, "many": 1}),
    catches=("dropout_keep_proportion_unscaled_at_inference", "dropout_keep_proportion_drops_at_inference"),
)
def scaled_at_inference(bench: Bench, *, call: Call, seed: int) -> None:  # noqa: ARG001 - nothing is drawn
    """Inference takes all units, and multiplies them by the proportion that training keeps."""
    x, keep = call.arrays[0], call.hyperparameters["keep"]
    expected = bound(dropout_inference_scaling, x, precision=bench.precision, keep=keep)
    bench.compare(_asked(bench, call), expected, quantity="result", note="units are not scaled at inference")
