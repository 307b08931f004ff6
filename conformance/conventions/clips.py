"""What one clip computes, convention by convention."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.backends import Implementation
from conformance.conventions.answers import Answers, Candidate, computed
from conformance.conventions.defaults import defaults
from conformance.conventions.models import models
from conformance.conventions.records import Cell, Measured, undecided
from conformance.session import Session, derived_seed
from oracle.arithmetic.formats import BFLOAT16
from oracle.clipping.by_norm import clip_by_norm
from oracle.dialects.clipping import CLIPPING
from properties.cases import Call
from properties.subject import Floats

__all__ = ["clip", "is_clip"]

#: Norms of the order of what is added to one, and far above.
_NORMS = (2.0**-20, 1.0)


def is_clip(implementation: Implementation) -> bool:
    """Whether a backend sets it up as a clip of a gradient to one threshold."""
    return implementation.formula in {formula.id for formula in CLIPPING.named if len(formula.hyperparameters) == 1}


def clip(session: Session, implementation: Implementation, device: str) -> Measured:
    """Measure a clip."""
    answers = Answers(session, implementation, device)
    varied = answers.formula.hyperparameters
    random = np.random.default_rng(derived_seed("clips", session.seed))
    drawn = [BFLOAT16.round(random.normal(size=5)) for _ in range(6)]
    calls = [_call(answers, grad, limit) for grad in drawn for limit in (0.125, 1.0, 8.0)]
    calls += [_call(answers, [norm], norm * part) for norm in _NORMS for part in (0.5, 1.0)]
    found, cells = computed(answers, calls)
    if answers.dtypes:
        cells |= {
            "what fits": _of(answers, [0.25, -0.5], 8.0),
            "added to the norm": _added(answers),
            "a matrix": _matrix(answers, found),
            "several tensors": undecided("the backend calls it with one tensor"),
            "zeros": _of(answers, [0.0, 0.0]),
            "an infinite number": _of(answers, [np.inf, 1.0]),
            "NaN": _of(answers, [np.nan, 1.0]),
        }
    return Measured("", varied, cells | {"defaults": defaults(implementation, varied)})


def _call(answers: Answers, grad: Any, limit: float) -> Call:
    (threshold,) = answers.formula.hyperparameters
    return Call((np.array(grad, dtype=np.float64),), {threshold: limit})


def _result(answers: Answers, grad: Any, limit: float) -> Floats | str:
    """Return the result in the widest dtype, or why there is none."""
    return answers.to(_call(answers, grad, limit), answers.dtypes[0])


def _of(answers: Answers, grad: list[float], limit: float = 1.0) -> Cell:
    """Show a gradient and what becomes of it."""
    shown = _result(answers, grad, limit)
    if isinstance(shown, str):
        return undecided(shown)
    if np.array_equal(shown, grad, equal_nan=True):
        return Cell(f"{_numbers(grad)} stays")
    return Cell(f"{_numbers(grad)} becomes {_numbers(shown)}")


def _numbers(values: Any) -> str:
    return f"[{', '.join(f'{value:g}' for value in values)}]"


def _added(answers: Answers) -> Cell:
    """Shorten two gradients to half of their norms, and say what norm divided instead."""
    strict = next(iter(models(answers.dtypes[0]).values()))
    added = []
    for norm in _NORMS:
        shown = _result(answers, [norm], norm / 2)
        if isinstance(shown, str):
            return undecided(shown)
        if not 0 < shown[0] < norm:
            return undecided(f"{_numbers([norm])} becomes {_numbers(shown)} at a threshold of {norm / 2:g}")
        plain = Call((np.array([norm]),), {"max_norm": norm / 2})
        exact = answers.session.enclosure(clip_by_norm, plain, strict)
        within = bool(np.all(exact.ratio(shown) <= 1))
        added.append("0" if within else f"{norm * (norm / 2) / shown[0] - norm:.3g}")
    if len(set(added)) == 1:
        return Cell(added[0])
    return Cell(", ".join(f"{extra} to {norm:g}" for extra, norm in zip(added, _NORMS, strict=True)))


def _matrix(answers: Answers, found: Candidate | None) -> Cell:
    """Say whether a matrix has one norm, or its rows or columns have norms of their own."""
    if found is None:
        return undecided("what it computes is not known")
    grad, limit = np.array([[1.0, 2.0], [2.0, 4.0]]), 2.5
    shown = _result(answers, grad, limit)
    parts = [_result(answers, row, limit) for row in grad]
    for result in (shown, *parts):
        if isinstance(result, str):
            return undecided(result)
    given = {_call(answers, grad, limit): np.asarray(shown)}
    whole = any(answers.contained(found, given, precision) for precision in models(answers.dtypes[0]).values())
    if np.array_equal(np.asarray(shown), np.stack([np.asarray(part) for part in parts])):
        return Cell("number by number" if whole else "each row by itself")
    return Cell("as one vector") if whole else undecided("neither as one vector nor each row by itself")
