"""No claim calls an honest implementation wrong: torch on each of its paths, and every odd form, under many seeds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.backends import Implementation
from conformance.backends.torch import backend
from conformance.engine import Engine
from conformance.records import FOLLOWS, STATUSES
from conformance.session import Session
from conformance.specimen import Specimen
from oracle.arithmetic.formats import FORMATS
from oracle.catalogue import get
from properties.catalogue import claims_for
from tests.helpers.honest import FORMS

pytest.importorskip("torch")

HONEST = (
    *backend().implementations,
    *(
        Implementation(formula, name, make, tuple(FORMATS))
        for formula, forms in FORMS.items()
        for name, make in forms.items()
    ),
)
DTYPES = ("float32", "float64", "bfloat16", "float16")
ALARMS = {*STATUSES[: STATUSES.index("conforms")]} - {"mistrusted"}


@pytest.mark.parametrize("formula", dict.fromkeys(each.formula for each in HONEST))
def test_no_honest_implementation_is_called_wrong(
    formula: str, draws: Callable[[int, int], int], entropy: int, judged: Callable[[str, int], None]
) -> None:
    claims = sorted(claims_for(formula), key=lambda claim: claim.name == FOLLOWS)  # that takes longest
    claiming = [each for each in HONEST if each.formula == formula]
    alarms = []
    for dtype in DTYPES[: draws(1, len(DTYPES))]:
        for seed in range(entropy, entropy + draws(1, 10)):
            session = Session("quick", seed)  # one for all, so that an enclosure is computed once
            engine = Engine(session, get(formula), claims)
            for each in claiming[: draws(1, len(claiming))]:
                specimen = Specimen(each, dtype, "cpu", session.counts)
                records = [engine.check(claim, specimen) for claim in claims[: draws(1, len(claims))]]
                alarms += [f"seed {seed}: {record}" for record in records if record.status in ALARMS]
            judged("steps" if get(formula).kind == "optimizer" else "calls", session.counts.subject)

    assert alarms == []
