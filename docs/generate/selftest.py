"""The page of the kill matrix: ``python -m docs.generate.selftest FILE...`` makes it of what ``exactstep selftest`` wrote."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from statistics import median

from conformance.faults import FAULTS
from conformance.selftest import Matrix, read
from docs.generate.markdown import code, page, prose, sentence, table
from oracle.catalogue import get
from properties.catalogue import CLAIMS

__all__ = ["main", "selftest"]

PATH = Path(__file__).parents[1] / "selftest.md"

_INTRODUCTION = """\
# The kill matrix

Exactstep is tested as it tests others: {count:,} faults are planted in honest programs, {sourced} of them after bugs
that were shipped or after conventions of a library, and every claim about a formula is run on each fault of it. A
claim that notices no fault would be no comfort, and a fault that no claim notices shows where there is none.

`exactstep selftest --output matrix.json` makes a matrix, `python -m docs.generate.selftest matrix.json ...` this page.
Cases are the inputs that it takes until the claim that notices first fails, seconds the time of the fastest claim on a
machine that others use too."""


def selftest(matrices: Sequence[Matrix]) -> str:
    """Return the page.

    Parameters
    ----------
    matrices : sequence of Matrix
        The first tells what each claim notices, and must have tried all of them.
    """
    matrix = matrices[0]
    known = {fault.id: fault for fault in FAULTS}
    cases = matrix.first_cases
    seconds = matrix.first_seconds
    weakest = sorted(cases, key=lambda fault: -cases[fault])[:20]
    pairs = [(formula, claim.name) for claim in CLAIMS for formula in claim.formulas]
    idle = sorted(set(pairs) - {(kill.formula, kill.claim) for kill in matrix.kills if kill.cases})
    return page(
        _INTRODUCTION.format(count=len(FAULTS), sourced=sum(bool(fault.source) for fault in FAULTS)),
        "## Runs",
        table(
            ["profile", "dtype", "seed", "faults", "noticed", "cases, median", "cases, most", "seconds, most"],
            map(_run, matrices),
        ),
        "## Survivors",
        "\n".join(_survivors(matrices)),
        "## Families",
        table(["family", "faults", "noticed", "cases, median", "cases, most"], _families(matrix)),
        "## The faults that take the most inputs",
        table(
            ["fault", "cases", "seconds", "what it does"],
            ((code(id), cases[id], f"{seconds[id]:.2f}", prose(known[id].story)) for id in weakest),
        ),
        "## Claims",
        "How many faults a claim notices, and how many of them no other claim does.",
        table(["claim", "noticed", "alone"], _claims(matrix)),
        "## Pairs without a fault",
        "These claims notice no fault that is planted in this formula; they notice faults of other formulas."
        if idle
        else "Every claim notices a fault in every formula that it is about.",
        "\n".join(f"- {code(formula)}: {', '.join(code(claim) for _, claim in found)}" for formula, found in _by(idle)),
        "## After bugs that were shipped",
        table(
            ["source", "fault", "what it does"],
            sorted((fault.source, code(fault.id), prose(fault.story)) for fault in FAULTS if fault.source),
        ),
    )


def _run(matrix: Matrix) -> list[object]:
    noticed, faults = len(matrix.first_cases), len(matrix.faults)
    share = f"{noticed} ({noticed / faults:.1%})"
    slowest = max(matrix.first_seconds.values(), default=0.0)
    spread = _spread(matrix.first_cases.values())
    return [matrix.profile, matrix.dtype, matrix.seed, faults, share, *spread, f"{slowest:.1f}"]


def _spread(cases: Collection[int]) -> tuple[str, str]:
    """Return the median and the largest of some numbers."""
    return (f"{median(cases):g}", f"{max(cases)}") if cases else ("", "")


def _survivors(matrices: Iterable[Matrix]) -> list[str]:
    """Say which faults no claim notices, in which runs, and why."""
    runs: dict[str, list[str]] = {}
    for matrix in matrices:
        for fault in matrix.survivors:
            runs.setdefault(fault, []).append(f"{matrix.profile} {matrix.dtype} {matrix.seed}")
    reasons = {fault.id: fault.beyond for fault in FAULTS}
    return [
        f"- {code(fault)} ({', '.join(where)})" + (f": {sentence(reasons[fault])}" if reasons.get(fault) else "")
        for fault, where in runs.items()
    ]


def _families(matrix: Matrix) -> list[list[object]]:
    formulas = {kill.fault: kill.formula for kill in matrix.kills}
    families: dict[str, list[str]] = {}
    known = matrix.first_cases
    for fault in matrix.faults:
        families.setdefault(get(formulas[fault]).body.__module__.split(".")[1], []).append(fault)
    rows: list[list[object]] = []
    for family, faults in sorted(families.items()):
        cases = [known[fault] for fault in faults if fault in known]
        rows.append([family, len(faults), len(cases), *_spread(cases)])
    return rows


def _claims(matrix: Matrix) -> list[tuple[str, int, int]]:
    alone = list(matrix.alone.values())
    names = dict.fromkeys(claim.name for claim in CLAIMS)
    return [(code(name), len(matrix.noticed_by(name)), alone.count(name)) for name in names]


def _by(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    grouped: dict[str, list[tuple[str, str]]] = {}
    for pair in pairs:
        grouped.setdefault(pair[0], []).append(pair)
    return list(grouped.items())


def main(files: Sequence[str]) -> None:
    """Write the page from files of ``exactstep selftest --output``."""
    PATH.write_text(selftest([read(Path(file).read_text("utf-8")) for file in files]), "utf-8")
    sys.stdout.write(f"{PATH}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
