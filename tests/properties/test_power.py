"""The quick cases of the differential claim tell every formula from all of its neighbours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.power import power
from conformance.session import Session
from oracle.arithmetic.formats import precision_models
from oracle.catalogue import FORMULAS
from oracle.formula import Formula
from properties.catalogue import claims_for


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.id)
def test_every_neighbour_is_separated_in_the_loosest_precision(
    formula: Formula, dtype: str, draws: Callable[[int, int], int]
) -> None:
    for seed in range(draws(1, 20)):
        session = Session("quick", seed)
        cases = session.cases(claims_for(formula.id)[0], formula, dtype)

        seen = power(session, formula, cases, precision_models(dtype)[-1])

        assert seen.blind_to == (), f"seed {seed}"
        assert set(seen.separated) == set(formula.neighbours)


#: Share of neighbours that quick cases separate in the narrow dtypes, at least. The rest differ by less than a
#: few percent from the formula (``*_rate_off``), or only after more steps than blind bounds survive.
_NARROW_SHARE = {"bfloat16": 0.7, "float16": 0.7}

#: The 1e-6 that clip_by_norm_torch adds is below the normal range of float16, where it has no bound at all.
_JUDGED = [
    (formula, dtype)
    for dtype in _NARROW_SHARE
    for formula in FORMULAS
    if (formula.id, dtype) != ("clip_by_norm_torch", "float16")
]


@pytest.mark.parametrize(("formula", "dtype"), _JUDGED, ids=lambda part: getattr(part, "id", part))
def test_most_neighbours_are_separated_in_narrow_dtypes(formula: Formula, dtype: str) -> None:
    session = Session("quick", 0)
    cases = session.cases(claims_for(formula.id)[0], formula, dtype)

    seen = power(session, formula, cases, precision_models(dtype)[0])

    assert len(seen.separated) >= _NARROW_SHARE[dtype] * len(formula.neighbours), seen.blind_to
