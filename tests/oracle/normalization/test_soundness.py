"""No honest normalization leaves the bound, and the bound is not idle.

Programs differ in how they take means (sums in both orders, shares, running, in blocks), variances (two
passes, corrected, Welford, merged halves, narrow deviations) and in where they multiply and divide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from oracle.arithmetic.formats import FORMATS, Precision, precision_models
from oracle.bound import bound
from oracle.catalogue import get
from tests.helpers.programs.inputs import generator, precisions
from tests.helpers.programs.judge import Tally
from tests.helpers.programs.kit import Kit
from tests.helpers.programs.normalization_programs import (
    NORMALIZATION_IDS,
    ONE_PASS,
    Batch,
    NormalizationForm,
    draw_batch,
    run_normalization,
)

every_dtype = pytest.mark.parametrize("dtype", FORMATS)
every_formula = pytest.mark.parametrize("formula", NORMALIZATION_IDS)


def judge(
    tally: Tally,
    formula: str,
    precision: Precision,
    batch: Batch,
    forms: Sequence[NormalizationForm],
    *,
    flush: bool = False,
    evaluation: str = "",
) -> None:
    """Judge programs of one batch."""
    record = get(formula).programs[evaluation]
    expected: Any = bound(record, *batch.arrays, precision=precision, **batch.hyperparameters)
    for form in forms:
        with np.errstate(all="ignore"):
            observed = run_normalization(Kit(precision, flush=flush), form, formula, batch)
        tally.forms.add(form)
        tally.count(expected)
        tally.judge(expected, observed, "result", precision, form, f"flush {flush}", batch)


@every_dtype
@every_formula
def test_no_honest_normalization_leaves_the_bound(
    formula: str, dtype: str, draws: Callable[[int, int], int], entropy: int, judged: Callable[[str, int], None]
) -> None:
    rng, tally = generator(entropy, formula, dtype), Tally()
    for _ in range(draws(25, 1500)):
        choices = precisions(dtype)
        precision = choices[rng.integers(len(choices))]
        flush = bool(precision.flush_to_zero and rng.random() < 0.3)
        batch, forms = draw_batch(rng, formula, FORMATS[dtype]), [NormalizationForm.draw(rng) for _ in range(6)]
        judge(tally, formula, precision, batch, forms, flush=flush)
    judged("calls", tally.steps)
    print(f"{formula} {dtype}: {tally.summary()}")

    assert tally.worst <= 1.0, tally.offender
    assert tally.bounded >= 0.5 * tally.elements, tally.summary()


@every_dtype
@every_formula
def test_some_normalization_uses_a_fiftieth_of_a_short_bound(formula: str, dtype: str) -> None:
    rng, tally = generator(0, "sharp", formula, dtype), Tally()
    for precision in precision_models(dtype)[:2]:
        for _ in range(25):
            batch = draw_batch(rng, formula, FORMATS[dtype], mild=True)
            judge(tally, formula, precision, batch, [NormalizationForm.draw(rng) for _ in range(6)])

    assert tally.bounded == tally.elements
    assert tally.worst >= 0.02


def one_pass(rng: np.random.Generator) -> NormalizationForm:
    return replace(NormalizationForm.draw(rng), variance=ONE_PASS[rng.integers(len(ONE_PASS))])


with_a_variance = pytest.mark.parametrize("formula", [id for id in NORMALIZATION_IDS if get(id).evaluations])


@every_dtype
@with_a_variance
def test_no_program_in_one_pass_leaves_its_own_bound(
    formula: str, dtype: str, draws: Callable[[int, int], int], entropy: int, judged: Callable[[str, int], None]
) -> None:
    rng, tally = generator(entropy, "one pass", formula, dtype), Tally()
    for _ in range(draws(25, 1500)):
        choices = precisions(dtype)
        precision = choices[rng.integers(len(choices))]
        flush = bool(precision.flush_to_zero and rng.random() < 0.3)
        batch, forms = draw_batch(rng, formula, FORMATS[dtype]), [one_pass(rng) for _ in range(6)]
        judge(tally, formula, precision, batch, forms, flush=flush, evaluation="one_pass")
    judged("calls", tally.steps)
    print(f"{formula} {dtype}: {tally.summary()}")

    assert tally.worst <= 1.0, tally.offender
    assert tally.bounded >= 0.2 * tally.elements, tally.summary()


@with_a_variance
def test_far_from_zero_one_pass_has_a_bound_that_it_uses(formula: str) -> None:
    rng, tally = generator(0, "far", formula), Tally()
    precision = precision_models("float64")[0]
    for _ in range(25):
        batch = draw_batch(rng, formula, FORMATS["float64"], mild=True)
        far = replace(batch, arrays=(batch.arrays[0] + 1e6, *batch.arrays[1:]))
        judge(tally, formula, precision, far, [one_pass(rng) for _ in range(6)], evaluation="one_pass")

    assert tally.bounded == tally.elements
    assert 0.005 <= tally.worst <= 1.0, tally.offender
