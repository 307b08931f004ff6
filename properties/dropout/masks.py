"""Claims about dropout: the mask is read off the results, and judged by exact binomial tests.

A subject draws its own mask. What it returns for a unit that is not zero tells whether the unit was kept,
and so every result can be compared with the formula of the mask that was drawn. Whether the mask is a fair
one is a statistical question: each test there rejects a fair mask with a probability of `FALSE_ALARM` at
most, which is computed exactly and not approximated.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from oracle.arithmetic.balls import balls, lower, upper, working_precision
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
    "exactly",
    "identity_at_inference",
    "keeps_its_proportion",
    "masked_follows_the_formula",
    "nothing_removed",
    "pairs_apart",
    "passes_are_drawn_apart",
    "scaled_at_inference",
    "units_are_drawn_apart",
]

_SOURCE = "lopesquintas2026complements, Dropout"
_BOTH = ("dropout_keep_proportion", "dropout_inverted")

#: Probability at most that one test rejects a fair mask. A run makes fewer than 2**24 tests, however thorough it
#: is and whatever it judges, so that it raises a false alarm with a probability of 2**-30 < 1e-9 at most.
FALSE_ALARM = 2.0**-54

#: Binomial tests of one case at most, by claim: of all units together; of the pairs at each distance up to half of
#: the units, and of those from two seeds; of each unit of a pass, and of how many are kept.
TESTS = {"keeps_its_proportion": 1, "units_are_drawn_apart": 512 + 1, "passes_are_drawn_apart": 8 + 1}

Mask = NDArray[np.bool_]

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
        # Single balls: in an array, each of the many terms would take thirty times as long.
        few, _ = binomial_tails(successes, trials, balls(low).elements.item())
        _, many = binomial_tails(successes, trials, balls(high).elements.item())
        return min(2 * upper(few), 2 * upper(many))


def exactly(kept: int, units: int, keep: float) -> tuple[float, float]:
    """Return an interval of how likely it is that so many units are kept, no more and no fewer."""
    with working_precision(PRECISION_BITS):
        low, high = (balls(end).elements.item() for end in (keep - _GRAIN, keep + _GRAIN))
        ways = math.comb(units, kept)
        least, most = (ways * one**kept * (1 - other) ** (units - kept) for one, other in ((low, high), (high, low)))
        return lower(least), upper(most)


def _require_fair(
    bench: Bench, successes: int, trials: int, chances: tuple[float, float], what: str, keep: float
) -> None:
    """Require a number of successes that a binomial distribution gives, when the chance lies in an interval."""
    likely = _tails(successes, trials, *chances)
    bench.require(
        likely > FALSE_ALARM,
        f"{successes} of {trials} {what} at keep={keep!r}, which happens to independent units with a probability of "
        f"{likely:.2g} at most",
        quantity="result",
    )


def _around(chance: float, grains: int = 1) -> tuple[float, float]:
    return chance - grains * _GRAIN, chance + grains * _GRAIN


def _sharing(one: Mask, other: Mask) -> tuple[int, int]:
    """Return how many pairs share their fate, and how many there are."""
    return int(np.count_nonzero(one == other)), one.size


def pairs_apart(kept: Mask, distance: int) -> tuple[int, int]:
    """Return how many pairs so far apart share their fate; no unit is in two of them, so that they are independent."""
    blocks = kept[: kept.size - kept.size % (2 * distance)].reshape(-1, 2, distance)
    return _sharing(blocks[:, 0], blocks[:, 1])


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
        "dropout_divided_by_the_proportion_removed",
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
    inputs=dropped({"many": 3, "extreme": 1, "finest": 1}),
    catches=(
        "dropout_keep_in_hundredths",
        "dropout_keep_proportion_keep_in_hundredths",
        "dropout_proportions_exchanged",
        "dropout_mask_of_the_proportion_removed",
        "dropout_removes_nothing",
        "dropout_squared_proportion",
        "dropout_keep_in_tenths",
        "dropout_keep_proportion_exchanged",
    ),
)
def keeps_its_proportion(bench: Bench, *, call: Call, seed: int) -> None:
    """The number of units kept is one that a binomial distribution gives, but for once in 2**54 tests."""
    keep = call.hyperparameters["keep"]
    shown = _trained(bench, call, seed)
    _require_fair(bench, int(np.count_nonzero(shown)), shown.size, _around(keep), "units are kept", keep)


@claim(
    "units_are_drawn_apart",
    kind="invariant",
    formulas=_BOTH,
    statement=r"P(r_i = r_j) = p^2 + (1 - p)^2 \text{ for } i \ne j",
    source=f"{_SOURCE}: each pass samples a network",
    inputs=dropped({"many": 3, "wide": 1, "passes": 1}),
    catches=(
        "dropout_one_mask_for_all_rows",
        "dropout_whole_rows",
        "dropout_mask_not_redrawn",
        "dropout_every_second_pass_again",
        "dropout_every_second_row_again",
        "dropout_period_of_32_units",
        "dropout_half_a_row_twice",
        "dropout_seed_ignored",
        "dropout_keep_proportion_whole_rows",
    ),
)
def units_are_drawn_apart(bench: Bench, *, call: Call, seed: int) -> None:
    """Two units share their fate as often as independent ones do, at any distance and under two seeds."""
    keep = call.hyperparameters["keep"]
    share = keep**2 + (1 - keep) ** 2
    # The other seed has not a bit in common with the first: some generators do not tell neighbouring seeds apart.
    kept, anew = (_trained(bench, call, each) != 0 for each in (seed, 2**32 - 1 - seed))
    stream = kept.reshape(-1)

    def strays(distance: int) -> float:
        sharing, pairs = pairs_apart(stream, distance)
        return abs(sharing - share * pairs) / math.sqrt(pairs)

    # Every distance may raise an alarm, and counts as a test, though tails are computed of the most telling one alone.
    furthest = max(range(1, stream.size // 2 + 1), key=strays)
    what = f"pairs of units {furthest} apart, in passes of {kept[0].size} in rows of {kept.shape[-1]}, share their fate"
    _require_fair(bench, *pairs_apart(stream, furthest), _around(share, 3), what, keep)
    _require_fair(bench, *_sharing(kept, anew), _around(share, 3), "units share their fate under two seeds", keep)


@claim(
    "passes_are_drawn_apart",
    kind="invariant",
    formulas=_BOTH,
    statement=r"\sum_t r_{t j} \sim \mathrm{Binomial}(T, p), \qquad "
    r"P(\lvert r_t \rvert = k) = \binom{n}{k} p^k (1 - p)^{n - k}",
    source=f"{_SOURCE}: each pass samples a network",
    inputs=dropped({"passes": 1}),
    catches=(
        "dropout_last_unit_never_removed",
        "dropout_exact_count",
        "dropout_frozen_after_two_passes",
        "dropout_mask_not_redrawn",
        "dropout_keep_proportion_exact_count",
    ),
)
def passes_are_drawn_apart(bench: Bench, *, call: Call, seed: int) -> None:
    """Over many passes, each unit is kept in its proportion, and the number of units kept varies."""
    keep = call.hyperparameters["keep"]
    kept = (_trained(bench, call, seed) != 0).reshape(len(call.arrays[0]), -1)
    passes, units = kept.shape
    often = np.count_nonzero(kept, axis=0)
    unit = int(np.argmax(np.abs(often - keep * passes)))
    _require_fair(bench, int(often[unit]), passes, _around(keep), f"passes keep unit {unit}", keep)

    mean = round(keep * units)
    exact = int(np.count_nonzero(np.count_nonzero(kept, axis=1) == mean))
    what = f"passes keep exactly {mean} of {units} units"
    _require_fair(bench, exact, passes, exactly(mean, units, keep), what, keep)


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
