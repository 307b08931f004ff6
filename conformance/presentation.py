"""Words and numbers for records: what the console and the page say alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.records import FOLLOWS, STATUSES, CheckRecord, Status
from conformance.report import Report

__all__ = [
    "MARKS",
    "as_float",
    "by_cause",
    "by_implementation",
    "columns",
    "distance",
    "drawn_ranges",
    "evaluations",
    "exercised",
    "facts",
    "figure",
    "headline",
    "interval",
    "known_deviations",
    "needs_a_look",
    "not_judged",
    "number",
    "place",
    "plural",
    "scope",
    "verdict",
    "why_nothing",
    "worst",
]

_FAILURES = frozenset(STATUSES[: STATUSES.index("conforms")])

#: A sign for each status; it never stands without the word.
MARKS: Mapping[Status, str] = {
    "harness-error": "⚠",
    "crash": "✖",
    "timeout": "✖",
    "deviates": "✖",
    "unexpected-pass": "⚑",
    "flaky": "≈",
    "mistrusted": "?",
    "conforms": "✓",
    "expected-deviation": "◇",
    "unsupported": "–",
}

#: What a status says about one check, and about several.
_PHRASES: Mapping[Status, tuple[str, str]] = {
    "harness-error": ("hit an error of Exactstep itself", "hit errors of Exactstep itself"),
    "crash": ("crashes", "crash"),
    "timeout": ("runs out of time", "run out of time"),
    "deviates": ("deviates", "deviate"),
    "unexpected-pass": ("passes against expectation", "pass against expectation"),
    "flaky": ("changes its result for the same input", "change their results for the same input"),
    "mistrusted": ("could not have noticed a fault", "could not have noticed a fault"),
    "conforms": ("conforms", "conform"),
    "expected-deviation": ("deviates as known", "deviate as known"),
    "unsupported": ("is unsupported", "are unsupported"),
}


def plural(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 check``, ``2 checks``, ``2,048 cases``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def figure(value: float) -> str:
    """Write a measured figure with three digits, however large."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def number(value: float) -> str:
    """Write a float for the eye and for the bit: ``0.1 (0x1.999999999999ap-4)``."""
    return f"{value!r} ({value.hex()})" if math.isfinite(value) else repr(value)


def needs_a_look(record: CheckRecord) -> bool:
    """Whether somebody should look at a check: it counts, and it neither holds nor was expected to fail."""
    return record.counted and record.status in _FAILURES


def verdict(records: Sequence[CheckRecord]) -> tuple[Status, bool]:
    """Return the gravest status of the counted checks and True; if none is counted, of all and False."""
    counted = [record for record in records if record.counted]
    found = {record.status for record in counted or records}
    return next(status for status in STATUSES if status in found), bool(counted)


def known_deviations(records: Iterable[CheckRecord]) -> str:
    """Say how many checks deviate as known, beside a verdict that they leave as it is; empty if none does."""
    found = sum(record.status == "expected-deviation" for record in records)
    return plural(found, "known deviation") if found else ""


def by_cause(records: Iterable[CheckRecord]) -> tuple[list[CheckRecord], list[CheckRecord]]:
    """Part failures into the first of each cause, as far as diagnosis and message tell causes apart, and the rest."""
    first: dict[tuple[Status, str], CheckRecord] = {}

    def is_another(record: CheckRecord) -> bool:
        return first.setdefault((record.status, record.diagnosis or record.message), record) is not record

    rest = [record for record in records if is_another(record)]
    return list(first.values()), rest


def worst(records: Iterable[CheckRecord]) -> CheckRecord | None:
    """Return the conforming check whose results lie nearest to their bounds; that of the formula itself if it was run.

    The bound of an inequality is the limit that it states, which right code may attain.
    """
    held = [record for record in records if record.status == "conforms" and record.judged]
    differential = [record for record in held if record.property == FOLLOWS]
    return max(differential or held, key=lambda record: record.error_over_bound, default=None)


def by_implementation(records: Iterable[CheckRecord]) -> dict[tuple[str, str], list[CheckRecord]]:
    """Group records by implementation and the formula it claims, in the order of the report."""
    groups: dict[tuple[str, str], list[CheckRecord]] = {}
    for record in records:
        groups.setdefault((record.implementation, record.formula), []).append(record)
    return groups


def columns(records: Iterable[CheckRecord]) -> list[tuple[str, str]]:
    """Return the dtypes and devices that occur, in the order of the report."""
    return list(dict.fromkeys((record.dtype, record.device) for record in records))


def headline(records: Sequence[CheckRecord]) -> str:
    """Say how many checks ended how: ``84 checks: 3 deviate, 81 conform; not counted: 4 are unsupported``."""
    parts = []
    for counted, text in ((True, ""), (False, "not counted: ")):
        found = Counter(record.status for record in records if record.counted == counted)
        ends = [f"{found[status]:,} {_PHRASES[status][found[status] != 1]}" for status in STATUSES if found[status]]
        parts += [text + ", ".join(ends)] if ends else []
    return f"{plural(len(records), 'check')}: {'; '.join(parts)}" if parts else "no checks"


def scope(report: Report) -> str:
    """Say in a sentence what was judged, and whether all of it was."""
    found = report.checks
    axes = (list(dict.fromkeys(getattr(record, axis) for record in found)) for axis in ("dtype", "device"))
    dtypes, devices = (", ".join(names) for names in axes)
    many = plural(len(by_implementation(found)), "implementation")
    judged = (
        f"Judged: {many} of {plural(len({record.formula for record in found}), 'formula')} in {dtypes} on {devices}."
    )
    ending = "" if report.complete else " The run did not come to its end: what is missing is unknown."
    return (judged if found else "Nothing was judged.") + ending


def evaluations(records: Sequence[CheckRecord]) -> dict[str, list[str]]:
    """Return, by evaluation other than the printed one, the implementations whose results only it contains."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        if record.evaluation not in ("", record.formula):
            found.setdefault(record.evaluation, {})[record.implementation] = None
    return {evaluation: list(labels) for evaluation, labels in found.items()}


def why_nothing(records: Sequence[CheckRecord]) -> str:
    """Say why no check counts, in the words of the first reason; empty if one counts, or none says why."""
    if any(record.counted for record in records):
        return ""
    reasons = list(dict.fromkeys(record.message for record in records if record.message))
    more = f" (and {plural(len(reasons) - 1, 'more reason')})" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}" if reasons else ""


def place(counterexample: Mapping[str, Any]) -> str:
    """Say where a counterexample shows: ``exp_avg of tensor 0, element 3, after step 2``."""
    words = {"tensor": " of tensor {}", "index": ", element {}", "step": ", after step {}"}
    known = [text.format(counterexample[name]) for name, text in words.items() if counterexample.get(name) is not None]
    return "".join([str(counterexample["quantity"]), *known])


def interval(counterexample: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return the ends of the allowed interval and what came, as text, where there is an interval."""
    ends = [counterexample.get(name) for name in ("low", "high", "observed")]
    if None in ends:
        return None
    low, high, observed = (as_float(end) for end in ends if end is not None)
    if low == high:  # also zeros of both signs, which adding zero makes one
        low = high = high + 0.0
    return number(low), number(high), number(observed)


def distance(counterexample: Mapping[str, Any]) -> str:
    """Say how far out a counterexample lies."""
    ratio, ulps = (as_float(counterexample.get(name, math.inf)) for name in ("error_over_bound", "ulps"))
    if math.isinf(ratio) and math.isfinite(ulps):
        return f"{figure(ulps)} ulp, where no error is allowed"
    return f"{figure(ratio)} times the bound, {figure(ulps)} ulp"


def as_float(value: float | str) -> float:
    """Read a float that a report keeps in hex."""
    return float.fromhex(value) if isinstance(value, str) else value


def drawn_ranges(records: Iterable[CheckRecord]) -> dict[str, tuple[float, float]]:
    """Return the smallest and the largest value that any of the checks drew, by name."""
    drawn: dict[str, tuple[float, float]] = {}
    for record in records:
        for name, (low, high) in record.ranges.items():
            known = drawn.get(name, (low, high))
            drawn[name] = min(known[0], low), max(known[1], high)
    return drawn


def facts(report: Report) -> list[tuple[str, str]]:
    """Return what a run depends on, by name: the profile, the seed, what was installed, how names were matched."""
    environment = sorted(report.environment.items(), key=lambda fact: (fact[0] == "matching", fact))
    return [("profile", report.profile), ("seed", str(report.seed)), *environment]


def exercised(records: Iterable[CheckRecord]) -> str:
    """Name what training programs did with an optimizer beyond updates; empty if they did nothing."""
    return ", ".join(sorted({name for record in records for name in record.exercised}))


def not_judged(records: Sequence[CheckRecord], declared: Sequence[str] = ()) -> list[str]:
    """Say in sentences what the checks of one implementation leave open.

    Parameters
    ----------
    records : sequence of CheckRecord
        Of one implementation.
    declared : sequence of str
        What the implementation declares or offers and no check exercises.
    """
    sentences = [f"Declared, but not run: {', '.join(declared)}."] if declared else []
    left_out = sorted({name for record in records for name in record.left_out})
    if left_out:
        sentences.append(f"Left out of the training programs, for it is not offered: {', '.join(left_out)}.")
    unsupported = sorted({f"{record.dtype} on {record.device}" for record in records if record.status == "unsupported"})
    if unsupported:
        sentences.append(f"Declared unsupported: {', '.join(unsupported)}.")
    rejected = sum(record.rejected for record in records)
    if rejected:
        sentences.append(f"{plural(rejected, 'input')} that the implementation refused.")
    unjudged = sum(record.unjudged for record in records)
    if unjudged:
        total = unjudged + sum(record.judged for record in records)
        sentences.append(f"{unjudged:,} of {total:,} results, where the bound is infinite: nothing can be said there.")
    undecided = sum(record.undecided for record in records)
    if undecided:
        sentences.append(f"{undecided:,} results at a discontinuity: any of its branches was accepted there.")
    blind = sorted({f"{name} in {record.dtype}" for record in records for name in record.blind_to})
    if blind:
        sentences.append(f"Formulas that the inputs do not tell apart from the claimed one: {', '.join(blind)}.")
    ranges = [f"{name} {figure(low)} to {figure(high)}" for name, (low, high) in drawn_ranges(records).items()]
    if ranges:
        sentences.append(f"Anything outside what was drawn: {', '.join(ranges)}.")
    return sentences
