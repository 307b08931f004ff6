"""What a run leaves behind: one record per check, and the report that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

__all__ = ["FOLLOWS", "STATUSES", "CheckRecord", "Status", "gravest"]

Status = Literal[
    "harness-error",
    "crash",
    "timeout",
    "deviates",
    "unexpected-pass",
    "flaky",
    "mistrusted",
    "conforms",
    "expected-deviation",
    "unsupported",
]

#: The property that every formula has: an implementation's results are those of the formula, within its bound.
FOLLOWS = "follows_the_formula"

#: From the gravest; a report has the first that one of its counted checks has.
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class CheckRecord:
    """The outcome of one property for one implementation, dtype and device.

    Parameters
    ----------
    id : str
        ``formula.property@implementation[dtype,device]``.
    formula, property, implementation, dtype, device : str
    status : str
        One of `STATUSES`.
    counted : bool
        Whether the report's status depends on it.
    evaluation, precision : str
        The evaluation of the formula, the printed one under its own id, and the precision model that contain all
        results; empty if none does.
    error_over_bound : float
        Largest observed error over its bound.
    ulps : float
        The error there, in units in the last place of the dtype.
    cases, rejected, judged, unjudged, undecided : int
        Inputs run, inputs refused by the subject, elements with and without a bound, and those of the
        first that may take any branch of a discontinuity.
    separated, blind_to : tuple of str
        Neighbours that the inputs tell from the formula, and those they do not.
    exercised, left_out : tuple of str
        What the training programs did with the optimizer beyond updates, and what they would have done, but it is not
        offered: names of methods of `properties.subject.Companion`, and ``maximize``.
    counterexample : mapping, optional
        The simplest input found under ``inputs``; where it fails under ``quantity``, ``step``, ``tensor`` and ``index``;
        the allowed interval and what came under ``low``, ``high`` and ``observed``; ``error_over_bound`` and
        ``ulps``. Floats are hex strings.
    diagnosis : str
        What the code computes instead, or why nothing can be said.
    message : str
        One sentence; of a crash, followed by its traceback.
    ranges : mapping of str to list of float
        Smallest and largest value drawn, by hyperparameter and ``steps``, ``sizes``.
    reproduce : str
        A shell line that runs this check again.
    seconds : float
        Wall time; not part of the record's identity.
    """

    id: str
    formula: str
    property: str
    implementation: str
    dtype: str
    device: str
    status: Status
    counted: bool = True
    evaluation: str = ""
    precision: str = ""
    error_over_bound: float = 0.0
    ulps: float = 0.0
    cases: int = 0
    rejected: int = 0
    judged: int = 0
    unjudged: int = 0
    undecided: int = 0
    separated: tuple[str, ...] = ()
    blind_to: tuple[str, ...] = ()
    exercised: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    counterexample: Mapping[str, Any] | None = None
    diagnosis: str = ""
    message: str = ""
    ranges: Mapping[str, list[float]] = field(default_factory=dict)
    reproduce: str = ""
    seconds: float = field(default=0.0, compare=False)


def gravest(records: Iterable[CheckRecord]) -> Status:
    """Return the gravest status that a counted record has; ``unsupported`` if none is counted."""
    found = {record.status for record in records if record.counted}
    return next((status for status in STATUSES if status in found), "unsupported")
