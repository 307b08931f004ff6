"""What tests of the claims share: the cases of the quick profile and their enclosures, drawn and evaluated once."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from conformance.session import Session
from oracle.catalogue import FORMULAS
from properties.catalogue import claims_for
from properties.claims import Claim

__all__ = ["NARROW", "at_home", "sample", "session"]

#: Without ``--full``, each claim about a formula is tried in float64, and half of them in one of these.
NARROW = ("float32", "bfloat16", "float16")

_IDS = [formula.id for formula in FORMULAS]


@functools.cache
def session() -> Session:
    """Return the one session of a process."""
    return Session("quick", 0)


def at_home(formula: str, *values: object, name: str) -> Any:
    """Return values of a test for the worker that has drawn and evaluated what the tests of this formula share."""
    return pytest.param(*values, id=name, marks=pytest.mark.xdist_group(formula))


def sample(formula: str, dtype: str) -> tuple[Claim, ...]:
    """Return the claims about a formula that are tried in a dtype without ``--full``: all in float64, else a sixth.

    From one formula to the next it is another sixth, so that each claim of many formulas is tried in each dtype.
    """
    claims, apart = claims_for(formula), 2 * len(NARROW)
    if dtype == "float64":
        return claims
    return claims[(2 * NARROW.index(dtype) - _IDS.index(formula)) % apart :: apart]
